"""times the decoders of EAST, SAST and PGNet beside PaddleOCR's on the same maps"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from converters import child_process
from edgeocr.postprocess import east, pgnet, sast
from tests.support import east_cases, pgnet_cases, sast_cases, scenes
from tests.support.ideal import east as ideal_east
from tests.support.ideal import pgnet as ideal_pgnet
from tests.support.ideal import sast as ideal_sast

from . import machine

WORKER = Path(__file__).parent / "engines" / "paddleocr_decoders_worker.py"
TIMEOUT_SECONDS = 600
REPEAT = 5
# Texts on a square picture, and its side: with the second EAST's map has 2 000 positive pixels.
PAGES = ((20, 480), (80, 904))


class Case(NamedTuple):
    """One set of maps.

    name: of the row, the algorithm first. arrays: the maps, in the decoders' order.
    numbers: the decoder's. decode: edgeocr's, with all but the maps.
    """

    name: str
    arrays: dict[str, Any]
    numbers: dict[str, Any]
    decode: Callable[..., Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--paddleocr-python",
        type=Path,
        required=True,
        metavar="PATH",
        help="a Python with paddlepaddle 2.6.2, paddleocr 2.10.0 and what its decoders import",
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="alternating; default: 5")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")


def run(options: argparse.Namespace) -> None:
    """Run both alternately and print a row for each set of maps."""
    cases = list(_cases())
    ours: dict[str, list[float]] = {case.name: [] for case in cases}
    theirs: dict[str, list[float]] = {}
    regions: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        maps, result = Path(folder) / "maps.npz", Path(folder) / "result.json"
        _store(cases, maps)
        for _ in range(options.runs):
            for case in cases:
                found, seconds = _time(partial(case.decode, *case.arrays.values()))
                regions[case.name] = found
                ours[case.name].append(seconds)
            command = [str(options.paddleocr_python), str(WORKER), str(maps), str(REPEAT)]
            ended = child_process.run([*command, str(result)], TIMEOUT_SECONDS)
            if ended.code != 0:
                raise SystemExit(f"PaddleOCR's decoders don't run:\n{ended.output[-2000:]}")
            for name, (found, seconds) in json.loads(result.read_text()).items():
                theirs.setdefault(name, []).append(seconds)
                regions[name] = found
    rows = [
        {
            "maps": name,
            "edgeocr_regions": regions[name],
            "edgeocr_ms": 1000 * median(ours[name]),
            "peer": peer.removeprefix(f"{name}, "),
            "peer_regions": regions[peer],
            "peer_ms": 1000 * median(times),
            "ratio": median(b / a for a, b in zip(ours[name], times, strict=True)),
        }
        for name in ours
        for peer, times in theirs.items()
        if peer.startswith(f"{name}, ")
    ]
    print("| Maps | Texts | edgeocr ms | PaddleOCR 2.10 | Texts | ms | Time ÷ edgeocr's |")
    print("|---|--:|--:|---|--:|--:|--:|")
    for row in rows:
        print(
            f"| {row['maps']} | {row['edgeocr_regions']} | {row['edgeocr_ms']:.1f} | {row['peer']} "
            f"| {row['peer_regions']} | {row['peer_ms']:.1f} | {row['ratio']:.1f} |"
        )
    if options.json is not None:
        outcome = {"machine": machine.describe(), "runs": options.runs, "rows": rows}
        options.json.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")


def _cases() -> Iterator[Case]:
    for number, size in PAGES:
        truth = scenes.words(0, number, size, size)
        maps = east_cases.blurred(ideal_east.maps(truth, size, size), 0, 1.5)
        yield _case("EAST", maps, east_cases.NUMBERS, east.quads, size)
    polygons = sast_cases.NUMBERS["polygons"]
    for number, size in PAGES:
        bent = sast_cases.blurred(
            ideal_sast.maps(scenes.arcs(0, number, size, size), size, size), 0, 0.3
        )
        yield _case("SAST", bent, polygons, sast.polygons, size)
    decode = partial(pgnet.lines, charset=pgnet_cases.CHARSET, blank=ideal_pgnet.BLANK)
    for number, size in PAGES:
        read = pgnet_cases.blurred(
            ideal_pgnet.maps(*pgnet_cases.scene("arcs", 0, number, size, size), size, size), 0
        )
        yield _case("PGNet", read, pgnet_cases.NUMBERS, decode, size)


def _case(
    algorithm: str, maps: Any, numbers: dict[str, Any], decode: Callable[..., Any], size: int
) -> Case:
    names = maps._fields if hasattr(maps, "_fields") else ("score", "geometry")
    positive = int((maps[0] > numbers["score_threshold"]).sum())
    return Case(
        f"{algorithm} {size}×{size}, {positive} positive pixels",
        dict(zip(names, maps, strict=True)),
        numbers,
        partial(decode, **numbers),
    )


def _store(cases: list[Case], path: Path) -> None:
    arrays: dict[str, Any] = {
        f"{case.name}/{key}": value for case in cases for key, value in case.arrays.items()
    }
    numbers = json.dumps({case.name: case.numbers for case in cases})
    np.savez(path, cases=np.array(numbers), **arrays)


def _time(decode: Callable[[], Any]) -> tuple[int, float]:
    """How many texts were found, and the median seconds."""
    decode()
    seconds = []
    for _ in range(REPEAT):
        start = perf_counter()
        found = decode()
        seconds.append(perf_counter() - start)
    return len(found[0]), median(seconds)
