"""Measure bundles on this device: a matrix of bundles, execution providers, precisions and threads.

Each cell of the matrix has a process of its own (`worker`), so that it has a cold start and memory
of its own, and a crash does not affect the others. The processes are started one after the other
and stay alive. Then they read in turns, in rounds, so that a change of the device's speed meets all
cells alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import EdgeOCRError, printable
from . import description
from .cell import NotMeasured, Precision
from .description import KnownBundle
from .matrix import combinations, planned
from .pictures import PictureSource, inspect, samples
from .progress import OnProgress, ignore
from .readings import labels_of
from .redact import published
from .result import BenchResult
from .settings import REPEAT, Settings
from .turns import Job, Turns
from .verdicts import best_cells


def measure(
    *,
    bundles: Sequence[str] | None = None,
    providers: Sequence[str] | None = None,
    precisions: Sequence[Precision] = ("auto",),
    threads: Sequence[int | None] = (None,),
    sources: Iterable[PictureSource] | None = None,
    labels: Path | bool = True,
    repeat: int = REPEAT,
    minutes: float | None = None,
    settings: Settings | None = None,
    on_progress: OnProgress | None = None,
) -> BenchResult:
    """Measure every combination of bundles, execution providers, precisions and threads.

    Args:
        bundles: Paths of the bundles; by default the one in the package.
        providers: Names of execution providers, or "auto"; by default all providers of the
            installed ONNX Runtime.
        precisions: The precisions of the graphs; "auto" leaves the choice to `OCR`.
        threads: The numbers of CPU threads; None stands for the default of `OCR`.
        sources: Paths of pictures, and errors for sources that have none; by default the three
            pictures that come with the package.
        labels: A label file; True for each `Label.txt` in the folders of the pictures; False to
            compare nothing with labels.
        repeat: The number of rounds, and how often each picture is read in a stream.
        minutes: How long the best cell of each bundle then reads without a pause; None not to.
        settings: The other arguments of `OCR`.
        on_progress: Called whenever something new is being measured.

    Returns:
        The result. A cell that does not work has a reason, and a source that is not a picture is
        listed in `failed`.

    Raises:
        EdgeOCRError: If a bundle or labels cannot be opened, or there is no picture at all.
        ValueError: If no bundle, provider, precision or number of threads is given.
    """
    from ..runtime.start import built_in

    settings = settings or Settings()
    sources = list(samples() if sources is None else sources)
    files: list[str | None] = [None] if bundles is None else [*bundles]
    known = _known(files, settings)
    pictures = inspect(sources)
    if not pictures.paths:
        raise EdgeOCRError(pictures.failed[0].error if pictures.failed else "no pictures to read")
    labelled = None
    if labels is not False:
        labelled = labels_of(pictures.paths, labels if isinstance(labels, Path) else None)
    available = built_in()
    wanted = available if providers is None else providers
    cells = combinations([*known], wanted, precisions, threads)
    if not cells:
        raise ValueError("name at least one bundle, provider, precision and number of threads")
    graphs = planned(cells, {name: each.stages for name, each in known.items()}, available)
    device = description.of_device()
    with Turns(
        Job(cells, graphs, known, settings, pictures.paths, labelled), on_progress or ignore
    ) as turns:
        turns.start()
        turns.read_references()
        with description.conditions() as conditions:
            turns.read_in_rounds(repeat)
            turns.read_streams(repeat)
        result = BenchResult(
            **device,
            settings=settings.recorded,
            images=pictures.records,
            labels=None if labelled is None else labelled.record,
            repeat=repeat,
            minutes=minutes,
            temperature_c=conditions.temperature_c,
            throttling=conditions.throttling,
            failed=pictures.failed,
            bundles={name: each.record(turns.references[name]) for name, each in known.items()},
            cells=turns.cells(),
        )
        if minutes is not None:
            result = _with_load(result, turns, minutes)
    names = dict(zip(pictures.paths, (each.name for each in pictures.records), strict=True))
    return published(result, names, _paths(sources, files, settings))


def _known(files: Sequence[str | None], settings: Settings) -> dict[str, KnownBundle]:
    """Open bundles to describe them; names that several of them have are numbered."""
    from ..stages.opening import open_bundle

    found: dict[str, KnownBundle] = {}
    for path in files:
        bundle = open_bundle(path, settings.require_signature, settings.expect_digest)
        name = shown = printable(bundle.manifest.name)
        number = 1
        while shown in found:
            number += 1
            shown = f"{name} ({number})"
        found[shown] = KnownBundle.of(path, bundle)
    return found


def _with_load(result: BenchResult, turns: Turns, minutes: float) -> BenchResult:
    """Let the best cell of each bundle read without a pause.

    A cell that fails then is no longer the best one, and the next best takes its place.
    """
    while True:
        left = [
            number
            for number in best_cells(result)
            if (measured := result.cells[number].measured) and measured.sustained is None
        ]
        if not left:
            return result
        number = left[0]
        cells = list(result.cells)
        found, measured = turns.load(number, minutes), cells[number].measured
        assert measured is not None
        if isinstance(found, NotMeasured):
            cells[number] = replace(cells[number], measured=None, not_measured=found)
        else:
            sustained = replace(measured, sustained=found)
            cells[number] = replace(cells[number], measured=sustained)
        result = replace(result, cells=cells)


def _paths(
    sources: Iterable[PictureSource], files: Iterable[str | None], settings: Settings
) -> Iterator[str]:
    """Yield the paths that error messages may contain, which the result must not show."""
    for source in sources:
        name = source.source if isinstance(source, EdgeOCRError) else source
        if name:
            yield str(name)
    yield from filter(None, files)
    yield from filter(None, (settings.require_signature, settings.engine_cache))
