"""Pages → files; one module per format."""
