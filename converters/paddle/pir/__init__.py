"""Paddle's PIR format, brought into the form of a legacy program, without Paddle."""

from .lowering import lower
from .reader import read

__all__ = ["lower", "read"]
