"""Tuned files, as `edgeocr tune` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeocr import Bundle, RuntimeOptions
from edgeocr.tuned.files import update
from edgeocr.tuned.keys import key_of_this_device
from edgeocr.tuned.record import Entry, TunedStage

WHEN = "2026-11-29T03:00:00+00:00"


def tune(
    path: Path,
    options: RuntimeOptions | None = None,
    *,
    threads: int | None = None,
    batch: int | None = None,
    **stages: TunedStage,
) -> Path:
    """Write a bundle's tuned file for this device.

    Args:
        path: The bundle.
        options: The options that it was tuned with.
        threads: The number of threads that was chosen.
        batch: The number of lines in a run that was chosen.
        **stages: What was found out, by stage.
    """
    bundle = Bundle.open(path, all_graphs=False)
    key = key_of_this_device(bundle.digest, options or RuntimeOptions())
    more: dict[str, Any] = {"threads": threads, "batch": batch}
    return update(bundle, key, lambda _: Entry(key, WHEN, stages, **more))
