"""How pictures reach the page: chosen, dropped, pasted, taken with a camera."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeocr import OCR
from tests.support.visits import Visit, page_of, picture

pytestmark = pytest.mark.browser


def test_a_chosen_picture_is_read(visit: Visit, ocr: OCR, pictures: Path) -> None:
    visit.choose(pictures / "sample.jpg")
    assert visit.shown() == ocr.read(pictures / "sample.jpg").texts
    assert visit.find("#count").text_content() == "16 lines"
    assert visit.find("#name").text_content() == "sample.jpg"
    assert visit.find(".sheet img").evaluate("e => e.naturalWidth") == 960


def test_a_dropped_picture_is_read(visit: Visit, ocr: OCR, pictures: Path) -> None:
    files = visit.transfer("badge.jpg", "image/jpeg", (pictures / "badge.jpg").read_bytes())
    visit.page.dispatch_event("main", "dragover", {"dataTransfer": files})
    assert visit.find(".drop-here").is_visible()
    visit.page.dispatch_event("main", "drop", {"dataTransfer": files})
    assert not visit.find(".drop-here").is_visible()
    assert visit.settled().shown() == ocr.read(pictures / "badge.jpg").texts


def test_a_picture_in_the_clipboard_is_read(visit: Visit, ocr: OCR, pictures: Path) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    files = visit.transfer("badge.jpg", "image/jpeg", (pictures / "badge.jpg").read_bytes())
    copied = """async transfer => {
        const bitmap = await createImageBitmap(transfer.files[0]);
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        canvas.getContext("2d").drawImage(bitmap, 0, 0);
        const png = await canvas.convertToBlob({ type: "image/png" });
        await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    }"""
    visit.page.evaluate(copied, files)
    visit.page.keyboard.press("Control+V")
    assert visit.settled().shown() == ocr.read(pictures / "badge.jpg").texts


def test_phones_are_offered_the_camera(visit: Visit, phone: Visit) -> None:
    camera = phone.find("#camera")
    assert camera.get_attribute("capture") == "environment"
    assert camera.get_attribute("accept") == "image/*"
    assert phone.find("label[for=camera]").is_visible()
    assert not visit.find("label[for=camera]").is_visible()


def test_a_photo_from_the_camera_is_read(phone: Visit, pictures: Path) -> None:
    phone.page.set_input_files("#camera", pictures / "badge.jpg")
    assert "OPEN 07:30" in phone.settled().shown()


def test_options_are_sent_and_change_what_is_drawn(visit: Visit, ocr: OCR, pictures: Path) -> None:
    visit.choose(pictures / "sample.jpg")
    assert visit.find(".outlines .word").count() == 0
    visit.find("#words").check()
    visit.settled()
    words = [word for line in ocr.read(pictures / "sample.jpg", words=True) for word in line.words]
    assert visit.find(".outlines .word").count() == len(words)
    visit.find("#shape").select_option("polygon")
    visit.settled()
    corners = "e => Math.max(...e.map(each => each.points.numberOfItems))"
    assert visit.find(".outlines .around").evaluate_all(corners) > 4


def test_further_files_are_read_in_turn_and_can_be_chosen(visit: Visit, pictures: Path) -> None:
    visit.choose(pictures / "badge.jpg").choose(pictures / "sample.jpg", pictures / "receipt.jpg")
    entries = visit.find("#strip li button")
    assert entries.locator(".name").all_text_contents() == [
        "badge.jpg",
        "sample.jpg",
        "receipt.jpg",
    ]
    visit.find("#strip .state", has_text="44 lines").wait_for()
    assert visit.find("#name").text_content() == "sample.jpg"  # the first of the new ones
    entries.nth(2).click()
    assert visit.find("#count").text_content() == "44 lines"
    assert entries.nth(2).get_attribute("aria-current") == "true"
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("Enter")
    assert visit.find("#name").text_content() == "sample.jpg"
    visit.find("#clear").click()
    assert visit.find(".invitation").is_visible()
    assert not visit.find("#result").is_visible()


def test_the_foot_names_what_reads(visit: Visit) -> None:
    visit.find("#made-of:not(:empty)").wait_for()
    said = visit.find("#made-of").text_content() or ""
    assert said.startswith("bundle tiny · ")
    assert "edgeocr " in said and "ONNX Runtime " in said and " cpu " in said


def test_a_picture_without_text_says_so(visit: Visit) -> None:
    visit.choose(picture())
    assert visit.find("#count").text_content() == "0 lines"
    assert visit.find("#no-lines").is_visible()


@pytest.mark.parametrize("count", [1, 3])
def test_times_providers_and_scores_are_told(opened: Callable[..., Visit], count: int) -> None:
    visit = opened()
    visit.answer("/v1/read", page_of(*["text"] * count, score=0.5))
    visit.choose(picture())
    visit.find("summary").click()
    rows = [row.split() for row in visit.find("#stages tr").all_inner_texts()]
    assert rows == [["detection", "12.5", "cpu"], ["recognition", "30.0", "cpu"]]
    assert "42.5" in visit.find("tfoot tr").first.inner_text()
    assert "mean 0.500, lowest 0.500" in visit.find("#facts").inner_text()
    assert visit.find(".lines .is-doubtful").count() == count
