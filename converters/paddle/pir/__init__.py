"""Read Paddle's PIR format and bring it into the form of a legacy program, without Paddle."""

from .lowering import lower
from .reader import every, read

__all__ = ["every", "lower", "read"]
