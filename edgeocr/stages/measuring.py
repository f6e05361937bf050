"""Measure which graph of each stage is the fastest on this device, and keep the result."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from ..bundle.bundle import Bundle
from ..device.cpus import checked, confined
from ..errors import GraphError, ProviderUnavailableError, excerpt, is_memory_error
from ..runtime.options import RuntimeOptions
from ..runtime.placement import Placement
from ..runtime.session import SMALLEST_SIDE
from ..runtime.threads import ThreadPool
from ..variants.choice import Measurement, Times, ranked, reduced_to
from ..variants.record import THREADS, Key, load, save
from ..variants.timing import least_milliseconds
from .opening import Stage as OpenStage
from .opening import open_bundle, open_stage

logger = logging.getLogger(__name__)

# The side in pixels of the picture on which detection and spotting are measured. On smaller ones,
# int8 saves more than it does on the usual size: see docs/variants.md.
SIDE = 640


@dataclass(frozen=True)
class MeasuredVariants:
    """What was measured with the graphs of a bundle on this device.

    Attributes:
        milliseconds: The time of a run of each graph that ran, by stage and precision; only stages
            of which several graphs suit the CPU are measured.
        failures: Why the other graphs of these stages failed, by stage and precision.
        path: The file that keeps the result; None if nothing is known or it can't be kept.
        new: Whether some of it was measured now, and not taken from the file.
    """

    milliseconds: Mapping[str, Times]
    failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
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
    bundle, this kind of CPU, these versions of ONNX Runtime and edgeocr, and these options of the
    provider "cpu" and `bf16`. Where there is one, nothing is measured, and graphs that failed are
    not tried again. Nothing is measured either in stages of which no more than one graph suits the
    CPU.

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
        and len(suited := list(ranked(stage, "cpu", Measurement()).suited)) > 1
    }
    if not to_measure:
        return MeasuredVariants({})
    key = Key.of_this_device(opened.digest, runtime)
    path, known = load(opened.path, key) or (None, {})
    untried = {
        name: suited
        for name, suited in to_measure.items()
        if name not in known or not known[name].tried.issuperset(suited)
    }
    measured = {}
    if untried:
        with confined(None if runtime.cpus is None else checked(runtime.cpus)):
            for name, suited in untried.items():
                found = _measured(opened, name, suited, runtime)
                if found is not None:
                    measured[name] = found
    if measured:
        known = {**known, **measured}
        path = save(opened.path, key, known)
    return MeasuredVariants(
        {name: each.milliseconds for name, each in known.items() if each.milliseconds},
        {name: each.failures for name, each in known.items() if each.failures},
        path,
        new=bool(measured),
    )


def _measured(
    bundle: Bundle, name: str, variants: list[str], runtime: RuntimeOptions
) -> Measurement | None:
    """Measure graphs of a stage.

    Returns:
        What was measured; None if memory ran out, which need not happen the next time.
    """
    stage = bundle.manifest.stages.present[name]
    # What changes a run on the CPU. Fixed shapes would refuse the usual one.
    options = RuntimeOptions(provider_options=runtime.provider_options, bf16=runtime.bf16)
    placement, pool = Placement("cpu", options), ThreadPool(THREADS)
    stages: dict[str, OpenStage] = {}
    runs, failures = {}, {}
    try:
        for variant in variants:
            try:
                stages[variant] = open_stage(
                    name, reduced_to(stage, variant), bundle, placement=placement, pool=pool
                )
                run = _run_of_usual_size(stages[variant])
                run()
            except (GraphError, ProviderUnavailableError) as error:
                logger.info("%s in %s can't be measured: %s", name, variant, error)
                if is_memory_error(error):
                    return None
                failures[variant] = excerpt(str(error))
            else:
                runs[variant] = run
        return Measurement(least_milliseconds(runs), failures)
    except GraphError as error:  # every graph has run before, so it is not the graph's fault
        logger.info("%s can't be measured: %s", name, error)
        return None
    finally:
        for each in stages.values():
            each.session.close()
        pool.close()


def _run_of_usual_size(stage: OpenStage) -> Callable[[], object]:
    """Return a run of a stage's graph on an input of a usual size."""
    shape = stage.session.usual_shape
    assert shape is not None, "the stages of a bundle have one"
    number, height, width, channels = shape
    if height >= SMALLEST_SIDE:  # a picture; lines keep their height
        number, height, width = 1, SIDE, SIDE
    size = (number, height, width, channels)
    return partial(stage.session.run, np.random.default_rng(0).integers(0, 256, size, np.uint8))
