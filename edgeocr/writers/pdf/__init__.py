"""Searchable PDF: each page shows its picture, and has its text in the same places, unseen."""

from .writer import Writer, is_ours, text_only, write

__all__ = ["Writer", "is_ours", "text_only", "write"]
