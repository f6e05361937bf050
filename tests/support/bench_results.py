"""Results of `edgeocr bench` with numbers of the tests' own."""

from __future__ import annotations

import random
from typing import Any

from edgeocr.bench.worker import spread

SHARES = {"load": 0.05, "detection": 0.45, "recognition": 0.48, "rest": 0.02}
PICTURES = {"poster.jpg": 1.0, "receipt.jpg": 0.6, "sample.jpg": 1.7}
REPEAT = 8


def figures(ms: float, **more: Any) -> dict[str, Any]:
    """A provider that takes about `ms` for the poster; `more` replaces fields."""
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
    return {
        "cold_start_ms": {"total": 9 * ms, "import": ms, "open": 4 * ms, "first_page": 2 * ms},
        "warm_up_ms": 3 * ms,
        "page_ms": spread([ms for times in reads for ms in times]),
        "stages_ms": {stage: spread([page[stage] for page in pages]) for stage in SHARES},
        "reads_ms": reads,
        "pages_per_second": len(pages) / seconds,
        "stream_pages_per_second": 1.2 * len(pages) / seconds,
        "peak_rss_bytes": 300 << 20,
        "gpu_bytes": None,
        "joules_per_page": None,
        "power_source": None,
        "temperature_c": {"before": 40.0, "after": 55.0},
        "throttling": {"before": None, "after": None},
        "lines": 73,
        "texts_sha256": "ab" * 32,
        "same_each_time": True,
        "providers": {},
        "failed": [],
        **more,
    }


def result(device: str = "A board", **providers: dict[str, Any]) -> dict[str, Any]:
    """A device with these providers, by default the CPU."""
    return {
        "schema": 1,
        "edgeocr": "0.1.0",
        "when": "2025-11-25T08:30:00+00:00",
        "device": {
            **{"cpu": device, "cpus": 4, "architecture": "aarch64", "python": "3.11.2"},
            **{"memory_bytes": 8 << 30, "os": "Debian GNU/Linux 12", "kernel": "Linux 6.6"},
        },
        "clocks": {"policy0": {"cpus": [0, 1, 2, 3], "current": 1500, "max": 2400}},
        "power_mode": None,
        "packages": {"onnxruntime": "1.23.0", "numpy": "2.3.0"},
        "bundle": {
            **{"name": "tiny", "sha256": "01" * 32, "models": {"detection": "some_det"}},
            "graphs": {"detection": "23" * 32},
        },
        "threads": 4,
        "settings": {},
        "nvidia": {},
        "images": [
            {"name": name, "width": 960, "height": 720, "bytes": 1000, "sha256": name}
            for name in PICTURES
        ],
        "repeat": REPEAT,
        "failed": [],
        "providers": providers or {"cpu": figures(200)},
    }
