"""Readers of labelled pictures, one module for each format in which they are published."""
