"""Deterministic inputs of the exported networks, made without Paddle."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Probe(NamedTuple):
    """The inputs of one run, in the graph's order, and the outputs of Paddle Inference."""

    inputs: list[np.ndarray]
    outputs: list[np.ndarray]


def flat(specs: Sequence[Any]) -> list[tuple[list[int | None], str]]:
    """Return `Network.inputs` without its nesting: shape and dtype of each graph input."""
    found: list[tuple[list[int | None], str]] = []
    for spec in specs:
        if isinstance(spec[1], str):
            found.append((list(spec[0]), spec[1]))
        else:
            found += flat(spec)
    return found


def inputs(name: str, specs: Sequence[Any], shape: Sequence[int]) -> list[np.ndarray]:
    """Return the inputs of a network.

    Only SRN has more than one: two of word positions and two masks of the attention. The first mask
    hides what follows a position, the second what precedes it.

    Args:
        name: Name of the network.
        specs: `Network.inputs`.
        shape: Shape of the first input.
    """
    rng = np.random.RandomState(zlib.crc32(f"{name}{tuple(shape)}".encode()))
    _, *others = flat(specs)
    made = [_picture(rng, shape, smooth="_tps_" in name)]
    triangles = [lambda square: np.triu(square, 1), lambda square: np.tril(square, -1)]
    for declared, dtype in others:
        size = [shape[0] if length is None or length < 0 else length for length in declared]
        if len(size) == 3:
            value = np.broadcast_to(np.arange(size[1])[:, None], size)
        else:
            mask = triangles.pop(0)(np.ones(size[2:])) * -1e9
            value = np.broadcast_to(mask, size)
        made.append(np.ascontiguousarray(value.astype(dtype)))
    return made


def _picture(rng: np.random.RandomState, shape: Sequence[int], smooth: bool) -> np.ndarray:
    """Return noise, smooth for TPS.

    TPS reads between pixels: with white noise the rounding of its coordinates would cause
    differences a hundred times as large as in a photograph.
    """
    if not smooth:
        return rng.standard_normal(tuple(shape)).astype(np.float32)
    number, channels, height, width = shape
    value = rng.standard_normal((number, channels, height // 8 + 2, width // 8 + 2))
    for axis, size in ((2, height), (3, width)):
        places = np.arange(size) / 8
        low = places.astype(int)
        share = (places - low).reshape([-1 if i == axis else 1 for i in range(4)])
        value = value.take(low, axis) * (1 - share) + value.take(low + 1, axis) * share
    return value.astype(np.float32)


def stored(path: Path) -> Iterator[Probe]:
    """Yield the runs in an outputs.npz, whose folder has the network's name."""
    with np.load(path) as file:
        specs = json.loads(str(file["inputs"]))
        probe = 0
        while f"input_{probe}_shape" in file:
            shape = file[f"input_{probe}_shape"].tolist()
            outputs: list[np.ndarray] = []
            while (key := f"output_{probe}_{len(outputs)}") in file:
                outputs.append(file[key])
            yield Probe(inputs(path.parent.name, specs, shape), outputs)
            probe += 1
