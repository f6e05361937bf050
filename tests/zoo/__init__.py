"""Compact copies of PaddleOCR's networks, exported in both Paddle formats, for the converters."""
