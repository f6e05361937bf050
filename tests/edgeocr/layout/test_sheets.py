"""Random sheets of every kind come out in the order in which a person reads them."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.layout import analyse
from tests.support.sheet_kinds import KINDS
from tests.support.sheets import imitated

# Sheets of each kind in the default run and in the stress stage, and the share of them that must be
# right. Without texts, what is read from the right can't be told, and columns are told by their
# shapes alone.
FEW, MANY = 6, 50
RIGHT, RIGHT_WITHOUT_TEXTS = 0.95, 0.9


def share_right(kind: str, seeds: range, *, texts: bool) -> float:
    right = 0
    for seed in seeds:
        random = np.random.default_rng([list(KINDS).index(kind), seed])
        quads, read = imitated(KINDS[kind](random), random)
        shuffled = random.permutation(len(quads))
        layout = analyse(quads[shuffled], texts=[read[i] for i in shuffled] if texts else None)
        right += shuffled[layout.order].tolist() == list(range(len(quads)))
    return right / len(seeds)


@pytest.mark.parametrize("kind", KINDS)
def test_some_random_sheets_are_read_in_order(kind: str) -> None:
    assert share_right(kind, range(FEW), texts=True) >= RIGHT - 1 / FEW


@pytest.mark.stress
@pytest.mark.parametrize("kind", KINDS)
def test_random_sheets_are_read_in_order(kind: str) -> None:
    assert share_right(kind, range(9000, 9000 + MANY), texts=True) >= RIGHT


@pytest.mark.stress
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "right_to_left"])
def test_random_sheets_are_put_in_order_without_texts(kind: str) -> None:
    assert share_right(kind, range(9000, 9000 + MANY), texts=False) >= RIGHT_WITHOUT_TEXTS
