"""What a stage asks of its session: the graph's input, its shapes and its precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

# Shape of a batch of pictures or crops: number, height, width, channels.
Shape: TypeAlias = "tuple[int, int, int, int]"


@dataclass(frozen=True)
class Job:
    """A stage's graph, described as far as a session needs to know it.

    Attributes:
        stage: The stage's name, such as "detection".
        input_name: Name of the graph's only input.
        usual_shape: A common shape of the input, which warms up providers that take any shape;
            None if unknown.
        shapes: The only shapes that the input has on providers that need a fixed set of them;
            empty if the bundle lists none.
        preferred_providers: The bundle's order of providers for "auto"; None for edgeocr's order.
        precision: Precision of the graph's weights: "fp32", "fp16" or "int8".
        fixed_height: Whether the network takes no other height than that of `usual_shape`.
    """

    stage: str
    input_name: str
    usual_shape: Shape | None
    shapes: Sequence[Shape] = ()
    preferred_providers: Sequence[str] | None = None
    precision: str = "fp32"
    fixed_height: bool = False

    @property
    def engine_name(self) -> str:
        """What the TensorRT engines of this graph are called among those of the bundle."""
        return self.stage if self.precision == "fp32" else f"{self.stage}-{self.precision}"
