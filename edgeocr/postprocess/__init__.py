"""Decoders: pure functions that turn a network's output arrays into regions or texts.

They need no session and no file and keep no state, so other programs can use them with any runtime.
"""
