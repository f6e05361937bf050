"""What a caller and a bundle want stages to run on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import EdgeOCRError, ProviderUnavailableError

Shape = tuple[int, int, int, int]

NAMES = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "tensorrt-rtx": "NvTensorRTRTXExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "qnn": "QNNExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
}
# What "auto" tries, the best first. TensorRT builds an engine for minutes, so nobody gets it
# unasked: it counts where its engines have been built.
AUTO = ("tensorrt", "cuda", "cpu")
# These take any shape as it comes; all others choose, compile or build something for each new one.
ANY_SHAPE = ("cpu", "xnnpack")
# TensorRT reserves memory for the largest input of a profile, which is the largest height by the
# largest width. So pictures that are more times longer than wide are scaled down for it.
TENSORRT_PROPORTION = 3
TENSORRT_RECORDING = "trt_cuda_graph_enable"


@dataclass(frozen=True)
class Placement:
    """What a caller wants stages to run on.

    provider: a name of `NAMES`, "auto" for the best that works here, or the name for each stage;
        stages that aren't named are "auto".
    options: provider → option → value, over those that edgeocr sets.
    fp16: lower precision, where the provider can.
    few_shapes: whether inputs are padded to the manifest's sets of shapes; None for doing so on
        providers that choose, compile or build something for each new shape.
    bundle: digest of the bundle, which names its engines.
    cache: folder with TensorRT's engines; None for keeping none.
    arena: the most bytes that runs on the CPU may take, see `arena`; None for no bound.
    """

    provider: str | Mapping[str, str] = "auto"
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fp16: bool = False
    few_shapes: bool | None = None
    bundle: str = ""
    cache: Path | None = None
    arena: int | None = None

    def check(self, stages: Collection[str]) -> None:
        """Raises `ProviderUnavailableError` for a provider that there isn't, and `EdgeOCRError` for
        a stage that isn't among `stages`, and for what is no mapping or can't be asked for.
        """
        if isinstance(self.provider, str):
            check_name(self.provider)
        elif isinstance(self.provider, Mapping):
            for stage, provider in self.provider.items():
                if stage not in stages:
                    there = ", ".join(stages)
                    raise EdgeOCRError(
                        f"the bundle has no stage {stage!r} for {provider!r} to run, only {there}"
                    )
                check_name(provider)
        else:
            raise EdgeOCRError(
                "provider must be a name or a mapping of stages to names, it is "
                f"{self.provider!r:.80}"
            )
        for provider, options in self.options.items():
            if provider == "auto" or not isinstance(options, Mapping):
                raise EdgeOCRError(
                    "provider options are a mapping for each provider, as in "
                    f'{{"cuda": {{"device_id": 1}}}}, not {{{provider!r}: {options!r:.80}}}'
                )
            check_name(provider)
            if str(options.get(TENSORRT_RECORDING, "0")).lower() not in ("0", "false"):
                raise EdgeOCRError(f"{TENSORRT_RECORDING} records one input shape, there are more")

    def of(self, stage: str) -> str:
        """The provider of a stage, or "auto"."""
        if isinstance(self.provider, str):
            return self.provider
        return self.provider.get(stage, "auto")

    def wants_few_shapes(self, provider: str) -> bool:
        """Whether inputs of this provider come from a small set."""
        return provider not in ANY_SHAPE if self.few_shapes is None else self.few_shapes


class Job(NamedTuple):
    """A stage's graph, as its session is to be made.

    stage: its name.
    input: name of the graph's input.
    usual: a common shape of the input, which warms up those that take any; None where unknown.
    shapes: the only shapes of the input on providers that want few; may be empty.
    preferred: the bundle's order of providers for "auto".
    precision: what the graph is in.
    """

    stage: str
    input: str
    usual: Shape | None
    shapes: Sequence[Shape] = ()
    preferred: Sequence[str] | None = None
    precision: str = "fp32"


def check_name(provider: str) -> None:
    """Raises `ProviderUnavailableError` for a name that is none."""
    if provider not in ("auto", *NAMES):
        known = ", ".join(("auto", *NAMES))
        raise ProviderUnavailableError(f"unknown provider {provider!r}: choose one of {known}")


def fallback_order(preferred: Sequence[str] | None) -> tuple[str, ...]:
    """What "auto" tries: the bundle's order, or `AUTO`; at the end the CPU, which always starts."""
    order = AUTO if preferred is None else tuple(preferred)
    return order if "cpu" in order else (*order, "cpu")


def shapes_for(provider: str, shapes: Sequence[Shape]) -> list[Shape]:
    """Those of a stage's shapes [N, H, W, 3] that a provider is given."""
    if provider != "tensorrt" or len({shape[1] for shape in shapes}) < 2:
        return list(shapes)
    return [s for s in shapes if max(s[1:3]) <= TENSORRT_PROPORTION * min(s[1:3])] or list(shapes)
