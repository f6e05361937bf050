"""The bundle file format: reading, checking, signing and describing a bundle."""
