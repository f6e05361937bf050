"""Measurements of edgeocr that anyone can repeat. Run from a checkout."""
