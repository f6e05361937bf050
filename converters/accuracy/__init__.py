"""Measuring what a bundle reads on labelled pictures."""
