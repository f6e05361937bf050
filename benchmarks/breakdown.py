"""python -m benchmarks breakdown --images DIR [--bundle B]: where each millisecond goes"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeocr import OCR, Bundle
from edgeocr.device.cpus import available_threads
from edgeocr.errors import EdgeOCRError
from edgeocr.runtime.onnx_runtime import import_onnxruntime

from .peers import MeasurementError, find_pictures, positive

# In the order of a picture's way; "rest" is what no stage counts.
STAGES = {
    "load": "file decode",
    "resize": "resize",
    "detection": "detection",
    "postprocess": "post-processing",
    "crops": "crops",
    "orientation": "orientation",
    "recognition": "recognition",
    "decoding": "decoding",
    "rest": "rest",
}
# Stages that are runs of ONNX Runtime and nothing else.
INSIDE = ("detection", "orientation", "recognition")
OPERATORS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--images", type=Path, required=True, metavar="DIR")
    parser.add_argument("--bundle", help="default: the one in the package")
    parser.add_argument("--threads", type=positive, default=available_threads())
    parser.add_argument("--repeat", type=positive, default=5, help="times that the folder is read")
    parser.add_argument(
        "--orientation", action="store_true", help="with the classifier of upside-down lines"
    )
    parser.add_argument(
        "--operators",
        action="store_true",
        help="also the time of ONNX Runtime's operators, with one thread on the same inputs",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")


def run(options: argparse.Namespace) -> None:
    """Read the folder several times and print the medians."""
    try:
        figures = _measure(options)
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    pages, total = figures["pages"], figures["total_ms"]
    lines = [f"{'stage':16} {'ms per page':>12} {'share':>7}"]
    for stage, title in STAGES.items():
        if stage in figures["stages_ms"]:
            ms = figures["stages_ms"][stage]
            lines.append(f"{title:16} {ms / pages:12.2f} {ms / total:7.1%}")
    lines += [
        f"{'total':16} {total / pages:12.2f}",
        f"outside ONNX Runtime, file decode aside: {figures['outside_share']:.1%} of the time",
        f"cores busy: {figures['cores_busy']:.2f} of {figures['threads']}",
    ]
    for stage, operators in figures.get("operators", {}).items():
        whole = sum(operators.values())
        lines.append(f"{stage}, one thread: {whole / pages:.2f} ms per page in operators, of it")
        ranked = sorted(operators.items(), key=lambda item: -item[1])
        lines += [
            f"  {name:20} {ms / pages:8.2f} {ms / whole:7.1%}" for name, ms in ranked[:OPERATORS]
        ]
    return "\n".join(lines)


def summarize(
    runs: list[dict[str, float]], totals: list[float], cores: list[float]
) -> dict[str, Any]:
    """Medians over the runs of the folder.

    runs: milliseconds of each stage, summed over the pages. totals: wall time in ms. cores: CPU
        seconds per second of wall time.
    """
    stages = {
        stage: median(taken[stage] for taken in runs)
        for stage in STAGES
        if stage != "rest" and stage in runs[0]
    }
    total = median(totals)
    stages["rest"] = median(
        whole - sum(taken.values()) for whole, taken in zip(totals, runs, strict=True)
    )
    outside = sum(ms for stage, ms in stages.items() if stage not in (*INSIDE, "load"))
    return {
        "stages_ms": {stage: round(ms, 3) for stage, ms in stages.items()},
        "total_ms": round(total, 3),
        "outside_share": round(outside / (total - stages["load"]), 4),
        "cores_busy": round(median(cores), 3),
    }


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    pictures = find_pictures(options.images)
    bundle = Bundle.default() if options.bundle is None else Bundle.open(options.bundle)
    if bundle.manifest.stages.recognition is None or bundle.manifest.stages.detection is None:
        raise MeasurementError(f"{bundle.manifest.name}: a bundle with detection and recognition")
    ocr = OCR(bundle, provider="cpu", threads=options.threads, orientation=options.orientation)
    for picture in pictures:  # memory, and what is made when it is first needed
        ocr.read(picture)
    runs: list[dict[str, float]] = []
    totals, cores = [], []
    for _ in range(options.repeat):
        taken: dict[str, float] = {}
        started, worked = perf_counter(), process_time()
        for picture in pictures:
            for stage, ms in ocr.read(picture).milliseconds.items():
                taken[stage] = taken.get(stage, 0.0) + ms
        wall = perf_counter() - started
        runs.append(taken)
        totals.append(1000 * wall)
        cores.append((process_time() - worked) / wall)
    figures = {
        "bundle": bundle.manifest.name,
        "pages": len(pictures),
        "threads": options.threads,
        **summarize(runs, totals, cores),
    }
    if options.operators:
        figures["operators"] = _operators(ocr, bundle, pictures)
    return figures


def _operators(ocr: OCR, bundle: Bundle, pictures: list[Path]) -> dict[str, dict[str, float]]:
    """Milliseconds in each operator, on what the networks were really given."""
    stages = bundle.manifest.stages
    assert stages.detection is not None and stages.recognition is not None
    found = {}
    for name, stage, part in (
        ("detection", stages.detection, ocr._detector),
        ("recognition", stages.recognition, ocr._recognizer),
    ):
        assert part is not None
        batches: list[NDArray[np.uint8]] = []
        session: Any = part.session
        run = session.run

        def recorded(
            batch: NDArray[np.uint8], run: Any = run, batches: Any = batches
        ) -> list[NDArray[Any]]:
            batches.append(batch)
            result: list[NDArray[Any]] = run(batch)
            return result

        session.run = recorded
        for picture in pictures:
            ocr.read(picture)
        session.run = run
        found[name] = profile(bundle.read(stage.graph), batches)
    return found


def profile(graph: bytes, batches: list[NDArray[np.uint8]]) -> dict[str, float]:
    """Milliseconds that ONNX Runtime spends in each operator over all batches, with one thread."""
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = os.path.join(folder, "profile")  # noqa: PTH118 - a prefix
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        (taken,) = session.get_inputs()
        for batch in batches:
            session.run(None, {taken.name: batch})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    microseconds: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            microseconds[event["args"]["op_name"]] += event["dur"]
    return {name: spent / 1000 for name, spent in microseconds.most_common()}
