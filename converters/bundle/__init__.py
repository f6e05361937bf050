"""Assembling a bundle from converted networks."""
