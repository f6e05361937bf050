"""Decoding of attention and SRN, compared with PaddleOCR's (tests/fixtures/README.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeocr import ArrayError
from edgeocr.postprocess import attention

ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyz"


def charset(begin: int, end: int) -> np.ndarray:
    characters = list(ALPHANUMERIC)
    for special in sorted((begin, end)):
        characters.insert(special, "<special>")
    return np.array(characters, object)


@pytest.mark.parametrize("name", ["attn", "srn"])
def test_texts_and_scores_are_those_of_paddleocr(name: str, fixtures: Path) -> None:
    with np.load(fixtures / "attention.npz") as file:
        stored = {key.removeprefix(f"{name}_"): file[key] for key in file.files if name in key}
    begin, end = stored["special"].tolist()
    texts, means = attention.decode(
        stored["indices"], stored["scores"], charset(begin, end), end=end, skipped=[begin]
    )
    expected = stored["texts"].tolist()
    # PaddleOCR goes on after the end symbol, where the last four rows have more characters.
    assert texts[:-4] == expected[:-4]
    for text, longer in zip(texts[-4:], expected[-4:], strict=True):
        assert longer.startswith(text) and 0 < len(text) <= 6 < len(longer)
    assert len(texts[0]) == 0 and means[0] == 0
    assert len(texts[-5]) > 12
    filled = [bool(text) for text in expected[:-4]]
    assert sum(filled) > 15
    assert means[:-4][filled] == pytest.approx(stored["means"][:-4][filled], abs=1e-6)
    assert means.dtype == np.float32


def test_begin_class_never_gives_a_character() -> None:
    texts, means = attention.decode(
        np.array([[0, 3, 0, 4, 37, 5], [0, 0, 0, 0, 0, 0], [37, 3, 3, 3, 3, 3]]),
        np.array([[0.1, 0.5, 0.1, 0.7, 0.1, 0.1], [1] * 6, [1] * 6], np.float32),
        charset(0, 37),
        end=37,
        skipped=[0],
    )
    assert texts == ["23", "", ""]
    assert means == pytest.approx([0.6, 0, 0])


def test_special_classes_are_where_the_manifest_says() -> None:
    indices = np.array([[2, 3, 1, 4]])
    texts, _ = attention.decode(indices, np.ones((1, 4)), charset(0, 1), end=1, skipped=[0])
    assert texts == ["01"]


@pytest.mark.parametrize("shape", [(0, 25), (3, 0), (0, 0)])
def test_empty_arrays_give_empty_texts(shape: tuple[int, int]) -> None:
    indices, scores = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    texts, means = attention.decode(indices, scores, charset(0, 37), end=37, skipped=[0])
    assert texts == [""] * shape[0] and means.shape == (shape[0],)


@pytest.mark.parametrize(
    ("indices", "scores", "message"),
    [
        (np.zeros(4, int), np.zeros(4), "must both be"),
        (np.zeros((1, 4), int), np.zeros((1, 5)), "must both be"),
        (np.zeros((1, 4)), np.zeros((1, 4)), "must be integers"),
        (np.full((1, 4), 38), np.zeros((1, 4)), "the charset has 38 classes"),
        (np.full((1, 4), -1), np.zeros((1, 4)), "reach from -1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    indices: np.ndarray, scores: np.ndarray, message: str
) -> None:
    with pytest.raises(ArrayError, match=message):
        attention.decode(indices, scores, charset(0, 37), end=37, skipped=[0])


def test_skipped_classes_neither_give_a_character_nor_end_a_text() -> None:
    # Classes 0 and 5 are skipped, 2 ends a text, and no class begins one.
    unknown = "\N{REPLACEMENT CHARACTER}"
    characters = np.array(["<pad>", "a", "<end>", "b", unknown, "<begin>"], object)
    indices = np.array([[5, 1, 0, 3, 5, 4, 2, 1], [0, 0, 5, 5, 2, 2, 3, 3]])
    scores = np.array([[0.1, 0.5, 0.1, 0.7, 0.1, 0.9, 0.1, 0.1], [1] * 8], np.float32)
    texts, means = attention.decode(indices, scores, characters, end=2, skipped=[0, 5])
    assert texts == [f"ab{unknown}", ""]
    assert means == pytest.approx([0.7, 0])
    texts, _ = attention.decode(indices[:1], scores[:1], characters, end=2, skipped=[])
    assert texts == [f"<begin>a<pad>b<begin>{unknown}"]
