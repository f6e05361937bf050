"""Measure what a bundle reads of labelled pictures."""
