"""Pages under many conditions: their labels are where the ink is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks import conditions
from edgeocr.accuracy.labels import DONT_CARE

FONTS = conditions.Fonts()
# Drawing and examining these takes more than a second.
SLOW = {"large", "dense", "table", "blur"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(each, marks=[pytest.mark.stress] if each in SLOW else [])
        for each in conditions.CONDITIONS
        if each != "chinese"
    ],
)
def test_all_ink_is_inside_the_labels(condition: str) -> None:
    picture = conditions.draw(condition, 3, FONTS)
    assert any(line.text not in DONT_CARE for line in picture.lines)
    colours = np.asarray(picture.image).astype(int)
    ground = np.median(colours.reshape(-1, 3), axis=0)
    away = np.abs(colours - ground).max(axis=2)
    labelled = np.zeros(away.shape, np.uint8)
    for line in picture.lines:
        one = np.zeros(away.shape, np.uint8)
        cv2.fillPoly(one, [np.rint(line.corners).astype(np.int32)], 1)
        # There is ink in each label ...
        assert away[one > 0].max() > 1.5 * np.median(away) + 10, line
        labelled |= one
    # ... and outside there is hardly any: noise, and a table's rules.
    around = cv2.dilate(labelled, np.ones((9, 9), np.uint8)) > 0
    strong = away > np.quantile(away[labelled > 0], 0.98) * 0.8
    outside = strong[~around].mean()
    assert outside < (0.05 if condition == "table" else 0.001)


def test_chinese_is_drawn_only_with_a_font_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "COUNT", 1)
    monkeypatch.setattr(conditions, "CONDITIONS", ("chinese", "sparse"))
    (picture,) = conditions.pages(0, FONTS)
    assert picture.name == "sparse-000.jpg"
    assert all(line.text.isascii() for line in picture.lines)


def test_number_determines_the_page() -> None:
    first, again, other = (conditions.draw("sparse", number, FONTS) for number in (1, 1, 2))
    assert first.lines == again.lines != other.lines
    assert first.image.tobytes() == again.image.tobytes()
