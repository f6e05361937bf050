"""What `OCR` does with the open stages of a bundle: open them, load pictures, read upright."""
