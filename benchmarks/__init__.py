"""Measurements of edgeocr that anyone can repeat; they run from a checkout."""
