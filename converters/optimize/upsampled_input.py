"""Compute a convolution over enlarged maps before they are enlarged.

    Conv 3x3 (Concat(Resize 8x (a), Resize 4x (b), Resize 2x (c), d))
      →  Conv 3x3 (d) + crop(DepthToSpace(Conv 2x2 (Concat(Resize 4x (a), Resize 2x (b), c))))

where `Resize` repeats pixels. A 3 x 3 window on a map that was enlarged by two covers nine pixels,
but only 2 x 2 different ones, so each of a pixel's four children needs four products in place
of nine, with weights that are sums of the old ones:

    even rows see the pixel above and their own:   k0 | k1 + k2
    odd rows see their own and the pixel below:    k0 + k1 | k2

The four results are channels until `DepthToSpace` puts them side by side. That gives one more row
and column than needed at each edge, which are cropped, because the windows of even and odd rows
begin at different pixels. The feature pyramids of PP-OCR's detectors end in such a convolution.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ..graph.editor import Editor, attribute
from .concatenated_input import channels

WHY = "convolutions over enlarged maps are computed at the smaller size"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the convolutions that were replaced."""
    replaced = []
    for convolution in editor.nodes("Conv"):
        concat = editor.producer(convolution.input[0], "Concat")
        if concat is None or not _is_eligible(editor, convolution, concat):
            continue
        weights = editor.constant(convolution.input[1])
        sizes = [channels(editor, part) for part in concat.input]
        known = [size for size in sizes if size is not None]
        if weights is None or len(known) < len(sizes) or sum(known) != weights.shape[1]:
            continue
        ends = np.cumsum(known).tolist()
        parts = [
            (part, weights[:, end - size : end])
            for part, size, end in zip(concat.input, known, ends, strict=True)
        ]
        enlarged = [(part, own) for part, own in parts if scale(editor, part) is not None]
        others = [(part, own) for part, own in parts if scale(editor, part) is None]
        if not enlarged or not others:
            continue
        _replace(editor, concat, convolution, enlarged, others)
        editor.tidy()
        replaced.append(convolution.name or convolution.output[0])
    return replaced


def scale(editor: Editor, value: str) -> int | None:
    """Return the factor by which a value's pixels were repeated, None if they were not."""
    node = editor.producer(value, "Resize")
    if node is None or editor.sole_consumer(value, "Concat", "Add") is None:
        return None
    repeats = (
        attribute(node, "mode", b"nearest") == b"nearest"
        and attribute(node, "coordinate_transformation_mode", b"half_pixel") == b"asymmetric"
        and attribute(node, "nearest_mode", b"round_prefer_floor") == b"floor"
        and len(node.input) == 3
    )
    scales = editor.constant(node.input[2]) if repeats else None
    if scales is None or scales.shape != (4,) or not (scales[:2] == 1).all():
        return None
    by = int(scales[2])
    return by if by % 2 == 0 and scales[2] == scales[3] == by else None


def sub_pixel_weights(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Turn weights [M, C, 3, 3] for a map enlarged by two into [4 M, C, 2, 2] for the map.

    The order of the results is that of `DepthToSpace`: row and column of the child, then M. The
    first row is the odd one of the pixel above.
    """

    def halves(values: NDArray[Any], axis: int) -> NDArray[Any]:
        first, middle, last = (np.take(values, i, axis) for i in range(3))
        odd = np.stack([first + middle, last], axis)
        even = np.stack([first, middle + last], axis)
        return np.stack([odd, even])

    rows = halves(weights.astype(np.float64), 2)
    both = np.stack([halves(row, 3) for row in rows])
    return both.reshape(-1, *both.shape[3:])


def add_enlarged(editor: Editor, value: str, weights: NDArray[Any], like: str) -> str:
    """Add nodes that convolve a map as if it were enlarged by two; return their result's name."""
    name = editor.add_constant(sub_pixel_weights(weights).astype(np.float32), f"{like}.children")
    children, apart, cropped = (
        editor.new_name(f"{like}.{what}") for what in ("children", "apart", "enlarged")
    )
    editor.add_node("Conv", [value, name], children, kernel_shape=[2, 2], pads=[1, 1, 1, 1])
    editor.add_node("DepthToSpace", [children], apart, blocksize=2, mode="DCR")
    begin, end, axes = (
        editor.add_constant(np.array(numbers, np.int64), f"{like}.{what}")
        for what, numbers in (("begin", [1, 1]), ("end", [-1, -1]), ("axes", [2, 3]))
    )
    editor.add_node("Slice", [apart, begin, end, axes], cropped)
    return cropped


def is_three_by_three(convolution: onnx.NodeProto, weights: NDArray[Any] | None) -> bool:
    """Return whether a convolution is an ordinary 3 x 3 one that keeps its map's size."""
    return (
        weights is not None
        and weights.dtype == np.float32
        and weights.shape[2:] == (3, 3)
        and list(attribute(convolution, "strides", [1, 1])) == [1, 1]
        and list(attribute(convolution, "pads", [0])) == [1, 1, 1, 1]
        and list(attribute(convolution, "dilations", [1, 1])) == [1, 1]
        and attribute(convolution, "group", 1) == 1
        and attribute(convolution, "auto_pad", b"NOTSET") == b"NOTSET"
    )


def _is_eligible(editor: Editor, convolution: onnx.NodeProto, concat: onnx.NodeProto) -> bool:
    return (
        is_three_by_three(convolution, editor.constant(convolution.input[1]))
        and attribute(concat, "axis") in (1, -3)
        and editor.sole_consumer(concat.output[0], "Conv") is not None
    )


def _replace(
    editor: Editor,
    concat: onnx.NodeProto,
    convolution: onnx.NodeProto,
    enlarged: list[tuple[str, NDArray[Any]]],
    others: list[tuple[str, NDArray[Any]]],
) -> None:
    like = convolution.output[0]

    def together(values: list[str], what: str) -> str:
        if len(values) == 1:
            return values[0]
        output = editor.new_name(f"{like}.{what}")
        editor.add_node("Concat", values, output, axis=1)
        return output

    smaller = [_halved(editor, part) for part, _ in enlarged]
    from_smaller = add_enlarged(
        editor,
        together(smaller, "smaller"),
        np.concatenate([own for _, own in enlarged], axis=1),
        like,
    )
    own = np.concatenate([own for _, own in others], axis=1)
    inputs = [
        together([part for part, _ in others], "same"),
        editor.add_constant(own, convolution.input[1]),
        *convolution.input[2:],
    ]
    of_same = editor.new_name(f"{like}.of_same")
    node = editor.add_node("Conv", inputs, of_same)
    node.attribute.extend(convolution.attribute)
    editor.remove(concat, convolution)
    editor.add_node("Add", [of_same, from_smaller], like)


def _halved(editor: Editor, value: str) -> str:
    """Return the name of the value enlarged half as much."""
    resize = editor.producer(value, "Resize")
    assert resize is not None
    by = scale(editor, value)
    assert by is not None
    source: str = resize.input[0]
    if by == 2:
        return source
    scales = np.array([1, 1, by // 2, by // 2], np.float32)
    inputs = [source, resize.input[1], editor.add_constant(scales, resize.input[2])]
    output = editor.new_name(f"{value}.half")
    node = editor.add_node("Resize", inputs, output)
    node.attribute.extend(resize.attribute)
    return output
