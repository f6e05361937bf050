"""Find out a plain graph's inputs and outputs, and which of PaddleOCR's algorithms has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeocr.runtime.onnx_runtime import import_onnxruntime

from ..catalog.entries import Algorithm
from ..errors import ModelFormatError, TranslationError
from .reading import producers, shape

# Height and width of the example input; the strides of all PaddleOCR's networks divide both.
EXAMPLE_SIZES = (256, 384)
# The picture and four constant inputs, see `srn_constant`.
SRN_INPUTS = 5
# The index of SRN's prediction among its five outputs, the one that PaddleOCR reads.
SRN_PREDICTION = 2


@dataclass(frozen=True)
class Port:
    """An input or output of a graph."""

    name: str
    dtype: str
    """NumPy's name of the type, such as "float32"."""
    shape: list[int | None]
    """Sizes, None for open ones."""


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a plain graph."""

    inputs: list[Port]
    """The inputs as the graph declares them, the image first."""
    outputs: list[Port]
    """The outputs with the shapes of one run; sizes that follow the input's are None."""
    autoregressive: bool
    """Whether the graph feeds its own choices back, as attention decoders do."""
    softmaxed: list[bool]
    """For each output, whether a softmax computed it."""

    @property
    def image(self) -> Port:
        """The first input."""
        return self.inputs[0]

    def outputs_by_channels(self) -> dict[int, int]:
        """Map the number of channels of each 4-dimensional output to the output's index.

        If two outputs have as many channels, the first one counts.
        """
        found: dict[int, int] = {}
        for index, port in enumerate(self.outputs):
            if len(port.shape) == 4 and port.shape[1] is not None:
                found.setdefault(port.shape[1], index)
        return found


def examine(plain: bytes) -> Interface:
    """Load a plain graph and run it once to find out its interface.

    Args:
        plain: The ONNX file.

    Raises:
        TranslationError: If the graph doesn't load or run.
        ModelFormatError: If its first input isn't an image.
    """
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        model = onnx.load_from_string(plain)
        session = ort.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base class
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
            f"the first input must be an image, float32 [N, C, H, W], not {found}; this isn't one "
            "of PaddleOCR's text networks"
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
    return Interface(inputs, outputs, autoregressive, softmaxed)


def example(inputs: list[Port], number: int, height: int, width: int) -> list[NDArray[Any]]:
    """Make example inputs: a black image, and SRN's constants if the graph wants them.

    Args:
        inputs: The graph's inputs; sizes that they fix take precedence.
        number: The batch size.
        height: The image's height in pixels.
        width: The image's width in pixels.
    """
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
    """Compute what PaddleOCR feeds into one of SRN's constant inputs, for a batch of one.

    Args:
        port: The input.
        position: Its index. 1 and 2 are the positions of the encoder's cells and of the
            characters; 3 and 4 are the masks of the forward and backward attention, -1e9 above
            and below the diagonal.

    Raises:
        ModelFormatError: If SRN has no such input.
    """
    sizes = port.shape[1:]
    if position > 4 or not all(sizes) or len(sizes) != (2 if position < 3 else 3):
        raise ModelFormatError(f"the input {port.name} of shape {port.shape} is not one of SRN's")
    full = [size or 1 for size in sizes]
    if position < 3:
        return np.arange(full[0], dtype=port.dtype).reshape(1, full[0], 1)
    ones = np.ones(full)
    mask = np.triu(ones, 1) if position == 3 else np.tril(ones, -1)
    return (mask * -1e9).astype(port.dtype)[None]


def algorithm(interface: Interface) -> Algorithm:
    """Recognize the algorithm by a graph's interface.

    Raises:
        ModelFormatError: If no algorithm has such inputs and outputs.
    """
    shapes = [port.shape for port in interface.outputs]
    channels = set(interface.outputs_by_channels())
    if len(interface.inputs) == SRN_INPUTS:
        return "SRN"
    if len(interface.inputs) == 1:
        # The server detectors have two maps of one channel.
        if len(shapes) in (1, 2) and channels == {1}:
            return "DB"
        if len(shapes) == 2 and channels == {1, 8}:
            return "EAST"
        if len(shapes) == 4 and channels == {1, 2, 4, 8}:
            return "SAST"
        if len(shapes) == 4 and len(channels) == 4 and {1, 2, 4} < channels:
            return "PGNet"
        if len(shapes) == 1 and len(shapes[0]) == 3:
            return "Attention" if interface.autoregressive else "CTC"
        if len(shapes) == 1 and len(shapes[0]) == 2:
            return "CLS"
    raise ModelFormatError(
        f"a network with {len(interface.inputs)} inputs and outputs of the shapes {shapes} is not "
        "one of DB, EAST, SAST, PGNet, CTC, attention, SRN and the orientation classifier"
    )


def _observed(declared: list[int | None], seen: list[int]) -> list[int | None]:
    if len(declared) != len(seen):
        return [None, *seen[1:]]
    # The channels of a map (axis 1) and the classes (last axis) are fixed. Other sizes are fixed
    # only if the graph declares the size that the run produced.
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
    try:
        return str(onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type))
    except KeyError:  # no tensor, or of a type that NumPy doesn't have
        return "unknown"
