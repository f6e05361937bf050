"""The classes of every family of networks that read, and what they stand for."""

from __future__ import annotations

from typing import Any

import pytest

from converters.catalog.entries import TASKS, Algorithm
from converters.model import dictionary, families
from converters.model.families import FAMILIES, UNKNOWN

DIGITS_AND_LETTERS = list("0123456789abcdefghijklmnopqrstuvwxyz")


def test_every_algorithm_that_reads_has_a_family() -> None:
    reading = {name for name, task in TASKS.items() if task in ("recognition", "spotting")}
    assert set(FAMILIES) == reading


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        ("SPIN", {"classes": 38, "begin": 0, "end": 1}),
        ("PREN", {"classes": 39, "ignored": [0, 2], "end": 1}),
    ],
)
def test_classes_are_numbered_as_in_the_training(name: Algorithm, charset: dict[str, Any]) -> None:
    """PaddleOCR's decoder of SPIN skips begin and end alike; SPINLabelEncode tells them apart."""
    assert FAMILIES[name].charset(36) == charset


@pytest.mark.parametrize("name", FAMILIES)
def test_characters_and_special_classes_make_all_classes(name: Algorithm) -> None:
    family = FAMILIES[name]
    charset = family.charset(len(DIGITS_AND_LETTERS))
    characters = families.characters(name, DIGITS_AND_LETTERS)
    assert dictionary.classes(characters, charset) == charset["classes"]
    assert sorted(set(characters) - {UNKNOWN}) == DIGITS_AND_LETTERS
    ends = {"CTC": "blank", "PGNet": "blank", "Attention": "end", "SRN": "end"}
    assert ends[family.decoder] in charset
