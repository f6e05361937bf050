"""Draw what was found onto a picture, beside a sheet on which each text stands at its place."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from ..errors import FontError
from ..images import Image
from ..postprocess import bidi
from ..postprocess.geometry import TALL, Float32

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Five colours of Okabe and Ito's palette for colour-blind readers, as (blue, green, red).
COLOURS = ((178, 114, 0), (0, 94, 213), (115, 158, 0), (167, 121, 204), (0, 159, 230))

FONT_FOLDERS = {
    "win32": ["C:/Windows/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts"],
    "darwin": ["/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"],
}
LINUX_FONT_FOLDERS = [
    "~/.local/share/fonts",
    "~/.fonts",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
]
# Fonts that cover Latin and CJK, in order of preference.
PREFERRED = (
    "NotoSansCJK-Regular",
    "NotoSansSC",
    "SourceHanSans",
    "wqy-microhei",
    "wqy-zenhei",
    "DroidSansFallback",
    "msyh",
    "PingFang",
    "Hiragino Sans GB",
    "Arial Unicode",
    "DejaVuSans.",
)


class Outlined(Protocol):
    """A line or a region: whatever has a quad and may have a polygon and a text."""

    @property
    def quad(self) -> Float32:
        """Corners, float32 [4, 2], clockwise from the top left."""

    @property
    def polygon(self) -> Float32 | None:
        """Outline, float32 [K, 2], or None."""


def draw(
    image: Image, found: Sequence[Outlined], *, texts: bool = True, words: bool = False
) -> Image:
    """Draw the outlines of lines or regions.

    Args:
        image: uint8 [H, W, 3] BGR; it is not changed.
        found: Lines or regions in pixels of the image.
        texts: Add a sheet with the texts of lines at the right.
        words: Draw the words of lines with thinner outlines, too.

    Returns:
        uint8 [H, W, 3], or [H, 2 · W, 3] with texts.

    Raises:
        FontError: The texts can't be drawn: Pillow is missing, or no installed font covers their
            characters.
    """
    sheet = _sheet(image.shape[:2], found) if texts else None
    picture = image.copy()
    thickness = max(2, round(min(image.shape[:2]) / 400))
    for i, each in enumerate(found):
        colour = COLOURS[i % len(COLOURS)]
        inner = getattr(each, "words", ()) if words else ()
        outline = each.quad if each.polygon is None else each.polygon
        for points, thick in [
            *((word.quad, max(1, thickness // 2)) for word in inner),
            (outline, thickness),
        ]:
            rounded = [np.round(points).astype(np.int32)]
            cv2.polylines(picture, rounded, True, colour, thick, cv2.LINE_AA)
    return picture if sheet is None else np.hstack([picture, sheet])


def find_font(characters: frozenset[str]) -> Path:
    """Find an installed font that covers the characters.

    Args:
        characters: The characters to be drawn.

    Returns:
        Path of the first font, by preference, that covers all of them, or else of the one that
        covers the most, if that is nine of ten.

    Raises:
        FontError: No installed font covers enough of the characters.
    """
    fonts = sorted(_installed(), key=_preference)
    best: tuple[int, Path | None] = (0, None)
    for path in fonts:
        covered = sum(_shows(path, character) for character in characters)
        if covered == len(characters):
            return path
        best = max(best, (covered, path), key=lambda pair: pair[0])
    # One rare character must not keep all the others from being drawn.
    if best[1] is not None and best[0] >= 0.9 * len(characters):
        return best[1]
    raise FontError(
        f"none of the {len(fonts)} installed fonts covers these texts: "
        "install one for their script, for example Noto Sans CJK (Debian: fonts-noto-cjk)"
    )


def _sheet(size: tuple[int, int], found: Sequence[Outlined]) -> Image:
    """Draw the texts, each at its line's place, on a white sheet of `size` (height, width)."""
    try:
        from PIL import Image as PillowImage
        from PIL import ImageDraw
    except ImportError:
        raise FontError('Pillow is not installed: pip install "edgeocr[overlay]"') from None
    height, width = size
    sheet = PillowImage.new("RGB", (width, height), "white")
    characters = frozenset("".join("".join(_text(each).split()) for each in found))
    path = find_font(characters) if characters else None
    for i, line in enumerate(found):
        blue, green, red = COLOURS[i % len(COLOURS)]
        if path is not None and _text(line).strip():
            strip = _strip(line, path, (red, green, blue))
            corners = _text_quad(line)
            left, top = np.floor(corners.min(axis=0)).astype(int).tolist()
            right, bottom = np.ceil(corners.max(axis=0)).astype(int).tolist()
            placed = _placed(strip, corners - (left, top), (right - left + 1, bottom - top + 1))
            sheet.paste(placed, (left, top), mask=placed.getchannel("A"))
        outline = [tuple(point) for point in line.quad.tolist()]
        ImageDraw.Draw(sheet).polygon(outline, outline=(red, green, blue))
    return np.asarray(sheet)[..., ::-1]


def _placed(strip: Any, corners: Any, size: tuple[int, int]) -> Any:
    """Warp a strip onto the corners [4, 2] of a transparent picture of `size`."""
    from PIL import Image as PillowImage

    level = [[0, 0], [strip.width, 0], [strip.width, strip.height], [0, strip.height]]
    inverse = cv2.getPerspectiveTransform(corners.astype(np.float32), np.array(level, np.float32))
    return strip.transform(
        size,
        PillowImage.Transform.PERSPECTIVE,
        (inverse / inverse[2, 2]).ravel()[:8].tolist(),
        PillowImage.Resampling.BICUBIC,
    )


def _strip(line: Outlined, font: Path, colour: tuple[int, int, int]) -> Any:
    """Draw the line's text on a transparent strip that has the proportions of its quad."""
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    text, quad = _text(line), _text_quad(line)
    width = float(np.linalg.norm(quad[1] - quad[0]))
    height = float(np.linalg.norm(quad[3] - quad[0]))
    scale = 48 / max(height, 1)
    strip = PillowImage.new("RGBA", (max(1, round(width * scale)), 48), (*colour, 0))
    size = 36
    text, direction = _as_drawn(text, _font(font, size))
    length = _font(font, size).getlength(text, direction=direction)
    if length > strip.width - 4:
        size = max(6, int(size * (strip.width - 4) / length))
    ImageDraw.Draw(strip).text(
        (strip.width / 2, 24),
        text,
        font=_font(font, size),
        fill=(*colour, 255),
        anchor="mm",
        direction=direction,
    )
    return strip


def _as_drawn(text: str, font: FreeTypeFont) -> tuple[str, str | None]:
    """Return what Pillow has to draw for a text, and the direction that it has to be told.

    Pillow draws right-to-left scripts from right to left if it finds the libraries Raqm and
    FriBidi, and draws all texts from left to right otherwise.
    """
    from PIL import ImageFont

    if not bidi.is_right_to_left(text):
        return text, None
    direction = bidi.direction_of(text)
    if font.layout_engine == ImageFont.Layout.BASIC:
        return bidi.visual_order(text, direction), None
    return text, "rtl" if direction == "right-to-left" else "ltr"


def _text_quad(line: Outlined) -> Any:
    """Turn the quad so that the text runs along its first side; in a tall quad it runs down."""
    quad = line.quad
    width = np.linalg.norm(quad[1] - quad[0])
    height = np.linalg.norm(quad[3] - quad[0])
    return np.roll(quad, -1, axis=0) if height >= TALL * width else quad


@cache
def _installed() -> tuple[Path, ...]:
    folders = FONT_FOLDERS.get(sys.platform, LINUX_FONT_FOLDERS)

    def search() -> Iterator[Path]:
        for folder in folders:
            for suffix in ("ttf", "ttc", "otf"):
                yield from Path(folder).expanduser().rglob(f"*.{suffix}")

    return tuple(sorted(search()))


def _text(found: Outlined) -> str:
    return str(getattr(found, "text", ""))


def _preference(path: Path) -> int:
    for rank, name in enumerate(PREFERRED):
        if path.name.startswith(name):
            return rank
    return len(PREFERRED)


@cache
def _font(path: Path, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size)


@cache
def _shows(path: Path, character: str) -> bool:
    """Tell whether the font has a glyph for the character, not only the box for unknown ones."""
    try:
        font = _font(path, 24)
        glyph, unknown = font.getmask(character), font.getmask("\uffff")
    except OSError:  # a damaged font, or a bitmap font without this size
        return False
    return glyph.size != unknown.size or bytes(glyph) != bytes(unknown)
