"""`RuntimeOptions`: how a caller wants ONNX Runtime to run the networks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .providers import provider_named

if TYPE_CHECKING:
    from .elsewhere import Networks

# Values of a provider option that switch it off.
OFF = ("0", "false")
# The names of the graphs that a stage may have: the precisions that they compute in.
VARIANTS = ("fp32", "int8", "fp16")


@dataclass(frozen=True)
class RuntimeOptions:
    """Options for the way ONNX Runtime runs the networks; most callers never need them.

    Attributes:
        provider_options: ONNX Runtime's options for each provider, such as
            {"cuda": {"device_id": 1}}. They override those that edgeocr sets.
        fp16: Allow lower precision where the provider has it: TensorRT computes in float16, CUDA
            multiplies in TF32.
        bf16: Multiply matrices in bfloat16 on an Arm CPU that has instructions for it (`bf16` in
            /proc/cpuinfo, from Armv8.6 on), with ONNX Runtime 1.17 or newer on Linux. Sums stay in
            float32, but texts may differ from those without it. No effect elsewhere.
        fixed_shapes: Pad inputs to the bundle's fixed set of shapes, so that no shape is new after
            `OCR.warm_up`. By default (None) this is done on all providers except those that take
            any shape as it comes, which are "cpu" and "xnnpack". A mapping of stages to yes or no
            decides for these stages.
        engine_cache: The only folder in which TensorRT engines are looked for and kept. By default
            (None) those in the bundle are used if they fit this device, and others are kept in
            `NAME.engines` beside a bundle `NAME.edgeocr` if that folder exists, else in the user's
            cache.
        cpus: Numbers of the CPUs to run on, such as (4, 5, 6, 7). By default (None) all those
            that the process may use.
        variant: The graph to take in stages that have several, by its precision: "fp32", "int8" or
            "fp16" for all stages, or a mapping of stages to such names. By default (None) the graph
            that suits this device best. A stage that has no graph of the name for all stages takes
            its own graph.
        batch: The most lines that are recognized in one run on a provider that takes several
            (those with a fixed set of shapes). By default (None) the bundle's number.
        tuned: Whether "auto", the number of threads and `batch` follow what `edgeocr tune` has
            found out on this device, where the caller makes no choice; or the path of the tuned
            file that they follow, instead of the one beside the bundle or in the user's cache.
        networks: A function that runs the networks in place of ONNX Runtime, for example on an
            inference server or an NPU. It is called with the name of a stage, its input, uint8
            [N, H, W, 3] BGR, and the names of the outputs, and returns these outputs as arrays, in
            this order. The bundle's graphs are checked and not run. It is called from several
            threads unless `OCR` has `threads=1`.

    Raises:
        ValueError: A provider or a variant is unknown, an option of a provider can't be used,
            `cpus` is empty, or `batch` is below 1.
        TypeError: An option has the wrong type.
    """

    provider_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fp16: bool = False
    bf16: bool = False
    fixed_shapes: bool | Mapping[str, bool] | None = None
    engine_cache: str | os.PathLike[str] | None = None
    cpus: Sequence[int] | None = None
    variant: str | Mapping[str, str] | None = None
    batch: int | None = None
    tuned: bool | str | os.PathLike[str] = True
    networks: Networks | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        if not isinstance(self.provider_options, Mapping):
            raise TypeError(_not_options(repr(self.provider_options)))
        for name, options in self.provider_options.items():
            provider = provider_named(name)
            if not isinstance(options, Mapping):
                raise TypeError(_not_options(f"{{{name!r}: {options!r:.80}}}"))
            for option, reason in provider.refused_options.items():
                if str(options.get(option, OFF[0])).lower() not in OFF:
                    raise ValueError(f"the option {option} of {name} can't be used: {reason}")
        if self.cpus is not None:
            if isinstance(self.cpus, (str, bytes)):
                raise TypeError(f"cpus must be a sequence of numbers, not {self.cpus!r:.80}")
            if not self.cpus:
                raise ValueError("cpus must name at least one CPU")
        if self.batch is not None and self.batch < 1:
            raise ValueError(f"batch must be at least 1, not {self.batch}")
        if isinstance(self.variant, Mapping):
            for variant in self.variant.values():
                check_variant(variant)
        elif self.variant is not None:
            check_variant(self.variant)


def check_variant(name: str) -> None:
    """Check that a caller may choose a variant of this name.

    Raises:
        ValueError: There is no such precision.
        TypeError: It is not a name.
    """
    if not isinstance(name, str):
        raise TypeError(f"variant must be a name, or one for each stage, not {name!r:.80}")
    if name not in VARIANTS:
        raise ValueError(f"unknown variant {name!r:.80}: choose one of {', '.join(VARIANTS)}")


def _not_options(given: str) -> str:
    return (
        'provider_options must be a mapping for each provider, such as {"cuda": {"device_id": 1}}, '
        f"not {given:.120}"
    )
