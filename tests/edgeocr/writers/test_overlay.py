"""Overlays: outlines on the picture, and texts in a font that covers them."""

from __future__ import annotations

import builtins
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import ImageFont, features

from edgeocr import OCR, FontError, Line, Word
from edgeocr.postprocess import bidi
from edgeocr.writers import overlay
from tests.support.paths import ROOT
from tests.support.pixels import mean_difference

QUAD = np.array([[20, 20], [180, 20], [180, 60], [20, 60]], np.float32)
BLANK = np.full((80, 200, 3), 255, np.uint8)


def test_outlines_are_drawn_on_a_copy() -> None:
    drawn = overlay.draw(BLANK, [Line("x", 1.0, QUAD)], texts=False)
    assert drawn.shape == BLANK.shape
    assert (BLANK == 255).all()
    assert np.any(drawn[20, 25:175] != 255, axis=1).all()
    assert (drawn[30:50, 40:160] == 255).all()


def test_polygon_is_drawn_instead_of_the_quad() -> None:
    polygon = np.array([[20, 40], [100, 20], [180, 40], [100, 70]], np.float32)
    drawn = overlay.draw(BLANK, [Line("x", 1.0, QUAD, polygon)], texts=False)
    assert (drawn[20, 98:103] != 255).any()
    assert (drawn[20, 25:60] == 255).all()


def test_text_is_drawn_on_the_sheet_at_the_place_of_its_line(font: Path) -> None:
    drawn = overlay.draw(BLANK, [Line("Hello", 1.0, QUAD)])
    sheet = drawn[:, 200:]
    assert drawn.shape == (80, 400, 3)
    inside, outside = sheet[25:55, 25:175], sheet[:18]
    assert (inside < 128).any(axis=2).sum() > 100
    assert (outside == 255).all()


def test_text_of_a_tall_region_runs_down(font: Path) -> None:
    tall = np.array([[20, 10], [50, 10], [50, 190], [20, 190]], np.float32)
    sheet = overlay.draw(np.full((200, 80, 3), 255, np.uint8), [Line("Hello", 1.0, tall)])[:, 80:]
    rows, columns = np.nonzero(np.any(sheet[15:185, 24:46] < 128, axis=2))
    assert np.ptp(rows) > 2 * np.ptp(columns)


def test_line_of_spaces_has_an_outline_and_no_text_on_the_sheet() -> None:
    sheet = overlay.draw(BLANK, [Line(" ", 1.0, QUAD)])[:, 200:]
    assert (sheet[20, 25:175] != 255).any(axis=1).all()
    assert (sheet[22:58, 22:178] == 255).all()


def test_sheet_without_lines_is_white() -> None:
    assert (overlay.draw(BLANK, [])[:, 200:] == 255).all()


@pytest.mark.parametrize("engine", list(ImageFont.Layout), ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("שלום (iPhone 15)", "(iPhone 15) םולש"),
        ("iPhone 15 שלום", "םולש iPhone 15"),
        ("He writes שלום (peace)", "He writes םולש (peace)"),
    ],
)
def test_a_right_to_left_text_is_drawn_from_right_to_left(
    monkeypatch: pytest.MonkeyPatch, engine: ImageFont.Layout, text: str, drawn: str
) -> None:
    if engine is ImageFont.Layout.RAQM and not features.check("raqm"):
        pytest.skip("Pillow finds no Raqm and FriBidi here")
    font = font_for(text)

    def strip(text: str, layout: ImageFont.Layout) -> Any:
        monkeypatch.setattr(overlay, "_font", partial(ImageFont.truetype, layout_engine=layout))
        drawn = np.asarray(overlay._strip(Line(text, 1.0, QUAD), font, (0, 0, 0)))[..., 3]
        return cv2.blur(drawn, (9, 9))  # Raqm places letters a little differently

    made = strip(text, engine)
    monkeypatch.setattr(bidi, "is_right_to_left", lambda _: False)
    expected = strip(drawn, ImageFont.Layout.BASIC)
    assert np.corrcoef(made.ravel(), expected.ravel())[0, 1] > 0.9


def test_font_must_cover_the_characters(font: Path) -> None:
    assert overlay.find_font(frozenset("Abc")).is_file()
    with pytest.raises(FontError, match="fonts"):
        overlay.find_font(frozenset("\U000f1234\U000f1235"))


def test_texts_without_any_font_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "_installed", tuple)
    with pytest.raises(FontError, match="none of the 0 installed fonts covers"):
        overlay.draw(BLANK, [Line("x", 1.0, QUAD)])


def test_texts_without_pillow_are_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without_pillow(name: str, *rest: Any) -> Any:
        if name.startswith("PIL"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_pillow)
    with pytest.raises(FontError, match=r"edgeocr\[overlay\]"):
        overlay.draw(BLANK, [Line("x", 1.0, QUAD)])


@pytest.fixture
def font() -> Path:
    """Path of an installed font; the test is skipped where there is none."""
    return font_for("Hello")


def font_for(text: str) -> Path:
    """Return an installed font that covers a text; skip the test where there is none."""
    try:
        return overlay.find_font(frozenset(text.replace(" ", "")))
    except FontError:
        pytest.skip("no font is installed on this machine")


def test_words_are_drawn_if_they_are_asked_for() -> None:
    word = Word("x", 1.0, np.array([[60, 25], [90, 25], [90, 55], [60, 55]], np.float32))
    line = Line("x", 1.0, QUAD, words=(word,))
    drawn = overlay.draw(BLANK, [line], texts=False, words=True)
    assert np.any(drawn[30:50, 60] != 255, axis=1).all()
    plain = overlay.draw(BLANK, [line], texts=False)
    assert (plain[30:50, 40:160] == 255).all()
    assert np.array_equal(
        overlay.draw(BLANK, [Line("x", 1.0, QUAD)], texts=False, words=True), plain
    )


def test_picture_of_the_docs_shows_the_words_that_are_found(ocr: OCR, pictures: Path) -> None:
    """`page.draw(…, words=True)` made it, and a JPEG's quality of 88."""
    shown = cv2.imread(str(ROOT / "docs" / "images" / "words.jpg"))
    page = ocr.read(pictures / "sample.jpg", words=True)
    drawn = page.draw(pictures / "sample.jpg", words=True)
    assert shown is not None and shown.shape == drawn.shape
    assert mean_difference(shown, drawn) < 3
    # The outlines differ from a picture without words by far more than JPEG does.
    changed = np.any(drawn != page.draw(pictures / "sample.jpg"), axis=2)
    assert np.abs(shown[changed].astype(int) - drawn[changed]).mean() < 20
