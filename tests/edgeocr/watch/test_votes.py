"""Readings of several frames vote on a text."""

from __future__ import annotations

import pytest

from edgeocr.watch.votes import Votes


def votes_of(*readings: tuple[str, float]) -> Votes:
    votes = Votes()
    for text, score in readings:
        votes.add(text, score)
    return votes


def test_a_wrong_reading_is_outvoted() -> None:
    votes = votes_of(("4711", 0.9), ("4771", 0.9), ("4711", 0.9))
    assert votes.text == "4711" and votes.agreeing == 2 and votes.count == 3


def test_a_sure_reading_outweighs_several_unsure_ones() -> None:
    assert votes_of(("47I1", 0.7), ("47I1", 0.7), ("47I1", 0.7), ("4711", 0.97)).text == "4711"
    assert votes_of(("4711", 0.93), ("4711", 0.92), ("47I1", 0.97)).text == "4711"


def test_the_score_is_that_of_the_text_which_wins() -> None:
    votes = votes_of(("4711", 0.9), ("4771", 0.3), ("4711", 0.8))
    assert votes.score == pytest.approx(0.85)


def test_readings_are_sure_when_they_agree_or_there_were_many() -> None:
    assert not votes_of(("a", 0.9)).are_sure()
    assert not votes_of(("a", 0.9), ("b", 0.8)).are_sure()
    assert votes_of(("a", 0.9), ("b", 0.8), ("a", 0.9)).are_sure()
    assert votes_of(("a", 0.9), ("b", 0.8), ("c", 0.8), ("d", 0.8)).are_sure()


def test_doubts_demand_more_readings() -> None:
    two = votes_of(("a", 0.9), ("a", 0.9))
    assert two.are_sure() and not two.are_sure(doubts=1)
    two.add("a", 0.9)
    assert two.are_sure(doubts=1) and not two.are_sure(doubts=2)
    mixed = votes_of(*((text, 0.9) for text in "abcd"))
    assert mixed.are_sure() and not mixed.are_sure(doubts=1)


def test_a_correction_takes_a_majority() -> None:
    assert not votes_of(("a", 0.9), ("a", 0.9)).have_majority
    assert votes_of(("a", 0.9), ("a", 0.9), ("a", 0.9)).have_majority
    split = votes_of(*((text, 0.9) for text in "aaabbb"))
    assert not split.have_majority


def test_readings_are_settled_when_many_agree() -> None:
    votes = votes_of(("4711", 0.9), ("4711", 0.9))
    assert not votes.is_settled
    for _ in range(8):
        votes.add("4711", 0.9)
    assert votes.is_settled
    assert not votes_of(*(("a" if i % 2 else "b", 0.9) for i in range(20))).is_settled


def test_texts_that_were_read_seldom_are_forgotten() -> None:
    votes = Votes()
    for _ in range(3):
        votes.add("GATE 4711", 0.95)
    for number in range(1000):
        votes.add(f"GATE {number}", 0.7)
    assert votes.text == "GATE 4711"
    assert len(votes._candidates) == 16
    assert votes.count == 1003
