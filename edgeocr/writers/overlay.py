"""The picture with its regions drawn, beside a sheet with the texts where they stand."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ..crops import TALL
from ..errors import FontError
from ..images import Image
from ..page import Line

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Blue-green-red, far enough apart for neighbours: (BGR) of Okabe and Ito's palette.
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
# Fonts that cover Latin and CJK; the first of these that is installed and fits is taken.
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


def draw(image: Image, lines: Sequence[Line], *, texts: bool = True) -> Image:
    """Draw the lines of a picture.

    image: uint8 [H, W, 3] BGR; it is not changed.
    texts: add the sheet with the texts at the right.

    Returns uint8 [H, W, 3], or [H, 2·W, 3] with texts. Raises `FontError` when the texts can't be
    drawn: Pillow is missing, or no installed font has their characters.
    """
    sheet = _sheet(image.shape[:2], lines) if texts else None
    picture = image.copy()
    thickness = max(2, round(min(image.shape[:2]) / 400))
    for i, line in enumerate(lines):
        outline = line.quad if line.polygon is None else line.polygon
        points = [np.round(outline).astype(np.int32)]
        cv2.polylines(picture, points, True, COLOURS[i % len(COLOURS)], thickness, cv2.LINE_AA)
    return picture if sheet is None else np.hstack([picture, sheet])


def find_font(characters: frozenset[str]) -> Path:
    """An installed font that can show the characters; raises `FontError` when there is none."""
    fonts = sorted(_installed(), key=_preference)
    best: tuple[int, Path | None] = (0, None)
    for path in fonts:
        covered = sum(_shows(path, character) for character in characters)
        if covered == len(characters):
            return path
        best = max(best, (covered, path), key=lambda pair: pair[0])
    # A rare sign must not cost all the others: nine of ten are enough.
    if best[1] is not None and best[0] >= 0.9 * len(characters):
        return best[1]
    raise FontError(
        f"none of {len(fonts)} installed fonts can show these texts; "
        "install one for their script, for example Noto Sans CJK (Debian: fonts-noto-cjk)"
    )


def _sheet(size: tuple[int, int], lines: Sequence[Line]) -> Image:
    try:
        from PIL import Image as PillowImage
        from PIL import ImageDraw
    except ImportError:
        raise FontError('Pillow is not installed: pip install "edgeocr[overlay]"') from None
    height, width = size
    sheet = PillowImage.new("RGB", (width, height), "white")
    characters = frozenset("".join("".join(line.text.split()) for line in lines))
    path = find_font(characters) if characters else None
    for i, line in enumerate(lines):
        blue, green, red = COLOURS[i % len(COLOURS)]
        if path is not None and line.text.strip():
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
    """The strip warped onto `corners` [4, 2] of a transparent picture of `size`."""
    from PIL import Image as PillowImage

    level = [[0, 0], [strip.width, 0], [strip.width, strip.height], [0, strip.height]]
    inverse = cv2.getPerspectiveTransform(corners.astype(np.float32), np.array(level, np.float32))
    return strip.transform(
        size,
        PillowImage.Transform.PERSPECTIVE,
        (inverse / inverse[2, 2]).ravel()[:8].tolist(),
        PillowImage.Resampling.BICUBIC,
    )


def _strip(line: Line, font: Path, colour: tuple[int, int, int]) -> Any:
    """The line's text on a transparent strip of its region's proportions."""
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    quad = _text_quad(line)
    width = float(np.linalg.norm(quad[1] - quad[0]))
    height = float(np.linalg.norm(quad[3] - quad[0]))
    scale = 48 / max(height, 1)
    strip = PillowImage.new("RGBA", (max(1, round(width * scale)), 48), (*colour, 0))
    size = 36
    length = _font(font, size).getlength(line.text)
    if length > strip.width - 4:
        size = max(6, int(size * (strip.width - 4) / length))
    ImageDraw.Draw(strip).text(
        (strip.width / 2, 24), line.text, font=_font(font, size), fill=(*colour, 255), anchor="mm"
    )
    return strip


def _text_quad(line: Line) -> Any:
    """The quad with the text along its first side: in tall regions it runs down."""
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
    """Whether the font draws a glyph of its own, not the box for unknown characters."""
    try:
        font = _font(path, 24)
        glyph, unknown = font.getmask(character), font.getmask("\uffff")
    except OSError:  # a damaged font, or one of bitmaps without this size
        return False
    return glyph.size != unknown.size or bytes(glyph) != bytes(unknown)
