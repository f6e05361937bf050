"""Overlays: boxes always, texts in a font that has them."""

import builtins
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import FontError, Line
from edgeocr.writers import overlay
from tests.support.paths import IMAGES

QUAD = np.array([[20, 20], [180, 20], [180, 60], [20, 60]], np.float32)
BLANK = np.full((80, 200, 3), 255, np.uint8)


def test_boxes_are_drawn_on_a_copy():
    drawn = overlay.draw(BLANK, [Line("x", 1.0, QUAD)], texts=False)
    assert drawn.shape == BLANK.shape
    assert (BLANK == 255).all()
    assert (drawn[20, 25:175] != 255).any(axis=1).all()
    assert (drawn[30:50, 40:160] == 255).all()


def test_polygons_are_drawn_where_there_are_some():
    polygon = np.array([[20, 40], [100, 20], [180, 40], [100, 70]], np.float32)
    drawn = overlay.draw(BLANK, [Line("x", 1.0, QUAD, polygon)], texts=False)
    assert (drawn[20, 98:103] != 255).any()
    assert (drawn[20, 25:60] == 255).all()


def test_texts_stand_beside_the_picture_where_the_region_is(font):
    drawn = overlay.draw(BLANK, [Line("Hello", 1.0, QUAD)])
    sheet = drawn[:, 200:]
    assert drawn.shape == (80, 400, 3)
    inside, outside = sheet[25:55, 25:175], sheet[:18]
    assert (inside < 128).any(axis=2).sum() > 100
    assert (outside == 255).all()


def test_text_of_a_tall_region_runs_down(font):
    tall = np.array([[20, 10], [50, 10], [50, 190], [20, 190]], np.float32)
    sheet = overlay.draw(np.full((200, 80, 3), 255, np.uint8), [Line("Hello", 1.0, tall)])[:, 80:]
    ink = (sheet[15:185, 24:46] < 128).any(axis=2)
    assert np.ptp(np.flatnonzero(ink.any(axis=1))) > 2 * np.ptp(np.flatnonzero(ink.any(axis=0)))


def test_a_line_of_spaces_is_left_out(font):
    assert overlay.draw(BLANK, [Line(" ", 1.0, QUAD)]).shape == (80, 400, 3)


def test_no_lines_is_a_white_sheet():
    assert (overlay.draw(BLANK, [])[:, 200:] == 255).all()


def test_a_font_must_have_the_characters(font):
    assert overlay.find_font(frozenset("Abc")).is_file()
    with pytest.raises(FontError, match="fonts"):
        overlay.find_font(frozenset("\U000f1234\U000f1235"))


def test_no_font_at_all(monkeypatch):
    monkeypatch.setattr(overlay, "_installed", tuple)
    with pytest.raises(FontError, match="none of the 0 installed fonts"):
        overlay.draw(BLANK, [Line("x", 1.0, QUAD)])


def test_without_pillow_the_error_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without_pillow(name, *rest):
        if name.startswith("PIL"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_pillow)
    with pytest.raises(FontError, match=r"edgeocr\[overlay\]"):
        overlay.draw(BLANK, [Line("x", 1.0, QUAD)])


@pytest.fixture
def font() -> Path:
    try:
        return overlay.find_font(frozenset("Hello"))
    except FontError:
        pytest.skip("no font is installed on this machine")


def test_the_command_draws_boxes_when_there_is_no_font(monkeypatch, capsys, tmp_path):
    from edgeocr.cli.main import main

    monkeypatch.setattr(overlay, "_installed", tuple)
    sample = IMAGES / "sample.jpg"
    assert main(["read", str(sample), "--overlay", str(tmp_path)]) == 0
    assert "overlays have no texts: none of the 0 installed fonts" in capsys.readouterr().err
    assert cv2.imread(str(tmp_path / "sample.jpg")).shape == (720, 960, 3)
