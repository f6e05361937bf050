"""`edgeocr bench`: measures a bundle on each execution provider of this device."""
