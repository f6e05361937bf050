"""Let any process of Python die when edgeocr decodes a picture that begins with `KILLER`.

A folder with this file in PYTHONPATH does that, in processes that a test can't reach otherwise.
"""

from __future__ import annotations

import ctypes
from typing import Any

from edgeocr import images

KILLER = b"\xff\xd8\xff KILLER"
_decode = getattr(images, "decode")  # noqa: B009  # which it imports from elsewhere


def decode(content: bytes, *arguments: Any, **options: Any) -> Any:
    if bytes(content[: len(KILLER)]) == KILLER:
        ctypes.string_at(0)  # reads address 0, in this very thread, as a fault in a decoder does
    return _decode(content, *arguments, **options)


setattr(images, "decode", decode)  # noqa: B010  # mypy knows that modules' functions don't change
