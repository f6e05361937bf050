"""Sources of frames: cameras, streams, videos, folders and pipes."""

from .opening import open_source
from .reader import left_behind

__all__ = ["left_behind", "open_source"]
