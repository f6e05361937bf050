"""What warming up a stage did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class WarmUpResult:
    """The result of warming up a stage.

    Attributes:
        provider: Name of the execution provider.
        shapes: How many input shapes were run.
        seconds: How long that took.
    """

    provider: str
    shapes: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        return asdict(self)
