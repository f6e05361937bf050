"""What the header of an image file tells about decoding it."""

from __future__ import annotations

from dataclasses import dataclass

# Bytes per pixel that decoding and converting to BGR hold at the worst moment, by bytes per sample
# and channels: measured with OpenCV 5 and NumPy 2.4, plus a tenth where `images` computes on the
# pixels. OpenCV copies each picture for Python, so it is in memory twice. Pictures that are
# transparent are blended by rows and take less than this; choosing the background is included.
SAMPLES = {(1, 1): 4, (1, 2): 27, (1, 3): 6, (1, 4): 27, (2, 1): 11, (2, 2): 44, (2, 3): 33}
MOST = 44


@dataclass(frozen=True)
class Header:
    """What the header of an image file tells, before an EXIF orientation is applied.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        decoding: Bytes per pixel that `images.load` holds at the worst moment, including the result
            but not the file's content; None where that can't be predicted.
        reducible: Whether the picture can be decoded at 1/2, 1/4 or 1/8 of its sides.
        tile: Width and height of the tiles that a TIFF file is decoded by; None without tiles.
        structures: Further bytes that decoding holds, which don't depend on the number of pixels,
            such as the descriptions of the tiles and code blocks of a JPEG 2000 file.
    """

    width: int
    height: int
    decoding: int | None
    reducible: bool = False
    tile: tuple[int, int] | None = None
    structures: int = 0


def bytes_per_pixel(channels: int, depth: int) -> int:
    """Return what decoding takes per pixel with this many channels of `depth` bits."""
    return SAMPLES.get((1 if depth <= 8 else 2, channels), MOST)
