"""Small graphs with gates, as in the feature pyramids and backbones of PP-OCR's detectors."""

from __future__ import annotations

from typing import Any

from tests.support.rewrite_graphs import Build

NEAREST: dict[str, Any] = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}


def gate(build: Build, value: str, channels: int, squeezed: int = 2) -> str:
    """Add the gate of a squeeze-and-excitation block and return its name."""
    pooled = build.add("GlobalAveragePool", value)
    inner = build.add("Relu", build.conv(pooled, channels, squeezed))
    return build.add("HardSigmoid", build.conv(inner, squeezed, channels), alpha=0.2, beta=0.5)


def gate_plus_one(build: Build, value: str, channels: int) -> str:
    """Add a gate plus one, which `residual_gate` makes of residual gates."""
    return build.add("Add", gate(build, value, channels), build.constant([1]))


def enlarged(build: Build, value: str, by: int = 2, **changes: Any) -> str:
    """Add a map whose pixels are repeated."""
    scales = build.constant([1, 1, by, by])
    return build.add("Resize", value, "", scales, **{**NEAREST, **changes})


def depthwise(build: Build, value: str, channels: int, **attributes: Any) -> str:
    """Add a depthwise 5 x 5 convolution."""
    attributes = {"pads": [2, 2, 2, 2], "group": channels, **attributes}
    return build.conv(value, channels, channels, 5, **attributes)
