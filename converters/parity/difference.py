"""Measure how far outputs are from their reference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import ParityError
from ..graph.runner import Array


@dataclass(frozen=True)
class Difference:
    """How far an output is from its reference, over all probes.

    Attributes:
        output: The output's name.
        shapes: The output's shape for each probe.
        max_abs: The largest absolute difference.
        mean_abs: The mean absolute difference.
        magnitude: The reference's largest absolute value.
        own: The largest difference that rounding makes to the reference; None if not measured.
        allowed: The limit of `max_abs`.
        allowed_mean: The limit of `mean_abs`, None for no limit.
        bound: The limit of `max_abs` on any processor; None where the limit depends on rounding.
    """

    output: str
    shapes: list[list[int]]
    max_abs: float
    mean_abs: float
    magnitude: float
    own: float | None
    allowed: float
    allowed_mean: float | None
    bound: float | None

    @property
    def relative(self) -> float:
        """The largest difference as a share of the magnitude."""
        return self.max_abs / self.magnitude if self.magnitude else self.max_abs

    @property
    def passed(self) -> bool:
        """Whether the differences are within their limits."""
        mean_fits = self.allowed_mean is None or self.mean_abs <= self.allowed_mean
        return math.isfinite(self.max_abs) and self.max_abs <= self.allowed and mean_fits

    @property
    def used(self) -> float:
        """The larger share of its limit that one of both differences uses."""
        limits = [(self.max_abs, self.allowed)]
        if self.allowed_mean is not None:
            limits.append((self.mean_abs, self.allowed_mean))
        return max(
            figure / allowed if allowed else math.inf if figure else 0.0
            for figure, allowed in limits
        )


def difference(
    name: str,
    got: list[Array],
    expected: list[Array],
    allowed: float,
    allowed_mean: float | None = None,
    own: float | None = None,
    *,
    bound: float | None = None,
    relative: bool = False,
) -> Difference:
    """Measure the difference of an output over all probes.

    Args:
        name: The output's name.
        got: The output for each probe.
        expected: The reference's output for each probe.
        allowed: The limit of the largest difference.
        allowed_mean: The limit of the mean difference, None for no limit.
        own: The largest difference that rounding makes to the reference.
        bound: The limit of the largest difference on any processor.
        relative: Multiply the limits by the reference's largest value where it exceeds 1.

    Raises:
        ParityError: The shapes differ.
    """
    for a, b in zip(got, expected, strict=True):
        if a.shape != b.shape:
            raise ParityError(f"{name}: the outputs have the shapes {a.shape} and {b.shape}")
    gaps = np.concatenate([_gaps(a, b) for a, b in zip(got, expected, strict=True)])
    magnitude = float(max(np.abs(b).max(initial=0.0) for b in expected))
    factor = max(1.0, magnitude) if relative else 1.0
    return Difference(
        name,
        [list(a.shape) for a in got],
        float(gaps.max(initial=0.0)),
        float(gaps.mean()) if gaps.size else 0.0,
        magnitude,
        own,
        allowed * factor,
        None if allowed_mean is None else allowed_mean * factor,
        None if bound is None else bound * factor,
    )


def _gaps(got: Array, expected: Array) -> Array:
    """Return all differences; those that aren't finite become infinite, so that they don't pass."""
    with np.errstate(invalid="ignore"):
        gaps: Array = np.abs(got.astype(np.float64) - expected)
    gaps[~np.isfinite(gaps)] = math.inf
    return gaps.reshape(-1)
