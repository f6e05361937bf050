"""The claim that memory stays flat over many pages, on the CPU's side and on the GPU's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from statistics import median
from typing import Any

from ...windows import Window
from ..cell_process import CellFailedError, CellUnavailableError, OutOfTimeError
from ..judgement import CellVerdict, flat
from ..record import Table
from ..trial import Finding, Trial, not_holding

# Number of windows whose first and last are compared.
WINDOWS = 5
# The fewest pages of a window.
FEWEST = 10
# Pages between two samples of what the process holds.
BETWEEN = 5
# How often each picture is read before the first window.
WARM_ROUNDS = 3


def try_memory(trial: Trial) -> Finding:
    """Let the main cell read the pictures over and over, and sample what its process holds."""
    cell = trial.cells.main
    samples: list[dict[str, Any]] = []
    windows: list[Window] = []
    gpu: list[int] = []
    try:
        with trial.opened(cell) as process:
            for _ in range(WARM_ROUNDS):
                process.read_all(trial.pictures)
            for read, picture in enumerate(islice(cycle(trial.pictures), trial.pages), 1):
                if not trial.time.left:
                    break
                milliseconds = process.read(picture)[1]["ms"]
                if not read % BETWEEN:
                    held = process.ask("held", trial.patience_s, gpu=True)
                    samples.append({**held, "ms": milliseconds})
    except (CellFailedError, CellUnavailableError, OutOfTimeError) as error:
        verdict = not_holding(cell, error)
    else:
        windows, gpu = divided(samples)
        verdict = judged(cell.name, samples, windows, gpu)
    return Finding.of([verdict], _table(windows, gpu))


def judged(
    cell: str, samples: Sequence[Mapping[str, Any]], windows: Sequence[Window], gpu: Sequence[int]
) -> CellVerdict:
    """Return the verdict of samples; there is none on a system that doesn't tell what is held."""
    if any(each["descriptors"] is None for each in samples):
        return CellVerdict(cell, "not tried", "only Linux tells what a process holds in /proc")
    return flat(cell, windows, gpu)


def divided(samples: Sequence[Mapping[str, Any]]) -> tuple[list[Window], list[int]]:
    """Divide samples into windows.

    Args:
        samples: What the process held, one after the other.

    Returns:
        The windows, and the memory of the GPU in each of them in bytes. There are no windows if
        there are too few samples, and no memory of the GPU if it is unknown.
    """
    size = len(samples) // WINDOWS
    if size * BETWEEN < FEWEST or any(each["descriptors"] is None for each in samples):
        return [], []
    parts = [samples[i * size : (i + 1) * size] for i in range(WINDOWS)]
    windows = [
        Window(
            size * BETWEEN,
            median(each["rss"] for each in part),
            min(each["descriptors"] for each in part),
            min(each["threads"] for each in part),
            median(each["ms"] for each in part),
        )
        for part in parts
    ]
    known = all(each["gpu"] is not None for each in samples)
    return windows, [max(each["gpu"] for each in part) for part in parts] if known else []


def _table(windows: Sequence[Window], gpu: Sequence[int]) -> Table:
    held: Sequence[int | None] = gpu or [None] * len(windows)
    return Table(
        "What the process held, window by window",
        ["window", "pages", "RSS MB", "GPU MiB", "descriptors", "threads", "median ms"],
        [
            [
                *(number, each.pictures, round(each.rss / 1e6, 1)),
                None if on_gpu is None else on_gpu >> 20,
                *(each.descriptors, each.threads, round(each.milliseconds, 2)),
            ]
            for number, (each, on_gpu) in enumerate(zip(windows, held, strict=True), 1)
        ],
    )
