"""HEIC and HEIF pictures, as iPhones save them, through the package pi-heif (extra `heif`)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError, excerpt
from . import formats
from .limits import Limits


def is_heif(start: bytes) -> bool:
    """Tell whether a file that begins like this is a HEIC or HEIF picture."""
    return formats.HEIF.matches(start)


def decode(content: bytes | bytearray, limits: Limits) -> NDArray[Any]:
    """Decode the main picture of a file. The turns and flips that the file states are applied.

    Args:
        content: The file.
        limits: How large the picture may be; it is checked before anything is decoded.

    Returns:
        [H, W] grey, [H, W, 3] BGR or [H, W, 4] BGRA, uint8, or uint16 where grey has more bits.

    Raises:
        ImageError: pi-heif is missing, the picture is too large, or it can't be decoded.
    """
    try:
        import pi_heif
    except ImportError as error:
        raise ImageError(formats.refusal(bytes(content[: formats.ENOUGH]))) from error
    try:
        file = pi_heif.open_heif(io.BytesIO(content), bgr_mode=True)
        picture: Any = file[file.primary_index]
        limits.check_size(*picture.size)
        pixels: NDArray[Any] = np.array(
            picture
        )  # a copy: the library frees its own array with the file
    except ImageError:
        raise
    except Exception as error:  # a damaged file makes the library raise anything
        described = excerpt(str(error))
        raise ImageError(
            f"this is {formats.HEIF.name}, which pi-heif can't decode ({described}): get the file "
            "again, or convert it to PNG first, for example with heif-convert"
        ) from error
    return pixels
