"""Measure which graph of each stage is the fastest on this device, and keep the result."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..bundle.bundle import Bundle
from ..bundle.manifest import Stage
from ..device.cpus import checked, confined
from ..errors import GraphError, ProviderUnavailableError
from ..runtime.options import RuntimeOptions
from ..runtime.placement import Placement
from ..runtime.session import SMALLEST_SIDE
from ..runtime.threads import ThreadPool
from ..variants.choice import Times, ranked, reduced_to
from ..variants.record import THREADS, Key, load, save
from ..variants.timing import least_milliseconds
from .opening import open_bundle, open_stage

logger = logging.getLogger(__name__)

# The side in pixels of the picture on which detection and spotting are measured. On smaller ones,
# int8 saves more than it does on the usual size: see docs/variants.md.
SIDE = 640


@dataclass(frozen=True)
class MeasuredVariants:
    """What was measured with the graphs of a bundle on this device.

    Attributes:
        milliseconds: The time of a run of each graph, by stage and precision; only stages of which
            several graphs suit the CPU are measured.
        path: The file that keeps the result; None if nothing is known or it can't be kept.
        new: Whether some of it was measured now, and not taken from the file.
    """

    milliseconds: Mapping[str, Times]
    path: Path | None = None
    new: bool = False


def measure_variants(
    bundle: str | os.PathLike[str] | Bundle | None = None,
    *,
    require_signature: str | os.PathLike[str] | bytes | None = None,
    expect_digest: str | None = None,
    runtime: RuntimeOptions | None = None,
) -> MeasuredVariants:
    """Measure which graphs are the fastest on this device's CPU, for every later `OCR` to take.

    The graphs of a stage are run in turn on one thread. The result is kept in a file
    `NAME.variants-….json` beside a bundle `NAME.edgeocr`, or in the user's cache. It holds for this
    bundle, this kind of CPU and this version of ONNX Runtime; where there is one, nothing is
    measured. Nothing is measured either in stages of which no more than one graph suits the CPU.

    Args:
        bundle: As for `OCR`.
        require_signature: As for `OCR`.
        expect_digest: As for `OCR`.
        runtime: As for `OCR`. Stages whose graph it names are not measured.

    Raises:
        BundleError: The bundle can't be opened, or is not the expected one; a `SignatureError` if
            it is not signed as required.
    """
    runtime = runtime or RuntimeOptions()
    opened = open_bundle(bundle, require_signature, expect_digest)
    pinned = runtime.variant if isinstance(runtime.variant, Mapping) else {}
    to_measure = {
        name: suited
        for name, stage in opened.manifest.stages.present.items()
        if not isinstance(runtime.variant, str)
        and name not in pinned
        and len(suited := ranked(stage, "cpu", {}).suited) > 1
    }
    if not to_measure:
        return MeasuredVariants({})
    key = Key.of_this_device(opened.digest)
    path, known = load(opened.path, key) or (None, {})
    if all(to_measure[name].keys() <= known.get(name, {}).keys() for name in to_measure):
        return MeasuredVariants(known, path)
    with confined(None if runtime.cpus is None else checked(runtime.cpus)):
        measured = {
            name: _times(opened, name, opened.manifest.stages.present[name], list(suited))
            for name, suited in to_measure.items()
        }
    measured = {name: times for name, times in measured.items() if len(times) > 1}
    if not measured:  # fewer than two graphs of each stage run
        return MeasuredVariants(known, path)
    known = {**known, **measured}
    return MeasuredVariants(known, save(opened.path, key, known), new=True)


def _times(bundle: Bundle, name: str, stage: Stage, variants: list[str]) -> dict[str, float]:
    """Return the milliseconds of a run of each graph of a stage that starts; {} if one fails."""
    placement, pool = Placement("cpu"), ThreadPool(THREADS)
    stages = {}
    for variant in variants:
        try:
            stages[variant] = open_stage(
                name, reduced_to(stage, variant), bundle, placement=placement, pool=pool
            )
        except (GraphError, ProviderUnavailableError) as error:
            logger.info("%s in %s can't be measured: %s", name, variant, error)
    try:
        runs = {}
        for variant, each in stages.items():
            if (shape := each.session.usual_shape) is None:
                return {}
            number, height, width, channels = shape
            if height >= SMALLEST_SIDE:  # a picture; lines keep their height
                number, height, width = 1, SIDE, SIDE
            batch = np.random.default_rng(0).integers(
                0, 256, (number, height, width, channels), np.uint8
            )
            runs[variant] = partial(each.session.run, batch)
        return least_milliseconds(runs)
    except GraphError as error:
        logger.info("%s can't be measured: %s", name, error)
        return {}
    finally:
        for each in stages.values():
            each.session.close()
        pool.close()
