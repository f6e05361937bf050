"""Pictures and documents that are cut, that are bombs, or that have too many pages, over HTTP."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from edgeocr.serve import Options, Server
from tests.edgeocr.serve.conftest import READER
from tests.support import hostile_pictures as hostile
from tests.support import mutated_pictures
from tests.support.pdfs import PdfPage, document, numbered
from tests.support.services import Client, serving

pytestmark = pytest.mark.stress

# The reader may hold so many bytes more at its peak. All bombs but one are refused by what their
# headers say; on an Intel Xeon with two cores it held 25 MiB more.
MOST_MEMORY = 100_000_000


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Client, Server]]:
    """A service of its own, whose reader's peak of memory is that of these tests."""
    with serving(Options(READER, port=0)) as running:
        yield running


@pytest.fixture
def client(opened: tuple[Client, Server]) -> Client:
    return opened[0]


def peak(pid: int) -> int:
    rows = dict(row.split(":", 1) for row in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(rows["VmHWM"].split()[0]) << 10


def pages(kind: str, number: int) -> bytes:
    page = Image.new("L", (40, 30), 255)
    # Frames that are the same are written once by some formats.
    more = [Image.new("L", (40, 30), 100 + i % 100) for i in range(number - 1)]
    page.save(stream := io.BytesIO(), kind, save_all=True, append_images=more)
    return stream.getvalue()


def endless_tiff() -> bytes:
    """Return a TIFF file whose directory says that it follows itself."""
    tags = {256: 8, 257: 8, 258: 8, 262: 1, 273: -1, 278: 8, 279: 64}
    content = bytearray(hostile.tiff(tags, bytes(64)))
    at = 8 + 2 + 12 * len(tags)
    content[at : at + 4] = (8).to_bytes(4, "little")
    return bytes(content)


def huge_bmp() -> bytes:
    """Return a BMP file of 2³¹ by 2³¹ pixels."""
    sides = b"\xff\xff\xff\x7f" * 2
    return b"BM" + bytes(8) + b"\x36\0\0\0(\0\0\0" + sides + b"\1\0\x18\0" + bytes(24)


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: hostile.png(32000, 32000),
    "PNG of no data": lambda: hostile.png(30000, 30000, b""),
    "PNG of 2³¹": lambda: hostile.png(2**31 - 1, 2**31 - 1, b"x"),
    "GIF": lambda: hostile.gif(65535, 65535),
    "JPEG": lambda: hostile.jpeg(65500, 16000),
    "JPEG, progressive": lambda: hostile.jpeg(30000, 8000, progressive=True),
    "JPEG 2000": lambda: hostile.jpeg2000((60000, 60000)),
    "JPEG 2000 of many tiles": lambda: hostile.jpeg2000((4000, 4000), (1, 1)),
    "JPEG 2000 of many layers": lambda: hostile.jpeg2000((9000, 9000), layers=65535, block=(2, 2)),
    "TIFF": lambda: hostile.tiled_tiff(64, 64, 30000),
    "TIFF of 2³²": lambda: hostile.tiff({256: 2**32 - 1, 257: 2**32 - 1, 273: -1}, b"x"),
    "BMP": huge_bmp,
    "PPM": lambda: b"P6 99999 99999 255\n" + bytes(99),
    "PDF page of 14 000 km": lambda: document([PdfPage(b"", (0, 0, 4e7, 4e7))]),
    "PDF of 10 000 pages": lambda: numbered(10_000),
    "TIFF of 500 pages": lambda: pages("TIFF", 500),
    "GIF of 300 frames": lambda: pages("GIF", 300),
    "PNG of 150 frames": lambda: pages("PNG", 150),
    "WebP of 150 frames": lambda: pages("WEBP", 150),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak of memory")
def test_bombs_are_refused_or_read_in_bounded_memory(opened: tuple[Client, Server]) -> None:
    client, server = opened
    reader = server.service.dispatcher.reader
    assert reader is not None
    idle = peak(reader.pid)
    for name, make in BOMBS.items():
        answer = client.post("/v1/read?name=it", make())
        held = peak(reader.pid)
        print(f"{name}: {answer.status} {answer.body[:150]!r}, {(held - idle) >> 20} MiB")
        assert answer.status in (200, 413, 422), name
        if answer.status != 200:
            error = answer.json["error"]
            assert error["type"] in {"ImageError", "DocumentError", "TooLargeError"}, name
            assert error["message"] and len(error["message"]) < 1000
        assert held - idle < MOST_MEMORY, name
    assert server.service.dispatcher.reader is reader  # none of them has ended it
    assert client.metric("edgeocr_reader_restarts_total") == 0


@pytest.mark.parametrize("name", ["PDF of 10 000 pages", "TIFF of 500 pages", "GIF of 300 frames"])
def test_too_many_pages(client: Client, name: str) -> None:
    answer = client.post("/v1/detect", BOMBS[name]())
    assert answer.error == (413, "TooLargeError")
    assert "the limit is 100" in answer.json["error"]["message"]
    several = client.upload("/v1/detect", {"a.png": pages("PNG", 1), "b": BOMBS[name]()})
    assert several.error == (413, "TooLargeError")


def test_a_directory_that_follows_itself(client: Client) -> None:
    assert client.post("/v1/detect", endless_tiff()).status in (200, 413, 422)


def test_pictures_that_are_cut_anywhere(client: Client, pictures: Path) -> None:
    known = [*mutated_pictures.seeds(), numbered(2)]
    cut = [each[: len(each) * part // 5] for each in known for part in range(1, 5)]

    def ask(content: bytes) -> int:
        answer = client.post("/v1/recognize?name=it", content)
        if answer.status != 200:
            assert answer.error[1] in {"ImageError", "DocumentError"}, answer.body
            assert answer.json["error"]["source"] == "it"
        return answer.status

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(ask, cut))
    assert 422 in found <= {200, 422}
    assert client.metric("edgeocr_reader_restarts_total") == 0
    assert client.post("/v1/recognize", (pictures / "badge.jpg").read_bytes()).status == 200
