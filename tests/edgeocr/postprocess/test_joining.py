"""Sequences that are cut into overlapping pieces and joined again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr import ArrayError
from edgeocr.postprocess import ctc, joining

Steps = NDArray[np.int64]


def steps(text: str) -> Steps:
    """Return the classes of steps that are written as letters, `_` for the blank."""
    return np.array([0 if each == "_" else ord(each) for each in text], np.int64)


def letters(classes: NDArray[np.integer]) -> str:
    return "".join("_" if each == 0 else chr(each) for each in classes)


def decoded(classes: NDArray[np.integer]) -> str:
    characters = np.array([chr(i) for i in range(128)], object)
    ((text,), _) = ctc.decode(classes[None], np.ones((1, len(classes)), np.float32), characters)
    return text


def join(pieces: list[str], starts: list[int], edge: int = 0) -> str:
    classes = [steps(piece) for piece in pieces]
    scores = [np.full(len(piece), i / 8) for i, piece in enumerate(classes)]
    joined, chosen = joining.join(classes, scores, starts, edge=edge)
    # Classes and scores of each step come from the same piece, and the pieces follow each other.
    sources = (chosen * 8).astype(int)
    assert np.all(np.diff(sources) >= 0)
    for step, (each, source) in enumerate(zip(joined, sources, strict=True)):
        assert each == classes[source][step - starts[source]]
    return letters(joined)


def line(random: np.random.Generator, length: int, characters: str, gap: int) -> Steps:
    """Return the steps of a line in which a character takes up to 3 steps, blanks up to `gap`."""
    found: list[str] = []
    while len(found) < length:
        each = random.choice(list(characters))
        if found and found[-1] == each:  # only a blank tells them apart
            found.append("_")
        found += [each] * int(random.integers(1, 4)) + ["_"] * int(random.integers(0, gap + 1))
    return steps("".join(found[:length]))


@pytest.mark.parametrize("characters", ["1", "12", "abcdefghij", " 0"])
@pytest.mark.parametrize("gap", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_pieces_whose_edges_are_noise_give_back_the_line(
    seed: int, gap: int, characters: str
) -> None:
    random = np.random.default_rng(seed)
    edge, overlap = int(random.integers(0, 7)), int(random.integers(13, 30))
    hop = int(random.integers(overlap, 120))
    whole = line(random, int(random.integers(hop + overlap, 1500)), characters, gap)
    starts = list(range(0, len(whole) - overlap, hop))
    pieces = [whole[start : start + hop + overlap].copy() for start in starts]
    for i, piece in enumerate(pieces):
        if i > 0:
            piece[:edge] = random.integers(0, 128, edge)
        if i < len(pieces) - 1 and edge:
            piece[-edge:] = random.integers(0, 128, edge)
    pieces[-1] = np.append(pieces[-1][: len(whole) - starts[-1]], []).astype(np.int64)
    joined, scores = joining.join(
        pieces, [np.ones(len(piece)) for piece in pieces], starts, edge=edge
    )
    assert letters(joined) == letters(whole) and len(scores) == len(whole)


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
def test_repeated_digit_is_counted_right_where_a_piece_sees_it_some_steps_away(shift: int) -> None:
    """Digits are five steps apart, so neither text nor class tells which digit is which."""
    whole = steps("__1__" * 40)
    left, right = whole[:120], np.roll(whole, shift)[80:]
    joined, _ = joining.join(
        [left, right], [np.ones(len(left)), np.ones(len(right))], [0, 80], edge=6
    )
    assert decoded(joined) == "1" * 40


def test_a_character_that_only_one_piece_read_is_not_at_the_joint() -> None:
    left, right = "_a_b_c_d_e_f_g_h", "_b_x_d_e_f_g_h_i_j"
    assert join([left, right], [0, 2]) == "_a_b_c_d_e_f_g_h_i_j"


def test_joint_lies_between_two_blanks_that_both_pieces_have() -> None:
    left, right = steps("aabb__ccddee"), steps("aabb__ccddee")
    assert joining.best_cut(left, right) == 5
    left, right = steps("aab_bccddee_"), steps("aab_bccddee_")
    assert joining.best_cut(left, right) == 4  # beside the only blank that is not at the end


def test_edges_are_used_only_where_there_is_nothing_else() -> None:
    agreeing = steps("____________")
    assert joining.best_cut(agreeing, agreeing, edge=4) == 6
    assert joining.best_cut(agreeing[:5], agreeing[:5], edge=4) in (2, 3)
    left, right = steps("__ab____cd"), steps("xxyb____zz")
    assert 5 <= joining.best_cut(left, right, edge=2) <= 7


@pytest.mark.parametrize("length", range(5))
def test_short_overlaps_have_a_joint_too(length: int) -> None:
    random = np.random.default_rng(length)
    for edge in range(4):
        left, right = (random.integers(0, 3, length) for _ in range(2))
        assert 0 <= joining.best_cut(left, right, edge=edge) <= length


def test_pieces_that_only_touch_are_put_in_a_row() -> None:
    assert join(["ab_", "c_d", "_e"], [0, 3, 6]) == "ab_c_d_e"
    assert join(["ab_"], [0]) == "ab_"


def test_overlaps_may_overlap_each_other() -> None:
    whole = "_a_b_c_d_e_f_g_h_i_j"
    assert join([whole[:14], whole[4:16], whole[8:]], [0, 4, 8]) == whole


def test_blank_may_be_any_class() -> None:
    left = np.array([5, 5, 0, 0, 9, 9, 7, 7])
    assert joining.best_cut(left, left, blank=9) == 5
    assert joining.best_cut(left, left, blank=0) == 3


@pytest.mark.parametrize(
    ("lengths", "starts", "message"),
    [
        ([], [], "at least one piece"),
        ([3, 3], [0], "at least one piece"),
        ([3, 3], [1, 2], "begins at step 1, but must begin at 0 to 0"),
        ([3, 3], [0, 4], "begins at step 4, but must begin at 0 to 3"),
        ([9, 9, 9], [0, 4, 3], "begins at step 3, but must begin at 4 to 13"),
        ([9, 3], [0, 4], "ends at step 7"),
    ],
)
def test_pieces_that_leave_gaps_are_refused(
    lengths: list[int], starts: list[int], message: str
) -> None:
    pieces = [np.zeros(length, np.int64) for length in lengths]
    with pytest.raises(ArrayError, match=message):
        joining.join(pieces, [piece.astype(float) for piece in pieces], starts)


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ArrayError, match=r"must both be \[T\]"):
        joining.join([np.zeros(3, int)], [np.zeros(4)], [0])
