"""Searchable PDF: each page shows its picture, with its text invisible in the same places."""

from .writer import Writer, is_ours, text_only, write

__all__ = ["Writer", "is_ours", "text_only", "write"]
