"""Whether outlines are where the texts are, and what follows pointer, finger and keys."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeocr import OCR, Page
from tests.support.visits import DESKTOP, PHONE, Visit, page_of, picture

pytestmark = pytest.mark.browser
# What Pillow does to a picture that EXIF's orientation undoes.
TURNS = {
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
# Of sample.jpg; large enough to be read on a screenshot.
EASY = ("NOODLE AND TEA ROOM", "09:00-21:30", "Weight 2.45 kg")


def expected_boxes(visit: Visit, page: Page, width: int, height: int) -> np.ndarray:
    """Return the boxes of lines on the screen, float [N, 4], by where the picture is there."""
    left, top, right, bottom = visit.box(".sheet img")
    scale = np.array([(right - left) / width, (bottom - top) / height])
    points = np.array([left, top]) + page.boxes * scale
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def drawn_boxes(visit: Visit, count: int) -> np.ndarray:
    return np.array([visit.outline_box(index) for index in range(count)])


def read_on_screen(visit: Visit, ocr: OCR, index: int) -> str:
    """Read what stands in the outline of a line on a screenshot of the page."""
    left, top, right, bottom = visit.outline_box(index)
    clip: Any = {
        "x": left - 6,
        "y": top - 6,
        "width": right - left + 12,
        "height": bottom - top + 12,
    }
    return ocr.read(visit.page.screenshot(clip=clip)).text


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_outlines_are_where_the_texts_are(
    opened: Callable[..., Visit], ocr: OCR, pictures: Path, size: tuple[int, int]
) -> None:
    visit = opened(size=size, device_scale_factor=2).choose(pictures / "sample.jpg")
    page = ocr.read(pictures / "sample.jpg")
    np.testing.assert_allclose(
        drawn_boxes(visit, len(page)), expected_boxes(visit, page, 960, 720), atol=0.6
    )
    for text in EASY:
        assert text in read_on_screen(visit, ocr, page.texts.index(text))
    # The outline takes the pointer in its middle.
    index = page.texts.index("09:00-21:30")
    left, top, right, bottom = visit.outline_box(index)
    at = "([x, y]) => document.elementFromPoint(x, y)?.closest('g')?.dataset.index"
    assert visit.page.evaluate(at, [(left + right) / 2, (top + bottom) / 2]) == str(index)


def test_outlines_follow_the_picture_when_the_window_or_zoom_changes(
    visit: Visit, ocr: OCR, pictures: Path
) -> None:
    visit.choose(pictures / "receipt.jpg")
    page = ocr.read(pictures / "receipt.jpg")
    before = visit.box(".sheet img")
    visit.page.set_viewport_size({"width": 800, "height": 700})
    assert visit.box(".sheet img") != before
    np.testing.assert_allclose(
        drawn_boxes(visit, len(page)), expected_boxes(visit, page, 600, 900), atol=0.6
    )
    before = visit.box(".sheet img")
    visit.find("#larger").click()
    left, _, right, _ = visit.box(".sheet img")
    assert right - left == pytest.approx(1.5 * (before[2] - before[0]), rel=0.01)
    np.testing.assert_allclose(
        drawn_boxes(visit, len(page)), expected_boxes(visit, page, 600, 900), atol=0.6
    )


@pytest.mark.parametrize("orientation", TURNS)
def test_pictures_that_exif_turns(visit: Visit, ocr: OCR, pictures: Path, orientation: int) -> None:
    content = io.BytesIO()
    with Image.open(pictures / "sample.jpg") as upright:
        exif = upright.getexif()
        exif[0x0112] = orientation
        upright.transpose(TURNS[orientation]).save(content, "JPEG", quality=95, exif=exif)
    visit.choose({"name": "turned.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()})
    page = ocr.read(content.getvalue())
    assert (page.width, page.height) == (960, 720)
    assert not visit.find(".sheet.is-empty").count()
    np.testing.assert_allclose(
        drawn_boxes(visit, len(page)), expected_boxes(visit, page, 960, 720), atol=0.6
    )
    assert EASY[0] in read_on_screen(visit, ocr, page.texts.index(EASY[0]))


def test_a_picture_that_the_browser_turns_otherwise_is_not_shown(visit: Visit) -> None:
    visit.answer("/v1/read", page_of("a line", width=300, height=400))
    visit.choose(picture((400, 300)))
    assert visit.find(".sheet.is-empty").is_visible()
    assert visit.find("#why-no-picture").is_visible()


def test_pointing_at_an_outline_shows_its_text(visit: Visit, ocr: OCR, pictures: Path) -> None:
    visit.choose(pictures / "receipt.jpg")
    page = ocr.read(pictures / "receipt.jpg")
    last = len(page) - 1
    assert not visit.find("#tip").is_visible()
    for index in (3, last):
        visit.outline(index).hover()
        assert visit.find("#tip .said").text_content() == page[index].text
        assert visit.find("#tip").is_visible()
        current = visit.find("#lines .is-current")
        assert current.get_attribute("data-index") == str(index)
        top, bottom = visit.box("#lines")[1::2]  # the list has scrolled to it
        assert (
            top <= visit.box("#lines .is-current")[1] < visit.box("#lines .is-current")[3] <= bottom
        )
    visit.page.mouse.move(1, 1)
    assert not visit.find("#tip").is_visible()
    assert visit.find("#lines .is-current").count() == 0


def test_pointing_at_a_text_highlights_its_outline(visit: Visit, pictures: Path) -> None:
    visit.choose(pictures / "sample.jpg")
    fill = "e => getComputedStyle(e).fill"
    before = visit.outline(2).locator(".around").evaluate(fill)
    visit.line(2).hover()
    assert visit.find(".outlines .is-current").get_attribute("data-index") == "2"
    assert visit.outline(2).locator(".around").evaluate(fill) != before
    assert visit.find("#tip").is_visible()


def test_tapping_selects_a_line_until_the_picture_is_tapped(phone: Visit, pictures: Path) -> None:
    phone.choose(pictures / "sample.jpg")
    phone.outline(2).tap()
    assert phone.find("#tip .said").text_content() == "NOODLE AND TEA ROOM"
    assert phone.line(2).evaluate("e => e.classList.contains('is-current')")
    phone.line(5).locator(".said").tap()
    assert phone.find(".outlines .is-current").get_attribute("data-index") == "5"
    left, _, _, bottom = phone.box(".sheet img")
    phone.page.touchscreen.tap(left + 5, bottom - 5)
    assert phone.find(".outlines .is-current").count() == 0


def test_keys_move_between_lines(visit: Visit, pictures: Path) -> None:
    visit.choose(pictures / "sample.jpg")
    press = visit.page.keyboard.press
    visit.find("#larger").focus()
    press("Tab")  # one stop for all outlines
    focused = "() => document.activeElement.closest('[data-index]')?.dataset.index"
    assert visit.page.evaluate(focused) == "0"
    for key, index in (
        ("ArrowDown", 1),
        ("ArrowRight", 2),
        ("ArrowUp", 1),
        ("End", 15),
        ("Home", 0),
    ):
        press(key)
        assert visit.page.evaluate(focused) == str(index)
        assert visit.find("#lines .is-current").get_attribute("data-index") == str(index)
    label = visit.outline(0).get_attribute("aria-label")
    assert label == "Line 1: 欢迎光临"
    press("Tab")  # the button that copies all
    press("Tab")
    assert visit.page.evaluate("() => document.activeElement.textContent") == "欢迎光临"
    press("ArrowDown")
    assert visit.find(".outlines .is-current").get_attribute("data-index") == "1"
    press("Escape")
    assert visit.find(".is-current").count() == 0
    assert not visit.find("#tip").is_visible()


def test_a_larger_picture_scrolls_to_the_line_below_the_pointer(
    visit: Visit, pictures: Path
) -> None:
    visit.choose(pictures / "sample.jpg")
    for _ in range(4):
        visit.find("#larger").click()
    visit.line(0).hover()
    visit.line(14).hover()
    stage, outline = visit.box("#stage"), visit.outline_box(14)
    assert stage[1] <= outline[1] + 1 and outline[3] - 1 <= stage[3]
