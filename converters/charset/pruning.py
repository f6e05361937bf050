"""A network that reads fewer characters: the classes of all others are cut out of its edge graph.

    Softmax(MatMul(x, W) + b)  →  Softmax(MatMul(x, W[:, kept]) + b[kept])

The cut is exact: the network chooses as the whole one would with the logits of all other classes at
minus infinity, and its scores are the softmax over the kept classes. It is made where the logits
come from constants, through whatever only moves them, so the graph shrinks by the share of the head
that is cut; where they don't come from constants, they are gathered.

Attention and SRN read what they have chosen themselves (RARE the character before, SRN the guess of
its first head). Those choices are made among the kept classes too, and handed on with their old
class numbers, so that the rest of the network sees what it was trained with. PGNet's logits leave
the graph, so its map of characters has the kept planes.

With fewer characters to choose from, a network is surer: what shows none of them gets one too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from ..errors import ConverterError
from ..graph.editor import rename
from ..model import dictionary as charsets
from .class_axis import ClassAxis

# What picks the best of an axis, and the axis where the node doesn't name it.
CHOOSING = {"TopK": -1, "ArgMax": 0}
# What may lie between the choice and `indices`.
AFTER_CHOICE = ("Cast", "Squeeze", "Reshape", "Identity")
MAP, WHOLE_MAP = "characters", "characters.whole"


@dataclass(frozen=True)
class Pruned:
    """A stage with fewer classes.

    graph: the edge graph. charset: the stage's, without `file`. characters: in class order, without
        the special classes.
    """

    graph: bytes
    charset: dict[str, Any]
    characters: list[str]


def prune(
    graph: bytes,
    algorithm: str,
    charset: dict[str, Any],
    characters: list[str],
    wanted: Collection[str],
) -> Pruned:
    """Cut all classes out of a serialized edge graph but the special ones and the wanted.

    algorithm: CTC, Attention, SRN or PGNet.
    charset: the stage's: `classes`, and `blank` or `begin` and `end`.
    characters: the network's, in class order without the special classes. One that is listed
        several times keeps all its classes.
    wanted: entries of `characters`; what is none of them has no class and is passed over.

    Raises `ConverterError` when nothing that is wanted is a class, and for a graph where the
    classes can't be followed from what chooses among them back to where they come from.
    """
    kept, left = _kept(charset, characters, set(wanted))
    renumbered = {
        **charset,
        "classes": len(kept),
        **{name: kept.index(charset[name]) for name in charsets.SPECIAL if name in charset},
    }
    if len(kept) == charset["classes"]:
        return Pruned(graph, renumbered, left)
    model = onnx.load_from_string(graph)
    if algorithm == "PGNet":
        rename(model.graph, {MAP: WHOLE_MAP})
    classes = ClassAxis(model, charset["classes"], np.array(kept, np.int64))
    if algorithm == "PGNet":
        _cut_map(classes)
    else:
        _cut_choices(classes)
    classes.finish()
    del model.graph.value_info[:]  # of sizes that are no longer so
    onnx.checker.check_model(model)
    return Pruned(model.SerializeToString(deterministic=True), renumbered, left)


def _kept(
    charset: dict[str, Any], characters: list[str], wanted: set[str]
) -> tuple[list[int], list[str]]:
    """The classes that stay, ascending, and the characters among them."""
    special = [charset[name] for name in charsets.SPECIAL if name in charset]
    if charsets.classes(characters, charset) != charset["classes"]:
        raise ConverterError(
            f"{len(characters)} characters and {len(special)} classes that are none are not the "
            f"{charset['classes']} classes of the network"
        )
    ordinary = [number for number in range(charset["classes"]) if number not in special]
    pairs = [
        (number, character)
        for number, character in zip(ordinary, characters, strict=True)
        if character in wanted
    ]
    if not pairs:
        raise ConverterError("the network knows none of the wanted characters")
    kept = sorted([*special, *(number for number, _ in pairs)])
    return kept, [character for _, character in pairs]


def _cut_map(classes: ClassAxis) -> None:
    """PGNet's `characters` [N, classes, h, w]."""
    graph = classes.editor.graph
    output = next((item for item in graph.output if item.name == WHOLE_MAP), None)
    if output is None:
        raise ConverterError(f"the graph has no output `{MAP}`, so it is none of PGNet")
    made = classes.cut(WHOLE_MAP, 1)
    output.name = MAP
    output.type.tensor_type.shape.dim[1].dim_value = len(classes.kept)
    rename(graph, {made: MAP})


def _cut_choices(classes: ClassAxis) -> None:
    """What `indices` and `scores` are chosen of, and what the network chooses for itself."""
    editor = classes.editor
    for node in editor.graph.node:
        if any(_chooses(block) for each in node.attribute for block in (each.g, *each.graphs)):
            raise ConverterError(
                f"{node.op_type} {node.name}: the network chooses characters in a block of it, "
                "which can't be cut; freeze it without --charset"
            )
    choice = editor.producer("indices", *AFTER_CHOICE, *CHOOSING)
    while choice is not None and choice.op_type in AFTER_CHOICE:
        choice = editor.producer(choice.input[0], *AFTER_CHOICE, *CHOOSING)
    if choice is None:
        raise ConverterError("`indices` of the graph is not chosen among classes")
    axis = classes.axis(choice, CHOOSING[choice.op_type])
    # First, so that no way cut without a softmax is taken for one that has it.
    choice.input[0] = classes.cut(choice.input[0], axis, "must")
    for other in editor.nodes(*CHOOSING):
        if other.output[:] == choice.output[:]:
            continue
        axis = classes.axis(other, CHOOSING[other.op_type])
        if classes.size(other.input[0], axis) not in (classes.classes, None):
            continue  # among something else
        other.input[0] = classes.cut(other.input[0], axis, "may", gather=False)
        index = other.output[-1]
        other.output[-1] = editor.new_name(index)
        classes.number(other.output[-1], index)


def _chooses(block: onnx.GraphProto) -> bool:
    return any(
        node.op_type in CHOOSING
        or any(_chooses(inner) for each in node.attribute for inner in (each.g, *each.graphs))
        for node in block.node
    )
