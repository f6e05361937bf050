"""Add an enlarged map before a gate in place of after it.

    x * m + Resize(a)  →  (x + Resize(a * (1 / m))) * m

`m` is a gate plus one, so it is at least one for each channel. `a` is a quarter as large as the map
or smaller, so dividing it costs little, and the sum becomes part of the convolution that computes
x. The gate can then move past the depthwise convolution that follows (`gate_in_product`); without
one the rewrite would save nothing. The feature pyramids of PP-OCRv6 have this pattern.

A 1x1 pooling stands before the enlargement. It changes nothing, but it is an operator that ONNX
Runtime computes in its blocked layout (NCHWc), and from there the enlargement and the sum stay in
that layout.
"""

from __future__ import annotations

import numpy as np
import onnx

from ..graph.editor import Editor
from . import equal_sizes, gate_in_product
from .concatenated_input import channels
from .gate_in_product import gated
from .upsampled_input import scale

WHY = "enlarged maps are added before a gate, within a convolution"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the sums that were replaced."""
    replaced = []
    for total in editor.nodes("Add"):
        for position in (0, 1):
            product, wide = total.input[position], total.input[1 - position]
            if _is_eligible(editor, total, product, wide):
                _replace(editor, total, product, wide)
                editor.tidy()
                replaced.append(total.name or total.output[0])
                break
    return replaced


def _is_eligible(editor: Editor, total: onnx.NodeProto, product: str, wide: str) -> bool:
    found = gated(editor, product)
    if found is None or editor.sole_consumer(product, "Add") is None:
        return False
    if scale(editor, wide) is None or editor.is_output(total.output[0]):
        return False
    if editor.producer(found.value, "Conv") is None or channels(editor, found.value) is None:
        return False
    readers = editor.consumers(total.output[0])
    return any(gate_in_product.follows(editor, reader) is not None for reader in readers)


def _replace(editor: Editor, total: onnx.NodeProto, product: str, wide: str) -> None:
    found = gated(editor, product)
    size = None if found is None else channels(editor, found.value)
    resize, multiplication = editor.producer(wide, "Resize"), editor.producer(product, "Mul")
    assert found is not None and size is not None and resize and multiplication
    like = total.output[0]
    small, factor = resize.input[0], editor.new_name(f"{found.gate}.inverse")
    one = editor.add_constant(np.ones(1, np.float32), f"{found.gate}.one")
    editor.add_node("Div", [one, found.gate], factor)
    if (before := gated(editor, small)) is not None:
        # The smaller map is gated too: one multiplication by the quotient of the gates is enough.
        small, quotient = before.value, editor.new_name(f"{found.gate}.quotient")
        editor.add_node("Mul", [before.gate, factor], quotient)
        factor = quotient
    divided, same, larger, summed = (
        editor.new_name(f"{like}.{what}") for what in ("divided", "same", "larger", "sum")
    )
    editor.add_node("Mul", [small, factor], divided)
    editor.add_node("MaxPool", [divided], same, kernel_shape=[1, 1])
    enlarged = editor.add_node("Resize", [same, *resize.input[1:]], larger)
    enlarged.attribute.extend(resize.attribute)
    editor.add_node("Add", [found.value, larger], summed)
    equal_sizes.declare(editor, [found.value, larger], size, like)
    editor.remove(total, multiplication, resize)
    editor.add_node("Mul", [summed, found.gate], like)
