"""Identity and Dropout: remove nodes that pass their input on unchanged."""

from __future__ import annotations

from ...graph.editor import Editor
from ..known import Known

OPERATORS = frozenset({"Identity", "Dropout"})
NEEDS: frozenset[str] = frozenset()
# The values stay the same, bit by bit, so that the rewrite is good for every compiler.
SIMPLIFIES = True
WHY = "a node that passes its input on computes nothing"


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were removed."""
    removed = []
    for node in editor.nodes(*OPERATORS):
        value, made = node.input[0], node.output[0]
        # The outputs and inputs of a graph keep their names, so a node at either end stays. So does
        # a Dropout whose mask is read.
        if editor.is_output(made) or not editor.is_computed(value) or any(node.output[1:]):
            continue
        editor.remove(node)
        editor.replace(made, value)
        removed.append(made)
    return removed
