"""What a plain graph takes and gives, and which of PaddleOCR's algorithms gives just that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeocr.runtime.onnx_runtime import import_onnxruntime

from ..errors import ModelFormatError, TranslationError
from .onnx_graph import producers, shape

Algorithm: TypeAlias = Literal["DB", "EAST", "SAST", "PGNet", "CTC", "Attention", "SRN", "CLS"]
# All strides of PaddleOCR's networks divide this height, and SAST's and PGNet's, 128, too.
EXAMPLE_SIZES = (256, 384)
SRN_INPUTS = 5
# Which of SRN's five outputs is the one to read: the prediction, as PaddleOCR's own code does.
SRN_PREDICTION = 2


@dataclass(frozen=True)
class Port:
    """An input or output: shape with None for what may vary."""

    name: str
    dtype: str
    shape: list[int | None]


@dataclass(frozen=True)
class Signature:
    """A plain graph's interface.

    inputs: as the graph declares them, the image first.
    outputs: with the shapes of one run; sizes are None where they follow the input's.
    autoregressive: the graph feeds its own choices back, as attention decoders do.
    softmaxed: for each output whether a softmax made it.
    """

    inputs: list[Port]
    outputs: list[Port]
    autoregressive: bool
    softmaxed: list[bool]

    @property
    def image(self) -> Port:
        return self.inputs[0]

    def outputs_by_channels(self) -> dict[int, int]:
        """Channels of each 4-dimensional output → its position, the first where two have them."""
        found: dict[int, int] = {}
        for index, port in enumerate(self.outputs):
            if len(port.shape) == 4 and port.shape[1] is not None:
                found.setdefault(port.shape[1], index)
        return found


def examine(plain: bytes) -> Signature:
    """Load a plain graph and run it once; raises `TranslationError` when either fails."""
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        model = onnx.load_from_string(plain)
        session = ort.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
        raise TranslationError(f"the plain graph doesn't load: {error}") from None
    constants = {item.name for item in model.graph.initializer}
    inputs = [
        Port(item.name, _dtype(item), shape(item))
        for item in model.graph.input
        if item.name not in constants
    ]
    if not inputs or len(inputs[0].shape) != 4 or inputs[0].dtype != "float32":
        found = ", ".join(f"{port.dtype} {port.shape}" for port in inputs[:1]) or "nothing"
        raise ModelFormatError(
            f"the first input isn't an image float32 [N, C, H, W] but {found}: not one of "
            "PaddleOCR's text networks"
        )
    feeds = example(inputs, 1, *EXAMPLE_SIZES)
    names = [item.name for item in model.graph.output]
    try:
        results = session.run(names, dict(zip((port.name for port in inputs), feeds, strict=True)))
    except Exception as error:
        raise TranslationError(f"the plain graph doesn't run: {error}") from None
    declared = {item.name: shape(item) for item in model.graph.output}
    outputs = [
        Port(name, str(result.dtype), _observed(declared[name], list(result.shape)))
        for name, result in zip(names, results, strict=True)
    ]
    autoregressive = any(node.op_type == "ArgMax" for node in model.graph.node)
    softmaxed = [_is_softmax(model.graph, name) for name in names]
    return Signature(inputs, outputs, autoregressive, softmaxed)


def example(inputs: list[Port], number: int, height: int, width: int) -> list[NDArray[Any]]:
    """Zeros for an image of that size, fixed sizes before given ones, and SRN's constants."""
    feeds: list[NDArray[Any]] = []
    for port in inputs:
        if not feeds:
            given: list[int] = [number, 3, height, width]
            sizes = [fixed or wish for fixed, wish in zip(port.shape, given, strict=True)]
            feeds.append(np.zeros(sizes, port.dtype))
        else:
            feeds.append(np.repeat(srn_constant(port, len(feeds)), len(feeds[0]), axis=0))
    return feeds


def srn_constant(port: Port, position: int) -> NDArray[Any]:
    """What PaddleOCR feeds into SRN's input at `position` (1 to 4), for a batch of one.

    1 and 2 are the positions of the encoder's cells and of the characters, 3 and 4 the masks of
    the forward and backward attention: -1e9 above and below the diagonal.
    """
    sizes = port.shape[1:]
    if position > 4 or not all(sizes) or len(sizes) != (2 if position < 3 else 3):
        raise ModelFormatError(f"input {port.name} {port.shape} is none of SRN's")
    full = [size or 1 for size in sizes]
    if position < 3:
        return np.arange(full[0], dtype=port.dtype).reshape(1, full[0], 1)
    ones = np.ones(full)
    mask = np.triu(ones, 1) if position == 3 else np.tril(ones, -1)
    return (mask * -1e9).astype(port.dtype)[None]


def algorithm(signature: Signature) -> Algorithm:
    """Which algorithm's outputs these are; raises `ModelFormatError` when none's."""
    shapes = [port.shape for port in signature.outputs]
    channels = set(signature.outputs_by_channels())
    if len(signature.inputs) == SRN_INPUTS:
        return "SRN"
    if len(signature.inputs) == 1:
        # The server detectors' two maps are of the same kind.
        if len(shapes) in (1, 2) and channels == {1}:
            return "DB"
        if len(shapes) == 2 and channels == {1, 8}:
            return "EAST"
        if len(shapes) == 4 and channels == {1, 2, 4, 8}:
            return "SAST"
        if len(shapes) == 4 and len(channels) == 4 and {1, 2, 4} < channels:
            return "PGNet"
        if len(shapes) == 1 and len(shapes[0]) == 3:
            return "Attention" if signature.autoregressive else "CTC"
        if len(shapes) == 1 and len(shapes[0]) == 2:
            return "CLS"
    raise ModelFormatError(
        f"a network with {len(signature.inputs)} inputs and outputs of the shapes {shapes} is none "
        "of DB, EAST, SAST, PGNet, CTC, attention, SRN or the direction classifier"
    )


def _observed(declared: list[int | None], seen: list[int]) -> list[int | None]:
    if len(declared) != len(seen):
        return [None, *seen[1:]]
    # Channels and classes are last or second; a declared size that run time contradicts is none.
    return [
        size if declared[axis] == size or axis == (1 if len(seen) == 4 else len(seen) - 1) else None
        for axis, size in enumerate(seen)
    ]


def _is_softmax(graph: onnx.GraphProto, name: str) -> bool:
    made_by = producers(graph)
    node = made_by.get(name)
    while node is not None and node.op_type in ("Identity", "Reshape", "Cast", "Dropout"):
        node = made_by.get(node.input[0])
    return node is not None and node.op_type == "Softmax"


def _dtype(item: onnx.ValueInfoProto) -> str:
    return str(onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type))
