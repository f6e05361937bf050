"""CTC decoding, compared with PaddleOCR's (tests/fixtures/README.md) and with a plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr import ArrayError
from edgeocr.postprocess import ctc
from tests.support.paths import FIXTURES

PRIVATE = 0xF0000


@pytest.fixture(scope="module")
def oracle() -> dict[str, Any]:
    with np.load(FIXTURES / "ctc.npz") as stored:
        return {name: stored[name] for name in stored.files}


def own_characters(classes: int) -> np.ndarray:
    """Return a different character for each class, so that a text shows its classes."""
    return np.array([chr(PRIVATE + i) for i in range(classes)], object)


def test_texts_and_scores_are_those_of_paddleocr(oracle: dict[str, Any]) -> None:
    """The charset is not stored, so each class must stand for the same character everywhere."""
    texts, scores = ctc.decode(
        oracle["indices"], oracle["scores"], own_characters(int(oracle["classes"]))
    )
    assert len(texts) == len(oracle["texts"]) == 18
    character_of: dict[int, str] = {0: ""}
    for text, expected in zip(texts, oracle["texts"].tolist(), strict=True):
        assert len(text) == len(expected)
        for private, character in zip(text, expected, strict=True):
            assert character_of.setdefault(ord(private) - PRIVATE, character) == character
    assert len(set(character_of.values())) == len(character_of) > 60
    assert character_of[6624] == " "
    assert scores.dtype == np.float32
    assert scores == pytest.approx(oracle["text_scores"], abs=1e-6)

    characters = np.full(int(oracle["classes"]), "?", object)
    characters[list(character_of)] = list(character_of.values())
    texts, _ = ctc.decode(oracle["indices"], oracle["scores"], characters)
    assert texts == oracle["texts"].tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_impossible_score_affects_only_its_own_text(value: float) -> None:
    scores = np.full((3, 2), 0.5, np.float32)
    scores[0, 0] = value
    texts, means = ctc.decode(np.array([[1, 2]] * 3), scores, np.array(["", "a", "b"], object))
    assert texts == ["ab"] * 3 and np.isfinite(means).all()
    assert means[1:].tolist() == [0.5, 0.5]


def plain(
    indices: np.ndarray, scores: np.ndarray, characters: np.ndarray, blank: int
) -> tuple[str, float]:
    """Decode one row in a plain loop."""
    text, kept, before = "", [], blank
    for index, score in zip(indices.tolist(), scores.tolist(), strict=True):
        if index not in (blank, before):
            text += characters[index]
            kept.append(score)
        before = index
    return text, sum(kept) / len(kept) if kept else 0.0


@pytest.mark.parametrize("blank", [0, 3, 6])
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint16])
def test_random_rows_give_the_texts_of_a_plain_loop(blank: int, dtype: type) -> None:
    random = np.random.default_rng(blank)
    characters = np.array([*"abcdef", "ﬁg."], object)
    for steps in (1, 2, 40):
        indices: NDArray[Any] = random.integers(0, 7, (200, steps)).astype(dtype)
        scores = random.random((200, steps), np.float32)
        texts, means = ctc.decode(indices, scores, characters, blank)
        expected = [plain(*row, characters, blank) for row in zip(indices, scores, strict=True)]
        assert texts == [text for text, _ in expected]
        assert means == pytest.approx([mean for _, mean in expected], abs=1e-6)


def test_padding_with_blanks_changes_nothing() -> None:
    random = np.random.default_rng(4)
    characters = own_characters(5)
    indices = random.integers(0, 5, (30, 20))
    scores = random.random((30, 20), np.float32)
    filled = np.pad(indices, [(0, 0), (0, 15)], constant_values=2)
    filled_scores = np.pad(scores, [(0, 0), (0, 15)], constant_values=0.5)
    texts, means = ctc.decode(indices, scores, characters, 2)
    filled_texts, filled_means = ctc.decode(filled, filled_scores, characters, 2)
    assert texts == filled_texts
    assert np.array_equal(means, filled_means)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0)])
def test_empty_arrays_give_empty_texts(shape: tuple[int, int]) -> None:
    texts, scores = ctc.decode(np.zeros(shape, int), np.zeros(shape), own_characters(4))
    assert texts == [""] * shape[0]
    assert scores.tolist() == [0] * shape[0]


def test_arrays_are_not_written_to() -> None:
    indices, scores = np.array([[1, 1, 0, 2]]), np.array([[0.5, 0.9, 1, 0.7]], np.float32)
    for array in (indices, scores):
        array.flags.writeable = False
    texts, means = ctc.decode(indices, scores, np.array(["", "a", "b"], object))
    assert texts == ["ab"] and means == pytest.approx([0.6])


@pytest.mark.parametrize(
    ("indices", "scores", "words"),
    [
        ((4,), (4,), r"\[N, T\]"),
        ((1, 2, 4), (1, 2, 4), r"\[N, T\]"),
        ((2, 4), (2, 5), r"\(2, 4\) and \(2, 5\)"),
        ((2, 4), (4,), r"\(2, 4\) and \(4,\)"),
        ((), (), r"\[N, T\]"),
    ],
)
def test_arrays_whose_shapes_do_not_fit_are_refused(indices: Any, scores: Any, words: str) -> None:
    with pytest.raises(ArrayError, match=words):
        ctc.decode(np.zeros(indices, int), np.zeros(scores, np.float32), own_characters(4))


@pytest.mark.parametrize("wrong", [-1, 4, 2**31 - 1])
def test_classes_that_the_charset_lacks_are_refused(wrong: int) -> None:
    indices = np.array([[0, 1, wrong, 2]])
    with pytest.raises(ArrayError, match=f"{wrong}.* 4 classes"):
        ctc.decode(indices, np.ones(indices.shape, np.float32), own_characters(4))


def test_classes_that_are_not_integers_are_refused() -> None:
    with pytest.raises(ArrayError):
        ctc.decode(
            np.ones((1, 3)),  # type: ignore[arg-type]
            np.ones((1, 3), np.float32),
            own_characters(4),
        )


def test_runs_are_the_steps_of_the_characters_that_are_decoded() -> None:
    indices = np.array([0, 2, 2, 0, 2, 3, 3, 1, 0])
    assert ctc.runs(indices, 0).tolist() == [[1, 3], [4, 5], [5, 7], [7, 8]]
    assert ctc.runs(indices, 3).tolist() == [[0, 1], [1, 3], [3, 4], [4, 5], [7, 8], [8, 9]]
    assert ctc.runs(np.zeros(4, int)).shape == ctc.runs(np.zeros(0, int)).shape == (0, 2)
    rows = np.random.default_rng(0).integers(0, 4, (50, 30))
    texts, _ = ctc.decode(rows, np.ones(rows.shape, np.float32), own_characters(4))
    for row, text in zip(rows, texts, strict=True):
        runs = ctc.runs(row)
        assert "".join(own_characters(4)[row[runs[:, 0]]]) == text
        assert all(len(set(row[begin:end])) == 1 for begin, end in runs)
