"""The options that ONNX Runtime's providers are given, and why."""

from __future__ import annotations

from dataclasses import replace

from . import tensorrt_cache as engines
from .onnx_runtime import version
from .placement import NAMES, Job, Placement, shapes_for

Chain = list[tuple[str, dict[str, str]]]

# See https://onnxruntime.ai/docs/execution-providers/ for all there are.
OPTIONS: dict[str, dict[str, str]] = {
    "cuda": {
        # The default, EXHAUSTIVE, measured all of cuDNN's algorithms at every new input shape up to
        # ONNX Runtime 1.19; since then it asks a slower heuristic.
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default doubles the arena whenever it is full. `warm_up` begins with the largest
        # shape, so that nothing grows afterwards.
        "arena_extend_strategy": "kSameAsRequested",
        # TF32 rounds products to 10 bits, which may change texts; see FP16. A convolution that
        # cuDNN has no other plan for gets it all the same.
        "use_tf32": "0",
    },
}
# The same with lower precision allowed. CUDA runs a graph in the precision that it is written in;
# with float32 the nearest is TF32, which multiplies with as many bits as float16.
FP16: dict[str, dict[str, str]] = {
    "cuda": {"use_tf32": "1"},
    "tensorrt": {"trt_fp16_enable": "1"},
    "migraphx": {"migraphx_fp16_enable": "1"},
}
# Of CUDA: runs can be recorded as CUDA graphs.
RECORDING = "enable_cuda_graph"
# From this version of ONNX Runtime on a session can hold a CUDA graph for each input shape.
CAPTURE_SINCE = (1, 19)


def chain(provider: str, placement: Placement, job: Job, kept: engines.Engines | None) -> Chain:
    """The providers that ONNX Runtime is told of, with their options: the one wanted, and what
    takes the operators that it can't run, before the CPU.
    """
    if job.precision == "fp16":  # or no unit for float16 may be used
        placement = replace(placement, fp16=True)
    options = options_of(provider, placement)
    few = bool(job.shapes) and placement.wants_few_shapes(provider)
    if provider == "tensorrt":
        cuda = {"device_id": str(device_number(provider, placement))}
        cuda |= options_of("cuda", placement)
        cuda.pop(RECORDING, None)  # what TensorRT leaves to it, it gets piece by piece
        set_up = {**_cache(job, kept), **(_profile(provider, job) if few else {})}
        return [(NAMES[provider], {**set_up, **options}), (NAMES["cuda"], cuda)]
    if provider == "cuda":
        wanted = options.pop(RECORDING, "1").lower() in ("1", "true")
        if wanted and few and version() >= CAPTURE_SINCE:
            options[RECORDING] = "1"
    return [(NAMES[provider], options)]


def device_number(provider: str, placement: Placement) -> int:
    """Which of several devices the caller's options choose."""
    number = str(placement.options.get(provider, {}).get("device_id", 0))
    return int(number) if number.isdecimal() else 0


def _cache(job: Job, kept: engines.Engines | None) -> dict[str, str]:
    if kept is None:
        return {}
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(kept.folder),
        "trt_engine_cache_prefix": job.stage,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(kept.folder),
    }


def options_of(provider: str, placement: Placement) -> dict[str, str]:
    """A provider's own options: what edgeocr sets, and what the caller sets over it."""
    lower = FP16.get(provider, {}) if placement.fp16 else {}
    given = {key: str(value) for key, value in placement.options.get(provider, {}).items()}
    return {**OPTIONS.get(provider, {}), **lower, **given}


def _profile(provider: str, job: Job) -> dict[str, str]:
    """One engine for all shapes, from the least to the most of each side."""
    shapes = shapes_for(provider, job.shapes)
    if not shapes:
        return {}
    # Engines are tuned for the shape in the middle.
    middle = sorted(shapes, key=lambda shape: shape[0] * shape[1] * shape[2])[len(shapes) // 2]
    least, most = (
        tuple(which(sides) for sides in zip(*shapes, strict=True)) for which in (min, max)
    )
    return {
        f"trt_profile_{name}_shapes": f"{job.input}:" + "x".join(map(str, shape))
        for name, shape in (("min", least), ("opt", middle), ("max", most))
    }
