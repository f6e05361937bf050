"""Fold the affine steps after a convolution into its weights.

    BatchNormalization(Conv(x))    →  Conv'(x)
    Conv(x) * scale + offset       →  Conv'(x)

where scale and offset are constants, one or one for each channel. PP-LCNetV3 has such a pair, its
learnable affine block, after every convolution (Cui et al. 2021, "PP-LCNet", and PaddleOCR's
rec_lcnetv3.py); ONNX Runtime folds pairs for each channel, but not single numbers.
"""

from __future__ import annotations

import numpy as np
import onnx

from ..graph.editor import Editor, attribute
from . import affine

WHY = "the affine steps after a convolution are folded into its weights"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the steps that were folded."""
    folded = []
    for convolution in editor.nodes("Conv", "ConvTranspose"):
        end = convolution.output[0]
        while (step := editor.sole_consumer(end, *affine.OPERATORS)) is not None:
            found = affine.read(editor, step)
            if found is None or not fold(editor, convolution, found):
                break
            folded.append(step.name or step.output[0])
            editor.remove(step)
            end = step.output[0]
        if end != convolution.output[0]:
            editor.replace(end, convolution.output[0])
    return folded


def fold(editor: Editor, convolution: onnx.NodeProto, step: affine.Affine) -> bool:
    """Make an affine step part of the weights; return False where it can't be."""
    weights = editor.constant(convolution.input[1])
    has_bias = len(convolution.input) > 2 and convolution.input[2] != ""
    bias = editor.constant(convolution.input[2]) if has_bias else np.zeros(1)
    if weights is None or bias is None or weights.ndim != 4 or weights.dtype != np.float32:
        return False
    transposed = convolution.op_type == "ConvTranspose"
    if transposed and attribute(convolution, "group", 1) != 1:
        return False
    channels = weights.shape[1 if transposed else 0]
    if max(step.scale.size, step.offset.size) > channels:
        return False  # a single channel becomes many
    scale, offset = (np.broadcast_to(each, channels) for each in (step.scale, step.offset))
    scaled = weights * scale.reshape((1, -1, 1, 1) if transposed else (-1, 1, 1, 1))
    set_weights(editor, convolution, scaled, bias * scale + offset)
    return True


def set_weights(
    editor: Editor, convolution: onnx.NodeProto, weights: affine.Numbers, bias: affine.Numbers
) -> None:
    """Give a convolution other weights, and a bias unless it is all zero."""
    name = convolution.input[1]
    inputs = [convolution.input[0], editor.add_constant(weights.astype(np.float32), name)]
    if bias.any():
        inputs.append(editor.add_constant(bias.astype(np.float32), f"{name}.bias"))
    convolution.input[:] = inputs
