"""The inputs and outputs of each algorithm's networks, and which of them prove the algorithm.

A network's shapes can contradict what is said about it, but rarely prove it: a network for CPPD or
ViTSTR has an output of the same shape as one for CTC, and is read in another way. `certain` names
an algorithm only where nothing else of PaddleOCR looks the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from ..catalog.entries import TASKS, Algorithm
from ..graph.interface import SRN_INPUTS, Interface, Sign
from ..paddle.declared import Shape
from .families import FAMILIES, Readout

# PSE's kernels, and the maps of each of FCE's levels: two pairs of classes, and the coefficients
# from -5 to 5 of a series of x and of y. No other network of PaddleOCR has as many channels.
PSE_KERNELS = 7
FCE_MAPS = 4 + 2 * 11


@dataclass(frozen=True)
class _Rule:
    """The outputs of an algorithm's networks."""

    words: str
    """The outputs, in words."""
    fits: Callable[[Sequence[Shape]], bool]
    """Tells whether outputs of these shapes can be those of such a network."""
    inputs: int | None = 1
    """The number of inputs, None for any."""
    classes: Callable[[Sequence[Shape]], int | None] = lambda outputs: None
    """Returns the number of classes, for a network that reads."""


def _channels(outputs: Sequence[Shape]) -> list[int | None]:
    """Return the channels of maps in ascending order, open ones as None; [] if one is no map."""
    found = [shape[1] for shape in outputs if len(shape) == 4]
    return sorted(found, key=lambda size: size or 0) if len(found) == len(outputs) else []


def _characters(outputs: Sequence[Shape]) -> int | None:
    """Return the channels of PGNet's map that has one for each class."""
    others = [number for number in _channels(outputs) if number not in (1, 2, 4)]
    return others[0] if len(others) == 1 else None


_POSITIONS = _Rule(
    "one output [N, positions, classes]",
    lambda outputs: [len(shape) for shape in outputs] == [3],
    classes=lambda outputs: outputs[0][-1],
)
# The other families of recognition networks, some of which have further outputs.
_READING = _Rule(
    "outputs [N, positions, classes] or [N, positions]",
    lambda outputs: (
        {len(shape) for shape in outputs} in ({3}, {2, 3})
        or [len(shape) for shape in outputs] == [2, 2]
    ),
    inputs=None,
    classes=lambda outputs: outputs[0][-1] if [len(each) for each in outputs] == [3] else None,
)


def _scores(readout: Readout) -> _Rule:
    """Return the rule of a family whose networks give the scores of all classes."""
    axes = ["positions", "N"] if readout.transposed else ["N", "positions"]
    axes = [*([" * ".join(axes)] if readout.flat else axes), "classes"]
    shape = f"[{', '.join(axes)}]"
    words = f"one output {shape}"
    if readout.outputs > 1:
        words = f"{readout.outputs} outputs, of which number {readout.position + 1} is {shape}"
    return _Rule(
        words,
        lambda outputs: (
            len(outputs) == readout.outputs and len(outputs[readout.position]) == len(axes)
        ),
        classes=lambda outputs: outputs[readout.position][-1],
    )


# Algorithms without a rule are checked when their edge graph is made.
_RULES: dict[str, _Rule] = {
    # The server detectors have two maps.
    "DB": _Rule(
        "one or two maps of one channel",
        lambda outputs: _channels(outputs) in ([1], [1, 1]),
    ),
    "EAST": _Rule("maps of 1 and 8 channels", lambda outputs: _channels(outputs) == [1, 8]),
    "SAST": _Rule(
        "maps of 1, 2, 4 and 8 channels", lambda outputs: _channels(outputs) == [1, 2, 4, 8]
    ),
    "PSE": _Rule(
        f"one map of {PSE_KERNELS} channels", lambda outputs: _channels(outputs) == [PSE_KERNELS]
    ),
    "FCE": _Rule(
        f"three maps of {FCE_MAPS} channels", lambda outputs: _channels(outputs) == [FCE_MAPS] * 3
    ),
    "CT": _Rule(
        "a map of 3 channels, and one [N, H, W]",
        lambda outputs: [len(each) for each in outputs] == [4, 3] and outputs[0][1] == 3,
    ),
    "PGNet": _Rule(
        "maps of 1, 2 and 4 channels, and one with a channel for each class",
        lambda outputs: len(outputs) == 4 and {1, 2, 4} < {*_channels(outputs)},
        classes=_characters,
    ),
    "CLS": _Rule(
        "one output [N, classes]", lambda outputs: [len(shape) for shape in outputs] == [2]
    ),
    "PageCLS": _Rule(
        "one output [N, classes]", lambda outputs: [len(shape) for shape in outputs] == [2]
    ),
    "UVDoc": _Rule(
        "one output, a picture of three channels",
        lambda outputs: _channels(outputs) in ([3], [None]),
    ),
    "CTC": _POSITIONS,
    "Attention": _POSITIONS,
    "SRN": replace(_scores(FAMILIES["SRN"].readout), inputs=SRN_INPUTS),
}
_RULES |= {
    family: _scores(FAMILIES[family].readout)
    for family in ("ViTSTR", "ABINet", "PARSeq", "CPPD", "VisionLAN", "RFL", "SPIN", "PREN")
}
_SIGNS: dict[Sign, Algorithm] = {
    "its output is a map of probabilities as large as the image": "DB",
    "the number of its positions follows the width of the image, and it feeds nothing back": "CTC",
    "it feeds its choices back as one-hot vectors": "Attention",
    "it samples the image itself at places that it computes": "UVDoc",
}


def misfit(algorithm: Algorithm, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> str | None:
    """Say how the inputs and outputs of a network contradict an algorithm; None if they don't."""
    rule = _rule(algorithm)
    if rule is None or (rule.inputs in (len(inputs), None) and rule.fits(outputs)):
        return None
    number = {None: "", 1: "1 input and "}.get(rule.inputs, f"{rule.inputs} inputs and ")
    return (
        f"networks for {algorithm} have {number}{rule.words}, but this one has "
        f"{described(inputs, outputs)}"
    )


def fitting(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> list[Algorithm]:
    """Return the algorithms that the inputs and outputs of a network don't contradict."""
    kinds: tuple[Algorithm, ...] = get_args(Algorithm)
    return [kind for kind in kinds if misfit(kind, inputs, outputs) is None]


def classes(algorithm: Algorithm, outputs: Sequence[Shape]) -> int | None:
    """Return the number of classes that the outputs of a network show, None if they don't.

    Args:
        algorithm: The network's algorithm, which the outputs must fit.
        outputs: The shapes of its outputs.
    """
    rule = _rule(algorithm)
    return None if rule is None or not rule.fits(outputs) else rule.classes(outputs)


def _rule(algorithm: Algorithm) -> _Rule | None:
    return _RULES.get(algorithm, _READING if TASKS[algorithm] == "recognition" else None)


def certain(interface: Interface) -> tuple[Algorithm, str] | None:
    """Return the algorithm that a graph shows without doubt, with the reason; None if none."""
    inputs, outputs = shapes(interface)
    for sign, algorithm in _SIGNS.items():
        # SPIN feeds its choices back too, but numbers its classes in another way. It takes grey
        # pictures, as networks for attention may.
        if algorithm == "Attention" and interface.image.shape[1] == 1:
            continue
        if sign in interface.signs and misfit(algorithm, inputs, outputs) is None:
            return algorithm, sign
    # The shapes alone are a proof: nothing else has these channels, or SRN's five inputs.
    for kind in _BY_SHAPES:
        if misfit(kind, inputs, outputs) is None:
            return kind, f"it has {described(inputs, outputs)}"
    return None


def shapes(interface: Interface) -> tuple[list[Shape], list[Shape]]:
    """Return the shapes of a graph's inputs and outputs."""
    inputs, outputs = interface.inputs, interface.outputs
    return [port.shape for port in inputs], [port.shape for port in outputs]


def described(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> str:
    """Describe inputs and outputs, open sizes as "?"."""
    listed = ", ".join(
        "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
        for shape in outputs
    )
    number = "1 input" if len(inputs) == 1 else f"{len(inputs)} inputs"
    return f"{number} and the output{'s' if len(outputs) > 1 else ''} {listed or 'none'}"


_BY_SHAPES: tuple[Algorithm, ...] = ("EAST", "SAST", "PSE", "FCE", "CT", "PGNet", "SRN")
