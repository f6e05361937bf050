"""What `edgeocr tune` found out about a bundle on this device, and where it is kept."""
