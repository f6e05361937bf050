"""Change pictures at random, and compare what their headers are read as with what decoders make.

`python -m tests.support.mutated_pictures SEED COUNT` prints a line of JSON for each finding, and
the number of pictures of each outcome at the end. It needs Linux, to measure the peak of memory.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import resource
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image

from edgeocr import EdgeOCRError, frames_of, images
from edgeocr.decoding.headers import reader
from edgeocr.decoding.limits import Limits
from edgeocr.memory.footprint import predict
from edgeocr.memory.limit import release_unused
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.stages.loading import PictureLoader

# The most bytes of addresses that the process may have, so that a bomb doesn't fill the machine.
MOST_ADDRESSES = 4 << 30
# Bytes that decoding a tiny picture takes whatever its header says: tables of the codecs, Python.
SLACK = 4_000_000
# A picture is compared at this size at most, so that a run takes little time.
MOST_PIXELS = 3_000_000
# Numbers that headers are likely to be wrong with.
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x2000, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
# The formats and options with which Pillow writes, and the endings with which OpenCV writes.
PILLOW: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "CMYK", {}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "L", {"transparency": 3}),
    ("PNG", "RGB", {"animated": True}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("WEBP", "RGB", {"animated": True}),
    ("GIF", "P", {}),
    ("GIF", "P", {"animated": True}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("PPM", "RGB", {}),
    ("PPM", "1", {}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "LA", {}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "RGB", {"animated": True}),
    ("JPEG2000", "RGB", {}),
    ("JPEG2000", "RGB", {"no_jp2": True, "tile_size": (16, 16)}),
]
OPENCV = (".ras", ".pam", ".ppm", ".avif", ".hdr", ".pfm")


def seeds() -> Iterator[bytes]:
    """Yield small pictures of every kind."""
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    for kind, mode, options in PILLOW:
        image, options = PIL.Image.fromarray(noise).convert(mode), dict(options)
        if options.pop("animated", False):
            options |= {"save_all": True, "append_images": [image.rotate(90)] * 2}
        if kind in ("JPEG", "PNG", "WEBP"):
            options["exif"] = exif
        image.save(stream := io.BytesIO(), kind, **options)
        yield stream.getvalue()
    for ending in OPENCV:
        pixels = noise.astype(np.float32) if ending in (".hdr", ".pfm") else noise
        done, content = cv2.imencode(ending, pixels)
        if done:  # some builds of OpenCV lack some formats
            yield content.tobytes()


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Change a file in one place or in several, mostly near its beginning."""
    changed = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 3, 5, 20])):
        reach = min(len(changed), chance.choice([32, 64, 200, len(changed) or 1]))
        at, kind = chance.randrange(max(1, reach)), chance.random()
        if kind < 0.35 and changed:
            changed[at] = chance.randrange(256)
        elif kind < 0.65:
            size = chance.choice([1, 2, 4])
            number = chance.choice(NUMBERS) % (1 << 8 * size)
            changed[at : at + size] = number.to_bytes(size, chance.choice(["big", "little"]))
        elif kind < 0.75:
            changed[at:at] = chance.randbytes(chance.randrange(1, 9))
        elif kind < 0.85:
            del changed[at : at + chance.randrange(1, 9)]
        elif kind < 0.93:
            place = chance.randrange(len(changed) or 1)
            changed[at : at + 8] = changed[place : place + chance.randrange(1, 40)]
        else:
            del changed[chance.randrange(len(changed) or 1) :]
    return bytes(changed)


def findings(content: bytes) -> Iterator[str]:
    """Yield what is wrong with how a file is treated."""
    header = reader.read(io.BytesIO(content))
    try:
        footprint = predict(content)
    except EdgeOCRError:
        footprint = None
    Path("/proc/self/clear_refs").write_text("5")
    before = _held("VmRSS")
    shape, problem = _loaded(content, Limits())
    peak = _held("VmHWM") - before
    if problem is not None:
        yield problem
    if footprint is not None and footprint.header is not None:
        found = footprint.header
        allowed = found.width * found.height * (found.decoding or 0) + found.structures
        if peak > allowed + footprint.loading + SLACK:
            yield f"took {peak} bytes, predicted were {allowed}: {found}"
    stated = header.width * header.height if header is not None else 0
    if header is not None and shape is not None and shape[0] * shape[1] > stated:
        yield f"decoded to {shape}, stated was {header}"
    yield from _other_ways(content)


def _other_ways(content: bytes) -> Iterator[str]:
    """Read a file frame by frame, by edgeocr and by Pillow."""
    loader = PictureLoader(None, None, MOST_PIXELS)
    sources: list[Any] = [io.BytesIO(content)]
    with contextlib.suppress(Exception):  # Pillow doesn't open everything
        sources.append(PIL.Image.open(io.BytesIO(content)))
    for source in sources:
        try:
            for frame in frames_of(source, Limits(MOST_PIXELS)):
                try:
                    with loader.picture(frame, Stopwatch()):
                        pass
                except EdgeOCRError:
                    pass
        except Exception:
            yield f"{type(source).__name__}: {traceback.format_exc(limit=-3)}"


def _loaded(content: bytes, limits: Limits) -> tuple[tuple[int, ...] | None, str | None]:
    """Return the shape that a file is decoded to, and what is wrong with how that fails."""
    try:
        return images.load(content, limits=limits).shape, None
    except EdgeOCRError:
        return None, None
    except Exception:
        return None, traceback.format_exc(limit=-3)


def _held(name: str) -> int:
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) << 10 for row in rows if row.startswith(name))


def main(seed: int, count: int) -> None:
    """Change `count` pictures, and print what is found."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    warnings.simplefilter("ignore")
    release_unused()  # from here on glibc keeps little, which would hide what is taken anew
    chance, known = random.Random(seed), list(seeds())
    for content in known:
        images.load(content) if content[:1] not in b"#P" else None
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        content = mutated(chance.choice(known), chance)
        for finding in findings(content):
            print(json.dumps({"finding": finding, "content": content[:20_000].hex()}), flush=True)
        shape, _problem = _loaded(content, Limits(MOST_PIXELS))
        outcomes["refused" if shape is None else "decoded"] += 1
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
