"""Test that spaces are found where words stand apart, and only there."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr.errors import ArrayError
from edgeocr.postprocess import ctc, gaps, spaces

HEIGHT, STRIDE = 48, 8
CHARACTERS = np.array(["", " ", "A", "B", "C", ".", "é", "中", "文"], object)
BLANK, SPACE = 0, 1


def line(
    text: str, gaps: list[int], width: int = 16, ink: int = 0, ground: int = 255
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Draw each character as two strokes, and say what a network that drops spaces would see."""
    lefts = np.cumsum([8, *(width + gap for gap in gaps)])
    grey = np.full((HEIGHT, int(lefts[-1]) + width + 16), ground, np.uint8)
    indices = np.full(grey.shape[1] // STRIDE, BLANK, np.int32)
    for character, left in zip(text, lefts.tolist(), strict=True):
        grey[10:40, left : left + 4] = grey[10:40, left + width - 4 : left + width] = ink
        grey[24:28, left : left + width] = ink
        indices[(left + width // 2) // STRIDE] = list(CHARACTERS).index(character)
    return indices, grey


def read(indices: NDArray[np.int32], grey: NDArray[np.uint8]) -> tuple[str, float]:
    (text,), (score,) = read_together([(indices, grey)])
    return text, float(score)


def read_together(
    lines: Sequence[tuple[NDArray[np.int32], NDArray[np.uint8]]],
    least: spaces.Width = spaces.UNREAD,
) -> tuple[list[str], NDArray[np.float32]]:
    longest = max(len(indices) for indices, _ in lines)
    indices = np.full((len(lines), longest), BLANK, np.int32)
    for row, (classes, _) in zip(indices, lines, strict=True):
        row[: len(classes)] = classes
    scores = np.tile(np.linspace(0.6, 0.9, longest, dtype=np.float32), (len(lines), 1))
    empty = {i: gaps.empty_columns(grey) for i, (_, grey) in enumerate(lines)}
    spaces.mark(
        indices,
        scores,
        gaps.measure(indices, empty, stride=STRIDE, blank=BLANK, space=SPACE),
        height=HEIGHT,
        least=least,
        kinds=spaces.kinds(CHARACTERS),
        space=SPACE,
    )
    return ctc.decode(indices, scores, CHARACTERS, BLANK)


@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (255, 0), (90, 130)])
def test_words_that_stand_apart_get_a_space(ink: int, ground: int) -> None:
    assert read(*line("ABCAB", [6, 24, 6, 6], ink=ink, ground=ground))[0] == "AB CAB"


def test_letters_of_random_lines_get_spaces_where_words_end() -> None:
    rng = Random(5)
    for _ in range(200):
        words = ["".join(rng.choice("ABC") for _ in range(rng.randrange(2, 7))) for _ in range(4)]
        letter, word = rng.randrange(3, 8), rng.randrange(22, 30)
        gaps = [word if a == b == "|" else letter for a, b in _pairs(words)]
        indices, grey = line("".join(words), gaps, width=rng.choice((16, 20, 24)))
        noise = np.random.default_rng(rng.randrange(1000)).integers(-8, 9, grey.shape)
        grey = np.clip(grey + noise, 0, 255).astype(np.uint8)
        assert read(indices, grey)[0] == " ".join(words)


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    """Return a pair for each two neighbouring letters: bars where a word ends."""
    pairs: list[tuple[str, str]] = []
    for i, word in enumerate(words):
        pairs += [("|", "|")] * (i > 0) + [("-", "-")] * (len(word) - 1)
    return pairs


def test_spaced_type_is_not_taken_apart() -> None:
    """Letters that all stand as far apart as words do elsewhere are one word."""
    assert read(*line("ABCAB", [16, 16, 16, 16]))[0] == "ABCAB"
    assert read(*line("ABCAB", [16, 16, 50, 16]))[0] == "ABC AB"


def test_lines_are_judged_one_by_one() -> None:
    """Wide letters of one line don't keep the next line from getting its space."""
    spaced, plain = line("ABCAB", [16, 16, 16, 16]), line("ABCAB", [6, 6, 24, 6])
    drawn = [spaced, plain, line("A", []), spaced] * 40  # more than are measured at a time
    texts, _ = read_together(drawn)
    assert texts == ["ABCAB", "ABC AB", "A", "ABCAB"] * 40


def test_network_that_reads_spaces_gets_only_those_that_are_far_wider_than_other_gaps() -> None:
    clear, doubtful = line("ABCAB", [3, 3, 24, 3]), line("ABCAB", [6, 6, 24, 6])
    assert read_together([clear, doubtful], spaces.MISSED)[0] == ["ABC AB", "ABCAB"]
    assert read_together([clear, doubtful], spaces.UNREAD)[0] == ["ABC AB", "ABC AB"]


def test_letters_with_accents_are_words_too() -> None:
    assert read(*line("AéBé", [6, 24, 6]))[0] == "Aé Bé"


def test_chinese_is_written_without_spaces() -> None:
    assert read(*line("中文中A", [6, 24, 24]))[0] == "中文中A"


def test_signs_of_chinese_lines_get_no_spaces() -> None:
    """There, a colon or a full stop is often as wide as a character; words get their spaces."""
    apart = [6, 6, 6, 24, 24, 6]
    assert read(*line("中ABC.BAC", [6, *apart]))[0] == "中ABC.B AC"
    assert read(*line("AABC.BAC", [6, *apart]))[0] == "AABC. B AC"


def test_space_that_the_network_has_read_is_not_doubled() -> None:
    indices, grey = line("ABC", [6, 32])
    middle = int(np.flatnonzero(indices)[1:].mean())
    indices[middle] = SPACE
    assert read(indices, grey)[0] == "AB C"


def test_space_leaves_the_score_as_it_is() -> None:
    indices, grey = line("AAAA", [6, 40, 6])
    text, score = read(indices.copy(), grey)
    empty = np.zeros_like(grey)
    plain, score_without = read(indices, empty)
    assert (text, plain) == ("AA AA", "AAAA")
    assert score == pytest.approx(score_without, abs=0.005)


@pytest.mark.parametrize("text", ["", "A"])
def test_line_of_fewer_than_two_characters_stays_as_it_is(text: str) -> None:
    indices = np.array([BLANK, *(2 for _ in text), BLANK, BLANK], np.int32)
    assert read(indices, np.full((HEIGHT, 32), 255, np.uint8))[0] == text


def test_characters_beyond_the_text_have_no_spaces() -> None:
    """A network may see characters in the padding, about which the pixels say nothing."""
    indices = np.array([2, BLANK, 3, BLANK, BLANK, BLANK, BLANK, 2], np.int32)
    assert read(indices, np.full((HEIGHT, 16), 255, np.uint8))[0] == "ABA"


def test_line_without_contrast_has_no_empty_columns() -> None:
    assert not gaps.empty_columns(np.full((HEIGHT, 100), 130, np.uint8)).any()


def test_arrays_of_wrong_shapes_are_refused() -> None:
    with pytest.raises(ArrayError, match=r"indices must be \[N, T\]"):
        gaps.measure(np.zeros(3, np.int32), {}, stride=STRIDE, blank=BLANK, space=SPACE)
    indices = np.zeros((1, 3), np.int32)
    measured = gaps.measure(indices, {}, stride=STRIDE, blank=BLANK, space=SPACE)
    with pytest.raises(ArrayError, match=r"one shape \[N, T\]"):
        spaces.mark(
            indices,
            np.zeros((1, 4), np.float32),
            measured,
            height=HEIGHT,
            least=spaces.UNREAD,
            kinds=spaces.kinds(CHARACTERS),
            space=SPACE,
        )
