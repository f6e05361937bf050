"""Deterministic inputs of the exported networks, made without Paddle."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# Networks that rectify the picture first, beside those with TPS in their names.
RECTIFIED = ("rec_resnet_rfl_att", "rec_svtrnet", "rec_r32_gaspin_bilstm_att")
# Networks that raise greys to powers, which don't exist for values darker than black.
IN_RANGE = ("rec_r32_gaspin_bilstm_att",)


class Probe(NamedTuple):
    """The inputs of one run, in the graph's order, and the outputs of Paddle Inference."""

    inputs: list[np.ndarray]
    outputs: list[np.ndarray]


def flat(specs: Sequence[Any]) -> list[tuple[list[int | None], str]]:
    """Return `Network.inputs` without its nesting: shape and dtype of each graph input."""
    found: list[tuple[list[int | None], str]] = []
    for spec in specs:
        if isinstance(spec[-1], str):
            found.append((list(spec[0]), spec[1]))
        else:
            found += flat(spec)
    return found


def inputs(name: str, specs: Sequence[Any], shape: Sequence[int]) -> list[np.ndarray]:
    """Return the inputs of a network.

    SRN has more than one: two of word positions and two masks of the attention. The first mask
    hides what follows a position, the second what precedes it. SAR and RobustScanner get the share
    of each picture's width that shows text, RobustScanner also the positions of the characters.

    Args:
        name: Name of the network.
        specs: `Network.inputs`.
        shape: Shape of the first input.
    """
    rng = np.random.RandomState(zlib.crc32(f"{name}{tuple(shape)}".encode()))
    _, *others = flat(specs)
    is_smooth = "_tps_" in name or name in RECTIFIED or name == "UVDoc"
    made = [_picture(rng, shape, smooth=is_smooth)]
    if name in IN_RANGE:
        made = [(np.clip(np.round(made[0] * 64), -127, 127) / 128).astype(np.float32)]
    triangles = [lambda square: np.triu(square, 1), lambda square: np.tril(square, -1)]
    for declared, dtype in others:
        size = [shape[0] if length is None or length < 0 else length for length in declared]
        if dtype == "float32":
            value = 0.8 - np.arange(size[0]) % 3 / 5  # the shares of the width that show text
        elif len(size) == 2:
            value = np.broadcast_to(np.arange(size[1]), size)
        elif len(size) == 3:
            value = np.broadcast_to(np.arange(size[1])[:, None], size)
        else:
            mask = triangles.pop(0)(np.ones(size[2:])) * -1e9
            value = np.broadcast_to(mask, size)
        made.append(np.ascontiguousarray(value.astype(dtype)))
    return made


def _picture(rng: np.random.RandomState, shape: Sequence[int], smooth: bool) -> np.ndarray:
    """Return noise, smooth for TPS and UVDoc.

    They read between pixels: with white noise the rounding of its coordinates would cause
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


def declared(path: Path) -> list[tuple[list[int | None], str]]:
    """Return shape and dtype of each input of the network of an outputs.npz, as it was exported."""
    with np.load(path) as file:
        return flat(json.loads(str(file["inputs"])))


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
