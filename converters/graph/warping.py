"""Reduce a graph that unwarps pictures to the network that finds out where the flat page is.

An export of UVDoc does four things: it shrinks a picture of any size to `SEEN`; the network finds a
small grid of places; this is enlarged to the size of the picture; and the picture is sampled there.
Only the second is the network's work.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..errors import ParityError, TranslationError
from .editor import Editor, attribute
from .reading import shape
from .runner import Array, onnx_runner

# Height and width in pixels of what UVDoc sees of a picture. Exports have them built in.
SEEN = (712, 488)


def reduced(plain: bytes) -> bytes:
    """Return the graph without the steps around the network.

    Args:
        plain: A graph that takes a picture and returns it unwarped.

    Returns:
        The graph with the same input in the size `SEEN`, and one output, `grid`: float32
        [N, 2, rows, columns], where the points of a regular grid over the flat page are in the
        picture.

    Raises:
        TranslationError: The graph doesn't have these steps.
    """
    model = onnx.load_from_string(plain)
    editor = Editor(model)
    graph = model.graph
    picture = graph.input[0].name
    places = _sampled(editor, graph.output[0].name, picture)
    grid = _enlarged(editor, places)
    shrunk = _shrunk(editor, picture, plain)
    editor.remove(shrunk)
    del graph.input[:], graph.output[:]
    graph.input.append(
        helper.make_tensor_value_info(shrunk.output[0], TensorProto.FLOAT, ["N", 3, *SEEN])
    )
    graph.output.append(helper.make_tensor_value_info(grid, TensorProto.FLOAT, None))
    editor.tidy()
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def unwarped(pictures: Array, grids: Array, size: tuple[int, int] | None = None) -> Array:
    """Unwarp pictures as the graph does: enlarge the grids, and sample the pictures there.

    Args:
        pictures: float32 [N, C, H, W].
        grids: float32 [N, 2, rows, columns], x and y from -1 to 1.
        size: Height and width of the result; None for those of the pictures.

    Returns:
        float32 [N, C, height, width], zero where a page lies outside its picture.
    """
    number, channels, height, width = pictures.shape
    high, wide = size or (height, width)
    dense = _between(grids, np.linspace(0, grids.shape[2] - 1, high), axis=2)
    dense = _between(dense, np.linspace(0, grids.shape[3] - 1, wide), axis=3)
    x, y = ((dense[:, i] + 1) / 2 * (side - 1) for i, side in enumerate((width, height)))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    result = np.zeros((number, high, wide, channels), np.float64)
    rows = np.arange(number)[:, None, None]
    planes = pictures.transpose(0, 2, 3, 1)
    for across, share_x in ((left, 1 - (x - left)), (left + 1, x - left)):
        for down, share_y in ((top, 1 - (y - top)), (top + 1, y - top)):
            inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
            taken = planes[rows, np.clip(down, 0, height - 1), np.clip(across, 0, width - 1)]
            result += taken * (inside * share_x * share_y)[..., None]
    return np.asarray(result.transpose(0, 3, 1, 2), np.float32)


def _sampled(editor: Editor, output: str, picture: str) -> str:
    """Return the places, [N, H, W, 2], at which the picture is sampled to make the output."""
    node = editor.producer(_original(editor, output), "GridSample")
    if node is None or _original(editor, node.input[0]) != picture:
        raise _refused("its output is not its input, sampled at other places")
    mode = attribute(node, "mode", b"bilinear")
    zeros = attribute(node, "padding_mode", b"zeros")
    if (mode, zeros) not in ((b"bilinear", b"zeros"), (b"linear", b"zeros")):
        raise _refused(f"it samples its input with {mode.decode()} and {zeros.decode()}")
    if attribute(node, "align_corners", 0) != 1:
        raise _refused("it samples its input with align_corners=0")
    return str(node.input[1])


def _enlarged(editor: Editor, places: str) -> str:
    """Return the grid that was enlarged to get the places."""
    turned = editor.producer(_original(editor, places), "Transpose")
    if turned is not None and list(attribute(turned, "perm", [])) == [0, 2, 3, 1]:
        resized = editor.producer(_original(editor, turned.input[0]), "Resize")
        if resized is not None and _keeps_corners(resized):
            return str(resized.input[0])
    raise _refused("the places at which it samples its input are no enlarged grid")


def _shrunk(editor: Editor, picture: str, plain: bytes) -> onnx.NodeProto:
    """Return the node that shrinks the picture to `SEEN`, for the network."""
    for node in editor.nodes("Resize"):
        if _original(editor, node.input[0]) == picture and _keeps_corners(node):
            exposed = onnx.load_from_string(plain)
            value = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
            exposed.graph.output.append(value)
            run = onnx_runner(exposed.SerializeToString(), [node.output[0]])
            number, _, height, width = shape(exposed.graph.input[0])
            given = {(number or 1, 3, height or high, width or wide) for high, wide in _SIZES}
            try:
                sizes = {run([np.zeros(each, np.float32)])[0].shape[1:] for each in given}
            except ParityError as error:
                raise TranslationError(str(error)) from None
            if sizes == {(3, *SEEN)}:
                return node
            raise _refused(f"its network sees pictures in the sizes {sorted(sizes)}, not {SEEN}")
    raise _refused("no part of it sees the whole input in another size")


def _keeps_corners(node: onnx.NodeProto) -> bool:
    """Tell whether a resizing interpolates linearly between corner pixels that stay corners."""
    transformed = attribute(node, "coordinate_transformation_mode", b"half_pixel")
    return (attribute(node, "mode", b"nearest"), transformed) == (b"linear", b"align_corners")


def _original(editor: Editor, value: str) -> str:
    """Follow a value back through nodes that only pass it on."""
    while (node := editor.producer(value, "Identity", "Cast")) is not None:
        value = node.input[0]
    return value


def _between(values: Array, places: Array, axis: int) -> Array:
    """Interpolate linearly between the elements along an axis, in float64."""
    first = np.clip(np.floor(places), 0, values.shape[axis] - 2).astype(int)
    share = (places - first).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
    low, high = values.take(first, axis), values.take(first + 1, axis)
    return np.asarray(low + share * (high - low))


def _refused(why: str) -> TranslationError:
    return TranslationError(f"this is no graph of UVDoc as PaddleX exports it: {why}")


# Two sizes of pictures, to see that what the network sees doesn't depend on them.
_SIZES = ((256, 384), (96, 64))
