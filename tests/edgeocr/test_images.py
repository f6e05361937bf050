"""Loading sources of every kind, with Pillow's decoders as the oracle."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import PIL.Image
import pytest
from PIL import ImageOps

from edgeocr import ImageError
from edgeocr.images import load, name_of

ORIENTATION = 0x0112
NO_GIF = pytest.mark.skipif(
    tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 11), reason="OpenCV reads GIF since 4.11"
)


def smooth_rgb(height: int = 40, width: int = 64) -> np.ndarray:
    """Return a picture without symmetry, so that turns and flips differ, that JPEG keeps well."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + 2 * y) % 160], 2).astype(np.uint8)


def rgba(height: int = 40, width: int = 64) -> np.ndarray:
    alpha = np.mgrid[:height, :width][1] * 255 // (width - 1)
    return np.dstack([smooth_rgb(height, width), alpha.astype(np.uint8)])


def encoded(image: PIL.Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def bgr(image: PIL.Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))[..., ::-1]


def on_white(image: PIL.Image.Image) -> np.ndarray:
    """Put a picture with transparency on white with Pillow."""
    image = image.convert("RGBA")
    return bgr(PIL.Image.alpha_composite(PIL.Image.new("RGBA", image.size, "white"), image))


def assert_close(actual: np.ndarray, expected: np.ndarray, tolerance: int = 1) -> None:
    assert actual.dtype == np.uint8 and actual.flags.c_contiguous
    assert actual.shape == expected.shape
    assert int(np.abs(actual.astype(int) - expected).max()) <= tolerance


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "Straße 上海 №1.png"
    path.write_bytes(encoded(PIL.Image.fromarray(smooth_rgb()), "PNG"))
    return path


def test_every_way_to_hand_over_a_file_gives_the_same(png: Path) -> None:
    expected = smooth_rgb()[..., ::-1]
    content = png.read_bytes()
    assert_close(load(png), expected, 0)
    assert_close(load(str(png)), expected, 0)
    for view in (content, bytearray(content), memoryview(content), io.BytesIO(content)):
        assert_close(load(view), expected, 0)
    with png.open("rb") as file:
        assert_close(load(file), expected, 0)
    with PIL.Image.open(png) as image:
        assert_close(load(image), expected, 0)


def test_source_is_named_by_its_path_or_type(png: Path) -> None:
    assert name_of(png) == name_of(str(png)) == str(png)
    with png.open("rb") as file:
        assert name_of(file) == str(png)
    with PIL.Image.open(png) as image:
        assert name_of(image) == str(png)
    assert name_of(b"") == "<bytes>"
    assert name_of(np.zeros(1)) == "<ndarray>"


def test_arrays_of_every_layout_are_bgr() -> None:
    picture = smooth_rgb()
    grey = picture[..., 0]
    assert load(picture) is picture, "an array that is right already is not copied"
    assert_close(load(grey), np.dstack([grey] * 3), 0)
    assert_close(load(grey[..., None]), np.dstack([grey] * 3), 0)
    assert_close(load(np.dstack([picture, np.full_like(grey, 255)])), picture, 0)
    assert_close(load(np.dstack([picture, np.zeros_like(grey)])), np.full_like(picture, 255), 0)
    for view in (picture[::2, ::3], picture[::-1], picture[..., ::-1], picture.transpose(1, 0, 2)):
        assert_close(load(view), view, 0)
    assert_close(load(np.asfortranarray(picture)), picture, 0)


def test_sixteen_bits_are_rounded_to_eight() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.rint(levels / 257).astype(np.uint8)
    assert_close(load(levels), np.dstack([expected] * 3), 0)
    assert_close(load(np.dstack([levels] * 3)), np.dstack([expected] * 3), 0)


def test_source_array_is_not_written_to() -> None:
    picture = rgba()
    picture.flags.writeable = False
    before = picture.copy()
    load(picture)
    load(picture[..., :3])
    assert np.array_equal(picture, before)


def exif_cases() -> Iterator[object]:
    for route, format, orientation, transparent in itertools.product(
        ("bytes", "pillow"), ("JPEG", "PNG", "WEBP", "TIFF"), range(1, 9), (False, True)
    ):
        if format == "JPEG" and transparent:
            continue
        name = f"{format}-{orientation}-{'RGBA' if transparent else 'RGB'}-{route}"
        yield pytest.param(route, format, orientation, transparent, id=name)


@pytest.mark.parametrize(("route", "format", "orientation", "transparent"), list(exif_cases()))
def test_exif_orientation_turns_the_picture_upright(
    route: str, format: str, orientation: int, transparent: bool
) -> None:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    options: dict[str, object] = {"lossless": True} if format == "WEBP" else {}
    options |= {"quality": 95, "subsampling": 0} if format == "JPEG" else {}
    picture = PIL.Image.fromarray(rgba() if transparent else smooth_rgb())
    content = encoded(picture, format, exif=exif, **options)
    upright = ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(content)))
    expected = on_white(upright) if transparent else bgr(upright)
    source = content if route == "bytes" else PIL.Image.open(io.BytesIO(content))
    assert_close(load(source), expected, 4 if format == "JPEG" else 1)


@pytest.mark.parametrize("byte_order", ["II", "MM"])
def test_exif_orientation_is_read_in_either_byte_order(byte_order: str) -> None:
    code: Literal["little", "big"] = "little" if byte_order == "II" else "big"
    entry = b"".join(n.to_bytes(size, code) for n, size in [(ORIENTATION, 2), (3, 2), (1, 4)])
    head = byte_order.encode() + (42).to_bytes(2, code) + (8).to_bytes(4, code)
    exif = head + (1).to_bytes(2, code) + entry + (6).to_bytes(2, code) + bytes(6)
    content = encoded(PIL.Image.fromarray(smooth_rgb()), "PNG", exif=exif)
    assert_close(load(content), np.rot90(smooth_rgb()[..., ::-1], -1), 0)


@pytest.mark.parametrize("length", range(0, 26, 5))
def test_damaged_exif_is_ignored(length: int) -> None:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    damaged = exif.tobytes()[:length]
    content = encoded(PIL.Image.fromarray(smooth_rgb()), "PNG", exif=damaged or b"?")
    assert_close(load(content), smooth_rgb()[..., ::-1], 0)


def palette_with_transparency() -> PIL.Image.Image:
    image = PIL.Image.fromarray(smooth_rgb()).quantize(16)
    image.info["transparency"] = bytes(range(0, 256, 16))
    return image


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize(
    "image",
    [
        PIL.Image.fromarray(rgba()),
        PIL.Image.fromarray(rgba()).convert("LA"),
        palette_with_transparency(),
    ],
    ids=["RGBA", "LA", "tRNS"],
)
def test_transparency_is_put_on_white(image: PIL.Image.Image) -> None:
    content = encoded(image, "PNG", **{str(key): value for key, value in image.info.items()})
    expected = on_white(PIL.Image.open(io.BytesIO(content)))
    assert (expected != bgr(image)).any(), "nothing in the picture is transparent"
    assert_close(load(content), expected)
    with PIL.Image.open(io.BytesIO(content)) as opened:
        assert_close(load(opened), expected)


def test_sixteen_bit_png_is_rounded_to_eight() -> None:
    levels = (np.mgrid[:40, :64][1] * 1000).astype(np.uint16)
    expected = np.dstack([np.rint(levels / 257)] * 3)
    content = cv2.imencode(".png", levels)[1].tobytes()
    assert_close(load(content), expected, 0)
    with PIL.Image.open(io.BytesIO(content)) as image:
        assert_close(load(image), expected, 0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "HSV", "CMYK", "YCbCr"])
def test_pillow_modes_are_converted_as_pillow_does(mode: str) -> None:
    if mode == "I;16":
        image = PIL.Image.fromarray(smooth_rgb()[..., 0].astype(np.uint16) * 257)
        expected = np.dstack([smooth_rgb()[..., 0]] * 3)
    else:
        image = PIL.Image.fromarray(smooth_rgb()).convert(mode)
        expected = bgr(image)
    assert image.mode == mode
    assert_close(load(image), expected, 0)


@pytest.mark.parametrize(
    ("mode", "format", "tolerance"),
    [
        ("1", "PNG", 0),
        ("L", "PNG", 0),
        ("P", "PNG", 0),
        pytest.param("P", "GIF", 0, marks=NO_GIF),
        ("RGB", "BMP", 0),
        ("1", "TIFF", 0),
        ("RGB", "PPM", 0),
        ("L", "JPEG", 4),
        ("CMYK", "JPEG", 8),
        ("RGB", "WEBP", 8),
    ],
)
def test_formats_are_decoded_as_pillow_does(mode: str, format: str, tolerance: int) -> None:
    content = encoded(PIL.Image.fromarray(smooth_rgb()).convert(mode), format)
    assert_close(load(content), bgr(PIL.Image.open(io.BytesIO(content))), tolerance)


@pytest.mark.parametrize("masks", [(), (0xFF0000, 0xFF00, 0xFF)], ids=["plain", "bit fields"])
def test_fourth_byte_of_a_bmp_is_not_transparency(masks: tuple[int, ...]) -> None:
    pixels = np.dstack([smooth_rgb()[::-1, :, ::-1], np.zeros((40, 64), np.uint8)]).tobytes()
    compression = 3 if masks else 0
    sizes = [(40, 4), (64, 4), (40, 4), (1, 2), (32, 2), (compression, 4), (len(pixels), 4)]
    header = b"".join(n.to_bytes(size, "little") for n, size in sizes) + bytes(16)
    header += b"".join(mask.to_bytes(4, "little") for mask in masks)
    start = 14 + len(header)
    file_header = b"BM" + b"".join(n.to_bytes(4, "little") for n in (start + len(pixels), 0, start))
    assert_close(load(file_header + header + pixels), smooth_rgb()[..., ::-1], 0)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.png", "missing.png: can't be read"),
        (Path("missing.png"), "missing.png: can't be read"),
        ("http://example.org/a.png", "does not download"),
        ("https://example.org/a.png", "does not download"),
        ("https://example.org/a.png?b\0", "does not download"),
        (b"", "empty"),
        (bytearray(), "empty"),
        (b"no picture, only words", "this is text, not a picture"),
        (b"\x80\x01\x02 neither picture nor words", "OpenCV can't decode it"),
        (io.BytesIO(b""), "empty"),
        (io.StringIO("words"), "binary mode"),
        (np.zeros((4, 4, 3)), "float64"),
        (np.zeros((4, 4, 3), np.float32), "float32"),
        (np.zeros((4, 4, 3), np.int16), "int16"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros(4, np.uint8), r"\(4,\)"),
        (np.zeros((4, 4, 2), np.uint8), r"\(4, 4, 2\)"),
        (np.zeros((4, 4, 5), np.uint8), r"\(4, 4, 5\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"\(1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)"),
        (np.zeros((4, 0), np.uint8), "shape"),
        (None, "NoneType"),
        (42, "int"),
        ([[1, 2], [3, 4]], "list"),
    ],
)
def test_sources_that_are_no_picture_are_refused(source: object, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        load(source)  # type: ignore[arg-type]


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="can't be read"):
        load(tmp_path)


def test_text_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    with path.open() as file, pytest.raises(ImageError, match="binary mode"):
        load(file)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match=r"a\.txt: this is text, not a picture"):
        load(path)


def test_path_with_a_null_byte_is_refused() -> None:
    with pytest.raises(ImageError, match="can't be read"):
        load("a\0.png")


def test_closed_file_is_refused(png: Path) -> None:
    with png.open("rb") as file:
        pass
    with pytest.raises(ImageError):
        load(file)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_truncated_file_is_an_image_error_or_a_picture(format: str) -> None:
    content = encoded(PIL.Image.fromarray(smooth_rgb()), format)
    refused = 0
    for length in [*range(1, 64, 3), *range(64, len(content) - 1, max(1, len(content) // 40))]:
        try:
            picture = load(content[:length])
        except ImageError:
            refused += 1
        else:
            assert picture.shape == smooth_rgb().shape and picture.dtype == np.uint8
    assert refused, "not even the first bytes alone were refused"


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_truncated_file_opened_by_pillow_is_an_image_error(format: str) -> None:
    content = encoded(PIL.Image.fromarray(smooth_rgb(400, 640)), format)
    image = PIL.Image.open(io.BytesIO(content[: len(content) * 2 // 3]))
    with pytest.raises(ImageError, match="Pillow"):
        load(image)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_changed_bytes_are_an_image_error_or_a_picture(format: str) -> None:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    options = {"exif": exif} if format not in ("GIF", "BMP") else {}
    content = encoded(PIL.Image.fromarray(smooth_rgb()), format, **options)
    random = np.random.default_rng(7)
    for _ in range(60):
        damaged = np.frombuffer(content, np.uint8).copy()
        # The sizes in the header stay: OpenCV would allocate memory for a huge picture or chunk.
        places = random.integers(64, min(len(damaged) - 16, 400), 3)
        damaged[places] = random.integers(0, 256, 3)
        try:
            picture = load(damaged.tobytes())
        except ImageError:
            continue
        assert picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8


def test_pillow_mode_i_is_rounded_and_mode_f_refused() -> None:
    values = np.array([[0, 300, 40_000, 65_535]])
    wide = PIL.Image.fromarray(values.astype(np.int32))
    assert wide.mode == "I"
    assert load(wide)[0, :, 0].tolist() == [0, 1, 156, 255]
    with pytest.raises(ImageError, match="mode F"):
        load(PIL.Image.fromarray(values.astype(np.float32)))
