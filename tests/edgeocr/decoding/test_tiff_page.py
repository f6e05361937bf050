"""A page that is cut out of a TIFF file decodes to the same pixels as in the file."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from edgeocr.decoding import tiff, tiff_page
from edgeocr.decoding.files import decode
from edgeocr.decoding.tiff_page import Page
from edgeocr.errors import ImageError

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")
COMPRESSIONS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group3", "group4")


def pictures(mode: str, count: int = 3, size: tuple[int, int] = (301, 203)) -> list[Any]:
    random = np.random.default_rng(0)
    found = []
    for i in range(count):
        noise = random.integers(0, 256, (9, 7, 4), np.uint8)
        large = PIL.Image.fromarray(noise).resize((size[0] + 8 * i, size[1]))
        if mode == "I;16":
            found.append(PIL.Image.fromarray(np.asarray(large.convert("L")).astype(np.uint16) * 99))
        elif mode in ("LA", "RGBA"):
            found.append(large.convert(mode))
        else:
            found.append(large.convert("RGB").convert(mode))
    return found


def written(pages: list[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], **options)
    return stream.getvalue()


def whole(content: bytes, offset: int) -> np.ndarray:
    """Decode a page by making the header of the whole file point to it."""
    layout = tiff.Layout.of(content)
    assert layout is not None
    changed = bytearray(content)
    struct.pack_into(layout.pointer, changed, layout.first_pointer, offset)
    return decode(changed).array


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("big", [False, True])
def test_page_has_the_pixels_that_it_has_in_the_file(
    mode: str, compression: str, big: bool
) -> None:
    try:
        content = written(pictures(mode), compression=compression, big_tiff=big)
    except (OSError, RuntimeError):
        pytest.skip(f"Pillow doesn't write {mode} as {compression}")
    offsets = tiff.pages(io.BytesIO(content), 10)
    assert len(offsets) == 3
    for offset in offsets:
        page = Page(content, offset)
        alone = page.content()
        assert len(alone) < 0.6 * len(content) + 2000, "no other page is in it"
        assert len(alone) <= page.loading_bytes()
        assert np.array_equal(decode(alone).array, whole(content, offset))


def test_strips_and_orientation_are_kept(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description that is longer than eight bytes"
    options = {"exif": exif, "compression": "tiff_lzw", "strip_size": 4096}
    content = written(pictures("RGB", 1, (400, 300)), **options)
    (offset,) = tiff.pages(io.BytesIO(content), 10)
    path = tmp_path / "scan.tif"
    path.write_bytes(content)
    alone = Page(path, offset).content()
    assert decode(alone).array.shape == (400, 300, 3)
    assert np.array_equal(decode(alone).array, whole(content, offset))


def test_page_that_cannot_be_cut_out_comes_with_the_whole_file() -> None:
    content = written(pictures("RGB"), compression="raw")
    offset = tiff.pages(io.BytesIO(content), 10)[1]
    damaged = bytearray(content)
    struct.pack_into("<H", damaged, offset + 2 + 2, 99)  # the type of the first entry
    page = Page(damaged, offset)
    assert len(page.content()) == len(content)
    assert page.loading_bytes() == 2 * len(content)
    with pytest.raises(ImageError):
        decode(page.content())


def test_changed_bytes_give_pixels_or_an_image_error() -> None:
    content = written(pictures("RGB", 2, (60, 40)), compression="tiff_lzw")
    offsets = tiff.pages(io.BytesIO(content), 10)
    random = np.random.default_rng(5)
    for _ in range(150):
        damaged = bytearray(content)
        place = int(random.choice(offsets)) + int(random.integers(0, 150))
        damaged[place % len(damaged)] = random.integers(0, 256)
        for offset in tiff.pages(io.BytesIO(damaged), 10):
            page = Page(bytes(damaged), offset)
            assert len(page.content()) <= page.loading_bytes() + 1000
            with contextlib.suppress(ImageError):
                decode(page.content())


def test_directories_that_overlap_end_after_a_number_of_entries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pages = [PIL.Image.new("L", (4, 4)) for _ in range(9)]
    pages[0].save(stream := io.BytesIO(), "TIFF", save_all=True, append_images=pages[1:])
    assert len(tiff.pages(stream, 100)) == 9
    monkeypatch.setattr(tiff, "MOST_ENTRIES", 40)
    found = len(tiff.pages(stream, 100))
    assert 1 < found < 9


def test_page_with_too_many_pieces_comes_with_the_whole_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = PIL.Image.new("L", (4, 8))
    image.save(stream := io.BytesIO(), "TIFF", tiffinfo={278: 1})
    content = stream.getvalue() + bytes(5000)
    page = Page(content, tiff.first_directory(stream, tiff.Layout("<", False)))
    assert page.loading_bytes() < len(content)
    monkeypatch.setattr(tiff_page, "MOST_PIECES", 7)
    assert page.loading_bytes() == 2 * len(content) and page.content() == content
