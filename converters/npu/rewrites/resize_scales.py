"""Resize to constant sizes: state scales instead, where these are whole numbers.

Both forms then compute with the same scales, so the values are the same, bit by bit.
"""

from __future__ import annotations

import numpy as np

from ...graph.editor import Editor, attribute
from ..known import Known

OPERATORS = frozenset({"Resize"})
NEEDS = frozenset({"Resize"})
# The values stay the same, bit by bit, so that the rewrite is good for every compiler.
SIMPLIFIES = True
WHY = "compilers read scales, and whole numbers are exact"


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were changed."""
    changed = []
    for node in editor.nodes(*OPERATORS):
        if len(node.input) < 4 or not node.input[3]:
            continue
        wanted, sizes = editor.constant(node.input[3]), known.get(node.input[0])
        # With opset 18 the sizes may be those of a few axes only, or a limit for both sides.
        if wanted is None or sizes is None or None in sizes or len(wanted) != len(sizes):
            continue
        if attribute(node, "keep_aspect_ratio_policy", b"stretch") != b"stretch":
            continue
        scales = wanted / np.array(sizes, np.float64)
        if not np.array_equal(scales, np.round(scales)):
            continue
        name = editor.add_constant(scales.astype(np.float32), f"{node.output[0]}.scales")
        node.input[:] = [*node.input[:2], name]
        changed.append(node.output[0])
    return changed
