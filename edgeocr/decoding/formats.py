"""Tell from its first bytes what a file is that is not a picture, and what to do with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# This many bytes from the beginning of a file are enough to tell what it is.
ENOUGH = 4096
TO_PNG = "convert it to PNG or JPEG first"


@dataclass(frozen=True)
class Kind:
    """A kind of file that is recognized by its first bytes.

    Attributes:
        name: What it is, with its article, as in "a PDF document".
        advice: What to do to have its text read.
        pattern: A regular expression that matches the beginning of such files.
        decoded_by_some: Whether some builds of OpenCV, or packages that are extras of edgeocr,
            decode or render such files.
    """

    name: str
    advice: str
    pattern: bytes
    decoded_by_some: bool = False

    def matches(self, start: bytes) -> bool:
        """Tell whether a file that begins like this is of this kind."""
        return re.match(self.pattern, start, re.DOTALL | re.IGNORECASE) is not None


def _kind(name: str, advice: str, *patterns: bytes, decoded_by_some: bool = False) -> Kind:
    return Kind(name, advice, b"|".join(patterns), decoded_by_some)


_ARCHIVE = "unpack it and pass the pictures that it holds"
_PAGES = "convert its pages to PNG first, for example with"
_VIDEO = "save the frames that you need as pictures first, for example with ffmpeg"
_RAW = "develop it to JPEG or TIFF first, for example with dcraw or darktable-cli"
_OFFICE = (
    "export it as PDF and convert its pages to PNG first, for example with pdftoppm -r 200 -png"
)

PDF = _kind(
    "a PDF document",
    f'pip install "edgeocr[pdf]" renders its pages; or {_PAGES} pdftoppm -r 200 -png',
    rb"[\s\x00\xef\xbb\xbf]{0,1024}%PDF-",
    decoded_by_some=True,
)
HEIF = _kind(
    "a HEIC or HEIF picture, as iPhones save them",
    f'pip install "edgeocr[heif]" decodes it; or {TO_PNG}, for example with heif-convert',
    rb"\x00.{3}ftyp(?:hei[cmsxf]|hev[cmsx]|mif1|msf1)",
    decoded_by_some=True,
)
# The first kind that matches counts, so the more specific ones come first.
OTHERS = (
    PDF,
    _kind(
        "a PostScript document",
        f"{_PAGES} gs -sDEVICE=png16m -r200",
        rb"%!PS",
        rb"\xc5\xd0\xd3\xc6",
    ),
    _kind("a DjVu document", f"{_PAGES} ddjvu -format=tiff", rb"AT&TFORM"),
    HEIF,
    _kind(
        "an AVIF picture",
        f"opencv-python-headless 5 decodes it; or {TO_PNG}, for example with avifdec",
        rb"\x00.{3}ftypavi[fs]",
        decoded_by_some=True,
    ),
    _kind(
        "a JPEG XL picture", f"{TO_PNG}, for example with djxl", rb"\xff\x0a", rb"\x00{3}\x0cJXL "
    ),
    _kind(
        "a raw photograph of a camera",
        _RAW,
        rb"\x00.{3}ftypcrx ",
        rb"FUJIFILMCCD-RAW",
        rb"II(?:RO|RS|U\x00)",
        rb"MMOR",
        rb"II\*\x00....CR",
        rb"\x00MRM",
        rb"FOVb",
    ),
    _kind("a Photoshop document", f"{TO_PNG}, with the layers that you need", rb"8BPS"),
    _kind("a GIMP document", f"{TO_PNG}, with the layers that you need", rb"gimp xcf"),
    _kind("an OpenEXR picture", TO_PNG, rb"\x76\x2f\x31\x01", decoded_by_some=True),
    _kind("an icon file", TO_PNG, rb"\x00\x00\x01\x00[^\x00]", rb"icns"),
    _kind("a DICOM file", f"{TO_PNG}, for example with dcm2img", rb".{128}DICM"),
    _kind("a Windows metafile", TO_PNG, rb"\xd7\xcd\xc6\x9a", rb"\x01\x00{3}.{36} EMF"),
    _kind(
        "a Word, Excel or PowerPoint document",
        _OFFICE,
        rb"PK\x03\x04.{26,}?(?:\[Content_Types\]\.xml|_rels/\.rels|word/|xl/|ppt/)",
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ),
    _kind("an OpenDocument file", _OFFICE, rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis"),
    _kind("an e-book", _OFFICE, rb"PK\x03\x04.{26}mimetypeapplication/epub"),
    _kind("a rich-text document", _OFFICE, rb"\{\\rtf"),
    _kind("a ZIP archive", _ARCHIVE, rb"PK\x03\x04", rb"PK\x05\x06"),
    _kind("a compressed file (gzip)", _ARCHIVE, rb"\x1f\x8b"),
    _kind("a compressed file (bzip2)", _ARCHIVE, rb"BZh[1-9]1AY&SY"),
    _kind("a compressed file (xz)", _ARCHIVE, rb"\xfd7zXZ\x00"),
    _kind("a compressed file (Zstandard)", _ARCHIVE, rb"\x28\xb5\x2f\xfd"),
    _kind("a 7-Zip archive", _ARCHIVE, rb"7z\xbc\xaf\x27\x1c"),
    _kind("a RAR archive", _ARCHIVE, rb"Rar!\x1a\x07"),
    _kind("a tar archive", _ARCHIVE, rb".{257}ustar"),
    _kind(
        "a video",
        _VIDEO,
        rb"\x00.{3}(?:ftyp|moov|mdat|wide)",
        rb"\x1a\x45\xdf\xa3",
        rb"RIFF.{4}AVI ",
        rb"FLV\x01",
        rb"\x00\x00\x01[\xb3\xba]",
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    ),
    _kind(
        "a sound file",
        "pass a picture instead",
        rb"RIFF.{4}WAVE",
        rb"ID3",
        rb"OggS",
        rb"fLaC",
        rb"\xff[\xfb\xf3\xf2]",
    ),
    _kind(
        "a pointer of Git LFS",
        "fetch the file itself with git lfs pull",
        rb"version https://git-lfs\.github\.com/spec",
    ),
    _kind(
        "an SVG drawing",
        f"{TO_PNG}, for example with rsvg-convert",
        rb"[\s\xef\xbb\xbf]*<(?:\?xml|!--|!DOCTYPE\s+svg)[^\x00]*<svg[\s>]",
        rb"[\s\xef\xbb\xbf]*<svg[\s>]",
    ),
    _kind(
        "an HTML page",
        "the download may have returned a page of the site instead of the picture: "
        "open the file in a text editor, and download the picture itself",
        rb"[\s\xef\xbb\xbf]*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|script|meta|title)[\s>]",
        rb"[\s\xef\xbb\xbf]*<\?xml[^\x00]*<html[\s>]",
    ),
    _kind("an XML file", "pass a picture instead", rb"[\s\xef\xbb\xbf]*<\?xml"),
    _kind("a NumPy file", "load it, and pass the array", rb"\x93NUMPY"),
    _kind("a program", "pass a picture instead", rb"\x7fELF", rb"MZ.{58}"),
)
RAW = f"this is a raw photograph of a camera, not a finished picture: {_RAW}"
# Pictures that OpenCV decodes, unless they are damaged or the build of OpenCV lacks the format.
PICTURES = (
    _kind("a JPEG picture", "", rb"\xff\xd8"),
    _kind("a PNG picture", "", rb"\x89PNG\r\n\x1a\n"),
    _kind("a WebP picture", "", rb"RIFF.{4}WEBP"),
    _kind("a TIFF picture", "", rb"II[*+]\x00", rb"MM\x00[*+]"),
    _kind("a GIF picture", " (GIF files need version 4.11)", rb"GIF8[79]a"),
    _kind("a BMP picture", "", rb"BM.{4}\x00{4}"),
    _kind("a JPEG 2000 picture", "", rb"\x00\x00\x00\x0cjP  ", rb"\xff\x4f\xff\x51"),
    _kind("a PNM or PAM picture", "", rb"P[1-7]\s"),
    _kind("a Sun raster picture", "", rb"\x59\xa6\x6a\x95"),
)
# Pictures whose pixels are floating-point numbers: Radiance HDR, PFM, OpenEXR.
FLOATING = re.compile(rb"#\?R|P[Ff]\s|\x76\x2f\x31\x01")
# Bytes that no text has. Text in a 16-bit encoding begins with a byte order mark.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def refusal(start: bytes) -> str:
    """Say why a file can't be decoded, and what to do.

    Args:
        start: The first `ENOUGH` bytes of the file, or all of a shorter one.
    """
    if not start:
        return "the file is empty"
    other = kind_of(start)
    if other is not None:
        # Some of these kinds are pictures, but this OpenCV can't decode them.
        wrong = "which can't be decoded here" if "picture" in other.name else "not a picture"
        return f"this is {other.name}, {wrong}: {other.advice}"
    picture = picture_kind_of(start)
    if picture is not None:
        return (
            f"OpenCV can't decode it: this is {picture.name} that is damaged, cut short or of a "
            f"kind that this OpenCV lacks{picture.advice}: get the file again, or open it in a "
            "picture viewer and save it as PNG"
        )
    if not any(start):
        return "the file holds zeros only: copying it may have failed, so get it again"
    if is_text(start):
        shown = "JSON" if start.lstrip()[:1] in (b"{", b"[") else "text"
        return (
            f"this is {shown}, not a picture: if it was downloaded, the server may have answered "
            "with a message; open it in a text editor"
        )
    return (
        "OpenCV can't decode it: the format is unknown or the file is damaged: "
        "open it in a picture viewer and save it as PNG"
    )


def refusal_without_size(start: bytes) -> str:
    """Say why a file whose header does not tell the picture's size is not decoded.

    Args:
        start: The first `ENOUGH` bytes of the file, or all of a shorter one.
    """
    picture = kind_of(start) or picture_kind_of(start)
    if picture is None or (picture not in PICTURES and not picture.decoded_by_some):
        return refusal(start)
    advice = f" ({picture.advice})" if picture.decoded_by_some else ""
    return (
        f"this is {picture.name} that is damaged, cut short or of an unusual form, so that it is "
        "not known how large it is: get the file again, or open it in a picture viewer and save it "
        f"as PNG{advice}; if you trust it, pass OCR(max_image_pixels=None) or --max-image-pixels "
        "none"
    )


def picture_kind_of(start: bytes) -> Kind | None:
    """Return the kind of a file that OpenCV takes for a picture; None for other files."""
    return next((kind for kind in PICTURES if kind.matches(start)), None)


def kind_of(start: bytes) -> Kind | None:
    """Return the kind of a file that OpenCV does not take for a picture; None if it is unknown."""
    return next((kind for kind in OTHERS if kind.matches(start)), None)


def is_text(start: bytes) -> bool:
    """Tell whether a file begins as a text file does."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if _BINARY.search(start):
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 3  # a character that is cut in two
    return True
