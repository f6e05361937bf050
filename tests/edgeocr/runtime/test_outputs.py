"""Networks that return something else than their stage's outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from edgeocr import OCR, GraphError
from edgeocr.recognize import MOST_STEPS
from edgeocr.runtime.job import Job
from edgeocr.runtime.outputs import Output, checked
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.session import Session
from tests.support import constant_graphs
from tests.support.constant_graphs import CLASSES, SETTINGS, WIDTH, sound_outputs

JOB = Job("detection", "image", None)
PICTURE = np.full((64, 64, 3), 255, np.uint8)
CROP = np.full((16, 64, 3), 255, np.uint8)
Outputs = dict[str, np.ndarray]


def run(algorithm: str, outputs: Outputs) -> list[Any]:
    """Return the results of a call that runs the algorithm's stage: regions, lines or readings."""
    stage = SETTINGS[algorithm][0]
    stages = {algorithm: outputs}
    if stage == "orientation":
        stages |= {other: sound_outputs(other) for other in ("DB", "CTC")}
    with OCR(constant_graphs.bundle(**stages), provider="cpu", threads=1) as ocr:
        if stage == "detection":
            return list(ocr.detect(PICTURE))
        if stage == "recognition":
            return list(ocr.recognize([CROP]))
        return list(ocr.read(PICTURE))


@pytest.mark.parametrize("algorithm", SETTINGS)
def test_sound_outputs_are_read(algorithm: str) -> None:
    (found,) = run(algorithm, sound_outputs(algorithm))
    if SETTINGS[algorithm][0] != "detection":
        assert found.text and found.score == pytest.approx(0.9, abs=0.1)


def wrong_outputs() -> Iterator[Any]:
    """Yield for each output of each algorithm what it could be instead."""
    for algorithm in SETTINGS:
        for name, array in sound_outputs(algorithm).items():
            others: dict[str, Any] = {
                "rank too low": array[0],
                "rank too high": array[None],
                "scalar": array.ravel()[0],
                "float64": array.astype(np.float64),
                "float16": array.astype(np.float16),
                "int64": array.astype(np.int64),
                "bool": array.astype(bool),
                "empty": array[:, :0],
            }
            for axis in range(array.ndim):
                others[f"axis {axis} longer"] = np.repeat(array, 2, axis)
                others[f"axis {axis} shorter"] = array.take(range(array.shape[axis] - 1), axis)
            for kind, other in others.items():
                wrong = np.asarray(other)
                assert wrong.shape != array.shape or wrong.dtype != array.dtype
                yield pytest.param(algorithm, name, wrong, id=f"{algorithm}-{name}-{kind}")


@pytest.mark.parametrize(("algorithm", "name", "wrong"), [*wrong_outputs()])
def test_a_wrong_output_is_an_error_that_names_stage_and_output(
    algorithm: str, name: str, wrong: np.ndarray
) -> None:
    with pytest.raises(GraphError) as caught:
        run(algorithm, sound_outputs(algorithm) | {name: wrong})
    stage = SETTINGS[algorithm][0]
    message = str(caught.value)
    assert f"of the {stage} graph must be " in message and "not " in message
    # Where axes of two outputs differ, the second of them is the one that doesn't fit.
    assert any(f"the output {each!r}" in message for each in sound_outputs(algorithm))


@pytest.mark.parametrize("algorithm", SETTINGS)
def test_a_missing_output_is_an_error_on_opening(algorithm: str) -> None:
    sound = sound_outputs(algorithm)
    for name in sound:
        outputs = {key + "x" * (key == name): each for key, each in sound.items()}
        with pytest.raises(GraphError, match=f"the graph has no output '{name}'"):
            run(algorithm, outputs)


WILD = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e30, 1e-45, -1.0]


def check_finite(algorithm: str, outputs: Outputs) -> None:
    """Check that what is found in outputs has finite scores and points."""
    for found in run(algorithm, outputs):
        assert np.isfinite(found.score)
        for points in (getattr(found, "quad", None), getattr(found, "polygon", None)):
            assert points is None or np.isfinite(points).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("value", WILD)
@pytest.mark.parametrize("algorithm", SETTINGS)
def test_numbers_that_no_network_should_return_give_finite_results(
    algorithm: str, value: float
) -> None:
    """Put a number into all places of one output, and into half of them."""
    sound = sound_outputs(algorithm)
    for name, array in sound.items():
        if array.dtype != np.float32:
            continue
        for places in (slice(None), slice(None, None, 2)):
            changed = array.copy()
            changed.reshape(-1)[places] = value
            check_finite(algorithm, sound | {name: changed})


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("algorithm", SETTINGS)
def test_mixed_numbers_that_no_network_should_return_give_finite_results(algorithm: str) -> None:
    rng = np.random.default_rng(5)
    for share in (0.01, 0.05, 0.2, 1.0) * 4:
        outputs = sound_outputs(algorithm)
        for array in outputs.values():
            places = rng.random(array.shape) < share
            if array.dtype == np.float32:
                array[places] = rng.choice(np.array([*WILD, 0.7, 5.0], np.float32), places.sum())
        check_finite(algorithm, outputs)


@pytest.mark.parametrize("index", [-1, CLASSES, -(2**31), 2**31 - 1])
@pytest.mark.parametrize("algorithm", ["CTC", "Attention", "SRN"])
def test_classes_outside_the_charset_are_an_error(algorithm: str, index: int) -> None:
    outputs = sound_outputs(algorithm)
    outputs["indices"][0, 3] = index
    with pytest.raises(GraphError, match="outputs of the recognition graph can't be decoded"):
        run(algorithm, outputs)


@pytest.mark.parametrize("algorithm", ["CTC", "Attention", "SRN"])
def test_the_number_of_time_steps_is_bounded(algorithm: str) -> None:
    def steps(number: int) -> Outputs:
        classes = np.ones((1, number), np.int32)
        return {"indices": classes, "scores": classes.astype(np.float32)}

    assert MOST_STEPS > WIDTH
    for number in (0, 1, MOST_STEPS):
        assert len(run(algorithm, steps(number))) == 1
    for number in (MOST_STEPS + 1, 1_000_000):
        with pytest.raises(GraphError, match=rf"must be int32 \[1, 0 to 1000\], not .* {number}\]"):
            run(algorithm, steps(number))


@pytest.mark.parametrize("name", ["x" * 1_000_000, "\x1b[31m\u202e"])
def test_errors_quote_little_of_a_graph(name: str) -> None:
    sound = constant_graphs.graph(sound_outputs("DB"), "image")
    unnamed = constant_graphs.graph({name: np.zeros(1, np.float32)}, "image")
    other_input = constant_graphs.graph({}, name)
    no_graph = sound.replace(b"Identity", b"\x1b[31mEnt")
    for graph in (unnamed, other_input, no_graph):
        with pytest.raises(GraphError) as caught:
            Session(graph, JOB, ["probability"], placement=Placement("cpu"), threads=1)
        assert str(caught.value).isprintable() and len(str(caught.value)) < 1200


def test_what_is_no_array_is_refused() -> None:
    expected = [Output("a", (1, "h"))]
    for given in (None, [1.0], {1: 2.0}, 1.0):
        with pytest.raises(GraphError, match=f"not {type(given).__name__}: the bundle's graph"):
            checked("detection", expected, [given], {})


def test_named_axes_are_equal_in_all_outputs() -> None:
    expected = [Output("a", (1, "h")), Output("b", ("h", 2, "w"), np.int32)]

    def check(a: tuple[int, ...], b: tuple[int, ...], **sides: int | range) -> None:
        checked("spotting", expected, [np.zeros(a, np.float32), np.zeros(b, np.int32)], sides)

    check((1, 3), (3, 2, 7))
    check((1, 3), (3, 2, 7), h=3, w=range(7, 8))
    wrong: list[tuple[Callable[[], None], str]] = [
        (lambda: check((1, 3), (4, 2, 7)), r"'b' .* int32 \[3, 2, w\], not int32 \[4, 2, 7\]"),
        (lambda: check((1, 3), (3, 2, 7), h=4), r"'a' .* float32 \[1, 4\], not float32 \[1, 3\]"),
        (lambda: check((1, 3), (3, 2, 7), w=range(5, 7)), r"\[3, 2, 5 to 6\]"),
        (lambda: check((1, 3), (3, 2, 7), w=range(5, 6)), r"\[3, 2, 5\], not"),
    ]
    for call, said in wrong:
        with pytest.raises(GraphError, match=said):
            call()
