"""Files that are no picture are called by their name, with what to do."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from edgeocr import OCR, ImageError, frames_of
from edgeocr.decoding import tiff
from edgeocr.decoding.formats import OTHERS, PICTURES, refusal
from edgeocr.images import load


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "application/epub+zip" if name == "mimetype" else "words " * 50)
    return stream.getvalue()


def stored(first: str) -> bytes:
    """Return a ZIP file that begins with its type, as OpenDocument and EPUB demand."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", first)
        archive.writestr("content.xml", "<x/>")
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.png"), io.BytesIO())
    return stream.getvalue()


def box(brand: bytes) -> bytes:
    return (24).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + b"mif1" + brand + bytes(200)


def array_file() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros((4, 4), np.uint8))
    return stream.getvalue()


CASES: list[tuple[bytes, str, str]] = [
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF document", "qpdf IN.pdf OUT.pdf"),
    (b"\r\n\r\n%PDF-1.4\n", "a PDF document", "qpdf"),
    (b"%!PS-Adobe-3.0\n", "a PostScript document", "gs "),
    (b"AT&TFORM\0\0\1\0DJVU", "a DjVu document", "ddjvu"),
    (box(b"heic"), "a HEIC or HEIF picture", "heif-convert"),
    (box(b"heix"), "a HEIC or HEIF picture", "heif-convert"),
    (box(b"mif1"), "a HEIC or HEIF picture", "heif-convert"),
    (box(b"avif"), "an AVIF picture", "avifdec"),
    (box(b"crx "), "a raw photograph", "dcraw"),
    (box(b"isom"), "a video", "ffmpeg"),
    (box(b"qt  "), "a video", "ffmpeg"),
    (b"\x1a\x45\xdf\xa3" + bytes(30), "a video", "ffmpeg"),
    (b"RIFF\x24\0\0\0AVI LIST", "a video", "ffmpeg"),
    (b"RIFF\x24\0\0\0WAVEfmt ", "a sound file", "picture"),
    (b"\xff\x0a\xfa\x1f" + bytes(20), "a JPEG XL picture", "djxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture", "djxl"),
    (b"8BPS\0\1" + bytes(40), "a Photoshop document", "PNG"),
    (b"II*\0\x10\0\0\0CR\2\0" + bytes(40), "a raw photograph", "dcraw"),
    (b"FUJIFILMCCD-RAW 0201", "a raw photograph", "dcraw"),
    (zipped("[Content_Types].xml", "word/document.xml"), "a Word, Excel", "export it as PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "a Word, Excel", "export it as PDF"),
    (stored("application/vnd.oasis.opendocument.text"), "an OpenDocument", "export it as PDF"),
    (stored("application/epub+zip"), "an e-book", "PDF"),
    (zipped("a.png"), "a ZIP archive", "unpack it"),
    (gzip.compress(b"words"), "a compressed file (gzip)", "unpack it"),
    (tarred(), "a tar archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive", "unpack it"),
    (b"<!DOCTYPE html>\n<html><body>404</body>", "an HTML page", "download the picture"),
    (b"\xef\xbb\xbf  <html lang=en>", "an HTML page", "download the picture"),
    (b"<!-- saved --><HTML>", "an HTML page", "download the picture"),
    (b'<svg xmlns="http://www.w3.org/2000/svg">', "an SVG drawing", "rsvg-convert"),
    (b'<?xml version="1.0"?>\n<!-- a -->\n<svg width="1">', "an SVG drawing", "rsvg-convert"),
    (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code>', "an XML file", "picture"),
    (b'{"error": "not found"}', "JSON", "server"),
    (b"Not Found", "text", "server"),
    ("Größe: 5 €".encode(), "text", "server"),
    ("words".encode("utf-16"), "text", "server"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS", "git lfs pull"),
    (array_file(), "a NumPy file", "pass the array"),
    (b"\x7fELF\2\1\1" + bytes(60), "a program", "picture"),
    (bytes(500), "zeros only", "get it again"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture that is damaged", "get the file again"),
    (b"\x89PNG\r\n\x1a\n\0\0", "a PNG picture that is damaged", "get the file again"),
    (b"\x80\x81\x02\x99 nothing that is known", "the format is unknown", "save it as PNG"),
]


@pytest.mark.parametrize(("content", "name", "advice"), CASES, ids=[case[1] for case in CASES])
def test_file_is_named_with_advice_from_every_kind_of_source(
    content: bytes, name: str, advice: str, tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    sources = [path, str(path), content, io.BytesIO(content)]
    for source in sources:
        with pytest.raises(ImageError) as caught:
            load(source)  # type: ignore[arg-type]
        message = str(caught.value)
        assert name in message and advice in message
        assert message.startswith(f"{path}: ") == (source in (path, str(path)))


def test_every_name_has_its_article_and_advice() -> None:
    for kind in (*OTHERS, *PICTURES):
        assert kind.name.split()[0] in ("a", "an")
    assert all(kind.advice for kind in OTHERS)


def test_message_depends_on_the_beginning_alone_and_takes_no_time() -> None:
    for start in (b"<?xml " + b"<svx" * 1000, b" " * 4096, b"PK\3\4" + b"w" * 4090, b"<!--" * 1024):
        assert refusal(start)


@pytest.mark.parametrize(("form", "suffix"), [("PNG", "jpg"), ("JPEG", "png"), ("TIFF", "gif")])
def test_wrong_ending_does_not_matter(form: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    PIL.Image.new("RGB", (40, 30), "red").save(path, form)
    assert load(path).shape == (30, 40, 3)


def test_floating_point_picture_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    PIL.Image.fromarray(np.ones((4, 5), np.float32)).save(path)
    with pytest.raises(ImageError, match=r"a\.tif: its pixels are floating-point"):
        load(path)


def test_preview_of_a_raw_photograph_is_not_taken_for_the_photograph() -> None:
    """A DNG or NEF file has a small preview first, and the photograph in a directory below it."""
    stream = io.BytesIO()
    preview = PIL.Image.new("RGB", (40, 30))
    preview.save(stream, "TIFF", tiffinfo={tiff.SUBFILE: 1, tiff.DNG_VERSION: 1})
    with pytest.raises(ImageError, match="this is a raw photograph of a camera"):
        load(stream.getvalue())
    preview.save(stream := io.BytesIO(), "TIFF", tiffinfo={tiff.SUBFILE: 1})
    assert load(stream.getvalue()).shape == (30, 40, 3)


def test_previews_in_a_raw_photograph_are_no_pages() -> None:
    stream = io.BytesIO()
    pages = [PIL.Image.new("L", (40, 30), level) for level in (10, 200)]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    content = bytearray(stream.getvalue())
    assert len(list(frames_of(bytes(content)))) == 2
    content[8:10] = b"CR"
    assert len(list(frames_of(bytes(content)))) == 1


def test_kind_is_told_within_a_memory_limit_too(tmp_path: Path) -> None:
    from edgeocr.memory.footprint import predict

    path = tmp_path / "a.jpg"
    path.write_bytes(b"%PDF-1.7\n")
    with pytest.raises(ImageError, match=r"a\.jpg: the memory that decoding takes can't be"):
        predict(path)
    path.write_bytes(b"8BPS" + bytes(40))
    with pytest.raises(ImageError, match=r"a\.jpg: this is a Photoshop document"):
        predict(path)


def test_error_of_a_page_names_file_and_kind(ocr: OCR, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(b"%PDF-1.7\n")
    (error,) = ocr.read_many([path])
    assert isinstance(error, ImageError) and error.source == str(path)
    assert "this is a PDF document that PDFium can't open" in str(error)
