"""What the settings of all stages in a manifest have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from . import limits
from .fields import Natural, Range
from .provenance import Precision

Grey: TypeAlias = Annotated[int, Range(0, 255)]
# A side of a network's input in pixels, the step between its sides, and its pixels.
Side: TypeAlias = Annotated[int, Range(1, limits.SIDE)]
Step: TypeAlias = Annotated[int, Range(1, limits.STEP)]
Pixels: TypeAlias = Annotated[int, Range(1, limits.INPUT_PIXELS)]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Another graph of a stage, for the devices that it suits better than the stage's own graph.

    Attributes:
        graph: The name of its ONNX file in the bundle, which has the inputs and outputs of the
            stage's own graph.
        precision: The type of its weights and of most of its operators. It names the variant, and
            differs from that of the stage's other graphs.
        providers: The execution providers that it suits; None for all.
        cpu_features: CPU features, as Linux names them, of which the CPU must have one for the
            graph to suit the provider "cpu". An empty list means that it suits every CPU.
        activation_bytes: As for the stage's own graph; 0 means the same number as that.
    """

    graph: str
    precision: Precision
    providers: list[str] | None = None
    cpu_features: list[str] = field(default_factory=list)
    activation_bytes: Natural = 0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Settings that every stage has, whatever its algorithm.

    Attributes:
        graph: The name of the stage's ONNX file in the bundle.
        model: The name of the model, as in the converters' catalog.
        providers: The execution providers that "auto" tries for this stage, in this order; None
            leaves the choice to the runtime.
        precision: The type of the graph's weights and of most of its operators.
        activation_bytes: The memory that a run of `graph` needs beside the weights, in bytes for
            each pixel of its input; 0 means that it is unknown.
        variants: The stage's other graphs, the preferred first. A device takes the first that suits
            it, or `graph` if none does, unless it has measured another one to be faster.
    """

    graph: str
    model: str
    providers: list[str] | None = None
    precision: Precision = "fp32"
    activation_bytes: Natural = 0
    variants: list[Variant] = field(default_factory=list)

    @property
    def graphs(self) -> dict[Precision, str]:
        """The name of each graph's file, by the graph's precision; the stage's own comes first."""
        others = {variant.precision: variant.graph for variant in self.variants}
        return {self.precision: self.graph, **others}

    @property
    def schema(self) -> int:
        """The oldest schema that has these settings, or the oldest that is still written."""
        return 2
