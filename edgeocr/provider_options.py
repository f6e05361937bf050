"""The options that ONNX Runtime's providers are given, and why."""

from __future__ import annotations

from . import engines
from .placement import NAMES, Job, Placement, shapes_for
from .runtime import version

Chain = list[tuple[str, dict[str, str]]]

# See https://onnxruntime.ai/docs/execution-providers/ for all there are.
OPTIONS: dict[str, dict[str, str]] = {
    "cuda": {
        # The default, EXHAUSTIVE, measured all of cuDNN's algorithms at every new input shape up to
        # ONNX Runtime 1.19; since then it asks a slower heuristic.
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default doubles the arena whenever it is full.
        "arena_extend_strategy": "kSameAsRequested",
        # TF32 rounds products to 10 bits, which may change texts; see FP16. A convolution that
        # cuDNN has no other plan for gets it all the same.
        "use_tf32": "0",
    },
    "tensorrt": {"trt_engine_cache_enable": "1", "trt_timing_cache_enable": "1"},
}
# The same with lower precision allowed. CUDA runs a graph in the precision that it is written in;
# with float32 the nearest is TF32, which multiplies with as many bits as float16.
FP16: dict[str, dict[str, str]] = {
    "cuda": {"use_tf32": "1"},
    "tensorrt": {"trt_fp16_enable": "1"},
    "migraphx": {"migraphx_fp16_enable": "1"},
}
# From this version of ONNX Runtime on a session can hold a CUDA graph for each input shape.
CAPTURE_SINCE = (1, 19)


def chain(provider: str, placement: Placement, job: Job, kept: engines.Engines | None) -> Chain:
    """The providers that ONNX Runtime is told of, with their options: the one wanted, and what
    takes the operators that it can't run, before the CPU.
    """
    options = options_of(provider, placement)
    if provider == "tensorrt":
        if kept is not None:
            folder = str(kept.folder)
            paths = {"trt_engine_cache_path": folder, "trt_timing_cache_path": folder}
            options = {**paths, "trt_engine_cache_prefix": job.stage, **options}
        return [
            (NAMES[provider], {**_profile(provider, job), **options}),
            (NAMES["cuda"], options_of("cuda", placement)),
        ]
    few = bool(job.shapes) and placement.wants_few_shapes(provider)
    if provider == "cuda" and few and version() >= CAPTURE_SINCE:
        options = {"enable_cuda_graph": "1", **options}
    return [(NAMES[provider], options)]


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
