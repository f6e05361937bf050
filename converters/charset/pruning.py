"""Prune a network to fewer characters: cut all other classes out of its edge graph.

    Softmax(MatMul(x, W) + b)  →  Softmax(MatMul(x, W[:, kept]) + b[kept])

The cut is exact: the pruned network chooses as the whole network would if the logits of all other
classes were minus infinity, and its scores are the softmax over the kept classes. The weights that
the logits are computed from are cut, through operators that only move values, so the graph shrinks
by the share of the head that is cut. Logits that don't come from constants are gathered instead.

Attention and SRN networks read their own choices (RARE the previous character, SRN the guess of its
first head). Those choices are made among the kept classes too, and passed on with their old class
numbers, so that the rest of the network sees what it was trained with. PGNet's logits leave the
graph, so its map of characters has only the kept planes.

With fewer characters to choose from, a network gives higher scores: a picture that shows none of
them is read as one of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import onnx

from edgeocr.bundle.manifest import Charset

from ..errors import ConverterError
from ..graph.editor import Editor, rename
from ..graph.reading import blocks
from ..optimize import best_of_many
from .class_axis import ClassAxis

# The operators that choose the best entry of an axis, and their default axis.
CHOOSING = {"TopK": -1, "ArgMax": 0}
# The operators that may lie between the choice and `indices`.
AFTER_CHOICE = ("Cast", "Squeeze", "Reshape", "Identity")
MAP, WHOLE_MAP = "characters", "characters.whole"


@dataclass(frozen=True)
class Pruned:
    """A network with fewer classes.

    Attributes:
        graph: The edge graph.
        charset: The stage's charset.
        characters: The characters in class order, without the special classes.
    """

    graph: bytes
    charset: Charset
    characters: list[str]


def prune(
    graph: bytes,
    algorithm: str,
    charset: Charset,
    characters: list[str],
    wanted: Collection[str],
) -> Pruned:
    """Cut all classes except the special and the wanted ones out of a serialized edge graph.

    Args:
        graph: The edge graph.
        algorithm: "CTC", "Attention", "SRN" or "PGNet".
        charset: The stage's charset.
        characters: The network's characters in class order, without the special classes. A
            character that is listed several times keeps all its classes.
        wanted: Entries of `characters`. Other entries are ignored.

    Raises:
        ConverterError: No wanted entry is a class, or the classes can't be followed from the
            operator that chooses among them back to the weights that they come from.
    """
    kept, left = _kept(charset, characters, set(wanted))
    renumbered = replace(
        charset,
        classes=len(kept),
        blank=None if charset.blank is None else kept.index(charset.blank),
        begin=None if charset.begin is None else kept.index(charset.begin),
        end=None if charset.end is None else kept.index(charset.end),
        ignored=[kept.index(number) for number in charset.ignored],
    )
    if len(kept) == charset.classes:
        return Pruned(graph, renumbered, left)
    model = onnx.load_from_string(graph)
    by_groups = best_of_many.undo(Editor(model))
    if algorithm == "PGNet":
        rename(model.graph, {MAP: WHOLE_MAP})
    classes = ClassAxis(model, charset.classes, np.array(kept, np.int64))
    if algorithm == "PGNet":
        _cut_map(classes)
    else:
        _cut_choices(classes)
    classes.finish()
    del model.graph.value_info[:]  # they record the old sizes
    if by_groups:
        best_of_many.rewrite(Editor(model))
    onnx.checker.check_model(model)
    return Pruned(model.SerializeToString(deterministic=True), renumbered, left)


def _kept(charset: Charset, characters: list[str], wanted: set[str]) -> tuple[list[int], list[str]]:
    """Return the classes that stay, ascending, and the characters among them."""
    special = charset.special
    if len(characters) + len(special) != charset.classes:
        raise ConverterError(
            f"{len(characters)} characters and {len(special)} special classes don't make the "
            f"{charset.classes} classes of the network"
        )
    ordinary = [number for number in range(charset.classes) if number not in special]
    pairs = [
        (number, character)
        for number, character in zip(ordinary, characters, strict=True)
        if character in wanted
    ]
    if not pairs:
        raise ConverterError("the network knows none of the wanted characters; ask for others")
    kept = sorted([*special, *(number for number, _ in pairs)])
    return kept, [character for _, character in pairs]


def _cut_map(classes: ClassAxis) -> None:
    """Cut PGNet's output `characters` [N, classes, h, w]."""
    graph = classes.editor.graph
    output = next((item for item in graph.output if item.name == WHOLE_MAP), None)
    if output is None:
        raise ConverterError(f"the graph has no output `{MAP}`, so it is not a PGNet network")
    made = classes.cut(WHOLE_MAP, 1)
    output.name = MAP
    output.type.tensor_type.shape.dim[1].dim_value = len(classes.kept)
    rename(graph, {made: MAP})


def _cut_choices(classes: ClassAxis) -> None:
    """Cut what `indices` and `scores` are chosen from, and the choices that the network reads."""
    editor = classes.editor
    for node in editor.graph.node:
        if any(map(_chooses, blocks(node))):
            raise ConverterError(
                f"{node.op_type} {node.name}: the network chooses characters in a block of this "
                "node, which can't be cut; freeze the network without --charset"
            )
    choice = editor.producer("indices", *AFTER_CHOICE, *CHOOSING)
    while choice is not None and choice.op_type in AFTER_CHOICE:
        choice = editor.producer(choice.input[0], *AFTER_CHOICE, *CHOOSING)
    if choice is None:
        raise ConverterError("the graph's output `indices` is not chosen among classes")
    axis = classes.axis(choice, CHOOSING[choice.op_type])
    # This choice is first, so that no path cut without a softmax is taken for one with it.
    choice.input[0] = classes.cut(choice.input[0], axis, "must")
    for other in editor.nodes(*CHOOSING):
        if other.output[:] == choice.output[:]:
            continue
        axis = classes.axis(other, CHOOSING[other.op_type])
        if classes.size(other.input[0], axis) not in (classes.classes, None):
            continue  # it chooses among something else
        other.input[0] = classes.cut(other.input[0], axis, "may", gather=False)
        index = other.output[-1]
        other.output[-1] = editor.new_name(index)
        classes.number(other.output[-1], index)


def _chooses(block: onnx.GraphProto) -> bool:
    """Return whether a block, or a block inside it, chooses the best entry of an axis."""
    return any(node.op_type in CHOOSING or any(map(_chooses, blocks(node))) for node in block.node)
