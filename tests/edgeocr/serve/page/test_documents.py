"""Files with several pages, and files that the browser can't show."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from edgeocr import OCR
from tests.support.visits import Visit, page_of, picture

pytestmark = pytest.mark.browser


@pytest.fixture(params=["TIFF", "PDF"])
def document(pictures: Path, request: pytest.FixtureRequest) -> dict[str, object]:
    """A document with sample.jpg and receipt.jpg as its pages."""
    content = io.BytesIO()
    pages = [Image.open(pictures / name).convert("RGB") for name in ("sample.jpg", "receipt.jpg")]
    options = {"compression": "jpeg"} if request.param == "TIFF" else {"resolution": 100}
    pages[0].save(content, request.param, save_all=True, append_images=pages[1:], **options)
    kind = {"TIFF": "image/tiff", "PDF": "application/pdf"}[request.param]
    return {"name": f"scan.{request.param.lower()}", "mimeType": kind, "buffer": content.getvalue()}


def test_every_page_is_shown_on_an_empty_sheet(
    visit: Visit, ocr: OCR, document: dict[str, object]
) -> None:
    visit.choose(document)
    entries = visit.find("#strip li button")
    assert entries.locator(".name").all_text_contents() == [
        f"{document['name']}, page 1",
        f"{document['name']}, page 2",
    ]
    assert "NOODLE AND TEA ROOM" in visit.shown()
    assert visit.find("#why-no-picture").is_visible()
    # The texts stand on the sheet where they stand on the page, so that they can be read there.
    said = visit.find(".outlines .said").all_text_contents()
    assert said == visit.shown()
    sheet = visit.find(".sheet.is-empty").screenshot()
    assert "NOODLE AND TEA ROOM" in ocr.read(sheet).text
    entries.nth(1).click()
    assert "CORNER GROCERY" in " ".join(" ".join(visit.shown()).split())
    left, top, right, bottom = visit.box(".sheet")
    assert (right - left) / (bottom - top) == pytest.approx(600 / 900, rel=0.01)


def test_a_page_that_failed_says_why_and_the_others_are_shown(visit: Visit) -> None:
    failed = {"source": "scan.tif#2", "error": "scan.tif#2: the page is damaged"}
    visit.answer("/v1/read", [page_of("first", frames=3), failed, page_of("third", frames=3)])
    visit.choose({**picture(), "name": "scan.tif"})
    assert visit.shown() == ["first"]
    entries = visit.find("#strip li button")
    assert entries.locator(".state").all_text_contents() == ["1 line", "failed", "1 line"]
    entries.nth(1).click()
    assert visit.find("#problem .message").text_content() == "scan.tif#2: the page is damaged."
    assert not visit.find("#result").is_visible()
    entries.nth(2).click()
    assert visit.shown() == ["third"]


def test_text_that_runs_from_right_to_left(visit: Visit) -> None:
    visit.answer("/v1/read", page_of("شاي بالنعناع", "tea"))
    visit.choose(picture())
    directions = "es => es.map(e => getComputedStyle(e).direction)"
    assert visit.find("#lines .said").evaluate_all(directions) == ["rtl", "ltr"]
    # It begins at the right edge of its entry.
    edges = """e => {
        const range = document.createRange();
        range.selectNodeContents(e);
        return e.getBoundingClientRect().right - range.getBoundingClientRect().right;
    }"""
    assert visit.line(0).locator(".said").evaluate(edges) < 20
    assert visit.line(1).locator(".said").evaluate(edges) > 100
    visit.outline(0).hover()
    assert visit.find("#tip .said").evaluate("e => getComputedStyle(e).direction") == "rtl"


def test_the_json_of_a_document_has_all_pages(
    visit: Visit, document: dict[str, object], tmp_path: Path
) -> None:
    visit.choose(document)
    with visit.page.expect_download() as download:
        visit.find("[data-format=json]").click()
    download.value.save_as(tmp_path / "scan.json")
    pages = json.loads((tmp_path / "scan.json").read_text("utf-8"))
    assert [page["frames"] for page in pages] == [2, 2]
