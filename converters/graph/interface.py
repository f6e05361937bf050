"""Find a plain graph's inputs and outputs, and the signs of the algorithm that it is for."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from ..errors import ModelFormatError, TranslationError
from .reading import blocks, producers, shape
from .runner import onnx_runner

# Height and width of the example input; the strides of all PaddleOCR's networks divide both.
EXAMPLE_SIZES = (256, 384)
# The most values of an input: those of a colour picture of 4096 x 4096 pixels. The network is run
# on it, and what it computes on the way takes many times the memory of its input.
MAX_VALUES = 3 * 4096 * 4096
# The picture and four constant inputs, see `srn_constant`.
SRN_INPUTS = 5
# What a graph shows when it runs, from which an algorithm may follow. Shapes alone prove little.
Sign: TypeAlias = Literal[
    "its output is a map of probabilities as large as the image",
    "the number of its positions follows the width of the image, and it feeds nothing back",
    "it feeds its choices back as one-hot vectors",
    "it samples the image itself at places that it computes",
]
_FULL_MAP, _FOLLOWS_WIDTH, _ONE_HOT, _SAMPLES_IMAGE = get_args(Sign)


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
    signs: frozenset[Sign] = frozenset()
    """What the graph shows of its algorithm."""

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


def examine(plain: bytes, height: int | None = None, width: int | None = None) -> Interface:
    """Load a plain graph and run it once to find out its interface.

    Args:
        plain: The ONNX file.
        height: Height in pixels of a picture that the network takes; None for any.
        width: The width. PARSeq's exports leave it open, but take one only.

    Raises:
        TranslationError: If the graph doesn't load or run.
        ModelFormatError: If its first input isn't an image, or is larger than any network's.
    """
    shown = _structure(plain)
    inputs = shown.inputs
    if not inputs or len(inputs[0].shape) != 4 or inputs[0].dtype != "float32":
        found = ", ".join(f"{port.dtype} {port.shape}" for port in inputs[:1]) or "nothing"
        raise ModelFormatError(
            f"the first input must be an image, float32 [N, C, H, W], not {found}; this isn't one "
            "of PaddleOCR's text networks"
        )
    run = onnx_runner(plain, list(shown.outputs), error=TranslationError)
    feeds = example(inputs, 1, height or EXAMPLE_SIZES[0], width or EXAMPLE_SIZES[1])
    results = run(feeds)
    maps = {result.shape[2:] for result in results if result.ndim == 4}
    outputs = [
        Port(name, str(result.dtype), _observed(declared, result.shape, maps))
        for (name, declared), result in zip(shown.outputs.items(), results, strict=True)
    ]
    signs: set[Sign] = {_ONE_HOT} if shown.feeds_one_hot else set()
    if all(_is_full_map(result, feeds[0]) for result in results):
        signs.add(_FULL_MAP)
    if shown.samples_image:
        signs.add(_SAMPLES_IMAGE)
    open_line = len(inputs) == 1 and inputs[0].shape[3] is None and results[0].ndim == 3
    if open_line and not shown.autoregressive and not shown.controlled:
        wider = example(inputs, 1, height or EXAMPLE_SIZES[0], 2 * feeds[0].shape[3])
        with contextlib.suppress(TranslationError):  # a network that takes one width only
            if run(wider)[0].shape[1] > results[0].shape[1]:
                signs.add(_FOLLOWS_WIDTH)
    return Interface(inputs, outputs, shown.autoregressive, shown.softmaxed, frozenset(signs))


@dataclass(frozen=True)
class _Structure:
    """What a graph's file shows without a run; `controlled`: it has blocks, such as a loop's."""

    inputs: list[Port]
    outputs: dict[str, list[int | None]]
    autoregressive: bool
    controlled: bool
    feeds_one_hot: bool
    samples_image: bool
    softmaxed: list[bool]


def _structure(plain: bytes) -> _Structure:
    """Read a graph's file; its contents are freed at the end.

    Raises:
        TranslationError: If it isn't an ONNX file.
    """
    try:
        graph = onnx.load_from_string(plain).graph
        if not graph.node:
            raise ValueError("it has no nodes")
    except Exception as error:  # protobuf's exceptions have no common base class
        raise TranslationError(f"the plain graph doesn't load: {error}") from None
    constants = {item.name for item in graph.initializer}
    return _Structure(
        [
            Port(item.name, _dtype(item), shape(item))
            for item in graph.input
            if item.name not in constants
        ],
        {item.name: shape(item) for item in graph.output},
        any(node.op_type == "ArgMax" for node in graph.node),
        any(map(blocks, graph.node)),
        _feeds_one_hot(graph),
        _samples_image(graph),
        [_is_softmax(graph, item.name) for item in graph.output],
    )


def example(inputs: list[Port], number: int, height: int, width: int) -> list[NDArray[Any]]:
    """Make example inputs: a black image, and what the graph wants beside it.

    Args:
        inputs: The graph's inputs; sizes that they fix take precedence.
        number: The batch size.
        height: The image's height in pixels.
        width: The image's width in pixels.

    Raises:
        ModelFormatError: The image would be larger than any network's.
    """
    feeds: list[NDArray[Any]] = []
    for port in inputs:
        if not feeds:
            given: list[int] = [number, 3, height, width]
            sizes = [
                wish if fixed is None else fixed
                for fixed, wish in zip(port.shape, given, strict=True)
            ]
            if min(sizes) < 1 or math.prod(sizes) > MAX_VALUES:
                raise ModelFormatError(f"no network can be run on an image of the shape {sizes}")
            feeds.append(np.zeros(sizes, port.dtype))
        else:
            value = further_input(inputs, len(feeds))
            feeds.append(np.repeat(value, len(feeds[0]), axis=0))
    return feeds


def is_ratio(port: Port) -> bool:
    """Tell whether an input is the share of each image's width that isn't padding, [N] or [N, 1].

    SAR and RobustScanner have it.
    """
    return port.dtype == "float32" and port.shape[1:] in ([], [1])


def further_input(inputs: list[Port], position: int) -> NDArray[Any]:
    """Compute what PaddleOCR feeds into an input after the image, for a batch of one.

    Args:
        inputs: The graph's inputs.
        position: The input's index.

    Returns:
        One of SRN's constants; or, for SAR and RobustScanner, the share of an image without padding
        (which `edge_graph` computes for other images), or the positions of the characters, [1, T].

    Raises:
        ModelFormatError: If no network of PaddleOCR has such an input.
    """
    port = inputs[position]
    if len(inputs) == SRN_INPUTS:
        return srn_constant(port, position)
    if position == 1 and is_ratio(port):
        return np.ones([1] * len(port.shape), np.float32)
    if position == 2 and port.dtype == "int64" and len(port.shape) == 2 and port.shape[1]:
        return np.arange(port.shape[1], dtype=np.int64)[None]
    raise ModelFormatError(
        f"no network of PaddleOCR has the input {port.name}, {port.dtype} {port.shape}, beside "
        f"{len(inputs) - 1} others"
    )


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


def _observed(
    declared: list[int | None], seen: tuple[int, ...], maps: set[tuple[int, ...]]
) -> list[int | None]:
    """Return the sizes of an output, None for open ones.

    Args:
        declared: The sizes that the graph declares.
        seen: The output's shape in a run.
        maps: The height and width of each of the graph's maps with channels in that run.
    """
    if len(declared) != len(seen):
        return [None, *seen[1:]]
    # The channels of a map (axis 1) and the classes (last axis) are fixed. Other sizes are fixed
    # only if the graph declares the size that the run produced. An output without channels that is
    # as large as a map beside it, such as CT's score, has no classes.
    fixed = None if seen[1:] in maps else 1 if len(seen) == 4 else len(seen) - 1
    return [
        size if declared[axis] == size or axis == fixed else None for axis, size in enumerate(seen)
    ]


def _is_full_map(result: NDArray[Any], image: NDArray[Any]) -> bool:
    """Tell whether an output is one map of probabilities for each image, and as large as it."""
    if result.shape != (len(image), 1, *image.shape[2:]):
        return False
    return bool(result.min() >= 0 and result.max() <= 1)


def _feeds_one_hot(graph: onnx.GraphProto) -> bool:
    """Tell whether choices become one-hot vectors, from which a graph goes on computing.

    Translators write them as OneHot, or as a comparison with the numbers of all classes.
    """
    made_by = producers(graph)
    constants = {item.name: item for item in graph.initializer}

    def is_choice(name: str) -> bool:
        node = made_by.get(name)
        while node is not None and node.op_type in ("Unsqueeze", "Reshape", "Cast"):
            node = made_by.get(node.input[0])
        return node is not None and node.op_type == "ArgMax"

    def numbers_classes(name: str) -> bool:
        if name not in constants:
            return False
        array = numpy_helper.to_array(constants[name])
        return array.ndim == 1 and len(array) > 1 and np.array_equal(array, np.arange(len(array)))

    return any(
        is_choice(node.input[0]) and (node.op_type == "OneHot" or numbers_classes(node.input[1]))
        for node in graph.node
        if node.op_type in ("OneHot", "Equal")
    )


def _samples_image(graph: onnx.GraphProto) -> bool:
    """Tell whether the only output of a graph is its input, sampled at other places."""
    made_by = producers(graph)

    def original(name: str) -> str:
        """Follow a value back through nodes that only pass it on."""
        while (node := made_by.get(name)) is not None and node.op_type in ("Identity", "Cast"):
            name = node.input[0]
        return name

    outputs = [made_by.get(original(item.name)) for item in graph.output]
    if len(outputs) != 1 or outputs[0] is None or outputs[0].op_type != "GridSample":
        return False
    return bool(graph.input) and original(outputs[0].input[0]) == graph.input[0].name


def _is_softmax(graph: onnx.GraphProto, name: str) -> bool:
    """Tell whether a softmax computed a value, also in parts that are joined along axis 1."""
    made_by = producers(graph)
    left, seen = [name], set()
    while left:
        value = left.pop()
        if value in seen:
            continue
        seen.add(value)
        node = made_by.get(value)
        if node is None:
            return False
        if node.op_type == "Concat" and any(
            item.name == "axis" and item.i == 1 for item in node.attribute
        ):
            left += node.input  # the positions of a loop, one after the other
        elif node.op_type in ("Identity", "Reshape", "Cast", "Dropout", "Unsqueeze"):
            left.append(node.input[0])
        elif node.op_type != "Softmax":
            return False
    return True


def _dtype(item: onnx.ValueInfoProto) -> str:
    try:
        return str(onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type))
    except KeyError:  # no tensor, or of a type that NumPy doesn't have
        return "unknown"
