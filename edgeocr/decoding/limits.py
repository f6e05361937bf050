"""How large a picture, and the file that holds it, may be, as far as a caller allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import EdgeOCRError, ImageError
from . import formats
from .headers.header import Header

# The most pixels of a picture, unless a caller sets another limit: the number above which Pillow
# raises its DecompressionBombError (twice the pixels that take 256 MiB with 24 bits each).
MAX_IMAGE_PIXELS = 178_956_970
# The most bytes of a file that are read: OpenCV decodes no more. It is above 2**30, which a picture
# of MAX_IMAGE_PIXELS takes with three channels of 16 bits, without compression.
MAX_FILE_BYTES = (1 << 31) - 1
# The most bytes that decoding may take beside the pixels, such as for the descriptions of JPEG 2000
# tiles and code blocks, unless the file itself has more. Code blocks of 32 × 32 take 260 MB for
# MAX_IMAGE_PIXELS in RGB colours.
MAX_STRUCTURES = 1 << 29
# An animation is composed as long as its pictures have no more than this many times the most pixels
# of a picture together: 1 000 pictures of 2.8 megapixels by default.
MAX_CANVASES = 16

# Returns the error to raise if this many bytes can't be held, or None if they can.
Admission = Callable[[int], EdgeOCRError | None]


@dataclass(frozen=True)
class Limits:
    """Limits that are checked before anything large is read or decoded.

    Attributes:
        pixels: The most pixels of a picture, by its file's header; None for no limit.
        pictures: Tells whether the memory limit leaves room for this many bytes of pixels; None
            without a memory limit.
        contents: Tells the same for this many bytes that are read from a file object.
    """

    pixels: int | None = MAX_IMAGE_PIXELS
    pictures: Admission | None = None
    contents: Admission | None = None

    def check_header(self, header: Header | None, content: bytes | bytearray) -> None:
        """Check a file by its header.

        Args:
            header: The header; None if it can't be read.
            content: The file.

        Raises:
            ImageError: The picture is larger than the limit, or its size isn't known.
        """
        if self.pixels is None:
            return
        if header is None:
            raise ImageError(formats.refusal_without_size(bytes(content[: formats.ENOUGH])))
        self.check_size(header.width, header.height)
        if header.tile is not None:
            self.check_size(*header.tile, "its tiles have")
        if header.structures > max(MAX_STRUCTURES, len(content)):
            raise ImageError(
                f"decoding it would take {header.structures / 1e6:.0f} MB beside its pixels, "
                "because it is damaged or made of unusual tiles, blocks, layers or chunks: open it "
                f"in a picture viewer and save it as PNG, or, if you trust it, {_raised(None)}"
            )

    def check_size(self, width: int, height: int, what: str = "it has") -> None:
        """Raise `ImageError` if a picture, or what `what` names, has too many pixels."""
        if self.pixels is not None and width * height > self.pixels:
            raise ImageError(
                f"{what} {width} × {height} pixels by its header, the limit is {self.pixels} "
                f"pixels: make the picture smaller, or, if you trust it, "
                f"{_raised(width * height)}"
            )

    def most_canvases(self, width: int, height: int) -> int | None:
        """Return how many pictures of an animation of this size are composed; None for all."""
        if self.pixels is None:
            return None
        return MAX_CANVASES * self.pixels // max(1, width * height)

    def check_content(self, number: int) -> None:
        """Raise an error if this many bytes of a file object can't be held.

        Raises:
            ImageError: OpenCV could not decode so many.
            MemoryLimitError: They don't fit into the memory limit.
        """
        if number > MAX_FILE_BYTES:
            raise ImageError(
                f"has more than {MAX_FILE_BYTES} bytes, the most that OpenCV decodes: split it, "
                "or save the picture with compression"
            )
        refusal = self.contents(number) if self.contents is not None else None
        if refusal is not None:
            raise refusal


DEFAULT_LIMITS = Limits()


def checked_pixels(limit: int | None) -> int | None:
    """Return a limit of pixels as a caller passes it.

    Raises:
        ValueError: It is below 1.
        TypeError: It is neither an integer nor None.
    """
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"max_image_pixels must be a whole number or None, not {limit!r:.40}")
    if limit < 1:
        raise ValueError(f"max_image_pixels must be at least 1, or None, not {limit}")
    return limit


def _raised(pixels: int | None) -> str:
    """Say how to raise the limit."""
    option = "none" if pixels is None else pixels
    return f"pass OCR(max_image_pixels={pixels}) or --max-image-pixels {option}"
