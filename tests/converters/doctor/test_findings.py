"""What the doctor concludes from the number of classes, without any network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from converters.doctor.examination import conclude
from converters.doctor.facts import Facts, Kind, Listed
from converters.doctor.report import report

CLASSES = 37
KIND = Kind("net", "recognition", "CTC", "its inference.yml", CLASSES)


def listed(number: int, *, space: bool = False, assumed: bool = False) -> Listed:
    """Return a dictionary of so many Latin characters, for CTC."""
    return Listed(
        source="keys.txt",
        characters=number,
        special={"blank": 0},
        space=space,
        space_assumed=assumed,
        classes=number + space + 1,
        scripts={"Latin": 26},
        twice=[],
        white={},
        long=[],
        byte_order_mark=False,
    )


@pytest.mark.parametrize(
    ("characters", "words"),
    [
        (listed(35), "set that in inference.yml; otherwise the dictionary lacks a line"),
        (listed(34), "the dictionary lacks 2 lines"),
        (listed(36, space=True), "set use_space_char: false in inference.yml; otherwise"),
        (listed(37), "the dictionary has a line too many"),
        (listed(39), "the dictionary has 3 lines too many"),
        (listed(161), "so it is another network's"),
        (listed(2), "so it is another network's"),
    ],
)
def test_number_of_classes_tells_what_is_wrong(characters: Listed, words: str) -> None:
    (problem,) = conclude(Facts(kind=KIND, listed=characters)).problems
    assert problem.startswith(f"keys.txt accounts for {characters.classes} classes")
    assert "the network has 37" in problem and words in problem


def test_every_class_of_a_family_is_accounted_for() -> None:
    """SAR has a class for characters that its dictionary lacks, which no charset numbers."""
    counted = replace(listed(5), special={"end": 6}, classes=7)
    kind = replace(KIND, algorithm="SAR", classes=38)
    (problem,) = conclude(Facts(kind=kind, listed=counted)).problems
    assert problem.startswith("keys.txt accounts for 7 classes (5 characters + unknown + end), but")


def test_fitting_dictionary_is_no_problem() -> None:
    fits = Facts(kind=KIND, listed=listed(36))
    assert conclude(fits).problems == conclude(fits).hints == []
    assert report(conclude(fits)).startswith("No problems found.\n\nNetwork\n")
    # A detector has no characters.
    assert conclude(Facts(kind=Kind("net", "detection", "DB", "its graph", None))).problems == []


def test_space_that_only_the_classes_show_is_a_hint() -> None:
    stated, assumed = (
        conclude(Facts(kind=KIND, listed=listed(35, space=True, assumed=each)))
        for each in (False, True)
    )
    assert stated.problems == assumed.problems == stated.hints == []
    assert "the last class is taken for the space" in assumed.hints[0]


def test_classes_of_ctc_are_recognized_under_another_algorithm() -> None:
    kind = replace(KIND, algorithm="Attention")
    counted = replace(listed(36), special={"begin": 0, "end": 37}, classes=38)
    (problem,) = conclude(Facts(kind=kind, listed=counted)).problems
    assert "set PostProcess.name in inference.yml to CTCLabelDecode" in problem


def test_missing_characters_are_a_problem_unless_a_fault_explains_them() -> None:
    (problem,) = conclude(Facts(kind=KIND)).problems
    assert "--charset FILE" in problem
    assert conclude(Facts(kind=KIND, faults=["inference.yml: broken"])).problems == [
        "inference.yml: broken"
    ]
