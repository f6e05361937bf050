"""Fold the factor of an image's normalization into the first convolution.

    Conv((pixels * scale - mean) / std)  →  Conv'(pixels - zero)

The convolution's padding is zero after normalization, so the pixel value that becomes zero has to
be subtracted before; the factor can be part of the weights. One of three passes over the image is
left.
"""

from __future__ import annotations

import numpy as np

from ..graph.editor import Editor
from . import affine
from .affine_before_convolution import chain, fold_into, takes

WHY = "the factor of an image's normalization is part of the first convolution"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the steps that were replaced."""
    for cast in editor.nodes("Cast", "Floor"):
        first = editor.sole_consumer(cast.output[0], *affine.OPERATORS)
        step = None if first is None else affine.read(editor, first)
        if first is None or step is None:
            continue
        steps, step = chain(editor, first, step)
        end = steps[-1].output[0]
        consumers = editor.consumers(end)
        if len(steps) < 2 or not step.scale.all() or editor.is_output(end):
            continue
        if not all(takes(editor, node, end) for node in consumers):
            continue
        zero = step.offset / step.scale
        names = [node.name or node.output[0] for node in steps]
        factor = affine.Affine(step.value, step.scale, np.zeros(1))
        value = editor.new_name(f"{end}.centered") if zero.any() else step.value
        if zero.any():
            centre = zero.reshape(1, -1, 1, 1).astype(np.float32)
            editor.add_node("Add", [step.value, editor.add_constant(centre, f"{end}.zero")], value)
        for convolution in consumers:
            fold_into(editor, convolution, factor)
            convolution.input[0] = value
        return names
    return []
