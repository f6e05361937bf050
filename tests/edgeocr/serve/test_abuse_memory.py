"""Five thousand requests of all kinds: what the two processes hold does not grow."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.edgeocr.serve.test_command import children, ready, started
from tests.support.services import Client, Reply, wait_until

# Requests before memory is looked at first, and all of them.
FIRST, ALL = 1000, 5000
# How many bytes the front and the reader may hold more after all of them. On an Intel Xeon with two
# cores the front held up to 1 MB more. The reader held 253 to 255 MB at the end of four runs,
# 0.2 to 8 MB more than before: what the allocator keeps depends on what threads did at once.
MOST_GROWTH = (4_000_000, 16_000_000)


@dataclass(frozen=True)
class Holding:
    """What a process holds.

    Attributes:
        resident: Its physical memory in bytes.
        files: The number of its file descriptors.
        threads: The number of its threads.
    """

    resident: int
    files: int
    threads: int


def held(pid: int) -> Holding:
    rows = dict(row.split(":", 1) for row in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Holding(int(rows["VmRSS"].split()[0]) << 10, files, int(rows["Threads"]))


def kinds(pictures: Path) -> Sequence[tuple[int, Callable[[Client], Reply]]]:
    """Return requests with the status that each is answered with."""
    sample = Image.open(pictures / "sample.jpg").convert("RGB")
    stream = io.BytesIO()
    line = sample.crop((362, 214, 602, 256))  # the opening hours
    line.save(stream, "JPEG")
    small = stream.getvalue()
    line.save(stream := io.BytesIO(), "TIFF", save_all=True, append_images=[line])
    tiff = stream.getvalue()
    form = {"Content-Type": "multipart/form-data; boundary=limit"}
    return [
        # Few are detected, which takes ten times as long as the others together.
        (200, lambda client: client.post("/v1/read?words=true", small)),
        (200, lambda client: client.post("/v1/read?format=pdf", small)),
        (200, lambda client: client.post("/v1/recognize", small)),
        (200, lambda client: client.post("/v1/recognize", tiff)),
        (200, lambda client: client.upload("/v1/recognize", {"a": small, "b": small[:500]})),
        (200, lambda client: client.upload("/v1/recognize", {"a": small, "b": tiff})),
        (422, lambda client: client.post("/v1/read", small[:200])),
        (422, lambda client: client.post("/v1/detect", tiff[:100])),
        (422, lambda client: client.post("/v1/read", b"no picture")),
        (422, lambda client: client.post("/v1/read", b"%PDF-1.7 no pages")),
        (422, lambda client: client.post("/v1/read?format=none", small)),
        (400, lambda client: client.ask("POST", "/v1/read", small, form)),
        (413, lambda client: client.post("/v1/read", bytes(300_000))),
        (404, lambda client: client.post("/v1/nothing", small)),
        (405, lambda client: client.get("/v1/read")),
        (403, lambda client: client.post("/v1/read", small, Host="elsewhere")),
        (415, lambda client: client.post("/v1/read", small, **{"Content-Encoding": "gzip"})),
        (200, lambda client: client.get("/metrics")),
        (200, lambda client: client.get("/page/index.html")),
    ]


@pytest.mark.stress
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process holds")
def test_memory_is_flat(pictures: Path) -> None:
    asked = kinds(pictures)
    wrong: Counter[tuple[int, int]] = Counter()

    def ask(number: int) -> None:
        status, send = asked[number % len(asked)]
        found = send(client).status
        if found != status:
            wrong[number % len(asked), found] += 1

    with started("--max-body", "200kB") as (process, client), ThreadPoolExecutor(4) as pool:
        ready(process)
        (reader,) = children(process.pid)

        def holdings() -> list[Holding]:
            wait_until(lambda: client.metric("edgeocr_places_taken") == 0)
            # The connection of this request itself is open while it is answered.
            wait_until(lambda: held(process.pid).files <= idle)
            return [held(process.pid), held(reader)]

        idle = held(process.pid).files
        list(pool.map(ask, range(FIRST)))
        first = holdings()
        list(pool.map(ask, range(FIRST, ALL)))
        last = holdings()
        assert not wrong
        assert client.metric("edgeocr_reader_restarts_total") == 0
        assert children(process.pid) == [reader]
    print(f"{first} after {FIRST} requests, {last} after {ALL}")
    for before, after, most in zip(first, last, MOST_GROWTH, strict=True):
        assert (after.files, after.threads) == (before.files, before.threads)
        assert after.resident - before.resident < most
