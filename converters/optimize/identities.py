"""Remove nodes that pass a value on unchanged.

    Identity(x)  →  x

ONNX Runtime removes them too, but the other rewrites would not see past them.
"""

from __future__ import annotations

from ..graph.editor import Editor

WHY = "nodes that change nothing are gone"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were taken out."""
    removed = []
    for node in editor.nodes("Identity"):
        source, target = node.input[0], node.output[0]
        if editor.is_output(target) and (
            editor.is_output(source) or not editor.is_computed(source)
        ):
            continue  # an output has to have a node of its own
        editor.remove(node)
        editor.replace(target, source)
        removed.append(node.name or target)
    return removed
