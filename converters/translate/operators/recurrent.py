"""Recurrent networks: LSTM, GRU, and plain ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value

# Mode → ONNX's operator, and for each of its gates the place that the gate has in Paddle's weights.
# LSTM: input, output, forget, cell; GRU: update, reset, hidden.
_GATES: dict[str, tuple[str, list[int]]] = {
    "LSTM": ("LSTM", [0, 3, 1, 2]),
    "GRU": ("GRU", [1, 0, 2]),
    "RNN_TANH": ("RNN", [0]),
    "RNN_RELU": ("RNN", [0]),
}


@translates("rnn")
def rnn(call: Call) -> None:
    """Write a recurrent network, layer by layer; its input is [time, batch, features]."""
    mode = call.attribute("mode", "")
    if mode not in _GATES:
        raise UnsupportedError(f"its mode {mode!r:.20} is unknown")
    x, states = call.operand("Input"), call.operands("PreState")
    layers = call.attribute("num_layers", 1)
    directions = 2 if call.attribute("is_bidirec", False) else 1
    weights = [value.array for value in call.operands("WeightList")]
    count = layers * directions
    # Input weights and recurrent weights of each direction of each layer; then their biases.
    if len(weights) != 4 * count or any(array is None for array in weights):
        raise UnsupportedError("its weights are not constant, or not as many as its layers need")
    known = [array for array in weights if array is not None]
    lengths = call.optional("SequenceLength")
    final: list[list[Value]] = [[] for _ in states]
    for layer in range(layers):
        places = range(layer * directions, (layer + 1) * directions)
        parts = [_stacked(known, offset, places, mode) for offset in (0, 1)]
        biases = np.concatenate(
            [_stacked(known[2 * count :], offset, places, mode) for offset in (0, 1)], axis=1
        )
        first = [_part(call, state, layer * directions, directions, layers) for state in states]
        x, ends = _layer(call, mode, x, [*parts, biases], lengths, first)
        for kept, end in zip(final, ends, strict=True):
            kept.append(end)
    call.give(x, "Out")
    joined = [
        parts[0]
        if layers == 1
        else call.add("Concat", *parts, axis=0, shape=(count, *parts[0].shape[1:]))
        for parts in final
    ]
    call.give(joined, "State")


def _layer(
    call: Call,
    mode: str,
    x: Value,
    weights: Sequence[NDArray[np.floating]],
    lengths: Value | None,
    states: Sequence[Value],
) -> tuple[Value, list[Value]]:
    """Write one layer; return its output and its final states."""
    kind, _ = _GATES[mode]
    time, batch = x.shape[:2]
    directions, _, size = weights[1].shape
    settings: dict[str, object] = {
        "hidden_size": size,
        "direction": "bidirectional" if directions == 2 else "forward",
    }
    if kind == "GRU":
        settings["linear_before_reset"] = 1
    if mode == "RNN_RELU":
        settings["activations"] = ["Relu"] * directions
    given = [call.constant(array) for array in weights]
    steps = None if lengths is None else call.cast(lengths, np.int32)
    state = (x.dtype, (directions, batch, size))
    outputs = [(x.dtype, (time, directions, batch, size)), *[state] * len(states)]
    y, *ends = call.writer.add_many(kind, [x, *given, steps, *states], outputs, **settings)
    if directions == 1:
        return call.squeeze(y, [1]), ends
    together = call.transpose(y, [0, 2, 1, 3])
    return call.reshape(together, [0, 0, directions * size]), ends


def _stacked(
    weights: Sequence[NDArray[np.floating]], offset: int, places: range, mode: str
) -> NDArray[np.floating]:
    """Return the weights of a layer, [directions, gates · size, …], in the order of ONNX."""
    _, order = _GATES[mode]
    return np.stack(
        [
            np.concatenate([np.split(weights[2 * place + offset], len(order))[i] for i in order])
            for place in places
        ]
    )


def _part(call: Call, state: Value, first: int, number: int, layers: int) -> Value:
    """Return the first states of one layer."""
    return state if layers == 1 else call.slice(state, [0], [first], [first + number])
