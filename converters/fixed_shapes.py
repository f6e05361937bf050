"""Give a graph fixed input shapes, so that every size in it is known, as compilers for NPUs need.

The sizes that a graph computes from its input's shape become constants, and so does everything that
depends on nothing else. What the graph computes doesn't change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from .errors import ConverterError, TranslationError
from .graph.editor import Editor, checked
from .graph.interface import MAX_VALUES
from .graph.reading import inferred_shapes, inputs, shape
from .model.network import Network
from .optimize import constants
from .paddle.declared import Shape

# How many values with open sizes an error lists.
LISTED = 5
# Input's name → its shape. None stands for the image, which is the first input.
Shapes = Mapping[str | None, Sequence[int]]


def distinct(shapes: Sequence[tuple[str | None, Sequence[int]]]) -> Shapes:
    """Return shapes by the names of their inputs.

    Raises:
        ConverterError: An input has two shapes, or one that is too large to be run.
    """
    found = dict(shapes)
    if len(found) < len(shapes):
        names = [name for name, _ in shapes]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConverterError(f"--shape: {twice or 'the image'} has more than one")
    for name, sizes in shapes:
        if math.prod(sizes) > MAX_VALUES:
            raise ConverterError(
                f"--shape {_stated(name, sizes)}: the input would have {math.prod(sizes)} values; "
                f"at most {MAX_VALUES} can be run, as many as a picture of 4096 x 4096 pixels has"
            )
    return found


def check(shapes: Shapes, declared: Sequence[Shape], names: Sequence[str]) -> None:
    """Check that shapes fit the inputs of a network.

    Args:
        shapes: The wanted shapes.
        declared: The shapes of the network's inputs as it declares them, None for open sizes.
        names: The inputs' names.

    Raises:
        ConverterError: A shape contradicts its input, there is no input of its name, or the image
            has one shape with its name and one without.
    """
    if None in shapes and names and names[0] in shapes:
        raise ConverterError(
            f"--shape: the image has two, {_stated(None, shapes[None])} and "
            f"{_stated(names[0], shapes[names[0]])}; give one of them"
        )
    for name, wanted in shapes.items():
        if name is not None and name not in names:
            raise ConverterError(
                f"--shape {_stated(name, wanted)}: the network has no input {name}; its inputs "
                f"are {', '.join(names)}"
            )
        if not declared:
            raise ConverterError(f"--shape {_stated(name, wanted)}: the network has no input")
        sizes = declared[0 if name is None else names.index(name)]
        if len(wanted) != len(sizes) or any(
            size not in (given, None) for size, given in zip(sizes, wanted, strict=True)
        ):
            raise ConverterError(
                f"--shape {_stated(name, wanted)}: the network's input is {_by(sizes)}; only "
                "its open sizes (?) can be chosen"
            )


def check_strides(shapes: Shapes, network: Network, names: Sequence[str]) -> None:
    """Check that a network can work at the wanted size of its image.

    Args:
        shapes: The wanted shapes, which fit the network's inputs.
        network: What the network is.
        names: The inputs' names, the image's first.

    Raises:
        ConverterError: The size isn't the one that the network's settings fix, or isn't a multiple
            of its strides.
    """
    image = None if None in shapes else next(iter(names), None)
    sizes = shapes.get(image, ())
    if len(sizes) != 4:
        return
    for name, size, fixed in zip(
        ("height", "width"), sizes[2:], (network.height, network.width), strict=True
    ):
        if fixed not in (size, None):
            raise ConverterError(
                f"--shape {_stated(image, sizes)}: {network.known_by} fixes the {name} of "
                f"{network.name} at {fixed}"
            )
        if network.task in ("detection", "spotting") and size % network.multiple:
            raise ConverterError(
                f"--shape {_stated(image, sizes)}: the {name} must be a multiple of "
                f"{network.multiple}, the strides of networks for {network.algorithm}"
            )


def fix(graph: bytes, shapes: Shapes, name: str = "plain graph") -> bytes:
    """Fix the shapes of a graph's inputs and compute everything that follows from them.

    Args:
        graph: The ONNX file.
        shapes: The wanted shapes. An input without one gets the image's batch size; its other sizes
            must be fixed already.
        name: What the error calls the graph.

    Returns:
        The graph, in which no size is open.

    Raises:
        ConverterError: A shape contradicts its input.
        TranslationError: A size doesn't follow from the input's shape, so it can't be fixed.
    """
    model = onnx.load_from_string(graph)
    fed = inputs(model.graph)
    check(shapes, [shape(item) for item in fed], [item.name for item in fed])
    chosen = {item.name: shapes[item.name] for item in fed if item.name in shapes}
    if None in shapes:
        chosen.setdefault(fed[0].name, shapes[None])
    for item in fed:
        sizes = item.type.tensor_type.shape.dim
        if item.name in chosen:
            for size, given in zip(sizes, chosen[item.name], strict=True):
                size.dim_value = given
        elif sizes and not sizes[0].HasField("dim_value"):
            sizes[0].dim_value = fed[0].type.tensor_type.shape.dim[0].dim_value or 1
    known = _folded(model)
    for item in model.graph.output:
        for size, found in zip(item.type.tensor_type.shape.dim, known[item.name], strict=False):
            if found is not None:
                size.dim_value = found
    _require_fixed(model, known, name)
    return checked(model)


def _folded(model: onnx.ModelProto) -> dict[str, list[int | None]]:
    """Turn computed sizes into constants, as long as this makes further sizes known."""
    del model.graph.value_info[:]
    for item in model.graph.output:  # sizes that were declared open would stay open
        for size in item.type.tensor_type.shape.dim:
            size.ClearField("dim_param")
    while True:
        known = inferred_shapes(model)
        editor = Editor(model)
        folded = _fold_shapes(editor, known)
        editor.tidy()
        folded += constants.rewrite(editor)
        editor.tidy()
        if not folded:
            return known


def _fold_shapes(editor: Editor, known: Mapping[str, list[int | None]]) -> list[str]:
    """Replace each `Shape` of a value whose sizes are known by these sizes."""
    folded = []
    for node in editor.nodes("Shape"):
        sizes = known.get(node.input[0])
        if sizes is None or None in sizes:
            continue
        attributes = {item.name: item.i for item in node.attribute}
        part = sizes[attributes.get("start", 0) : attributes.get("end", len(sizes))]
        editor.set_constant(node.output[0], np.array(part, np.int64))
        folded.append(node.output[0])
        editor.remove(node)
    return folded


def _require_fixed(
    model: onnx.ModelProto, known: Mapping[str, list[int | None]], name: str
) -> None:
    wrong = [
        f"{output} of {node.op_type}"
        for node in model.graph.node
        for output in node.output
        if output and (output not in known or None in known[output])
    ]
    if wrong:
        listed = ", ".join(wrong[:LISTED]) + (", …" if len(wrong) > LISTED else "")
        one = len(wrong) == 1
        kept = "1 value keeps an open size" if one else f"{len(wrong)} values keep open sizes"
        raise TranslationError(
            f"the shapes of the {name} can't be fixed: {kept}, {listed}: try other sizes, or "
            "convert without --shape"
        )


def _stated(name: str | None, sizes: Sequence[int]) -> str:
    """Return a shape as the caller states it on the command line."""
    return f"{'' if name is None else f'{name}='}{_by(sizes)}"


def _by(sizes: Sequence[int | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in sizes)
