"""The error of this package."""

from __future__ import annotations


class EmulationError(Exception):
    """Nothing can be counted; the message gives the reason and says what to do."""
