"""Logical and visual order of lines, with python-bidi as the oracle.

python-bidi leads from logical to visual order only, so what `logical_order` makes of its result
must be the text that it was given. Its function in Rust (unicode-bidi) keeps brackets together
and leaves their mirroring to the caller; the one in Python mirrors, and knows no pairs.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict

import bidi as oracle
import pytest
from bidi import algorithm as mirroring_oracle
from bidi.mirror import MIRRORED

from edgeocr.postprocess import bidi
from edgeocr.postprocess.bidi import (
    Direction,
    in_logical_order,
    is_right_to_left,
    logical_order,
    visual_order,
)
from tests.support import mixed_lines
from tests.support.mixed_lines import Script

SCRIPTS: tuple[Script, ...] = ("hebrew", "arabic", "persian")
DIRECTIONS: tuple[Direction, ...] = ("right-to-left", "left-to-right")
BASE = {"right-to-left": "R", "left-to-right": "L"}
# Letters, both kinds of digits, marks, signs beside numbers, quotation marks, other punctuation.
CHARACTERS = "aאס1٢\u05b8\u064b $%,.-/!?«»"
# One character of each class that the rules tell apart, and brackets.
CLASSES = "aאס1٢ $,-()"
# Closing brackets → opening ones, so that texts are equal whether they are mirrored or not.
FOLDED = str.maketrans(bidi.MIRRORED[1::2], bidi.MIRRORED[::2])


def random_texts(characters: str, number: int) -> list[str]:
    rng = random.Random(1)
    return ["".join(rng.choices(characters, k=rng.randint(1, 12))) for _ in range(number)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_random_characters_are_drawn_as_python_bidi_draws_them(direction: Direction) -> None:
    for text in random_texts(CHARACTERS, 2000):
        expected = mirroring_oracle.get_display(text, base_dir=BASE[direction])
        assert visual_order(text, direction) == expected, ascii(text)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_pairs_of_brackets_are_kept_as_unicode_bidi_keeps_them(direction: Direction) -> None:
    for text in random_texts(CHARACTERS + "()[]〈〉（）", 3000):
        expected = oracle.get_display(text, base_dir=BASE[direction])
        made = visual_order(text, direction)
        assert made.translate(FOLDED) == expected.translate(FOLDED), ascii(text)


def test_brackets_are_mirrored_as_unicode_says() -> None:
    assert {each: MIRRORED[each] for each in bidi.MIRRORED} == {
        **dict(zip(bidi.MIRRORED[::2], bidi.MIRRORED[1::2], strict=True)),
        **dict(zip(bidi.MIRRORED[1::2], bidi.MIRRORED[::2], strict=True)),
    }


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_line_is_read_as_it_was_written(script: Script) -> None:
    for seed in range(400):
        text = mixed_lines.line(random.Random(seed), script)
        drawn = oracle.get_display(text, base_dir="R").translate(FOLDED)
        visual = visual_order(text)
        assert visual.translate(FOLDED) == drawn
        assert logical_order(visual) == text, seed


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_ambiguous_line_becomes_one_that_is_drawn_alike(script: Script) -> None:
    for seed in range(400):
        text = mixed_lines.ambiguous_line(random.Random(seed), script)
        visual = visual_order(text)
        assert visual_order(logical_order(visual, "right-to-left")) == visual, seed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("length", "direction", "failures"),
    [
        (3, "right-to-left", 0),
        (3, "left-to-right", 0),
        # Seven of 14 389: "1 a$" and five more, for which "a 1$" is taken, and "a)a(", for which
        # "(a)a" is.
        pytest.param(4, "right-to-left", 7, marks=pytest.mark.slow),
        # Nine of 13 641, all with two brackets that close and none that opens.
        pytest.param(4, "left-to-right", 9, marks=pytest.mark.slow),
    ],
)
def test_whatever_is_drawn_for_a_short_text_becomes_a_text_that_is_drawn_alike(
    length: int, direction: Direction, failures: int
) -> None:
    texts = defaultdict(set)
    for characters in itertools.product(CLASSES, repeat=length):
        text = "".join(characters)
        texts[visual_order(text, direction)].add(text)
    failed = [each for each in texts if logical_order(each, direction) not in texts[each]]
    assert len(failed) == failures


@pytest.mark.parametrize(
    ("visual", "logical"),
    [
        ("םולש", "שלום"),
        ("2024 רבמצדב 31", "31 בדצמבר 2024"),
        ("Galaxy S24 ןופלט", "טלפון Galaxy S24"),
        ("!(Tel Aviv) ביבא לת", "תל אביב (Tel Aviv)!"),
        ("₪1,234.50 :ריחמ", "מחיר: ₪1,234.50"),
        ("%50 مصخ", "خصم 50%"),
        ("١٢٣ - ٤٥٦ فتاه", "هاتف ٤٥٦ - ١٢٣"),
        ("٢٠٢٤/١٢/٣١", "٢٠٢٤/١٢/٣١"),
        ("«مالس»", "«سلام»"),
        ("bidi.mirror ةلادلا info@example.org", "info@example.org الدالة bidi.mirror"),
    ],
)
def test_texts_of_a_right_to_left_paragraph(visual: str, logical: str) -> None:
    assert logical_order(visual, "right-to-left") == logical


@pytest.mark.parametrize(
    "text", ["", " ", "Hello, world (1)!", "050 123 4567", "12:30 - 14:00", "中文、日本語"]
)
def test_a_line_without_right_to_left_characters_stays_as_it_is(text: str) -> None:
    assert logical_order(text) == text


def test_the_direction_of_a_line_between_latin_words_is_that_of_most_letters() -> None:
    assert logical_order("The word (מולש) is Hebrew.") == "The word (שלומ) is Hebrew."
    assert logical_order("Apple ליבומ Google") == "Google מוביל Apple"


@pytest.mark.parametrize("visual", ["15 iPhone ןופלט", "(iOS) 17 iPad ןופלט"])
def test_an_order_that_no_text_is_drawn_in_stays_as_it_is(visual: str) -> None:
    *latin, word = visual.split(" ")
    assert logical_order(visual) == f"{word[::-1]} {' '.join(latin)}"


def test_what_a_line_holds_beside_an_impossible_order_is_put_right() -> None:
    assert logical_order("15 iPhone בא 2,000 - 3,000 דג") == "גד 3,000 - 2,000 אב 15 iPhone"


def test_right_to_left_letters_are_known() -> None:
    assert is_right_to_left("abc ש") and is_right_to_left("ع")
    assert not is_right_to_left("abc 1٢ ()中") and not is_right_to_left("")


@pytest.mark.parametrize(
    "visual", ["", "abc", "2024 רבמצדב 31", "!(Tel Aviv) ביבא לת", "15 iPhone בא 2,000 - 3,000 דג"]
)
def test_the_places_of_characters_are_known(visual: str) -> None:
    text, places = in_logical_order(visual)
    assert text == logical_order(visual)
    assert sorted(places) == list(range(len(visual)))
    # Only brackets are mirrored.
    assert all(visual[i] == c for i, c in zip(places, text, strict=True) if c not in "()")
