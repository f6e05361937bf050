"""Results of `edgeocr bench` with invented numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from edgeocr.accuracy.agreement import Agreement
from edgeocr.bench.cell import (
    Accuracy,
    Cell,
    ColdStart,
    Measured,
    NotMeasured,
    Precision,
    Reference,
    StreamTurn,
    Taken,
    stream_throughput,
    throughput,
)
from edgeocr.bench.result import (
    BenchResult,
    Labels,
    MeasuredBundle,
    Nvidia,
    Picture,
    Temperatures,
    ThrottlingChange,
)
from edgeocr.bench.settings import Settings
from edgeocr.bench.spread import Spread
from edgeocr.bench.sustained import Sample, Sustained, after_heat_up
from edgeocr.device.machine import ClockPolicy
from tests.support.machines import described

SHARES = {"load": 0.05, "detection": 0.45, "recognition": 0.48, "rest": 0.02}
PICTURES = {"poster.jpg": 1.0, "receipt.jpg": 0.6, "sample.jpg": 1.7}
REPEAT = 8
LINES = 73


def measured(ms: float, **changes: Any) -> Measured:
    """Return the figures of a cell that takes about `ms` for the poster; `changes` replace fields.

    What follows from `reads_ms` and `stream` follows from the changed ones, too.
    """
    chance = random.Random(ms)
    pages, reads = [], []
    for work in PICTURES.values():
        own = [
            {s: share * ms * work * chance.uniform(0.9, 1.2) for s, share in SHARES.items()}
            for _ in range(REPEAT)
        ]
        pages += own
        reads.append([round(sum(page.values()), 3) for page in own])
    reads = changes.pop("reads_ms", reads)
    times = [time for own in reads for time in own if time is not None]
    stream = changes.pop("stream", [StreamTurn(len(times), round(sum(times) / 1.2, 1))])
    figures = Measured(
        taken={"detection": Taken("cpu", "fp32"), "recognition": Taken("cpu", "fp32")},
        threads=4,
        cold_start_ms=ColdStart(total=9 * ms, importing=ms, opening=4 * ms, first_page=2 * ms),
        warm_up_ms=3 * ms,
        page_ms=Spread.of(times),
        stages_ms={stage: Spread.of([page[stage] for page in pages]) for stage in SHARES},
        reads_ms=reads,
        pages_per_second=throughput(reads),
        stream=stream,
        stream_pages_per_second=stream_throughput(stream),
        peak_rss_bytes=300 << 20,
        gpu_bytes=None,
        joules_per_page=None,
        power_source=None,
        lines=LINES,
        texts_sha256="ab" * 32,
        same_each_time=True,
        agreement=Agreement(LINES, LINES, LINES, 0.0),
        accuracy=None,
        failed=[],
        sustained=None,
    )
    return replace(figures, **changes)


def sustained(ms: float, minutes: float = 0.5) -> Sustained:
    """Return a sustained load that begins with pages of `ms` and gets a third slower."""
    count = 30
    samples = [
        Sample(
            seconds=round(60 * minutes * (i + 1) / count, 3),
            pages=max(1, round(60_000 * minutes / count / ms)),
            page_ms=round(ms * (1 + min(i, 15) / 45), 3),
            clock_mhz=2400 if i < 12 else 1800,
            temperature_c=40.0 + min(i, 20),
            throttling=[] if i < 15 else ["throttled"],
            watts=6.5,
        )
        for i in range(count)
    ]
    page_ms, pages_per_second = after_heat_up(samples)
    return Sustained(minutes, samples, page_ms, pages_per_second, "a meter", [])


def cell(
    figures: Measured | str | NotMeasured,
    provider: str = "cpu",
    precision: Precision = "auto",
    *,
    bundle: str = "tiny",
    threads: int | None = None,
) -> Cell:
    """Return a cell with its figures, with the error of one that failed, or not measured."""
    if isinstance(figures, str):
        figures = NotMeasured("failed", figures)
    if isinstance(figures, NotMeasured):
        return Cell(bundle, provider, precision, threads, None, figures)
    return Cell(bundle, provider, precision, threads, figures, None)


def bench_result(device: str = "A board", *cells: Cell, **providers: Measured | str) -> BenchResult:
    """Return the result of a device.

    Args:
        device: Name of its processor.
        *cells: The cells.
        **providers: What was measured in further cells of the bundle tiny, by provider; or the
            error of one that failed. Without any cell, the CPU was measured.
    """
    found = [*cells, *(cell(each, name) for name, each in providers.items())]
    found = found or [cell(measured(200))]
    return BenchResult(
        schema=2,
        edgeocr="0.1.0",
        when="2025-11-25T08:30:00+00:00",
        device=described(device, "aarch64"),
        clocks={"policy0": ClockPolicy(cpus=[0, 1, 2, 3], current=1500, max=2400)},
        power_mode=None,
        nvidia=Nvidia([], None, None, None, None),
        packages={"onnxruntime": "1.23.0", "numpy": "2.3.0"},
        settings=Settings().recorded,
        images=[Picture(name, 960, 720, 1000, name) for name in PICTURES],
        labels=None,
        repeat=REPEAT,
        minutes=None,
        temperature_c=Temperatures(before=40.0, after=55.0),
        throttling=ThrottlingChange(before=None, after=None),
        failed=[],
        bundles={
            name: MeasuredBundle(
                sha256="01" * 32,
                bytes=7_000_000,
                models={"detection": "some_det"},
                graphs={"detection": {"fp32": "23"}},
                reference=Reference(lines=LINES, accuracy=None, error=None),
            )
            for name in dict.fromkeys(each.bundle for each in found)
        },
        cells=found,
    )


def labelled(result: BenchResult, hmean: float, cer: float) -> BenchResult:
    """Return a result with labels, which the references and all cells read equally well."""
    accuracy = Accuracy(len(PICTURES), LINES, min(1.0, hmean + 0.01), hmean, cer)
    return replace(
        result,
        labels=Labels("Label.txt", "ef" * 32, len(PICTURES), LINES),
        bundles={
            name: replace(bundle, reference=replace(bundle.reference, accuracy=accuracy))
            for name, bundle in result.bundles.items()
        },
        cells=[
            replace(each, measured=each.measured and replace(each.measured, accuracy=accuracy))
            for each in result.cells
        ],
    )


def matrix(device: str = "A board", bundles: Sequence[str] = ("tiny", "mobile")) -> BenchResult:
    """Return a labelled result with two bundles; OpenVINO reads something else with both.

    The first cell is the best one, and two cells were not measured.
    """
    cells = []
    for bundle, ms in zip(bundles, (60, 150), strict=True):
        taken = {"detection": Taken("openvino", "fp32"), "recognition": Taken("openvino", "fp32")}
        wrong = measured(0.9 * ms, agreement=Agreement(LINES, LINES, LINES - 3, 0.1), taken=taken)
        cells += [
            cell(
                measured(ms, joules_per_page=ms / 40, sustained=sustained(ms)),
                "cpu",
                "fp32",
                bundle=bundle,
            ),
            cell(measured(1.2 * ms, joules_per_page=ms / 40), "cpu", "int8", bundle=bundle),
            cell(wrong, "openvino", "fp32", bundle=bundle),
            cell("libcudart.so.12 is missing", "cuda", "fp32", bundle=bundle),
        ]
    return labelled(bench_result(device, *cells), 0.93, 0.04)
