"""Choosing the characters of a bundle and pruning a network to them."""
