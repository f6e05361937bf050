"""Made-up measurements of engines, and an engine that reads the names of files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine_process import Engine
from benchmarks.engines.measure import Answer, Ending, Line, Models, Request
from benchmarks.peer_turns import Measured

SQUARE = [[0.0, 0.0], [100.0, 0.0], [100.0, 10.0], [0.0, 10.0]]
LOWER = [[x, y + 50] for x, y in SQUARE]

REQUEST: Request = {
    "name": "small",
    "threads": 3,
    "orientation": True,
    "bundle": "small.edgeocr",
    "models": Models(
        detection="det.onnx", recognition="rec.onnx", charset="charset.txt", orientation="cls.onnx"
    ),
    "packages": [],
    "rest": True,
}

# A worker that prints before it answers and reads the name of a picture without its suffix. It ends
# at the picture "broken.jpg", and never answers at "endless.jpg".
STUB = """
import time
from pathlib import Path
from benchmarks.engines import measure

def start(request):
    print("loading", request["name"])
    return read, lines

def read(path):
    if Path(path).name == "broken.jpg":
        raise SystemExit("this picture is broken")
    if Path(path).name == "endless.jpg":
        time.sleep(1000)
    return Path(path).stem

def lines(result):
    return [{"text": result, "polygon": [[0, 0], [100, 0], [100, 10], [0, 10]]}]

measure.main(start)
"""


def line(text: str, polygon: list[list[float]] = SQUARE) -> Line:
    """Return a line."""
    return {"text": text, "polygon": polygon}


def answer(seconds: float, text: str) -> Answer:
    """Return an answer that took 1.5 CPU seconds for each second, and half a one after that."""
    return {
        "wall_s": seconds,
        "cpu_s": 1.5 * seconds,
        "rest_cpu_s": 0.5,
        "lines": [line(text)],
    }


def _rounds(seconds: Sequence[Sequence[float]], texts: Sequence[str]) -> list[list[Answer]]:
    return [[answer(*each) for each in zip(row, texts, strict=True)] for row in seconds]


def measured() -> Measured:
    """Return three rounds of two engines over two pictures."""
    ending: Ending = {
        "versions": {"edgeocr": "1.2", "rapidocr": "3.10.0", "onnxruntime": "1.20"},
        "peak_rss_mib": 100.0,
    }
    return Measured(
        rounds={
            "edgeocr": _rounds([(1, 3), (4, 2), (2, 3)], ["a", "b"]),
            "rapidocr": _rounds([(2, 6), (2, 4), (6, 6)], ["a", "x"]),
        },
        endings={"edgeocr": ending, "rapidocr": ending},
        cold_starts_s={"edgeocr": [0.2, 0.5, 0.4], "rapidocr": [0.6, 1.0, 0.4]},
        others_cpus=[0.25],
    )


def stub_engine(folder: Path, name: str = "stub") -> Engine:
    """Write the stub's module into a folder, and return it as an engine."""
    (folder / "stub_worker.py").write_text(STUB)
    variables = {**os.environ, "PYTHONPATH": str(folder)}
    return Engine(name, "stub_worker", Path(sys.executable), variables)
