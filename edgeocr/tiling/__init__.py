"""Overlapping pieces of what is too large for one run of a network: pictures and long lines."""
