"""Test ICDAR 2015's protocol by hand-made cases, and beside a port of the official script."""

from __future__ import annotations

import json

import numpy as np
import pytest

from converters.accuracy.protocols.icdar import IcdarScore, same_text
from edgeocr.accuracy.labels import LabelledLine
from tests.support.accuracy_cases import Scene, box, hand_made, random
from tests.support.paths import FIXTURES


def scored(*scenes: Scene) -> IcdarScore:
    score = IcdarScore()
    for labels, found in scenes:
        score.add(labels, found)
    return score


@pytest.mark.parametrize("kind", ["hand_made", "random"])
def test_counts_are_those_of_the_official_script(kind: str) -> None:
    expected = json.loads((FIXTURES / "accuracy.json").read_text())[kind]
    scenes = list(hand_made() if kind == "hand_made" else random())
    counts = [(score.labelled, score.found, score.matched) for score in map(scored, scenes)]
    assert counts == [tuple(each) for each in expected]
    # The cases have what makes protocols differ: misses, false regions, and regions left out.
    assert any(labelled > matched for labelled, _, matched in counts)
    assert any(found > matched for _, found, matched in counts)
    assert any(found < len(scene[1]) for scene, (_, found, _) in zip(scenes, counts, strict=True))


def test_figures_are_worked_out_by_hand() -> None:
    labels = [LabelledLine(box(0, 20 * y, 100, 10), "Word", True) for y in range(4)]
    found = [
        (box(0, 0, 100, 10), "WORD"),
        (box(0, 20, 100, 10), "World"),
        (box(0, 300, 100, 10), "Word"),
    ]
    figures = scored((labels, found)).figures()
    assert figures["precision"] == pytest.approx(2 / 3) and figures["recall"] == 2 / 4
    assert figures["hmean"] == pytest.approx(2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))
    assert figures["e2e_precision"] == pytest.approx(1 / 3) and figures["e2e_recall"] == 1 / 4
    assert figures["e2e_hmean"] == pytest.approx(2 / 7)


def test_nothing_at_all_gives_zeros() -> None:
    assert set(IcdarScore().figures().values()) == {0.0}


@pytest.mark.parametrize(
    ("labelled", "read", "same"),
    [
        ("Exit", "EXIT", True),
        ("Exit!", "exit", True),
        ("(exit)", "exit", True),
        ("'exit", "exit", True),
        ("exit", "exit!", False),  # only the label's own marks may be missing
        ("exit!!", "exit", False),  # one of them
        ("ex-it", "exit", False),
        ("two words", "twowords", False),
        ("!", "", True),
        ("", "", True),
        ("", "a", False),
        ("Straße", "STRASSE", True),
    ],
)
def test_texts_agree_but_for_case_and_a_mark_at_either_end(
    labelled: str, read: str, same: bool
) -> None:
    assert same_text(labelled, read) is same


def test_region_that_crosses_itself_is_what_its_outline_encloses() -> None:
    crossed = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], float)
    line = LabelledLine(crossed, "a", True)
    assert scored(([line], [(crossed, "a")])).matched == 1
    # It encloses two triangles, both of which count; they are half of the square around them.
    hourglass = np.array([[0, 0], [5, 4.9], [10, 0], [10, 10], [5, 5.1], [0, 10]], float)
    assert scored(([line], [(hourglass, "a")])).matched == 1
    assert scored(([line], [(box(0, 0, 10, 10), "a")])).matched == 0
