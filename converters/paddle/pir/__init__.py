"""Read Paddle's PIR format and bring it into the form of a legacy program, without Paddle."""

from .lowering import lower
from .reader import read

__all__ = ["lower", "read"]
