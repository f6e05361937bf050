"""Choose the best of many classes in two steps: a group of classes, then a class of the group.

    TopK(scores)  →  TopK(MaxPool 32 (scores)), and TopK of the 32 scores of the best group

`TopK` compares one number at a time, `MaxPool` sixteen or so. Both steps take the first of equal
scores, so the choice stays the same. If the last group would reach beyond the last class, it begins
earlier instead: a score that it shares with the group before it is found in that group first.
"""

from __future__ import annotations

import numpy as np
import onnx

from ..graph.editor import Editor, attribute
from .bias_in_product import SMALLEST

WHY = "the best of many classes is chosen by groups"

# Classes of a group: of 16, 32, 64, 96 and 128 the fastest on an Intel Xeon with AVX-512 for 6906
# and 18710 classes.
GROUP = 32


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the choices that were replaced."""
    replaced = []
    for choice in editor.nodes("TopK"):
        number = _classes(editor, choice)
        if number is not None and number >= SMALLEST:
            _replace(editor, choice, number)
            editor.tidy()
            replaced.append(choice.name or choice.output[-1])
    return replaced


def undo(editor: Editor) -> bool:
    """Make the two steps one again, so that the number of classes can be changed.

    Returns:
        Whether there was a choice in two steps.
    """
    for gather in editor.nodes("GatherElements"):
        readers = editor.consumers(gather.input[0])
        pool = next((node for node in readers if node.op_type == "MaxPool"), None)
        first = None if pool is None else editor.sole_consumer(pool.output[0], "TopK")
        second = editor.sole_consumer(gather.output[0], "TopK")
        index = None if second is None else editor.sole_consumer(second.output[1], "Add")
        if pool is None or first is None or second is None or index is None:
            continue
        one, scores, best = first.input[1], first.output[0], index.output[0]
        editor.remove(pool, first, gather, second, index)
        choice = editor.add_node("TopK", [gather.input[0], one], best, axis=2)
        choice.output[:] = [scores, best]
        editor.tidy()
        return True
    return False


def _classes(editor: Editor, choice: onnx.NodeProto) -> int | None:
    """Return the number of classes that a node chooses the best of, None for other choices."""
    number = editor.constant(choice.input[1])
    softmax = editor.producer(choice.input[0], "Softmax")
    if number is None or number.tolist() != [1] or softmax is None:
        return None
    if attribute(choice, "axis", -1) != 2 or attribute(softmax, "axis", -1) not in (2, -1):
        return None
    if not attribute(choice, "largest", 1) or editor.opset < 11:
        return None
    logits = editor.producer(softmax.input[0], "MatMul", "Add")
    if logits is not None and logits.op_type == "Add":
        logits = editor.producer(logits.input[0], "MatMul")
    weights = None if logits is None else editor.constant(logits.input[1])
    if weights is None or weights.ndim != 2 or weights.dtype != np.float32:
        return None
    return int(weights.shape[1])


def _replace(editor: Editor, choice: onnx.NodeProto, classes: int) -> None:
    value, one = choice.input
    score, best = choice.output
    first = np.minimum(np.arange(0, classes, GROUP), classes - GROUP)
    starts = editor.add_constant(first.astype(np.int64), f"{best}.starts")
    steps = editor.add_constant(np.arange(GROUP, dtype=np.int64), f"{best}.steps")
    maxima, group, start, places, scores, again, step = (
        editor.new_name(f"{best}.{what}")
        for what in ("maxima", "group", "start", "places", "scores", "again", "step")
    )
    pooling = {"kernel_shape": [GROUP], "strides": [GROUP], "ceil_mode": 1}
    editor.add_node("MaxPool", [value], maxima, **pooling)
    editor.add_node("TopK", [maxima, one], group, axis=2).output[:] = [score, group]
    editor.add_node("Gather", [starts, group], start, axis=0)
    editor.add_node("Add", [start, steps], places)
    editor.add_node("GatherElements", [value, places], scores, axis=2)
    editor.add_node("TopK", [scores, one], step, axis=2).output[:] = [again, step]
    editor.remove(choice)
    editor.add_node("Add", [start, step], best)
