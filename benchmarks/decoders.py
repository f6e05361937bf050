"""Time the decoders of EAST, SAST, PSE, FCE, CT and PGNet beside PaddleOCR's on the same maps."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from converters import child_process
from edgeocr.postprocess import ct, east, fce, pgnet, pse, sast
from tests.support import curved_cases, east_cases, pgnet_cases, sast_cases, scenes
from tests.support.ideal import curved
from tests.support.ideal import east as ideal_east
from tests.support.ideal import pgnet as ideal_pgnet
from tests.support.ideal import sast as ideal_sast

from . import machine

WORKER = Path(__file__).parent / "engines" / "paddleocr_decoders_worker.py"
TIMEOUT_SECONDS = 600
# How often a run decodes each case, and after how many seconds it stops doing so: PaddleOCR's
# suppression in Python takes up to seconds for a page.
REPEAT, SECONDS = 5, 1.0
# Number of texts on a square picture, and its side in pixels. EAST's map of the second picture has
# about 2 000 positive pixels.
PAGES = ((20, 480), (80, 904))


@dataclass(frozen=True)
class Case:
    """The maps of one picture, and how edgeocr decodes them.

    Attributes:
        name: Name of the row; its first word is the algorithm.
        arrays: The maps by name, in the order of the decoder's arguments.
        settings: The decoder's settings.
        decode: edgeocr's decoder with its settings; takes the maps.
    """

    name: str
    arrays: dict[str, Any]
    settings: dict[str, Any]
    decode: Callable[..., Any]


@dataclass(frozen=True)
class Row:
    """A row of the table; its fields are the keys of the result file.

    Attributes:
        maps: Name of the case.
        edgeocr_regions: Number of texts that edgeocr finds.
        edgeocr_ms: edgeocr's median time in milliseconds.
        peer: Variant of PaddleOCR's decoder.
        peer_regions: Number of texts that PaddleOCR finds.
        peer_ms: PaddleOCR's median time in milliseconds.
        ratio: PaddleOCR's time divided by edgeocr's: the median over the pairs of runs.
    """

    maps: str
    edgeocr_regions: int
    edgeocr_ms: float
    peer: str
    peer_regions: int
    peer_ms: float
    ratio: float

    def __str__(self) -> str:
        """Return the row in Markdown."""
        return (
            f"| {self.maps} | {self.edgeocr_regions} | {self.edgeocr_ms:.1f} | {self.peer} "
            f"| {self.peer_regions} | {self.peer_ms:.1f} | {self.ratio:.1f} |"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--paddleocr-python",
        type=Path,
        required=True,
        metavar="PATH",
        help="Python that has paddleocr 2.10.0 with its requirements and, for EAST in C++, "
        "lanms-nova",
    )
    parser.add_argument(
        "--runs", type=int, default=3, metavar="N", help="number of alternating runs; default: 3"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Run both implementations in turns, and print a row for each case and variant of the peer."""
    cases = list(_cases())
    ours: dict[str, list[float]] = {case.name: [] for case in cases}
    theirs: dict[str, list[float]] = {}
    regions: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        maps, result = Path(folder) / "maps.npz", Path(folder) / "result.json"
        _store(cases, maps)
        for number in range(options.runs):
            print(f"run {number + 1} of {options.runs}", file=sys.stderr, flush=True)
            for case in cases:
                found, seconds = _time(partial(case.decode, *case.arrays.values()))
                regions[case.name] = found
                ours[case.name].append(seconds)
            command = [options.paddleocr_python, WORKER, maps, result, REPEAT, SECONDS]
            ended = child_process.run([str(each) for each in command], TIMEOUT_SECONDS)
            if ended.code != 0:
                raise SystemExit(f"error: PaddleOCR's decoders don't run: the worker {ended}")
            for name, (found, seconds) in json.loads(result.read_text()).items():
                theirs.setdefault(name, []).append(seconds)
                regions[name] = found
    rows = [
        Row(
            maps=name,
            edgeocr_regions=regions[name],
            edgeocr_ms=1000 * median(ours[name]),
            peer=peer.removeprefix(f"{name}, "),
            peer_regions=regions[peer],
            peer_ms=1000 * median(times),
            ratio=median(b / a for a, b in zip(ours[name], times, strict=True)),
        )
        for name in ours
        for peer, times in theirs.items()
        if peer.startswith(f"{name}, ")
    ]
    print("| Maps | Texts | edgeocr ms | PaddleOCR 2.10 | Texts | ms | Time ÷ edgeocr's |")
    print("|---|--:|--:|---|--:|--:|--:|")
    for row in rows:
        print(row)
    if options.json is not None:
        outcome = {
            "machine": machine.describe(),
            "runs": options.runs,
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")


def _cases() -> Iterator[Case]:
    """Make blurred or noisy maps of drawn texts, which have more candidates than perfect ones."""
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
    for number, size in PAGES:
        arcs = scenes.arcs(0, number, size, size)
        kernels = curved_cases.noisy(curved.pse(arcs, size, size), 0, 0.5)
        name = f"PSE {size}×{size}, {int((kernels[0] > 0).sum())} positive pixels"
        yield Case(
            name, {"kernels": kernels}, curved_cases.PSE, partial(pse.polygons, **curved_cases.PSE)
        )
        # PaddleOCR's time grows with the square of FCE's pixels, so its pages have fewer texts.
        few = scenes.arcs(0, number // 4, size // 2, size // 2)
        perfect = curved.fce(few, size // 2, size // 2)
        levels = [curved_cases.noisy(each, 0, 0.02, 4) for each in perfect]
        positive = sum(int((each[1] * each[3] > 0.3).sum()) for each in levels)
        yield Case(
            f"FCE {size // 2}×{size // 2}, {positive} positive pixels",
            {f"level_{i}": each for i, each in enumerate(levels)},
            curved_cases.FCE,
            partial(fce.polygons, **curved_cases.FCE),
        )
        # CT's texts have to be large, and PaddleOCR's decoder takes sides of 1 200 pixels at most.
        large = scenes.arcs(0, number // 4, size, size)
        ct_maps = curved_cases.noisy(curved.ct(large, size, size), 0, 0.1, 1)
        name = f"CT {size}×{size}, {int((ct_maps[0] > 0.2).sum())} positive pixels"
        yield Case(
            name, {"maps": ct_maps}, curved_cases.CT, partial(ct.polygons, **curved_cases.CT)
        )
    decode = partial(pgnet.lines, charset=pgnet_cases.CHARSET, blank=ideal_pgnet.BLANK)
    for number, size in PAGES:
        read = pgnet_cases.blurred(
            ideal_pgnet.maps(*pgnet_cases.scene("arcs", 0, number, size, size), size, size), 0
        )
        yield _case("PGNet", read, pgnet_cases.NUMBERS, decode, size)


def _case(
    algorithm: str, maps: Any, settings: dict[str, Any], decode: Callable[..., Any], size: int
) -> Case:
    """Name a case by its algorithm, its picture's side and its map's positive pixels."""
    names = maps._fields if hasattr(maps, "_fields") else ("score", "geometry")
    positive = int((maps[0] > settings["score_threshold"]).sum())
    return Case(
        f"{algorithm} {size}×{size}, {positive} positive pixels",
        dict(zip(names, maps, strict=True)),
        settings,
        partial(decode, **settings),
    )


def _store(cases: list[Case], path: Path) -> None:
    """Write the maps and settings for PaddleOCR's worker."""
    arrays: dict[str, Any] = {
        f"{case.name}/{key}": value for case in cases for key, value in case.arrays.items()
    }
    settings = json.dumps({case.name: case.settings for case in cases})
    np.savez(path, cases=np.array(settings), **arrays)


def _time(decode: Callable[[], Any]) -> tuple[int, float]:
    """Return the number of texts that are found, and the median time in seconds."""
    found = decode()
    seconds: list[float] = []
    while len(seconds) < REPEAT and sum(seconds) < SECONDS:
        start = perf_counter()
        found = decode()
        seconds.append(perf_counter() - start)
    return len(found[0]), median(seconds)
