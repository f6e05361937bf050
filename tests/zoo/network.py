"""What a module of `tests.zoo.networks` says of each of its networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Network:
    """One architecture of PaddleOCR.

    build: makes the `paddle.nn.Layer`; "compact" has the same structure with few channels, "full"
        has the published model's widths.
    inputs: for each input its shape, None for what may vary, and its dtype, as PaddleOCR's export
        declares them. SRN's four additional inputs are one nested list, as in its export.
    probes: shapes of the first input to compare outputs on: three at least, one with a batch.
    settings: content of the inference.yml beside a PIR export, as PaddleOCR's export writes it.
    """

    build: Callable[[Literal["compact", "full"]], Any]
    algorithm: Literal["DB", "EAST", "SAST", "PGNet", "CTC", "Attention", "SRN", "CLS"]
    inputs: list[Any]
    probes: list[tuple[int, ...]]
    settings: dict[str, Any] | None = field(default=None)
