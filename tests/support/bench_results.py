"""Results of `edgeocr bench` with invented numbers."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from edgeocr.bench.provider_result import (
    ColdStart,
    ProviderFailure,
    ProviderResult,
    Spread,
    Temperatures,
    ThrottlingChange,
)
from edgeocr.bench.result import BenchResult, MeasuredBundle, Nvidia, Picture
from edgeocr.bench.settings import RecordedSettings
from edgeocr.device.machine import ClockPolicy
from tests.support.machines import described

SHARES = {"load": 0.05, "detection": 0.45, "recognition": 0.48, "rest": 0.02}
PICTURES = {"poster.jpg": 1.0, "receipt.jpg": 0.6, "sample.jpg": 1.7}
REPEAT = 8


def provider_result(ms: float, **changes: Any) -> ProviderResult:
    """Return a provider that takes about `ms` for the poster; `changes` replace fields."""
    chance = random.Random(ms)
    pages, reads = [], []
    for work in PICTURES.values():
        own = [
            {s: share * ms * work * chance.uniform(0.9, 1.2) for s, share in SHARES.items()}
            for _ in range(REPEAT)
        ]
        pages += own
        reads.append([round(sum(page.values()), 3) for page in own])
    seconds = sum(map(sum, reads)) / 1000
    measured = ProviderResult(
        cold_start_ms=ColdStart(total=9 * ms, importing=ms, opening=4 * ms, first_page=2 * ms),
        warm_up_ms=3 * ms,
        page_ms=Spread.of([ms for times in reads for ms in times]),
        stages_ms={stage: Spread.of([page[stage] for page in pages]) for stage in SHARES},
        reads_ms=reads,
        pages_per_second=len(pages) / seconds,
        stream_pages_per_second=1.2 * len(pages) / seconds,
        peak_rss_bytes=300 << 20,
        gpu_bytes=None,
        joules_per_page=None,
        power_source=None,
        temperature_c=Temperatures(before=40.0, after=55.0),
        throttling=ThrottlingChange(before=None, after=None),
        lines=73,
        texts_sha256="ab" * 32,
        same_each_time=True,
        providers={},
        failed=[],
    )
    return replace(measured, **changes)


def bench_result(device: str = "A board", **providers: ProviderResult | str) -> BenchResult:
    """Return the result of a device.

    Args:
        device: Name of its processor.
        providers: What was measured for each provider, or the error of one that failed. Without
            any, the CPU was measured.
    """
    return BenchResult(
        schema=1,
        edgeocr="0.1.0",
        when="2025-11-25T08:30:00+00:00",
        device=described(device, "aarch64"),
        clocks={"policy0": ClockPolicy(cpus=[0, 1, 2, 3], current=1500, max=2400)},
        power_mode=None,
        packages={"onnxruntime": "1.23.0", "numpy": "2.3.0"},
        bundle=MeasuredBundle("tiny", "01" * 32, {"detection": "some_det"}, {"detection": "23"}),
        threads=4,
        settings=RecordedSettings(),
        nvidia=Nvidia([]),
        images=[Picture(name, 960, 720, 1000, name) for name in PICTURES],
        repeat=REPEAT,
        failed=[],
        providers={
            name: ProviderFailure(each) if isinstance(each, str) else each
            for name, each in (providers or {"cpu": provider_result(200)}).items()
        },
    )
