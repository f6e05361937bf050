"""Pictures with transparency are put on a ground that shows their text."""

from __future__ import annotations

import io
import struct
import time
import zlib

import cv2
import numpy as np
import PIL.Image
import pytest

from edgeocr import OCR
from edgeocr.decoding.transparency import WHITE, choose_ground, flatten
from edgeocr.images import load
from tests.edgeocr.test_images import NO_GIF
from tests.support import transparent


def letters(
    colour: tuple[int, int, int], under: int = 0, size: tuple[int, int] = (120, 400)
) -> np.ndarray:
    """Write a word onto transparent pixels, uint8 [H, W, 4] BGRA."""
    alpha = np.zeros(size, np.uint8)
    cv2.putText(alpha, "Window", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, 255, 3, cv2.LINE_AA)
    pixels = np.full((*size, 4), under, np.uint8)
    pixels[alpha > 0, :3] = colour
    pixels[..., 3] = alpha
    return pixels


def contrast(ground: tuple[int, int, int], colour: tuple[int, int, int]) -> float:
    return max(abs(one - other) for one, other in zip(ground, colour, strict=True))


@pytest.mark.parametrize("level", range(0, 256, 15))
@pytest.mark.parametrize("under", [0, 255])
def test_grey_text_of_any_level_stands_out(level: int, under: int) -> None:
    colour = (level, level, level)
    assert contrast(choose_ground(letters(colour, under)), colour) >= 96


def test_ordinary_dark_text_stays_on_white() -> None:
    for level in range(0, 120, 10):
        assert choose_ground(letters((level, level, level))) == WHITE


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_text_of_two_colours_gets_a_ground_unlike_both(share: float) -> None:
    rows = [(255, 255, 255) if i < 10 * share else (0, 0, 0) for i in range(10)]
    ground = choose_ground(np.vstack([letters(colour) for colour in rows]))
    assert contrast(ground, (0, 0, 0)) >= 96 and contrast(ground, (255, 255, 255)) >= 96


def test_white_black_and_grey_text_gets_a_ground_unlike_all() -> None:
    colours = [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    ground = choose_ground(np.vstack([letters(colour) for colour in colours]))
    assert min(contrast(ground, colour) for colour in colours) >= 96


def test_soft_shadow_does_not_decide() -> None:
    text = letters((255, 255, 255))
    shadow = cv2.GaussianBlur(text[..., 3], (0, 0), 5).astype(np.float32) * 0.8
    alpha = text[..., 3].astype(np.float32) / 255
    both = np.maximum(text[..., 3], shadow).astype(np.uint8)
    colour = (255 * alpha).astype(np.uint8)
    pixels = np.dstack([colour, colour, colour, both])
    assert contrast(choose_ground(pixels), (255, 255, 255)) >= 96


def test_wholly_transparent_and_wholly_opaque_pictures_have_no_edges() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 4), np.uint8)
    pixels[..., 3] = 0
    assert (flatten(pixels) == 255).all()
    pixels[..., 3] = 255
    assert (flatten(pixels) == pixels[..., :3]).all()
    assert flatten(pixels).flags.c_contiguous
    assert choose_ground(np.zeros((1, 1, 4), np.uint8)) == WHITE


def test_premultiplied_colours_are_not_multiplied_again() -> None:
    random = np.random.default_rng(0)
    straight = random.integers(0, 256, (300, 40, 4), np.uint8)
    alpha = straight[..., 3:].astype(np.float64) / 255
    times = np.rint(straight[..., :3] * alpha).astype(np.uint8)
    premultiplied = np.dstack([times, straight[..., 3]])
    ground = choose_ground(straight)
    assert choose_ground(premultiplied, premultiplied=True) == ground
    expected = straight[..., :3] * alpha + np.array(ground) * (1 - alpha)
    for result in (flatten(straight), flatten(premultiplied, premultiplied=True)):
        assert np.abs(result - expected).max() <= 1


def test_colours_above_their_alpha_are_cut_off() -> None:
    damaged = np.full((4, 4, 4), 255, np.uint8)
    damaged[0, 0, 3] = 0
    assert (flatten(damaged, premultiplied=True) == 255).all()


def test_large_picture_takes_little_time_and_gives_the_same_ground() -> None:
    large = np.tile(letters((255, 255, 255)), (30, 10, 1))
    assert large.shape[0] * large.shape[1] > 14_000_000
    start = time.perf_counter()
    assert choose_ground(large) == choose_ground(letters((255, 255, 255)))
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "form",
    [pytest.param(each, marks=[NO_GIF] if each == "gif" else []) for each in transparent.FORMS],
)
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (255, 240, 120)])
def test_every_form_of_file_shows_its_text(form: str, colour: tuple[int, int, int]) -> None:
    """The darkest and the lightest pixel differ, and the text is the smaller part."""
    image = PIL.Image.fromarray(letters(colour[::-1])[..., [2, 1, 0, 3]])
    loaded = load(transparent.encode(image, form)).max(2)
    ground = int(np.bincount(loaded.ravel()).argmax())
    unlike = np.abs(loaded.astype(int) - ground) > 90
    covered = np.asarray(image)[..., 3] > 200
    assert unlike[covered].mean() > 0.95 and unlike[~covered].mean() < 0.1


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("key", [0, 1])
def test_transparent_grey_of_a_png_is_transparent_whatever_its_depth(depth: int, key: int) -> None:
    """The text has the other one of the two lowest values of that depth."""
    text = letters((0, 0, 0))[..., 3] > 127
    values = np.where(text, 1 - key, key)
    content = _grey_png(values, depth, key)
    loaded = load(content)[..., 0].astype(int)
    assert abs(loaded[text].mean() - loaded[~text].mean()) > 90
    if depth in (1, 8, 16):
        with PIL.Image.open(io.BytesIO(content)) as image:
            assert np.array_equal(load(image)[..., 0], loaded)


def _grey_png(values: np.ndarray, depth: int, key: int) -> bytes:
    height, width = values.shape
    if depth == 16:
        rows = values.astype(">u2").view(np.uint8).reshape(height, -1)
    elif depth == 8:
        rows = values.astype(np.uint8)
    else:
        bits = (values[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        rows = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    body = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [(b"IHDR", body), (b"tRNS", struct.pack(">H", key)), (b"IDAT", zlib.compress(lines))]
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in [*parts, (b"IEND", b"")]:
        checksum = zlib.crc32(kind + data)
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
    return content


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "La", "PA"])
def test_every_mode_of_pillow_with_transparency_shows_its_text(mode: str) -> None:
    image = PIL.Image.fromarray(letters((255, 255, 255))[..., [2, 1, 0, 3]])
    covered = np.asarray(image)[..., 3] > 200
    if mode == "PA":
        palette = image.convert("RGB").convert("P")
        image = palette.convert("PA")
        image.putalpha(PIL.Image.fromarray(np.where(covered, 255, 0).astype(np.uint8)))
    else:
        image = image.convert("LA").convert(mode) if mode == "La" else image.convert(mode)
    assert image.mode == mode
    loaded = load(image)[..., 0].astype(int)
    assert loaded[covered].mean() - loaded[~covered].mean() > 200


def test_white_text_is_read_and_black_text_too(ocr: OCR) -> None:
    for seed in (1, 2, 3, 6, 9):
        drawn = transparent.draw(5000 + seed)
        assert transparent.is_read(drawn, ocr.read(drawn.image).text), drawn.kind


@pytest.mark.stress
def test_pictures_drawn_at_random_are_read_in_every_form(ocr: OCR) -> None:
    wrong = []
    for seed in range(6000, 6108, 2):
        drawn = transparent.draw(seed)
        form = transparent.form_of(seed, drawn.kind)
        if not transparent.is_read(drawn, ocr.read(transparent.encode(drawn.image, form)).text):
            wrong.append((seed, drawn.kind, form))
    assert len(wrong) <= 2, wrong
