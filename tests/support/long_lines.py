"""Draw lines of some hundred characters, of the kinds that are hard to join from pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edgeocr.images import Image as Pixels

# Drawn with where they are installed; Pillow's own font is always there.
FONTS = sorted(Path("/usr/share/fonts/truetype/dejavu").glob("DejaVuSans*.ttf"))
FONTS += sorted(Path("/usr/share/fonts/truetype/dejavu").glob("DejaVuSerif*.ttf"))
KINDS = ("words", "counting", "digits", "repeated digit", "repeated letters", "punctuation")
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
# Letters that can be told from two others (vv from w) and counted where they stand in a row.
WIDE_LETTERS = "abcdehkmnpsuyz"
PUNCTUATION = ",.;:!?-+*/()%&#=@$"


def text(random: np.random.Generator, kind: str, length: int) -> str:
    """Return about this many characters of one of `KINDS`, without a space at either end."""
    if kind == "repeated digit":
        return str(random.integers(10)) * length
    parts: list[str] = []
    number, step = int(random.integers(1, 5000)), int(random.integers(1, 60))
    while sum(map(len, parts)) + len(parts) < length:
        if kind == "words":
            word = "".join(random.choice(list(LETTERS), random.integers(2, 11)))
            parts.append(word.capitalize() if random.random() < 0.2 else word)
        elif kind == "counting":
            parts.append(str(number))
            number += step
        elif kind == "digits":
            parts.append("".join(random.choice(list("0123456789"), random.integers(4, 20))))
        elif kind == "repeated letters":
            parts.append(str(random.choice(list(WIDE_LETTERS))) * int(random.integers(3, 9)))
        else:
            word = "".join(random.choice(list(LETTERS), random.integers(1, 5)))
            parts.append(word + str(random.choice(list(PUNCTUATION))))
    return " ".join(parts)[:length].strip()


def font(random: np.random.Generator, *, installed: bool = True) -> ImageFont.FreeTypeFont:
    """Return a font of 14 to 56 pixels: Pillow's own, or mostly an installed one."""
    size = int(random.integers(14, 57))
    if installed and FONTS and random.random() < 0.85:
        path = FONTS[random.integers(len(FONTS))]
        return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    own = ImageFont.load_default(size)
    assert isinstance(own, ImageFont.FreeTypeFont)
    return own.font_variant(layout_engine=ImageFont.Layout.BASIC)


def draw(content: str, face: ImageFont.FreeTypeFont, random: np.random.Generator) -> Pixels:
    """Draw a line as a detector would cut it out, uint8 [H, W, 3].

    The ground and the ink have colours of their own, and there is some noise.
    """
    _, above, _, below = face.getbbox("Ágjpy|")
    width = round(face.getlength(content))
    edge = max(1, round((below - above) * random.uniform(0.02, 0.12)))
    size = (width + 2 * edge + 2, round(below - above) + 2 * edge)
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).text((edge, edge - above), content, 255, face)
    ground, ink = random.integers(200, 256, 3), random.integers(0, 70, 3)
    if random.random() < 0.2:
        ground, ink = ink, ground
    share = np.asarray(mask, np.float32)[:, :, None] / 255
    noise = random.normal(0, random.uniform(0, 6), (*size[::-1], 1))
    return np.clip(ground + (ink - ground) * share + noise, 0, 255).astype(np.uint8)
