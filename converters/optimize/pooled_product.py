"""Take a map's mean before a 1x1 convolution in place of after it.

    GlobalAveragePool(Conv 1x1 (x))  →  Conv 1x1 (GlobalAveragePool(x))

The mean of weighted sums is the weighted sum of the means. The map before the convolution is
smaller where it has fewer channels, and the map after it has one reader less, so that a sum that
reads it can become part of the convolution. The gates of PP-OCR's feature pyramids have this
pattern.
"""

from __future__ import annotations

import onnx

from ..graph.editor import Editor, attribute, is_unpadded

WHY = "means over maps are taken before 1x1 convolutions that add channels"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the poolings that were replaced."""
    replaced = []
    for pooling in editor.nodes("GlobalAveragePool"):
        value, convolutions = pooling.input[0], []
        while (convolution := _adds_channels(editor, value)) is not None:
            convolutions.append(convolution)
            value = convolution.input[0]
        if not convolutions:
            continue
        mean = editor.new_name(f"{value}.mean")
        editor.add_node("GlobalAveragePool", [value], mean)
        editor.remove(pooling)
        for convolution in reversed(convolutions):
            inputs = [mean, *convolution.input[1:]]
            is_last = convolution is convolutions[0]
            mean = pooling.output[0] if is_last else editor.new_name(f"{value}.mean")
            editor.add_node("Conv", inputs, mean, kernel_shape=[1, 1])
        editor.tidy()
        replaced.append(pooling.name or pooling.output[0])
    return replaced


def _adds_channels(editor: Editor, value: str) -> onnx.NodeProto | None:
    """Return the 1x1 convolution that computes a value; None if it reduces the channels."""
    convolution = editor.producer(value, "Conv")
    weights = None if convolution is None else editor.constant(convolution.input[1])
    if convolution is None or weights is None:
        return None
    fits = (
        weights.shape[2:] == (1, 1)
        and weights.shape[1] <= weights.shape[0]
        and attribute(convolution, "group", 1) == 1
        and list(attribute(convolution, "strides", [1, 1])) == [1, 1]
        and is_unpadded(convolution)
    )
    return convolution if fits else None
