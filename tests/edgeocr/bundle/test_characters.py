"""The characters of a bundle: what published dictionaries contain, and what no text may have."""

from __future__ import annotations

import unicodedata

import pytest

from edgeocr import Bundle, BundleError
from edgeocr.bundle import limits
from edgeocr.bundle.characters import characters
from edgeocr.bundle.manifest import Charset
from tests.support.paths import BUNDLES, EMBEDDED_BUNDLE

# What the 66 dictionaries that PaddleOCR publishes contain beside letters, marks, numbers,
# punctuation and symbols, and the longest entries of those for languages and for tables.
PUBLISHED = [
    *("\t", " ", "\u00a0", "\u00ad", "\u070f", "\u200b", "\u200c", "\u200d", "\u2028", "\u2060"),
    *("\u2061", "\u3000", "\ufeff", "\u0e00", "য়্যা", '<td colspan="2"', "\\begin{array}"),
]


def charset(classes: int) -> Charset:
    return Charset("charsets/a.txt", classes, blank=0)


def test_characters_of_published_dictionaries_are_accepted() -> None:
    content = "\n".join(PUBLISHED).encode()
    assert characters(charset(len(PUBLISHED) + 1), content) == ["", *PUBLISHED]
    assert characters(charset(len(PUBLISHED) + 1), content + b"\n") == ["", *PUBLISHED]


def test_stored_bundles_have_no_control_characters() -> None:
    for path in (EMBEDDED_BUNDLE, *BUNDLES.glob("*.edgeocr")):
        found = {unicodedata.category(one) for each in Bundle.open(path).characters for one in each}
        assert "Ll" in found or "Nd" in found
        assert "Cc" not in found


@pytest.mark.parametrize(
    ("steering", "said"),
    [
        ("\x1b[31m", "U\\+001B"),
        ("\0", "U\\+0000"),
        ("\r", "U\\+000D"),
        ("\x08", "U\\+0008"),
        ("\x7f", "U\\+007F"),
        ("\x9b31m", "U\\+009B"),
        ("\u202e", "U\\+202E"),
        ("a\u2067", "U\\+2067"),
    ],
)
def test_characters_that_steer_a_terminal_are_refused(steering: str, said: str) -> None:
    content = f"a\nb\n{steering}\n".encode()
    with pytest.raises(BundleError, match=rf"charsets/a\.txt: line 3 .*{said}") as caught:
        characters(charset(4), content)
    assert str(caught.value).isprintable()


def test_a_long_character_is_refused() -> None:
    assert characters(charset(3), b"a\n" + b"x" * limits.CHARACTER)[2] == "x" * limits.CHARACTER
    with pytest.raises(BundleError, match=r"has 100000 code points; .* 64 at most") as caught:
        characters(charset(3), b"a\n" + b"x" * 100_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("classes", [2, 4, 2**53 - 1])
def test_a_wrong_number_of_classes_is_refused(classes: int) -> None:
    with pytest.raises(BundleError, match=f"2 characters and 1 special .* the {classes} classes"):
        characters(charset(classes), b"a\nb\n")


def test_special_classes_have_no_character() -> None:
    special = Charset("charsets/a.txt", 7, begin=2, end=3, ignored=[0, 6])
    assert characters(special, b"a\nb\nc\n") == ["", "a", "", "", "b", "c", ""]
