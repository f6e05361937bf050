"""Pictures in PDFs: as large as their files, and shown as edgeocr sees them."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from edgeocr.errors import EdgeOCRError, ImageError
from edgeocr.images import Frame, load
from edgeocr.stages.frames import frames_of
from edgeocr.writers import pdf
from edgeocr.writers.pdf import png
from tests.support import pdfs
from tests.support.paths import IMAGES
from tests.support.pdf_pages import line_of, opened, page_of, pdf_of, rectangle, rendered

SIZE = (120, 80)


def picture() -> Image.Image:
    """A picture that no turn or mirror leaves as it is: red, green, blue and a grey ramp."""
    array = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    array[:40, :60] = (200, 40, 40)
    array[:40, 60:] = (40, 180, 40)
    array[40:, :60] = (50, 50, 210)
    array[40:, 60:] = np.linspace(0, 255, 60)[:, None]
    return Image.fromarray(array)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pdf_with(source: Any) -> tuple[bytes, np.ndarray]:
    """Return a PDF with the picture, and the picture as edgeocr sees it."""
    seen = load(source)
    return pdf_of((page_of((seen.shape[1], seen.shape[0])), source)), seen


def image_in(content: bytes) -> tuple[bytes, int]:
    """Return the stored bytes of the first page's picture, and its bits per channel."""
    with pikepdf.open(io.BytesIO(content)) as document:
        image = document.pages[0].Resources.XObject.Picture
        return image.read_raw_bytes(), int(image.BitsPerComponent)


def pixels_in(content: bytes, number: int = 0) -> np.ndarray:
    """Return the picture of a page as PDFium decodes it, uint8 [H, W, 3] BGR."""
    with opened(content) as document:
        (image,) = document[number].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
        return np.asarray(image.get_bitmap().to_pil().convert("RGB"))[..., ::-1].copy()


def size_of(content: bytes, number: int = 0) -> tuple[float, float]:
    """Return the width and height of a page in points."""
    with opened(content) as document:
        return document[number].get_size()


def exif(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def turned(orientation: int) -> bytes:
    return saved(picture(), "JPEG", quality=95, exif=exif(orientation))


def without_adobe(content: bytes) -> bytes:
    """Take the segment out of a JPEG file that says that its inks are stored as what is missing."""
    place = content.index(b"Adobe") - 4
    length = int.from_bytes(content[place + 2 : place + 4], "big")
    return content[:place] + content[place + 2 + length :]


JPEGS: dict[str, Callable[[], bytes]] = {
    "colour": lambda: saved(picture(), "JPEG", quality=95),
    "grey": lambda: saved(picture().convert("L"), "JPEG", quality=95),
    "progressive": lambda: saved(picture(), "JPEG", quality=95, progressive=True),
    "cmyk": lambda: saved(picture().convert("CMYK"), "JPEG", quality=95),
    "cmyk without Adobe's mark": lambda: without_adobe(JPEGS["cmyk"]()),
    "rgb": lambda: saved(picture(), "JPEG", quality=95, keep_rgb=True),
    **{f"orientation {i}": partial(turned, i) for i in range(1, 9)},
}
LOSSLESS: dict[str, Callable[[], Any]] = {
    "png": lambda: saved(picture(), "PNG"),
    "grey png": lambda: saved(picture().convert("L"), "PNG"),
    "palette png": lambda: saved(picture().quantize(16), "PNG"),
    "black and white png": lambda: saved(picture().convert("1"), "PNG"),
    "16-bit png": lambda: cv2.imencode(".png", np.full((80, 120), 40_000, np.uint16))[1].tobytes(),
    "tiff": lambda: saved(picture(), "TIFF", compression="tiff_lzw"),
    "fax": lambda: saved(picture().convert("1"), "TIFF", compression="group4"),
    "bmp": lambda: saved(picture(), "BMP"),
    "gif": lambda: saved(picture().quantize(16), "GIF"),
    "webp": lambda: saved(picture(), "WEBP", lossless=True),
    "array": lambda: np.asarray(picture())[..., ::-1],
    "grey array": lambda: np.asarray(picture().convert("L")),
    "pillow": picture,
    "file object": lambda: io.BytesIO(saved(picture(), "PNG")),
    "frame": lambda: Frame("scan.tif[1]", held=saved(picture(), "PNG")),
}


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_file_is_kept_byte_for_byte_and_shown_as_it_is_seen(kind: str) -> None:
    content = JPEGS[kind]()
    made, seen = pdf_with(content)
    assert image_in(made)[0] == content
    assert len(made) < len(content) + 5000
    shown = rendered(made, seen.shape[1::-1])
    if "cmyk" in kind:  # OpenCV and PDFium convert inks to colours by different formulas
        assert np.corrcoef(shown.ravel(), seen.ravel())[0, 1] > 0.8
    else:
        assert np.abs(shown.astype(int) - seen).mean() < 3


@pytest.mark.parametrize("kind", LOSSLESS)
def test_other_pictures_are_kept_without_loss(kind: str) -> None:
    source = LOSSLESS[kind]()
    seen = load(LOSSLESS[kind]())
    made = pdf_of((page_of((seen.shape[1], seen.shape[0])), source))
    # PDFium cuts off the lower half of 16 bits, where edgeocr rounds.
    tolerance = 1 if kind == "16-bit png" else 0
    np.testing.assert_allclose(pixels_in(made).astype(int), seen, atol=tolerance)


def test_a_turned_png_file_is_shown_upright() -> None:
    made, seen = pdf_with(saved(picture(), "PNG", exif=exif(6)))
    assert seen.shape[:2] == (120, 80)
    assert np.abs(rendered(made, (80, 120)).astype(int) - seen).mean() < 3


@pytest.mark.parametrize("kind", ["black and white png", "fax"])
def test_black_and_white_takes_one_bit_per_pixel(kind: str) -> None:
    made, _ = pdf_with(LOSSLESS[kind]())
    assert image_in(made)[1] == 1


def test_a_png_file_is_not_compressed_again() -> None:
    content = saved(picture(), "PNG")
    made, _ = pdf_with(content)
    assert image_in(made)[0] in content


def test_transparency_is_put_on_the_ground_that_was_read() -> None:
    transparent = picture().convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize(SIZE))
    made, seen = pdf_with(saved(transparent, "PNG"))
    assert np.array_equal(pixels_in(made), seen)


def test_an_interlaced_png_file_cannot_be_kept_as_it_is() -> None:
    content = bytearray(saved(picture(), "PNG"))
    assert png.embed(bytes(content)) is not None
    content[28] = 1  # says that it is interlaced
    assert png.embed(bytes(content)) is None


def test_jpeg_2000_is_kept_byte_for_byte() -> None:
    content = saved(picture(), "JPEG2000")
    made, seen = pdf_with(content)
    assert image_in(made)[0] == content
    assert np.abs(pixels_in(made).astype(int) - seen).mean() < 1


def test_pages_of_a_tiff_file_are_shown_each(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    pages = [picture(), picture().rotate(180)]
    pages[0].save(path, save_all=True, append_images=pages[1:], dpi=(200, 200))
    made = pdf_of(*((page_of(SIZE), frame) for frame in frames_of(path)))
    for i, page in enumerate(pages):
        assert np.array_equal(pixels_in(made, i), np.asarray(page)[..., ::-1])
    assert size_of(made, 1) == pytest.approx((120 / 200 * 72, 80 / 200 * 72))


def test_a_page_of_a_tiff_file_is_found_by_the_name_of_its_result(tmp_path: Path) -> None:
    path, stream = tmp_path / "scan.tif", io.BytesIO()
    pages = [picture(), picture().rotate(180), picture().rotate(90)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    page = page_of(SIZE)
    names = [f"{path}#2", f"{path}#1", str(path)]
    pdf.write([type(page)(name, *SIZE, ()) for name in names], stream)
    for i, expected in enumerate([pages[1], pages[0], pages[0]]):
        found = pixels_in(stream.getvalue(), i)
        assert np.array_equal(found, np.asarray(expected)[..., ::-1])
    with pytest.raises(ImageError, match=r"scan\.tif#4"):
        pdf.write([type(page)(f"{path}#4", *SIZE, ())], io.BytesIO())


@pytest.mark.parametrize(
    "content",
    [
        lambda dpi: saved(picture(), "JPEG", dpi=dpi),
        lambda dpi: saved(picture(), "PNG", dpi=dpi),
        lambda dpi: saved(picture().convert("RGBA"), "PNG", dpi=dpi),
        lambda dpi: saved(picture(), "TIFF", dpi=dpi),
        lambda dpi: Image.open(io.BytesIO(saved(picture(), "PNG", dpi=dpi))),
    ],
    ids=["jpeg", "png", "transparent png", "tiff", "pillow"],
)
@pytest.mark.parametrize(
    ("dpi", "points"),
    [((300, 300), (28.8, 19.2)), ((204, 98), (42.353, 58.776)), ((72, 72), (57.6, 38.4))],
    ids=["300", "fax", "not said"],
)
def test_a_page_is_as_large_as_the_paper(
    content: Any, dpi: Any, points: tuple[float, float]
) -> None:
    made, _ = pdf_with(content(dpi))
    assert size_of(made) == pytest.approx(points, rel=2e-3)


def test_the_resolution_of_a_turned_picture_turns_with_it() -> None:
    content = saved(picture(), "JPEG", dpi=(200, 100), exif=exif(6))
    made, seen = pdf_with(content)
    assert seen.shape[:2] == (120, 80)
    assert size_of(made) == pytest.approx((80 / 100 * 72, 120 / 200 * 72))


def test_a_long_screenshot_fits_into_the_largest_page() -> None:
    made = pdf_of((page_of((10, 40_000)), np.zeros((40_000, 10), np.uint8)))
    assert size_of(made)[1] == 14_400


def test_without_a_picture_the_file_that_the_page_names_is_shown() -> None:
    path = IMAGES / "badge.jpg"
    page = page_of((720, 640))
    stream = io.BytesIO()
    pdf.write([type(page)(str(path), 720, 640, ())], stream)
    assert image_in(stream.getvalue())[0] == path.read_bytes()


@pytest.mark.parametrize(
    "source",
    [
        "missing.jpg",
        b"",
        b"\xff\xd8\xff\xe0",
        Frame("page 3", held=ImageError("page 3: is damaged")),
    ],
    ids=["missing", "empty", "cut short", "frame with an error"],
)
def test_a_picture_that_cannot_be_read_is_an_error(source: Any) -> None:
    with pytest.raises(ImageError):
        pdf_of((page_of(SIZE), source))


def test_what_is_no_picture_is_named() -> None:
    with pytest.raises(ImageError, match="a int is not an image source: pass a path, bytes"):
        pdf_of((page_of(SIZE), 3))  # type: ignore[arg-type]


def test_damaged_files_are_errors_of_edgeocr_or_shown() -> None:
    random = np.random.default_rng(0)
    files = [JPEGS["orientation 6"](), LOSSLESS["palette png"](), LOSSLESS["tiff"]()]
    files += [saved(picture(), "JPEG2000"), pdfs.document([pdfs.PdfPage(pdfs.text("typed"))])]
    page, written = page_of(SIZE, [line_of("words", rectangle(5, 5, 90, 20))]), 0
    for i in range(300):
        content = bytearray(files[i % len(files)])
        for place in random.integers(0, min(len(content), 400), random.integers(1, 6)):
            content[place] = random.choice([0, 1, 0x7F, 0xFF])
        try:
            made = pdf_of((page, bytes(content)))
        except EdgeOCRError:
            continue
        written += 1
        with opened(made) as document:
            assert len(document) == 1
    assert 100 < written < 300
