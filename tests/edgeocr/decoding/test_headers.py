"""Sizes from image headers are those that Pillow reads, and decoding takes what they predict."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from edgeocr.decoding.headers import reader

# Format, mode and options with which Pillow writes: one of each that is decoded in its own way.
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {"transparency": 0}),
    ("PNG", "LA", {}),
    ("PNG", "1", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {}),
    ("WEBP", "RGB", {"lossless": True, "method": 0}),
    ("WEBP", "RGBA", {"lossless": True, "method": 0}),
    ("BMP", "RGB", {}),
    ("BMP", "L", {}),
    ("GIF", "P", {}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGBA", {}),
    ("TIFF", "L", {"compression": "tiff_lzw"}),
    ("TIFF", "1", {}),
    ("PPM", "RGB", {}),
    ("PPM", "L", {}),
    ("PPM", "1", {}),
]
TURNED = ("JPEG", "PNG", "WEBP", "TIFF")

# Prints by how many bytes the peak of the process grew while each picture was loaded.
MEASURE = """
import sys
from pathlib import Path
from edgeocr import images
def held(name):
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) << 10 for row in rows if row.startswith(name))
for path, small in zip(*[iter(sys.argv[1:])] * 2):
    images.load(small)  # makes the codec allocate its own tables
    Path("/proc/self/clear_refs").write_text("5")
    before = held("VmRSS")
    images.load(path)
    print(held("VmHWM") - before - Path(path).stat().st_size)
"""


def encoded(
    kind: str,
    mode: str,
    options: dict[str, Any],
    size: tuple[int, int] = (211, 97),
    orientation: int | None = None,
) -> bytes:
    """Write a picture of noise with Pillow."""
    noise = np.random.default_rng(0).integers(0, 256, (23, 31, 3), np.uint8)
    picture = Image.fromarray(noise).resize(size).convert("RGBA" if "A" in mode else "RGB")
    stream = io.BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {**options, "exif": exif}
    picture.convert(mode).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "mode", "options"), KINDS, ids=str)
@pytest.mark.parametrize("size", [(211, 97), (1, 1), (40, 3000)])
def test_size_is_the_one_that_pillow_reads(
    kind: str, mode: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    content = encoded(kind, mode, options, size)
    header = reader.read(io.BytesIO(content))
    assert header is not None
    assert (header.width, header.height) == Image.open(io.BytesIO(content)).size == size


@pytest.mark.parametrize("kind", TURNED)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_size_is_the_stored_one_whatever_the_orientation(kind: str, orientation: int) -> None:
    content = encoded(kind, "RGB", {}, orientation=orientation)
    header = reader.read(io.BytesIO(content))
    assert header is not None
    picture = Image.open(io.BytesIO(content))
    # Pillow reports the turned size of a TIFF, so the stored one is read from its tags.
    stored = picture.size
    if isinstance(picture, TiffImageFile):
        stored = (picture.tag_v2[256], picture.tag_v2[257])
    assert (header.width, header.height) == stored == (211, 97)


def test_16_bit_files_are_predicted_to_take_more_than_8_bit_files() -> None:
    picture = np.random.default_rng(0).integers(0, 65536, (50, 70, 3), np.uint16)
    for suffix in (".jp2", ".png", ".tif", ".ppm"):
        done, content = cv2.imencode(suffix, picture)
        assert done
        header = reader.read(io.BytesIO(content.tobytes()))
        assert header is not None and (header.width, header.height) == (70, 50)
        assert header.decoding is not None and header.decoding >= 30  # 8 bits take 6 to 18
        eight = cv2.imencode(suffix, (picture >> 8).astype(np.uint8))[1]
        plain = reader.read(io.BytesIO(eight.tobytes()))
        assert plain is not None and plain.decoding is not None and plain.decoding <= 18


def test_size_is_the_one_that_is_decoded_where_a_file_states_several() -> None:
    picture = np.full((50, 70, 3), 200, np.uint8)
    jp2 = cv2.imencode(".jp2", picture)[1].tobytes()
    # Two unknown boxes before the JP2 header, one of which holds the header's name.
    lie = struct.pack(">I4s4sIIHB9x", 32, b"free", b"ihdr", 1, 1, 3, 7)
    large = struct.pack(">I4sQ", 1, b"free", 16)
    tiff = bytearray(cv2.imencode(".tiff", picture, [cv2.IMWRITE_TIFF_COMPRESSION, 1])[1])
    (at,) = struct.unpack_from("<I", tiff, 4)
    (entries,) = struct.unpack_from("<H", tiff, at)
    rows = tiff[at + 2 : at + 2 + 12 * entries]
    again = b"".join(struct.pack("<HHII", tag, 4, 1, 1) for tag in (0x0100, 0x0101))
    struct.pack_into("<I", tiff, 4, len(tiff))
    tiff += struct.pack("<H", entries + 2) + rows + again + bytes(4)
    codestream = jp2[jp2.index(b"\xff\x4f\xff\x51") :]
    for content in (jp2, jp2[:32] + lie + large + jp2[32:], codestream, bytes(tiff)):
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        header = reader.read(io.BytesIO(content))
        assert header is not None and decoded is not None
        assert (header.height, header.width) == decoded.shape[:2] == (50, 70)


@pytest.mark.parametrize(
    ("kind", "number"), [(6, 1), (16, 1), (4, 0)], ids=["bytes", "64 bits", "no value"]
)
def test_tiff_with_an_unknown_type_of_width_has_no_header(kind: int, number: int) -> None:
    content = bytearray(encoded("TIFF", "RGB", {}))
    (at,) = struct.unpack_from("<I", content, 4)
    assert struct.unpack_from("<H", content, at + 2) == (0x0100,)
    struct.pack_into("<HI", content, at + 4, kind, number)
    assert reader.read(io.BytesIO(content)) is None


def test_comments_in_a_pnm_header_are_skipped() -> None:
    header = reader.read(io.BytesIO(b"P5 # wide\n# and high\n30\n# 40\n 20 255\n" + bytes(600)))
    assert header is not None and (header.width, header.height) == (30, 20)


def test_tiff_directory_may_follow_the_pixels() -> None:
    content = encoded("TIFF", "RGB", {"compression": "tiff_lzw"}, (300, 200))
    assert int.from_bytes(content[4:8], "little") > 1000
    header = reader.read(io.BytesIO(content))
    assert header is not None and (header.width, header.height) == (300, 200)


def test_only_baseline_jpegs_are_reducible() -> None:
    plain = reader.read(io.BytesIO(encoded("JPEG", "RGB", {})))
    progressive = reader.read(io.BytesIO(encoded("JPEG", "RGB", {"progressive": True})))
    png = reader.read(io.BytesIO(encoded("PNG", "RGB", {})))
    assert plain and plain.reducible and progressive and png
    assert not progressive.reducible and not png.reducible


@pytest.mark.parametrize(("kind", "mode", "options"), KINDS, ids=str)
def test_truncated_file_has_the_right_size_or_none(
    kind: str, mode: str, options: dict[str, Any]
) -> None:
    content = encoded(kind, mode, options)
    for end in [*range(min(len(content), 200)), len(content) // 2]:
        header = reader.read(io.BytesIO(content[:end]))
        assert header is None or (header.width, header.height) == (211, 97)


def test_content_that_is_no_picture_has_no_header() -> None:
    for content in (b"", b"GIF", b"%PDF-1.7", b"P7\n", b"\xff\xd8\xff\xd9", b"RIFF\0\0\0\0WAVE"):
        assert reader.read(io.BytesIO(content + bytes(40))) is None


@pytest.mark.stress
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
def test_decoding_takes_no_more_than_predicted(tmp_path: Path) -> None:
    size = (1100, 900)
    arguments, predicted = [], []
    for i, (kind, mode, options) in enumerate(KINDS):
        content = encoded(kind, mode, options, size)
        path, small = tmp_path / f"{i}.{kind}", tmp_path / f"{i}-small.{kind}"
        path.write_bytes(content)
        small.write_bytes(encoded(kind, mode, options, (64, 48)))
        header = reader.read(io.BytesIO(content))
        assert header is not None and header.decoding is not None
        predicted.append(header.decoding)
        arguments += [str(path), str(small)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=True
    )
    taken = [int(row) / (size[0] * size[1]) for row in done.stdout.split()]
    assert len(taken) == len(KINDS) and max(taken) > 10
    for case, real, most in zip(KINDS, taken, predicted, strict=True):
        assert real <= most + 1, case
