"""The execution providers of ONNX Runtime that edgeocr can use, and what it knows about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from .job import Shape

# The name that leaves the choice of a provider to edgeocr.
AUTO = "auto"
# The order in which "auto" tries providers, the best first. TensorRT builds its engines for
# minutes, so "auto" takes it only where they have been built already.
AUTO_ORDER = ("tensorrt", "cuda", "cpu")

NVIDIA_PACKAGE = 'pip install "onnxruntime-gpu[cuda,cudnn]"'


@dataclass(frozen=True)
class Provider:
    """An execution provider of ONNX Runtime.

    Attributes:
        name: edgeocr's name for it, which callers, bundles and results use.
        onnxruntime_name: ONNX Runtime's name for it.
        install: How to get an ONNX Runtime that has this provider.
        any_shape: Whether it takes every input shape as it comes. All others choose, compile or
            build something for each new shape.
        always_starts: Whether it is in every ONNX Runtime and starts on every machine.
        needs_nvidia_driver: Whether it can only start where NVIDIA's driver is installed.
        device: ONNX Runtime's name of the device that its input and output buffers are kept on;
            None if ONNX Runtime copies inputs and outputs itself.
        options: Options that edgeocr sets, instead of ONNX Runtime's defaults. All of them are
            documented at https://onnxruntime.ai/docs/execution-providers/.
        fp16_options: Options that are set as well when lower precision is allowed.
        alternatives: Further sets of options, by name, that may be faster on some devices or read
            differently, so that `edgeocr tune` tries them.
        options_since: The first version of ONNX Runtime that has an option of these two, for
            options that are newer than the oldest version that edgeocr runs with. A session with
            an option that its ONNX Runtime doesn't have fails.
        recording_option: Option that lets a session record its runs as CUDA graphs; None if there
            is none.
        refused_options: Options that a caller may not switch on, each with the reason.
        helper: Name of the provider that runs the operators that this one can't, before the CPU.
        plugin: Python module that contains the provider as a library; None if it is a part of
            ONNX Runtime.
        builds_engines: Whether it builds TensorRT engines, which are kept in a folder.
        max_proportion: The largest ratio of the longer side of a picture to its shorter side, for
            stages whose shapes differ in height; None sets no limit.
        limits_fp16_optimization: Whether graphs in float16 get ONNX Runtime's basic optimizations
            only.
        opens_in_forks: Whether a forked child can open sessions anew after its parent had some. The
            others have threads or a device in this process that a fork does not copy.
    """

    name: str
    onnxruntime_name: str
    install: str
    any_shape: bool = False
    always_starts: bool = False
    needs_nvidia_driver: bool = False
    device: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    fp16_options: Mapping[str, str] = field(default_factory=dict)
    alternatives: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    options_since: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    recording_option: str | None = None
    refused_options: Mapping[str, str] = field(default_factory=dict)
    helper: str | None = None
    plugin: str | None = None
    builds_engines: bool = False
    max_proportion: float | None = None
    limits_fp16_optimization: bool = False
    opens_in_forks: bool = False

    def is_known(self, options: Mapping[str, str]) -> bool:
        """Return whether options are none, or one of `alternatives`."""
        return not options or any(options == dict(each) for each in self.alternatives.values())

    def shapes_for(self, shapes: Sequence[Shape]) -> list[Shape]:
        """Select those of a stage's input shapes that this provider is given.

        Args:
            shapes: All shapes [N, H, W, 3] that the bundle lists for the stage.

        Returns:
            The shapes within `max_proportion`; all of them if none is, or if they have one height.
        """
        if self.max_proportion is None or len({shape[1] for shape in shapes}) < 2:
            return list(shapes)
        limit = self.max_proportion
        return [s for s in shapes if max(s[1:3]) <= limit * min(s[1:3])] or list(shapes)


_ALL = (
    Provider(
        "cpu",
        "CPUExecutionProvider",
        install="pip install onnxruntime",
        any_shape=True,
        always_starts=True,
        # Further optimizations of ONNX Runtime 1.32 end the process with some LSTMs in float16.
        limits_fp16_optimization=True,
        opens_in_forks=True,
    ),
    Provider(
        "cuda",
        "CUDAExecutionProvider",
        install=NVIDIA_PACKAGE,
        needs_nvidia_driver=True,
        device="cuda",
        options={
            # The default, EXHAUSTIVE, measured all of cuDNN's algorithms at every new input shape
            # up to ONNX Runtime 1.19; since then it asks a slower heuristic. Users' figures for
            # DEFAULT contradict each other: docs/engines.md lists them.
            "cudnn_conv_algo_search": "HEURISTIC",
            # The default doubles the arena whenever it is full. `warm_up` begins with the largest
            # shape, so nothing has to grow afterwards.
            "arena_extend_strategy": "kSameAsRequested",
            # TF32 rounds factors to 10 bits, which may change texts; `fp16_options` allow it.
            # A convolution for which cuDNN has no other plan uses TF32 all the same.
            "use_tf32": "0",
        },
        # CUDA runs a graph in the precision in which it is written. For a float32 graph the nearest
        # to float16 is TF32, which multiplies with as many bits as float16.
        fp16_options={"use_tf32": "1"},
        alternatives={
            "default search": {"cudnn_conv_algo_search": "DEFAULT"},
            "exhaustive search": {"cudnn_conv_algo_search": "EXHAUSTIVE"},
            "TF32": {"use_tf32": "1"},
        },
        options_since={"use_tf32": (1, 18)},
        recording_option="enable_cuda_graph",
    ),
    Provider(
        "tensorrt",
        "TensorrtExecutionProvider",
        install=NVIDIA_PACKAGE,
        needs_nvidia_driver=True,
        device="cuda",
        # `trt_builder_optimization_level` keeps TensorRT's default, 3: with 5, users wait for an
        # hour for OCR networks and may get slower engines (docs/engines.md).
        fp16_options={
            "trt_fp16_enable": "1",
            # In float16 the squares in a layer normalization overflow (onnxruntime pull request
            # 13639). The rest of the network stays in float16.
            "trt_layer_norm_fp32_fallback": "1",
        },
        alternatives={"fp16": {"trt_fp16_enable": "1", "trt_layer_norm_fp32_fallback": "1"}},
        refused_options={
            "trt_cuda_graph_enable": "TensorRT records a single input shape as a CUDA graph, and "
            "edgeocr uses several shapes"
        },
        helper="cuda",
        builds_engines=True,
        # TensorRT reserves memory for the largest height by the largest width of all shapes, so
        # pictures of more extreme proportions are scaled down for it.
        max_proportion=3,
    ),
    Provider(
        "tensorrt-rtx",
        "NvTensorRTRTXExecutionProvider",
        install="pip install onnxruntime-ep-nv-tensorrt-rtx-cu13 beside onnxruntime 1.24 or newer",
        needs_nvidia_driver=True,
        plugin="onnxruntime_ep_nv_tensorrt_rtx",
    ),
    Provider(
        "openvino",
        "OpenVINOExecutionProvider",
        install="pip install onnxruntime-openvino",
        # ONNX Runtime's option `precision` takes nothing but FP32 for the CPU. OpenVINO's own hint
        # has no effect on a CPU without instructions for the format.
        alternatives={
            "bf16": {"load_config": '{"CPU": {"INFERENCE_PRECISION_HINT": "bf16"}}'},
            "f16": {"load_config": '{"CPU": {"INFERENCE_PRECISION_HINT": "f16"}}'},
        },
    ),
    Provider("coreml", "CoreMLExecutionProvider", install="pip install onnxruntime on macOS"),
    Provider(
        "directml",
        "DmlExecutionProvider",
        install="pip install onnxruntime-directml, on Windows",
    ),
    Provider(
        "xnnpack",
        "XnnpackExecutionProvider",
        install="build ONNX Runtime with --use_xnnpack",
        any_shape=True,
        opens_in_forks=True,
    ),
    Provider(
        "qnn",
        "QNNExecutionProvider",
        install="pip install onnxruntime-qnn, on a Qualcomm device",
    ),
    Provider(
        "migraphx",
        "MIGraphXExecutionProvider",
        install="install AMD's onnxruntime-migraphx for the installed version of ROCm",
        fp16_options={"migraphx_fp16_enable": "1"},
    ),
)

PROVIDERS: Mapping[str, Provider] = MappingProxyType({each.name: each for each in _ALL})


def provider_named(name: str) -> Provider:
    """Look up a provider by edgeocr's name for it.

    Raises:
        ValueError: There is no such provider.
    """
    if name not in PROVIDERS:
        raise ValueError(f"unknown provider {name!r}: choose one of {', '.join(PROVIDERS)}")
    return PROVIDERS[name]


def check_provider_choice(name: str) -> None:
    """Check that a caller may choose this name: a provider's, or "auto".

    Raises:
        ValueError: The name is neither.
    """
    if name != AUTO and name not in PROVIDERS:
        known = ", ".join((AUTO, *PROVIDERS))
        raise ValueError(f"unknown provider {name!r}: choose one of {known}")


def fallback_order(preferred: Sequence[str] | None) -> tuple[str, ...]:
    """List the providers that "auto" tries, in order.

    Args:
        preferred: The bundle's order for a stage; None for `AUTO_ORDER`.

    Returns:
        That order, with the providers that always start at its end unless it names them itself.
    """
    order = AUTO_ORDER if preferred is None else tuple(preferred)
    always = (name for name, each in PROVIDERS.items() if each.always_starts)
    return (*order, *(name for name in always if name not in order))
