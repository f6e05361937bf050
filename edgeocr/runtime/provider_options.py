"""Choose the providers that a session asks ONNX Runtime for, and their options."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from .job import Job
from .onnx_runtime import version
from .placement import Placement
from .providers import Provider, provider_named
from .tensorrt_cache import EngineFolder, build_options, cache_options, profile_options

# ONNX Runtime's names of providers with their options, in the order in which it is to use them.
Chain: TypeAlias = "list[tuple[str, dict[str, str]]]"

# The first version of ONNX Runtime whose sessions hold a CUDA graph for each input shape.
RECORDS_SHAPES_SINCE = (1, 19)


def provider_chain(
    provider: Provider, placement: Placement, job: Job, engines: EngineFolder | None = None
) -> Chain:
    """List the providers that a session asks ONNX Runtime for, with their options.

    Args:
        provider: The provider that is wanted.
        placement: The caller's choice.
        job: The stage's graph.
        engines: Where TensorRT engines are kept; None if they aren't.

    Returns:
        The provider, and behind it the one that runs the operators that it can't, if there is one
        besides the CPU.
    """
    # Without this permission, providers would run a float16 graph without their float16 units.
    if job.precision == "fp16":
        placement = replace(placement, options=replace(placement.options, fp16=True))
    options = options_for(provider, placement)
    fixed_shapes = bool(job.shapes) and placement.fixes_shapes(provider, job.stage)
    if (recording := provider.recording_option) is not None:
        wanted = options.pop(recording, "1").lower() in ("1", "true")
        if wanted and fixed_shapes and version() >= RECORDS_SHAPES_SINCE:
            options[recording] = "1"
    if provider.builds_engines:
        own = {} if engines is None else cache_options(engines, job.engine_name)
        if engines is None or not engines.is_warm(job.engine_name):
            own |= build_options(device_number(provider, placement))
        if fixed_shapes:
            own |= profile_options(job.input_name, provider.shapes_for(job.shapes))
        options = {**own, **options}
    chain = [(provider.onnxruntime_name, options)]
    if provider.helper is not None:
        helper = provider_named(provider.helper)
        helpers = {"device_id": str(device_number(provider, placement))}
        helpers |= options_for(helper, placement)
        if helper.recording_option is not None:
            # The helper gets single pieces of the graph, which can't be recorded as one run.
            helpers.pop(helper.recording_option, None)
        chain.append((helper.onnxruntime_name, helpers))
    return chain


def options_for(provider: Provider, placement: Placement) -> dict[str, str]:
    """Merge the options of edgeocr that this ONNX Runtime has and the caller's, which win."""
    lower_precision = provider.fp16_options if placement.options.fp16 else {}
    own = {**provider.options, **lower_precision}
    given = placement.options.provider_options.get(provider.name, {})
    return {
        **{key: own[key] for key in own if version() >= provider.options_since.get(key, (0, 0))},
        **{key: str(value) for key, value in given.items()},
    }


def device_number(provider: Provider, placement: Placement) -> int:
    """Return the number of the device that the caller's options choose, by default 0."""
    given = placement.options.provider_options.get(provider.name, {})
    number = str(given.get("device_id", 0))
    return int(number) if number.isdecimal() else 0
