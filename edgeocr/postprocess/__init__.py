"""Decoders: pure functions from a network's output arrays to regions or texts.

No session, no file, no state: other programs can use them with any backend.
"""
