"""Padding: values that are put around a value."""

from __future__ import annotations

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value

# Paddle's mode → ONNX's.
_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}
# For each of pad3d's paddings: its spatial axis, and whether it goes behind the value or before it.
_PAD3D = ((2, False), (2, True), (1, False), (1, True), (0, False), (0, True))


@translates("pad")
def pad(call: Call) -> None:
    """Pad all axes with a number."""
    x, listed = call.operand(), call.attribute("paddings", [])
    if len(listed) != 2 * x.rank:
        raise UnsupportedError(f"it has {len(listed)} paddings for {x.rank} axes")
    pads = call.constant([*listed[::2], *listed[1::2]])
    call.give(_pad(call, x, pads, "constant", call.attribute("pad_value", 0.0)))


@translates("pad3d")
def pad3d(call: Call) -> None:
    """Pad depth, height and width."""
    x = call.operand()
    listed = call.integers("paddings", "Paddings")
    mode = call.attribute("mode", "constant")
    if x.rank != 5 or listed.shape != (len(_PAD3D),):
        raise UnsupportedError(f"it has {listed.shape[0]} paddings for {x.rank} axes")
    first = 1 if call.attribute("data_format", "NCDHW").endswith("C") else 2
    # For each of ONNX's paddings its place in Paddle's list, or that of the 0 behind it.
    places = np.full((2, x.rank), len(_PAD3D))
    for place, (axis, behind) in enumerate(_PAD3D):
        places[int(behind), first + axis] = place
    pads = call.gather(call.vector([listed, call.constant([0])]), call.constant(places.reshape(-1)))
    if mode == "circular":
        call.give(_circular(call, x, pads))
    elif mode in _MODES:
        call.give(_pad(call, x, pads, _MODES[mode], call.attribute("value", 0.0)))
    else:
        raise UnsupportedError(f"its mode {mode!r:.20} is unknown")


def _pad(call: Call, x: Value, pads: Value, mode: str, number: float) -> Value:
    shape = [-1] * x.rank
    if pads.array is not None:
        added = pads.array.reshape(2, -1).sum(0).tolist()
        shape = [
            size + more if size >= 0 else -1 for size, more in zip(x.shape, added, strict=True)
        ]
        if not pads.array.any():
            return x
    filling = call.constant(number, x.dtype) if mode == "constant" else None
    return call.add("Pad", x, pads, filling, mode=mode, shape=shape)


def _circular(call: Call, x: Value, pads: Value) -> Value:
    """Put the last positions before the first ones, and the first behind the last."""
    if pads.array is None:
        raise UnsupportedError("its circular paddings are computed from the input")
    for axis, (before, behind) in enumerate(pads.array.reshape(2, -1).T.tolist()):
        if before < 0 or behind < 0 or max(before, behind) > x.shape[axis] >= 0:
            raise UnsupportedError("its circular padding is negative, or larger than its operand")
        parts = []
        if before:
            parts.append(call.slice(x, [axis], [-before], [np.iinfo(np.int32).max]))
        parts.append(x)
        if behind:
            parts.append(call.slice(x, [axis], [0], [behind]))
        if len(parts) > 1:
            shape = list(x.shape)
            shape[axis] = shape[axis] + before + behind if shape[axis] >= 0 else -1
            x = call.add("Concat", *parts, axis=axis, shape=shape)
    return x
