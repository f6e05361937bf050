"""Test that a pruned network reads as the whole network with all other logits masked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from converters.charset.pruning import Pruned, prune
from converters.errors import ConverterError
from converters.freeze import write
from converters.graph.editor import Editor
from converters.optimize import best_of_many, optimize
from edgeocr import OCR, Bundle
from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.manifest import Charset
from tests.support.frozen import frozen
from tests.support.paths import TRAINED_EXPORTS
from tests.support.rewrite_graphs import Build, operators, pixels, run
from tests.trained import pages, words

EXPORTS = TRAINED_EXPORTS
SEED = 7
# Words of six characters mostly contain a character that is not among these.
WANTED = "0123456789ACEGIKMOQSUWY"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundle]:
    """Return a function: name of a trained network, or `tiny` → its bundle."""
    folder = tmp_path_factory.mktemp("bundles")

    @cache
    def made(name: str) -> Bundle:
        if name == "tiny":
            return Bundle.default()
        target, model = folder / f"{name}.edgeocr", str(EXPORTS / name)
        if name == "pgnet":
            return frozen(target, spotting=model)
        return frozen(target, recognition=model)

    return made


def parts(bundle: Bundle) -> tuple[bytes, str, Charset, list[str]]:
    """Return what `prune` takes of a bundle."""
    stage = bundle.manifest.stages.reading
    assert stage is not None
    characters = bundle.read(stage.charset.file).decode().removesuffix("\n").split("\n")
    return bundle.read(stage.graph), stage.algorithm, stage.charset, characters


def classes_of(characters: list[str], charset: Charset, wanted: str) -> list[int]:
    special = set(charset.special)
    ordinary = [number for number in range(charset.classes) if number not in special]
    kept = {number for number, each in zip(ordinary, characters, strict=True) if each in wanted}
    return sorted(kept | special)


def masked(graph: bytes, classes: int, kept: list[int]) -> bytes:
    """The graph whose heads give minus infinity for all but the kept classes."""
    model = onnx.load_from_string(graph)
    dropped = np.setdiff1d(np.arange(classes), kept)
    changed = 0
    for item in model.graph.initializer:
        array = numpy_helper.to_array(item).copy()
        if array.dtype != np.float32:  # the numbers of the classes, from which one-hot rows come
            continue
        row = array.ndim == 2 and array.shape[1] == classes > 1000  # the bias below the weights
        if array.shape == (classes,) or row:
            (array[-1] if row else array)[dropped] = -np.inf
            item.CopyFrom(numpy_helper.from_array(array, item.name))
            changed += 1
    if not changed:
        (head,) = (node for node in model.graph.node if "characters" in node.output)
        mask = np.zeros(classes, np.float32)
        mask[dropped] = -np.inf
        model.graph.initializer.append(numpy_helper.from_array(mask, "mask"))
        head.input.append("mask")
    return model.SerializeToString()


def rebundled(bundle: Bundle, target: Path, graph: bytes, pruned: Pruned | None = None) -> Bundle:
    """The bundle with another graph that reads."""
    files = {name: bundle.read(name) for name in bundle.manifest.files}
    manifest = json.loads(bundle.manifest_text)
    (stage,) = (each for each in manifest["stages"].values() if "charset" in each)
    files[stage["graph"]] = graph
    if pruned is not None:
        files[stage["charset"]["file"]] = "".join(f"{c}\n" for c in pruned.characters).encode()
        stage["charset"] = {
            name: value for name, value in vars(pruned.charset).items() if value is not None
        }
    manifest["files"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in files.items()
    }
    return write({MANIFEST: json.dumps(manifest).encode(), **files}, target)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["tiny", "rosetta", pytest.param("rare", marks=pytest.mark.stress), "srn"]
)
def test_pruned_network_reads_as_the_masked_one(bundle, name, tmp_path):
    graph, algorithm, charset, characters = parts(bundle(name))
    kept = classes_of(characters, charset, WANTED)
    pruned = prune(graph, algorithm, charset, characters, WANTED)
    assert pruned.charset.classes == len(kept)
    crops = [word.crop for word in words.clean(40, SEED)]
    ours, theirs, whole = (
        OCR(each, provider="cpu", threads=1).recognize(crops)
        for each in (
            rebundled(bundle(name), tmp_path / "pruned.edgeocr", pruned.graph, pruned),
            rebundled(
                bundle(name), tmp_path / "masked.edgeocr", masked(graph, charset.classes, kept)
            ),
            bundle(name),
        )
    )
    assert [each.text for each in ours] == [each.text for each in theirs]
    assert np.allclose([each.score for each in ours], [each.score for each in theirs], atol=1e-6)
    assert sum(a.text != b.text for a, b in zip(ours, whole, strict=True)) > 30
    assert sum(len(each.text) for each in ours) > 150


@pytest.mark.stress
@pytest.mark.slow
def test_pruned_pgnet_spots_as_the_masked_one(bundle, tmp_path):
    graph, algorithm, charset, characters = parts(bundle("pgnet"))
    wanted = WANTED.lower()
    kept = classes_of(characters, charset, wanted)
    pruned = prune(graph, algorithm, charset, characters, wanted)
    hidden = masked(graph, charset.classes, kept)
    engines = [
        OCR(each, provider="cpu", threads=1)
        for each in (
            rebundled(bundle("pgnet"), tmp_path / "pruned.edgeocr", pruned.graph, pruned),
            rebundled(bundle("pgnet"), tmp_path / "masked.edgeocr", hidden),
        )
    ]
    spotted = 0
    for image, _, _ in pages.pages(6, SEED, (256, 256)):
        ours, theirs = (engine.read(image).lines for engine in engines)
        assert [line.text for line in ours] == [line.text for line in theirs]
        assert np.allclose([line.score for line in ours], [line.score for line in theirs])
        spotted += len(ours)
    assert spotted > 5
    (declared,) = (
        item for item in onnx.load_from_string(pruned.graph).graph.output
        if item.name == "characters"
    )  # fmt: skip
    assert declared.type.tensor_type.shape.dim[1].dim_value == len(kept)


def test_graph_shrinks_by_the_pruned_share_of_the_head(bundle):
    graph, algorithm, charset, characters = parts(bundle("tiny"))
    pruned = prune(graph, algorithm, charset, characters, "0123456789ABCDEF-")
    assert sorted(pruned.characters) == sorted("0123456789ABCDEF-")
    assert pruned.charset == dataclasses.replace(charset, classes=18, blank=0)
    # So few classes are one group: the choice among them is a single operator again.
    one_choice = onnx.load_from_string(graph)
    assert best_of_many.undo(Editor(one_choice))
    whole = one_choice.SerializeToString(deterministic=True)
    weights = 81 * 4  # bytes of a class: 80 channels and the bias
    saved = len(whole) - len(pruned.graph)
    assert abs(saved - (charset.classes - 18) * weights) < 1000
    model = onnx.load_from_string(pruned.graph)
    assert model.ir_version == 8
    onnx.checker.check_model(model, full_check=True)
    assert operators(pruned.graph) == operators(whole)
    again = prune(graph, algorithm, charset, characters, list("-FEDCBA9876543210"))
    assert again == pruned


def test_graph_stays_the_same_if_all_characters_are_kept(bundle):
    graph, algorithm, charset, characters = parts(bundle("rosetta"))
    pruned = prune(graph, algorithm, charset, characters, characters)
    assert pruned == Pruned(graph, charset, characters)


# Ways from the logits of a head [3, 9] to what the choice is made of; the input is [N, T, 4].


def plain(build: Build, head: Callable[..., str]) -> str:
    return build.add("Softmax", head("MatMul", "x"), axis=-1)


def gemm(build: Build, head: Callable[..., str]) -> str:
    rows = build.add("Reshape", "x", build.constant([-1, 4], np.int64))
    logits = head("Gemm", rows, transB=1)
    back = build.add("Reshape", logits, build.constant([-1, 5, 9], np.int64))
    return build.add("Softmax", back, axis=2)


def moved_logits(build: Build, head: Callable[..., str]) -> str:
    """Move the classes before the positions for the softmax, and back."""
    turned = build.add("Transpose", head("MatMul", "x"), perm=[0, 2, 1])
    wide = build.add("Unsqueeze", turned, build.constant([2], np.int64))
    soft = build.add("Softmax", wide, axis=1)
    narrow = build.add("Squeeze", soft, build.constant([2], np.int64))
    return build.add("Transpose", narrow, perm=[0, 2, 1])


def scaled(build: Build, head: Callable[..., str]) -> str:
    """Scale the logits, subtract a number from each class, and add another head's logits."""
    logits = build.add("Mul", head("MatMul", "x"), build.constant(0.5))
    logits = build.add("Sub", logits, build.weights(1, 1, 9))
    return build.add("Softmax", build.add("Add", logits, head("MatMul", "x")), axis=-1)


def computed(build: Build, head: Callable[..., str]) -> str:
    """Apply an operator that pruning has no rule for."""
    return build.add("Softmax", build.add("Tanh", head("MatMul", "x")), axis=-1)


def twice(build: Build, head: Callable[..., str]) -> str:
    """Apply two softmaxes, of which the last one counts."""
    return build.add("Softmax", build.add("Softmax", head("MatMul", "x"), axis=-1), axis=-1)


KEPT = [0, 3, 4, 8]
CHARSET = Charset("c.txt", 9, blank=8)
CHARACTERS = ["a", "b", "c", "d", "a", "e", "f", "g"]  # a twice: classes 0 and 4


def small(way: Callable[..., str], opset: int = 17) -> bytes:
    """A network that chooses among nine classes."""
    build = Build(opset)

    def head(operator: str, value: str, **attributes: Any) -> str:
        if operator == "Gemm":
            return build.add("Gemm", value, build.weights(9, 4), build.weights(9), **attributes)
        return build.add("Add", build.weights(9), build.add(operator, value, build.weights(4, 9)))

    one = build.constant([1], np.int64)
    build.node("TopK", [way(build, head), one], ["best", "place"], axis=2)
    for source, name in (("best", "scores"), ("place", "index")):
        if opset < 13:
            build.add("Squeeze", source, to=name, axes=[2])
        else:
            build.add("Squeeze", source, build.constant([2], np.int64), to=name)
    build.node("Cast", ["index"], ["indices"], to=onnx.TensorProto.FLOAT)
    return build.model({"x": ["N", 5, 4]}, ["indices", "scores"], axes=2)


def gathered(graph: bytes) -> bytes:
    """The oracle: the last softmax sees the kept classes only."""
    model = onnx.load_from_string(graph)
    softmax = [node for node in model.graph.node if node.op_type == "Softmax"][-1]
    axis = helper.get_attribute_value(softmax.attribute[0])
    model.graph.initializer.append(numpy_helper.from_array(np.array(KEPT), "kept"))
    gather = helper.make_node("Gather", [softmax.input[0], "kept"], ["few"], axis=axis)
    model.graph.node.insert(list(model.graph.node).index(softmax), gather)
    softmax.input[0] = "few"
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("way", "opset"),
    [(way, 17) for way in (plain, gemm, moved_logits, scaled, computed, twice)]
    + [(way, 11) for way in (plain, gemm, scaled, computed)],
)
def test_classes_are_followed_from_the_choice_to_the_head(way, opset):
    graph = small(way, opset)
    pruned = prune(graph, "CTC", CHARSET, CHARACTERS, "ad")
    assert pruned.characters == ["a", "d", "a"]
    assert pruned.charset == Charset("c.txt", 4, blank=3)
    x = 2 * pixels(6, 5, 4)
    for ours, theirs in zip(run(pruned.graph, x), run(gathered(graph), x), strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)
    assert operators(pruned.graph).get("Gather", 0) == (way in (computed, twice))


def sigmoid(build: Build, head: Callable[..., str]) -> str:
    return build.add("Sigmoid", head("MatMul", "x"))


def over_positions(build: Build, head: Callable[..., str]) -> str:
    return build.add("Softmax", head("MatMul", "x"), axis=1)


@pytest.mark.parametrize("way", [sigmoid, over_positions])
def test_scores_without_a_softmax_over_classes_are_refused(way):
    with pytest.raises(ConverterError, match="can't be followed back through it; freeze the"):
        prune(small(way), "CTC", CHARSET, CHARACTERS, "a")


def test_network_that_reads_all_scores_is_refused():
    def way(build: Build, head: Callable[..., str]) -> str:
        logits = head("MatMul", "x")
        mean = build.add("ReduceMean", logits, axes=[2], keepdims=1)
        second = head("MatMul", build.add("Sub", "x", mean))
        return build.add("Softmax", build.add("Add", logits, second), axis=-1)

    with pytest.raises(ConverterError, match=r"ReduceMean v\d reads all classes of v\d"):
        prune(small(way), "CTC", CHARSET, CHARACTERS, "a")


def guessing(build: Build, head: Callable[..., str], among: Callable[[str], str]) -> str:
    """The second head sees what the first one chose."""
    guess = build.add("ArgMax", among(head("MatMul", "x")), axis=2, keepdims=0)
    seen = build.add("Gather", build.weights(9, 4), guess, axis=0)
    return build.add("Softmax", head("MatMul", build.add("Add", "x", seen)), axis=-1)


def test_choice_is_passed_on_with_its_old_class_number():
    def way(build: Build, head: Callable[..., str]) -> str:
        return guessing(build, head, lambda logits: logits)

    graph = small(way)
    model = onnx.load_from_string(gathered(graph))
    (guess,) = (node for node in model.graph.node if node.op_type == "ArgMax")
    mask = np.full(9, -np.inf, np.float32)
    mask[KEPT] = 0
    model.graph.initializer.append(numpy_helper.from_array(mask, "mask"))
    add = helper.make_node("Add", [guess.input[0], "mask"], ["hidden"])
    model.graph.node.insert(list(model.graph.node).index(guess), add)
    guess.input[0] = "hidden"
    x = pixels(50, 5, 4)
    pruned = run(prune(graph, "SRN", CHARSET, CHARACTERS, "ad").graph, x)
    for ours, theirs in zip(pruned, run(model.SerializeToString(), x), strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)
    assert not np.allclose(pruned[1], run(gathered(graph), x)[1], atol=1e-3)


def test_choice_that_cannot_be_cut_is_refused():
    def way(build: Build, head: Callable[..., str]) -> str:
        return guessing(build, head, lambda logits: build.add("Tanh", logits))

    with pytest.raises(ConverterError, match="classes can't be followed back through it"):
        prune(small(way), "SRN", CHARSET, CHARACTERS, "a")


def test_choice_in_a_block_is_refused():
    def way(build: Build, head: Callable[..., str]) -> str:
        logits = head("MatMul", "x")
        value = helper.make_tensor_value_info("guess", onnx.TensorProto.INT64, None)
        node = helper.make_node("ArgMax", [logits], ["guess"], axis=2, keepdims=0)
        block = helper.make_graph([node], "block", [], [value])
        condition = build.constant(True, np.bool_)
        guess = build.add("If", condition, then_branch=block, else_branch=block)
        seen = build.add("Gather", build.weights(9, 4), guess, axis=0)
        return build.add("Softmax", head("MatMul", build.add("Add", "x", seen)), axis=-1)

    with pytest.raises(
        ConverterError, match=r"If v\d: the network chooses characters in a block of"
    ):
        prune(small(way), "Attention", CHARSET, CHARACTERS, "a")


def test_contradicting_arguments_are_refused():
    graph = small(plain)
    with pytest.raises(ConverterError, match="knows none of the wanted characters"):
        prune(graph, "CTC", CHARSET, CHARACTERS, "xyz")
    with pytest.raises(ConverterError, match="don't make the 10 classes"):
        prune(graph, "CTC", Charset("c.txt", 10, blank=8), CHARACTERS, "a")
    with pytest.raises(ConverterError, match="has 9 classes, but the network should have 10"):
        prune(graph, "CTC", Charset("c.txt", 10, blank=8), [*CHARACTERS, "h"], "a")
    with pytest.raises(ConverterError, match="no output `characters`"):
        prune(graph, "PGNet", CHARSET, CHARACTERS, "a")
    renamed = onnx.load_from_string(graph)
    renamed.graph.node[-1].output[0] = renamed.graph.output[0].name = "other"
    with pytest.raises(ConverterError, match="output `indices` is not chosen"):
        prune(renamed.SerializeToString(), "CTC", CHARSET, CHARACTERS, "a")


def test_choice_by_groups_is_made_among_the_kept_classes():
    """`best_of_many` splits the choice among many classes; it is one again while they are cut."""
    classes, build = 3000, Build()
    product = build.add("MatMul", "x", build.weights(4, classes))
    shares = build.add("Softmax", product, axis=2)
    build.node("TopK", [shares, build.constant([1], np.int64)], ["scores", "index"], axis=2)
    build.node("Cast", ["index"], ["indices"], to=onnx.TensorProto.FLOAT)
    whole = build.model({"x": ["N", 5, 4]}, ["indices", "scores"], axes=3)
    by_groups, made = optimize(whole, (best_of_many,))
    assert len(made) == 1
    characters = [chr(0x4E00 + i) for i in range(classes - 1)]
    charset = Charset("c.txt", classes, blank=0)
    wanted = set(characters[::2])
    few, expected = (
        prune(graph, "CTC", charset, characters, wanted).graph for graph in (by_groups, whole)
    )
    assert operators(few)["MaxPool"] == 1 and "MaxPool" not in operators(expected)
    x = pixels(2, 5, 4)
    for ours, theirs in zip(run(few, x), run(expected, x), strict=True):
        np.testing.assert_array_equal(ours, theirs)
