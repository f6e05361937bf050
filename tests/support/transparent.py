"""Draw pictures at random whose text stands on transparency.

What is stored under a transparent pixel is arbitrary, so each picture holds white, black, noise or
the text's own colour there. `python -m tests.support.transparent FIRST LAST` reads the pictures of
a range of seeds and prints how many of each kind come out right.
"""

from __future__ import annotations

import io
import random
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WORDS = """
    amber anchor autumn barley basket bridge butter candle castle cedar cherry copper cotton
    dragon engine falcon forest garden ginger hammer harbor island jacket kettle ladder lantern
    lemon linen marble meadow mirror needle number orange pepper pillow planet pocket rabbit
    ribbon saddle silver spring summer sunset tunnel velvet violet walnut window winter yellow
""".split()  # noqa: SIM905
Colour = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Drawn:
    """A picture and what a person reads in it.

    Attributes:
        kind: What is difficult about it: a name of `KINDS`.
        image: The picture, mode RGBA, with arbitrary colours where it is transparent.
        lines: The texts from top to bottom.
    """

    kind: str
    image: Image.Image
    lines: tuple[str, ...]


def draw(seed: int, kind: str | None = None) -> Drawn:
    """Draw one picture.

    Args:
        seed: The same seed gives the same picture.
        kind: A name of `KINDS`; by default the seed chooses.
    """
    chance = random.Random(seed)
    name = kind or sorted(KINDS)[seed % len(KINDS)]
    several = name in ("light and dark", "badge beside text")
    lines = tuple(line_of_words(chance) for _ in range(chance.randint(2 if several else 1, 4)))
    image = KINDS[name](chance, lines)
    return Drawn(name, _with_hidden_colours(image, chance), lines)


def form_of(seed: int, kind: str) -> str:
    """Choose a form of file that keeps what a kind of picture shows."""
    form = FORMS[seed // len(KINDS) % len(FORMS)]
    return "png" if form == "png one bit" and kind not in ONE_COLOUR else form


def encode(image: Image.Image, form: str) -> bytes:
    """Write a picture of mode RGBA in one of the `FORMS`."""
    stream = io.BytesIO()
    if form == "png palette":
        image.quantize(64).save(stream, "PNG")
    elif form == "png one bit":
        stream.write(_png_of_one_bit(image))
    elif form == "png grey and alpha":
        image.convert("LA").save(stream, "PNG")
    elif form == "gif":
        image.save(stream, "GIF")
    elif form == "webp":
        image.save(stream, "WEBP", quality=90)
    elif form == "tiff":
        image.save(stream, "TIFF", compression="tiff_lzw")
    elif form == "tiff grey and alpha":
        image.convert("LA").save(stream, "TIFF")
    elif form == "tiff associated":
        stream.write(_associated_tiff(image))
    else:
        image.save(stream, "PNG")
    return stream.getvalue()


FORMS = (
    "png",
    "webp",
    "tiff",
    "tiff associated",
    "png palette",
    "png one bit",
    "png grey and alpha",
    "gif",
    "tiff grey and alpha",
)
# Kinds that lose nothing where a pixel has one of two values.
ONE_COLOUR = ("white", "black", "grey", "colour", "soft edges")


def _png_of_one_bit(image: Image.Image) -> bytes:
    """Write black and white pixels, one of which counts as transparent; text may be either."""
    alpha = np.asarray(image)[..., 3] > 127
    dark = np.asarray(image.convert("L"))[alpha].mean() < 128 if alpha.any() else True
    bits = Image.fromarray(np.where(alpha ^ dark, 255, 0).astype(np.uint8)).convert("1")
    stream = io.BytesIO()
    bits.save(stream, "PNG", transparency=1 if dark else 0, bits=1)
    return stream.getvalue()


def _associated_tiff(image: Image.Image) -> bytes:
    """Write a TIFF whose colours are multiplied by the alpha, and which says so."""
    pixels = np.asarray(image).astype(np.uint16)
    pixels[..., :3] = (pixels[..., :3] * pixels[..., 3:] + 127) // 255
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "TIFF")
    # The tag ExtraSamples, one SHORT: 2 is unassociated alpha, 1 is associated.
    tag = bytes.fromhex("5201 0300 01000000")
    content = stream.getvalue()
    assert content.count(tag + b"\2") == 1
    return content.replace(tag + b"\2", tag + b"\1")


def line_of_words(chance: random.Random) -> str:
    """Return a line of words, perhaps with a number."""
    words = [chance.choice(WORDS) for _ in range(chance.randint(1, 3))]
    if chance.random() < 0.4:
        words.append(str(chance.randint(10, 9999)))
    text = " ".join(words)
    return chance.choice((text, text.capitalize(), text.upper()))


@lru_cache(256)
def _font(size: int, name: str | None) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if name is not None:
        try:
            return ImageFont.truetype(name, size)
        except OSError:  # not installed
            pass
    return ImageFont.load_default(size)


def opacity(chance: random.Random, lines: Sequence[str], outline: int = 0) -> Image.Image:
    """Draw the lines as opacity, mode L, with a margin around them."""
    size = chance.randint(20, 56)
    name = chance.choice((None, None, "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf"))
    font = _font(size, name)
    margin, step = chance.randint(8, 40) + outline, round(size * chance.uniform(1.4, 2.0))
    width = max(round(font.getlength(text)) for text in lines) + 2 * margin
    mask = Image.new("L", (width, len(lines) * step + 2 * margin))
    for i, text in enumerate(lines):
        ImageDraw.Draw(mask).text(
            (margin, margin + i * step), text, 255, font, stroke_width=outline
        )
    return mask


def _ink(colour: Colour, mask: Image.Image, opacity: float = 1.0) -> Image.Image:
    image = Image.new("RGBA", mask.size, (*colour, 255))
    image.putalpha(mask.point(lambda value: round(value * opacity)))
    return image


Drawing = Callable[[random.Random, Sequence[str]], Image.Image]


def _plain(colour_of: Callable[[random.Random], Colour]) -> Drawing:
    def drawn(chance: random.Random, lines: Sequence[str]) -> Image.Image:
        return _ink(colour_of(chance), opacity(chance, lines))

    return drawn


def _any_colour(chance: random.Random) -> Colour:
    return (chance.randint(0, 255), chance.randint(0, 255), chance.randint(0, 255))


def _grey(chance: random.Random) -> Colour:
    level = chance.randint(70, 190)
    return (level, level, level)


def _faint(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw text that is itself half transparent, as a watermark is."""
    colour = chance.choice((WHITE, BLACK, _any_colour(chance)))
    return _ink(colour, opacity(chance, lines), chance.uniform(0.45, 0.9))


def _light_and_dark(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw some lines in a light colour and the others in a dark one."""
    mask = np.asarray(opacity(chance, lines))
    colours = np.zeros((*mask.shape, 4), np.uint8)
    light = tuple(chance.randint(225, 255) for _ in range(3))
    dark = tuple(chance.randint(0, 30) for _ in range(3))
    rows = np.flatnonzero(mask.any(1))
    gaps = rows[1:][np.diff(rows) > 1]
    cut = int(chance.choice(gaps.tolist())) if len(gaps) else len(mask) // 2
    first, second = chance.sample((light, dark), 2)
    colours[:cut, :, :3], colours[cut:, :, :3] = first, second
    colours[..., 3] = mask
    return Image.fromarray(colours)


def _soft_shadow(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw text over a blurred shadow of the opposite lightness, or over a glow."""
    text, under = chance.choice(((WHITE, BLACK), (BLACK, WHITE)))
    mask = opacity(chance, lines)
    shadow = Image.new("L", mask.size)
    shift = chance.randint(0, 4)
    shadow.paste(mask, (shift, shift))
    shadow = shadow.filter(ImageFilter.GaussianBlur(chance.uniform(2, 6)))
    image = _ink(under, shadow, chance.uniform(0.4, 0.9))
    return Image.alpha_composite(image, _ink(text, mask))


def _hard_shadow(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw text over a copy of itself that is shifted and half transparent."""
    text, under = chance.choice(((WHITE, BLACK), (BLACK, WHITE)))
    mask = opacity(chance, lines)
    shadow = Image.new("L", mask.size)
    shadow.paste(mask, (2, 2))
    image = _ink(under, shadow, chance.uniform(0.3, 0.7))
    return Image.alpha_composite(image, _ink(text, mask))


def _outlined(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw text with an outline of the opposite lightness, as captions of films have."""
    text, outline = chance.choice(((WHITE, BLACK), (BLACK, WHITE)))
    state = chance.getstate()
    width = 2
    around = opacity(chance, lines, width)
    chance.setstate(state)
    inner = Image.new("L", around.size)
    thin = opacity(chance, lines)
    inner.paste(thin, (width, width))
    return Image.alpha_composite(_ink(outline, around), _ink(text, inner))


def _badge(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw text on an opaque ground of its own with round corners."""
    mask = opacity(chance, lines)
    ground, text = chance.choice(((WHITE, BLACK), (BLACK, WHITE), ((20, 60, 160), WHITE)))
    margin = chance.randint(0, 30)
    size = (mask.width + 2 * margin, mask.height + 2 * margin)
    shape = Image.new("L", size)
    box = (margin, margin, size[0] - margin - 1, size[1] - margin - 1)
    ImageDraw.Draw(shape).rounded_rectangle(box, chance.randint(4, 24), 255)
    image = _ink(ground, shape)
    image.alpha_composite(_ink(text, mask), (margin, margin))
    return image


def _badge_beside_text(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw a badge above text that stands on the transparency itself, in white or black."""
    upper = _badge(chance, lines[:1])
    lower = _ink(chance.choice((WHITE, BLACK)), opacity(chance, lines[1:]))
    image = Image.new("RGBA", (max(upper.width, lower.width), upper.height + lower.height))
    image.paste(upper, (0, 0))
    image.paste(lower, (0, upper.height))
    return image


def _with_soft_edges(chance: random.Random, lines: Sequence[str]) -> Image.Image:
    """Draw white text as Pillow does on transparent black, which darkens the edges."""
    colour = chance.choice((WHITE, (255, 240, 120)))
    mask = opacity(chance, lines)
    image = Image.new("RGBA", mask.size)
    image.paste((*colour, 255), mask=mask)
    return image


KINDS: dict[str, Drawing] = {
    "white": _plain(lambda chance: WHITE),
    "black": _plain(lambda chance: BLACK),
    "grey": _plain(_grey),
    "colour": _plain(_any_colour),
    "faint": _faint,
    "light and dark": _light_and_dark,
    "soft shadow": _soft_shadow,
    "hard shadow": _hard_shadow,
    "outlined": _outlined,
    "badge": _badge,
    "badge beside text": _badge_beside_text,
    "soft edges": _with_soft_edges,
}


def _with_hidden_colours(image: Image.Image, chance: random.Random) -> Image.Image:
    """Replace the colours of wholly transparent pixels by something arbitrary."""
    pixels = np.array(image)
    hidden = pixels[..., 3] == 0
    kind = chance.choice(("as it is", "white", "black", "noise"))
    if kind == "noise":
        noise = np.random.default_rng(chance.randint(0, 1 << 30))
        pixels[hidden, :3] = noise.integers(0, 256, (int(hidden.sum()), 3))
    elif kind != "as it is":
        pixels[hidden, :3] = 255 if kind == "white" else 0
    return Image.fromarray(pixels)


def is_text(text: str, wanted: str) -> bool:
    """Tell whether a text is the wanted one, but for white space and 3 of 100 characters."""
    from rapidfuzz.distance import Levenshtein

    plain, right = ("".join(unicodedata.normalize("NFKC", each).split()) for each in (text, wanted))
    return Levenshtein.distance(right, plain) <= 0.03 * len(right)


def is_read(drawn: Drawn, text: str) -> bool:
    """Tell whether a text is what stands in a picture."""
    return is_text(text, "".join(drawn.lines))


def main(first: int, last: int) -> None:
    """Read the pictures of a range of seeds in every form, and print how many come out right."""
    from edgeocr import OCR

    ocr = OCR(provider="cpu")
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for seed in range(first, last):
        drawn = draw(seed)
        form = form_of(seed, drawn.kind)
        text = ocr.read(encode(drawn.image, form)).text
        done = is_read(drawn, text)
        for name in (drawn.kind, form):
            total[name] += 1
            right[name] += done
        if not done:
            print(f"seed {seed}: {drawn.kind}, {form}: {drawn.lines} read as {text.splitlines()}")
    for name, number in total.items():
        print(f"{right[name]:4} of {number:4} {name}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
