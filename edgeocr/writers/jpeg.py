"""Overlay pictures as JPEG files that show who drew them."""

from __future__ import annotations

import cv2

from ..images import Image
from .drawing import DrawingWriter, encoded_image

QUALITY = 90
# A comment segment: its marker, the length of what follows including the length itself, the words.
WORDS = b"Overlay drawn by edgeocr"
COMMENT = b"\xff\xfe" + (len(WORDS) + 2).to_bytes(2, "big") + WORDS
# The start of every JPEG file, and the marker of the JFIF segment, which has to come first.
START, JFIF = b"\xff\xd8", b"\xff\xe0"


def encode(overlay: Image) -> bytes:
    """Return a drawn picture as a JPEG file.

    Args:
        overlay: uint8 [H, W, 3] BGR.

    Raises:
        EdgeOCRError: OpenCV can't encode the picture.
    """
    content = encoded_image(overlay, ".jpg", (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    end = len(START)
    if content[end : end + 2] == JFIF:
        end += 2 + int.from_bytes(content[end + 2 : end + 4], "big")
    return content[:end] + COMMENT + content[end:]


class Writer(DrawingWriter):
    """A JPEG file with the outlines of one page drawn onto its picture."""

    ending = ".jpg"

    def encoded(self, overlay: Image) -> bytes:
        """Return a drawn picture, uint8 [H, W, 3] BGR, as the content of a file."""
        return encode(overlay)


write = Writer.write


def is_ours(start: bytes) -> bool:
    """Tell whether a file is an overlay that `encode` made.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return start.startswith(START) and COMMENT in start
