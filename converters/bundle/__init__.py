"""Assemble a bundle: its stages, files, manifest and bill of materials."""
