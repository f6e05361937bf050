"""`edgeocr bench`: what this device does with a bundle, on every execution provider."""
