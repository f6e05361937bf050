"""Make the bias after a matrix product one more row of the matrix.

    MatMul(x, W) + b  →  MatMul(Pad(x, 1), [W; b])

A classifier over ten thousand characters returns so many numbers that adding its bias takes
noticeable time; one more column of x costs nothing. ONNX Runtime fuses such a pair for matrices
only, not for [N, T, channels].
"""

from __future__ import annotations

import numpy as np

from ..graph.editor import Editor, attribute

WHY = "a bias after a large matrix product is a row of the matrix"

# Rows of results from which the pass over them takes longer than what replaces it.
SMALLEST = 1024
# Operators whose result has as many axes as their first operand, and operators whose result has as
# many as that one of their operands that has the most.
SAME_RANK = ("LayerNormalization", "Softmax", "Relu", "HardSwish")
LARGEST_RANK = ("Add", "Mul", "Div", "MatMul")


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the sums that were replaced."""
    replaced = []
    for product in editor.nodes("MatMul"):
        total = editor.sole_consumer(product.output[0], "Add")
        weights = editor.constant(product.input[1])
        if total is None or weights is None or weights.ndim != 2 or weights.shape[1] < SMALLEST:
            continue
        other = total.input[1] if total.input[0] == product.output[0] else total.input[0]
        bias = editor.constant(other)
        if bias is None or bias.shape != (weights.shape[1],) or bias.dtype != np.float32:
            continue
        rank = _rank(editor, product.input[0])
        if rank is None:
            continue
        like = product.input[1]
        pads = np.zeros(2 * rank, np.int64)
        pads[-1] = 1
        padded = editor.new_name(f"{product.input[0]}.padded")
        inputs = [
            product.input[0],
            editor.add_constant(pads, f"{padded}.pads"),
            editor.add_constant(np.ones((), np.float32), f"{padded}.one"),
        ]
        editor.add_node("Pad", inputs, padded)
        matrix = editor.add_constant(np.concatenate([weights, bias[None]]), like)
        editor.remove(product, total)
        editor.add_node("MatMul", [padded, matrix], total.output[0])
        editor.tidy()
        replaced.append(total.name or total.output[0])
    return replaced


def _rank(editor: Editor, value: str) -> int | None:
    """Return the number of axes of a value, None where the nodes before it don't tell."""
    if (constant := editor.constant(value)) is not None:
        return constant.ndim
    if (node := editor.producer(value, "Transpose")) is not None:
        return len(attribute(node, "perm", [])) or None
    if (node := editor.producer(value, *SAME_RANK)) is not None:
        return _rank(editor, node.input[0])
    if (node := editor.producer(value, *LARGEST_RANK)) is None:
        return None
    most = 0
    for operand in node.input:
        rank = _rank(editor, operand)
        if rank is None:
            return None
        most = max(most, rank)
    return most
