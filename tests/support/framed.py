"""Draw files with several pages or steps at random, each with a text of its own.

`python -m tests.support.framed FIRST LAST` reads the files of a range of seeds and prints how many
of their frames come out right and in their place.
"""

from __future__ import annotations

import io
import random
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from tests.support import transparent

TIFF = tuple(
    f"TIFF {compression}"
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4", "packbits")
)
FORMS = (*TIFF, "TIFF big", "GIF", "WEBP", "WEBP lossless", "PNG")


@dataclass(frozen=True)
class Framed:
    """A file with several frames.

    Attributes:
        form: A name of `FORMS`.
        content: The file.
        texts: The text of each frame, as `Page.text` has it.
    """

    form: str
    content: bytes
    texts: tuple[str, ...]


def draw(seed: int, form: str | None = None, count: int | None = None) -> Framed:
    """Draw a file.

    Args:
        seed: The same seed gives the same file.
        form: A name of `FORMS`; by default the seed chooses.
        count: The number of frames; by default the seed chooses from 2 to 5.
    """
    chance = random.Random(seed)
    form = form or FORMS[seed % len(FORMS)]
    pages, texts = [], []
    for _ in range(count or chance.randint(2, 5)):
        lines = [transparent.line_of_words(chance) for _ in range(chance.randint(1, 2))]
        pages.append(ImageOps.invert(transparent.opacity(chance, lines)))
        texts.append("\n".join(lines))
    if not form.startswith("TIFF"):  # the steps of an animation have one size
        size = (max(page.width for page in pages), max(page.height for page in pages))
        pages = [ImageOps.pad(page, size, color="white", centering=(0, 0)) for page in pages]
    return Framed(form, encode(pages, form), tuple(texts))


def encode(pages: list[Image.Image], form: str, **more: Any) -> bytes:
    """Write pictures as the frames of a file in one of the `FORMS`."""
    kind, _, rest = form.partition(" ")
    options: dict[str, Any] = {}
    if kind == "TIFF" and rest == "big":
        options = {"big_tiff": True}
    elif kind == "TIFF":
        options = {"compression": rest}
    elif kind == "WEBP":
        options = {"lossless": rest == "lossless", "quality": 85}
    mode = "1" if rest == "group4" else "L" if kind == "TIFF" else "RGB"
    converted = [page.convert(mode) for page in pages]
    stream = io.BytesIO()
    converted[0].save(
        stream, kind, save_all=True, append_images=converted[1:], **{**options, **more}
    )
    return stream.getvalue()


def main(first: int, last: int) -> None:
    """Read the files of a range of seeds and print how many of their frames come out right."""
    from edgeocr import OCR, Page

    ocr = OCR(provider="cpu")
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for seed in range(first, last):
        framed = draw(seed)
        pages = list(ocr.read_many([framed.content]))
        total[framed.form] += len(framed.texts)
        for number, text in enumerate(framed.texts, 1):
            page = next((each for each in pages if each.source == f"<bytes>#{number}"), None)
            done = isinstance(page, Page) and transparent.is_text(page.text, text)
            right[framed.form] += done
            if not done:
                shown = page.text if isinstance(page, Page) else page
                print(f"seed {seed}: {framed.form}, frame {number}: {text!r} read as {shown!r}")
        if len(pages) != len(framed.texts):
            print(f"seed {seed}: {framed.form}: {len(pages)} pages for {len(framed.texts)}")
    for form, number in total.items():
        print(f"{right[form]:4} of {number:4} {form}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
