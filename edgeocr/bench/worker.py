"""The measuring process of `edgeocr bench`: one provider, from nothing to the last page.

A request comes as one JSON object on standard input, messages go out as JSON, one a line:
`{"first_page": true}`, `{"read": 7, "of": 60}`, and last `{"measured": …}` or `{"error": "why"}`.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, TypedDict

from ..errors import EdgeOCRError

MIB = 1 << 20
# What a page took and no stage counted.
REST = "rest"
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Request(TypedDict):
    """What to measure.

    provider: "cpu", "cuda" or "tensorrt".
    bundle: path, or None for the one in the package.
    settings: more arguments of `OCR`.
    images: paths of the pictures, each read `repeat` times one by one, and as often in a stream.
    first: path of the picture whose text ends the cold start.
    """

    provider: str
    bundle: str | None
    settings: dict[str, Any]
    images: list[str]
    repeat: int
    first: str


class Measured(TypedDict):
    """What was measured. Milliseconds are wall time, spreads are over all reads of all pages.

    cold_start_ms: import, open (bundle and sessions) and first_page; the parent adds the total.
    warm_up_ms: of `OCR.warm_up`, after the first page.
    page_ms: spread of a whole page. stages_ms: the same of each stage; a page that didn't need a
        stage counts as 0 ms of it, and `REST` is what no stage counted.
    reads_ms: for each picture the time of each read that didn't fail, in their order.
    peak_rss_bytes: the most memory held at a time; None where unknown.
    gpu_bytes: GPU memory held after the last page; None where unknown.
    joules_per_page, power_source: of the whole board or package; None where no sensor tells.
    temperature_c, throttling: before the first and after the last read one by one; None where
        unknown.
    texts_sha256: of the pictures' texts in their order, to tell whether two devices read the same.
    same_each_time: whether every read of a picture, in the stream too, gave the same text.
    providers: what each stage really ran on.
    failed: pictures that couldn't be read: index and error.
    """

    cold_start_ms: dict[str, float]
    warm_up_ms: float
    page_ms: dict[str, float]
    stages_ms: dict[str, dict[str, float]]
    reads_ms: list[list[float]]
    pages_per_second: float
    stream_pages_per_second: float
    peak_rss_bytes: int | None
    gpu_bytes: int | None
    joules_per_page: float | None
    power_source: str | None
    temperature_c: dict[str, float | None]
    throttling: dict[str, dict[str, list[str]] | None]
    lines: int
    texts_sha256: str
    same_each_time: bool
    providers: dict[str, str]
    failed: list[dict[str, Any]]


Say = Callable[[Mapping[str, Any]], None]


def main() -> int:
    """Serve the one request on standard input; returns the exit code."""
    # Libraries print to descriptor 1 as they like; what they say there belongs to the log.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as channel:
        os.dup2(2, 1)

        def say(message: Mapping[str, Any]) -> None:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

        try:
            say({"measured": measure(json.loads(sys.stdin.read()), say)})
        except EdgeOCRError as error:
            say({"error": str(error)})
        except Exception:
            traceback.print_exc()
            return 1
    return 0


def measure(request: Request, say: Say) -> Measured:
    """Open, warm up, read one by one and in a stream.

    Raises `EdgeOCRError` when the bundle or the provider doesn't work, or no picture can be read.
    """
    began = perf_counter()
    from ..ocr import OCR
    from ..runtime.onnx_runtime import import_onnxruntime

    import_onnxruntime()
    imported = perf_counter()
    ocr = OCR(request["bundle"], provider=request["provider"], **request["settings"])
    opened = perf_counter()
    ocr.read(request["first"])
    done = perf_counter()
    say({"first_page": True})
    cold_start = {
        "import": imported - began,
        "open": opened - imported,
        "first_page": done - opened,
    }

    from ..device import machine as device
    from ..device import power

    def slowed() -> dict[str, list[str]] | None:
        found = device.throttling()
        return None if found is None else found.to_dict()

    warming = perf_counter()
    ocr.warm_up()
    warm_up = perf_counter() - warming

    reads = _Reads(len(request["images"]))
    temperature, throttling = [device.temperature_c()], [slowed()]
    with power.PowerMeter() as meter:
        seconds = reads.one_by_one(ocr.read, request["images"], request["repeat"], say)
    temperature.append(device.temperature_c())
    throttling.append(slowed())
    stream, stream_seconds = reads.streamed(ocr.read_many, request["images"], request["repeat"])
    pages = [page for pages in reads.pages for page in pages]
    stages = dict.fromkeys(stage for page in pages for stage in page if stage != REST)
    texts = [texts[0] for texts in reads.texts if texts]
    return {
        "cold_start_ms": {part: round(spent * 1000, 1) for part, spent in cold_start.items()},
        "warm_up_ms": round(warm_up * 1000, 1),
        "page_ms": spread([sum(page.values()) for page in pages]),
        "stages_ms": {
            stage: spread([page.get(stage, 0.0) for page in pages]) for stage in (*stages, REST)
        },
        "reads_ms": [[round(sum(page.values()), 3) for page in pages] for pages in reads.pages],
        "pages_per_second": round(len(pages) / seconds, 3),
        "stream_pages_per_second": round(stream / stream_seconds, 3),
        "peak_rss_bytes": peak_rss_bytes(),
        "gpu_bytes": None if request["provider"] == "cpu" else gpu_bytes(),
        "joules_per_page": None if meter.joules is None else round(meter.joules / len(pages), 4),
        "power_source": meter.source,
        "temperature_c": {"before": temperature[0], "after": temperature[1]},
        "throttling": {"before": throttling[0], "after": throttling[1]},
        "lines": sum(reads.lines),
        # A form feed can't be part of a line, so no two lists of texts are written alike.
        "texts_sha256": hashlib.sha256("\f".join(texts).encode("utf-8")).hexdigest(),
        "same_each_time": all(len(set(texts)) < 2 for texts in reads.texts),
        "providers": ocr.providers,
        "failed": [{"image": i, "error": why} for i, why in sorted(reads.failed.items())],
    }


class _Reads:
    """What reading gave: for each picture stages' times in ms, texts, lines; and failures."""

    def __init__(self, images: int) -> None:
        self.pages: list[list[dict[str, float]]] = [[] for _ in range(images)]
        self.texts: list[list[str]] = [[] for _ in range(images)]
        self.lines = [0] * images
        self.failed: dict[int, str] = {}

    def one_by_one(
        self, read: Callable[[str], Any], images: Sequence[str], repeat: int, say: Say
    ) -> float:
        """Read all pictures in turn, `repeat` times; returns the seconds that the pages took."""
        total = 0.0
        for number in range(repeat * len(images)):
            index = number % len(images)
            if index in self.failed:
                continue
            start = perf_counter()
            try:
                page = read(images[index])
            except EdgeOCRError as error:
                self.failed[index] = str(error)
                continue
            seconds = perf_counter() - start
            total += seconds
            counted = sum(page.milliseconds.values())
            # Clocks are read one after the other, so the rest may come out a hair below nothing.
            rest = max(0.0, seconds * 1000 - counted)
            self.pages[index].append({**page.milliseconds, REST: rest})
            self.texts[index].append(page.text)
            self.lines[index] = len(page.lines)
            say({"read": number + 1, "of": repeat * len(images)})
        if not any(self.pages):
            raise EdgeOCRError(self.failed[min(self.failed)])
        return total

    def streamed(
        self, read_many: Callable[[list[str]], Any], images: Sequence[str], repeat: int
    ) -> tuple[int, float]:
        """Read the same in a stream; returns how many pages came out and the seconds it took."""
        readable = [index for index in range(len(images)) if index not in self.failed]
        order = readable * repeat
        pages, start = 0, perf_counter()
        for index, page in zip(order, read_many([images[i] for i in order]), strict=True):
            if isinstance(page, EdgeOCRError):
                self.failed[index] = str(page)
            else:
                pages += 1
                self.texts[index].append(page.text)
        return pages, perf_counter() - start


def spread(values: Sequence[float]) -> dict[str, float]:
    """min, p50, p90 and p99 of one or more values, to a thousandth.

    Between two values a quantile is interpolated linearly, as `numpy.percentile` does it.
    """
    ordered = sorted(values)
    found = {"min": round(ordered[0], 3)}
    for name, share in QUANTILES.items():
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        value = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
        found[name] = round(value, 3)
    return found


def peak_rss_bytes() -> int | None:
    """The most memory that this process held at a time; None where unknown."""
    # On Linux a child's ru_maxrss begins at what its parent held; VmHWM doesn't.
    status = Path("/proc/self/status")
    if status.is_file():
        for row in status.read_text().splitlines():
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) << 10
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def gpu_bytes(pid: int | None = None) -> int | None:
    """Memory that a process, by default this one, holds on all NVIDIA GPUs.

    None without nvidia-smi, and where it can't tell: on a Jetson, whose GPU uses the CPU's memory,
    and in a container with process ids of its own.
    """
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    held = None
    for row in done.stdout.splitlines():
        cells = [cell.strip() for cell in row.split(",")]
        # "[N/A]" is what a driver says that doesn't know.
        if len(cells) == 2 and cells[0] == str(pid or os.getpid()) and cells[1].isdecimal():
            held = (held or 0) + int(cells[1]) * MIB
    return held


if __name__ == "__main__":
    sys.exit(main())
