"""Texts that are copied, and documents that are saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pypdfium2
import pytest
from lxml import etree

from edgeocr import OCR
from edgeocr.serve import Options, ReaderOptions
from tests.support.services import Client, serving
from tests.support.visits import OTHER_NAME, Visit, page_of, picture, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.browser
CLIPBOARD = "() => navigator.clipboard.readText()"


@pytest.fixture
def visit(opened: Callable[..., Visit]) -> Visit:
    return opened(permissions=["clipboard-read", "clipboard-write"])


def saved(visit: Visit, format_: str, folder: Path) -> Path:
    """Save the shown file in a format, and return the file's path."""
    with visit.page.expect_download() as download:
        visit.find(f"[data-format={format_}]").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_the_text_of_all_lines_is_copied(visit: Visit, ocr: OCR, pictures: Path) -> None:
    visit.choose(pictures / "sample.jpg")
    visit.find("#copy").click()
    visit.find("#copy.is-done").wait_for()
    # As the command line prints it, with an empty line between blocks.
    assert visit.page.evaluate(CLIPBOARD) == ocr.read(pictures / "sample.jpg").to_text().rstrip(
        "\n"
    )
    assert visit.find("#status").text_content() == "The text is copied"


def test_a_line_is_copied(visit: Visit, pictures: Path) -> None:
    visit.choose(pictures / "sample.jpg")
    visit.line(2).hover()
    visit.line(2).locator(".copy").click()
    visit.find("#lines .is-done").wait_for()
    assert visit.page.evaluate(CLIPBOARD) == "NOODLE AND TEA ROOM"


def test_a_page_without_tls_copies_too(visit: Visit, browser: Browser, service: Client) -> None:
    # On http://192.168.1.20 the browser has no navigator.clipboard.
    options = Options(ReaderOptions(provider="cpu"), port=0, allowed_hosts=(OTHER_NAME,), drain=1)
    with serving(options) as (client, _):
        url = f"http://{OTHER_NAME}:{urlsplit(client.url).port}"
        with visiting(browser, url) as other:
            other.open()
            assert other.page.evaluate("() => [isSecureContext, Boolean(navigator.clipboard)]") == [
                False,
                False,
            ]
            other.answer("/v1/read", page_of("copied elsewhere"))
            other.choose(picture())
            other.find("#copy").click()
            other.find("#copy.is-done").wait_for()
            assert other.page.evaluate("() => document.activeElement.id") == "copy"
            assert other.find("textarea").count() == 0
            other.page.evaluate("() => document.body.append(document.createElement('textarea'))")
            other.find("textarea").focus()
            other.page.keyboard.press("Control+V")
            assert other.find("textarea").input_value() == "copied elsewhere"


def test_json_is_the_answer_of_the_service(
    visit: Visit, service: Client, pictures: Path, tmp_path: Path
) -> None:
    answers = []

    def keep(route: Route) -> None:
        answer = route.fetch()
        answers.append(answer.body())
        route.fulfill(response=answer)

    visit.page.route("**/v1/read*", keep)
    visit.choose(pictures / "sample.jpg")
    path = saved(visit, "json", tmp_path)
    assert path.name == "sample.json"
    assert [path.read_bytes()] == answers
    again = service.post("/v1/read?name=sample.jpg", (pictures / "sample.jpg").read_bytes()).json
    page = json.loads(path.read_bytes())
    assert page.pop("milliseconds").keys() == again.pop("milliseconds").keys()
    assert page == again


def test_a_pdf_has_the_text(visit: Visit, pictures: Path, tmp_path: Path) -> None:
    visit.choose(pictures / "sample.jpg")
    path = saved(visit, "pdf", tmp_path)
    assert path.name == "sample.pdf"
    assert path.read_bytes().startswith(b"%PDF")
    with pypdfium2.PdfDocument(path) as document:
        assert "NOODLE AND TEA ROOM" in document[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize(
    ("format_", "name"), [("hocr", "sample.hocr"), ("alto", "sample.xml"), ("text", "sample.txt")]
)
def test_other_formats_have_the_text(
    visit: Visit, pictures: Path, tmp_path: Path, format_: str, name: str
) -> None:
    visit.choose(pictures / "sample.jpg")
    path = saved(visit, format_, tmp_path)
    assert path.name == name
    content = path.read_bytes()
    if format_ != "text":
        etree.fromstring(content)
    assert b"NOODLE" in content


def test_all_files_are_saved_in_one_document(visit: Visit, pictures: Path, tmp_path: Path) -> None:
    visit.choose(pictures / "badge.jpg", pictures / "sample.jpg")
    visit.find("#together").check()
    path = saved(visit, "pdf", tmp_path)
    assert path.name == "texts.pdf"
    with pypdfium2.PdfDocument(path) as document:
        texts = [page.get_textpage().get_text_bounded() for page in document]
    assert ["OPEN 07:30" in text for text in texts] == [True, False]
    assert ["NOODLE" in text for text in texts] == [False, True]
    assert [page["source"] for page in json.loads(saved(visit, "json", tmp_path).read_bytes())] == [
        "badge.jpg",
        "sample.jpg",
    ]
