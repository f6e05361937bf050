"""Image files: their format, pixels, transparency, orientation and frames."""
