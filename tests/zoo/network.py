"""The description of a network that the modules of `tests.zoo.networks` give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Network:
    """One architecture of PaddleOCR.

    Attributes:
        build: Makes the `paddle.nn.Layer`: "compact" has the structure of the published model with
            few channels, "full" has its widths.
        algorithm: The algorithm that decodes the outputs, as `converters.catalog` names it.
        inputs: Shape and dtype of each input as PaddleOCR's export declares them; None stands for a
            length that may vary. SRN's four additional inputs are one nested list.
        probes: At least three shapes of the first input to compare outputs on, one with a batch.
        settings: Content of the inference.yml that PaddleOCR's export writes beside a program.
        formats: The formats beside which it is kept here. PaddleOCR 2.9 and later writes it in
            both, and users of older versions have none.
    """

    build: Callable[[Literal["compact", "full"]], Any]
    algorithm: str
    inputs: list[Any]
    probes: Sequence[tuple[int, ...]]
    settings: dict[str, Any] | None = field(default=None)
    formats: Sequence[str] = ("pir",)
