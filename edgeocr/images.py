"""Decode any source to a uint8 [H, W, 3] BGR image, upright, the way a person would see it.

The EXIF orientation is applied, transparent pixels get a ground that shows the text, and 16 bits
per channel are reduced to 8.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .decoding.contents import described, read_all, read_path
from .decoding.files import Pixels, decode, standard, upright, with_transparent_grey
from .decoding.formats import ENOUGH
from .decoding.limits import DEFAULT_LIMITS, Limits
from .decoding.tiff import DirectoryError
from .decoding.tiff_page import Page
from .documents.pdf import PdfPage, is_pdf
from .errors import EdgeOCRError, ImageError

if TYPE_CHECKING:
    import PIL.Image

Image: TypeAlias = NDArray[np.uint8]
Source: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[Any]"
    " | IO[bytes] | PIL.Image.Image | Frame"
)

SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        "bmp",
        "gif",
        "jp2",
        "jpeg",
        "jpg",
        "pbm",
        "pgm",
        "png",
        "ppm",
        "tif",
        "tiff",
        "webp",
    )
)
# Files that are read where an extra, or OpenCV 5 for AVIF, is installed.
EXTRA_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".hif", ".pdf"})


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded source, which may have been decoded at a fraction of its size.

    Attributes:
        image: uint8 [H, W, 3] BGR.
        width: Width of the whole source in pixels; larger than W where the source was reduced.
        height: Height of the whole source in pixels.
        frames: How many frames the source has, of which this is one.
    """

    image: Image
    width: int
    height: int
    frames: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole source in pixels."""
        return self.width, self.height

    @classmethod
    def whole(cls, image: Image) -> Picture:
        """Wrap an image, uint8 [H, W, 3] BGR, that was decoded at its full size."""
        height, width = image.shape[:2]
        return cls(image, width, height)

    def in_source(self, points: NDArray[np.float32], rotation: int = 0) -> NDArray[np.float32]:
        """Return where points of the image, or of the image turned upright, are in the source.

        Args:
            points: float32 [..., 2], x and y in pixels.
            rotation: By how many degrees, 0, 90, 180 or 270, the image was turned clockwise.
        """
        height, width = self.image.shape[:2]
        if rotation == 0 and (width, height) == (self.width, self.height):
            return points
        x, y = points[..., 0], points[..., 1]
        right, bottom = width - 1, height - 1
        if rotation == 90:
            x, y = y, bottom - x
        elif rotation == 180:
            x, y = right - x, bottom - y
        elif rotation == 270:
            x, y = right - y, x
        scaled = np.stack([x * (self.width / width), y * (self.height / height)], -1)
        return scaled.astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class Frame:
    """One of the pictures that a source holds, or its only one: a source itself.

    Attributes:
        name: What results and errors call it, as in `scan.tif#2`.
        number: Its place among the frames, from 1.
        count: How many frames the source has.
        held: A source of this picture alone, a page of a TIFF or PDF file, or the error that says
            why there is no picture.
    """

    name: str
    number: int = 1
    count: int = 1
    held: Any = None

    def load(self, reduction: int = 1, limits: Limits = DEFAULT_LIMITS) -> Image:
        """Decode the frame as `load` does."""
        if isinstance(self.held, EdgeOCRError):
            error = self.held
        else:
            try:
                if isinstance(self.held, PdfPage):
                    return self.held.render(limits)
                return (
                    _load_page(self.held, limits)
                    if isinstance(self.held, Page)
                    else load(self.held, reduction, limits)
                )
            except ImageError as raised:
                error = raised
        if self.count > 1 or isinstance(self.held, PdfPage):
            error = named(error, self.name)
        raise error


def load(source: Source, reduction: int = 1, limits: Limits = DEFAULT_LIMITS) -> Image:
    """Decode or convert a source.

    Args:
        source: A path, the bytes of an image file, an open binary file, a PIL image, or an array:
            grey [H, W] or [H, W, 1], BGR [H, W, 3] or BGRA [H, W, 4], uint8 or uint16. If a file
            has several frames or pages, the first one is decoded; a `Frame` stands for any of them.
        reduction: Decode the source, which must be a JPEG file, at 1/`reduction` of its sides:
            1, 2, 4 or 8.
        limits: How large a file and its picture may be. Arrays, and PIL images that don't come from
            a file, are in memory already and have no limit.

    Returns:
        uint8 [H, W, 3] BGR, contiguous. An array that is in this form already is not copied.

    Raises:
        ImageError: The file does not exist, is too large or can't be decoded, or the array has a
            shape or dtype that no image has.
    """
    if isinstance(source, Frame):
        return source.load(reduction, limits)
    if isinstance(source, np.ndarray):
        return Pixels(standard(source)).on_ground()
    if isinstance(source, (str, os.PathLike)):
        return _from_path(source, reduction, limits)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decoded(_bytes_of(source), reduction, limits)
    if is_pillow(source):
        return _from_pil(source, limits)
    if hasattr(source, "read"):
        return _decoded(content_of(source, limits), reduction, limits)
    raise ImageError(
        f"a {type(source).__name__} is not an image source: "
        "pass a path, bytes, a NumPy array, a PIL image or a binary file"
    )


def named(error: EdgeOCRError, name: str) -> EdgeOCRError:
    """Return an error whose message begins with the name of the picture, if it is about pictures.

    Args:
        error: The error.
        name: The name of the picture.
    """
    if not isinstance(error, ImageError) or str(error).startswith(f"{name}: "):
        return error
    result = type(error)(f"{name}: {error}", source=error.source)
    result.__cause__ = error.__cause__
    return result


def is_pillow(source: object) -> bool:
    """Tell whether a source is a PIL image, without importing Pillow."""
    try:
        return hasattr(source, "getexif") and hasattr(source, "convert")
    except Exception:  # attributes of foreign objects may raise anything
        return False


def content_of(source: Any, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read a file object to its end.

    Raises:
        ImageError: It can't be read, was opened in text mode, or is too large.
        MemoryLimitError: Its content doesn't fit into the memory limit.
    """
    try:
        return read_all(source, limits)
    except ImageError as error:
        raise ImageError(f"{name_of(source)}: {error}") from error.__cause__


def name_of(source: Source) -> str:
    """Return the name of a source for results and errors: its path, or its type in brackets."""
    if isinstance(source, Frame):
        return source.name
    try:
        if isinstance(source, (str, os.PathLike)):
            name: object = os.fspath(source)
        else:
            name = getattr(source, "filename", None) or getattr(source, "name", None)
    except Exception:  # the source is foreign code: loading it reports what is wrong
        name = None
    return name if isinstance(name, str) else f"<{type(source).__name__}>"


def _bytes_of(source: bytes | bytearray | memoryview) -> bytes:
    try:
        return bytes(source)
    except ValueError as error:  # a memory view that has been released
        raise ImageError(f"{name_of(source)}: can't be read: {error}") from error


def _from_path(source: str | os.PathLike[str], reduction: int, limits: Limits) -> Image:
    path = name_of(source)
    if path.startswith(("http:", "https:")):
        raise ImageError(
            f"{path}: edgeocr does not download: fetch the file first and pass its path"
        )
    try:
        return _decoded(read_path(source, limits), reduction, limits)
    except ImageError as error:
        raise named(error, path) from error.__cause__
    except EdgeOCRError:
        raise
    except (OSError, ValueError, TypeError) as error:  # ValueError: the path has a null byte
        raise ImageError(f"{path}: can't be read: {described(error)}") from error


def _decoded(content: bytes, reduction: int, limits: Limits) -> Image:
    if is_pdf(content[:ENOUGH]):
        return PdfPage(content).render(limits)
    return decode(content, reduction, limits).on_ground()


def _load_page(page: Page, limits: Limits) -> Image:
    try:
        return decode(page.content(), limits=limits).on_ground()
    except (OSError, DirectoryError) as error:
        raise ImageError(f"can't be read: {error}") from error


def _from_pil(image: Any, limits: Limits) -> Image:
    try:
        if image.format is not None:  # it comes from a file
            limits.check_size(*image.size)
        image.load()  # Pillow turns a TIFF upright while loading, and drops its orientation
        orientation = _orientation(image)
        if image.mode.startswith("I"):
            # 16 bits per pixel; older versions of Pillow open such a PNG with 32.
            array = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
            if isinstance(key := image.info.get("transparency"), int):
                array = with_transparent_grey(array, key)
        elif image.mode == "F":
            raise ImageError("a PIL image of mode F has no defined range: convert it to L or RGB")
        elif image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            if image.mode == "La":  # which Pillow converts to one mode only
                image = image.convert("LA")
            array = np.asarray(image.convert("RGBA"))[..., [2, 1, 0, 3]]
        else:
            array = np.asarray(image.convert("RGB"))[..., ::-1]
        array = standard(array)
    except (EdgeOCRError, MemoryError):
        raise
    except Exception as error:  # a damaged file makes Pillow raise anything
        raise ImageError(f"Pillow can't decode the image: {described(error)}") from error
    return Pixels(upright(array, orientation)).on_ground()


def _orientation(image: Any) -> int:
    """Return the EXIF orientation of a PIL image, or 1 where its EXIF data is damaged."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # Pillow parses what the file holds, such as fractions with a zero below
        return 1
