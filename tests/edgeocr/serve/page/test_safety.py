"""Texts, names and messages can't do anything but be read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.support.services import Client
from tests.support.visits import Visit, page_of, picture

pytestmark = pytest.mark.browser
MARKUP = [
    "<script>document.title = 'broken'</script>",
    "<img src=x onerror=\"document.title = 'broken'\">",
    "<svg onload=\"document.title = 'broken'\"></svg>",
    '</text></svg><a href="javascript:alert(1)">x</a>',
    "&lt;b&gt;",
]
# What index.html has of its own.
COUNT = "() => ['script', 'img', 'a', 'b'].map(tag => document.querySelectorAll(tag).length)"


def test_markup_in_texts_is_text(visit: Visit) -> None:
    visit.answer("/v1/read", page_of("a", "b", "c", "d", "e"))
    visit.choose(picture())
    before = visit.page.evaluate(COUNT)
    visit.answer("/v1/read", page_of(*MARKUP))
    visit.find("#words").check()  # reads again
    visit.find("#lines", has_text="<script>").wait_for()
    assert visit.shown() == MARKUP
    for index, text in enumerate(MARKUP):
        visit.outline(index).hover()
        assert visit.find("#tip .said").text_content() == text
    assert visit.page.evaluate(COUNT) == before
    assert visit.page.title() == "edgeocr"


def test_markup_on_an_empty_sheet_is_text(visit: Visit) -> None:
    visit.answer("/v1/read", [page_of(*MARKUP, frames=2), page_of("second", frames=2)])
    visit.choose({**picture(), "name": "scan.tif"})
    assert visit.find(".outlines .said").all_text_contents() == MARKUP
    assert visit.find(".outlines a, .outlines svg").count() == 0
    assert visit.page.title() == "edgeocr"


def test_markup_in_a_picture_is_text(visit: Visit) -> None:
    drawing = Image.new("RGB", (760, 120), "white")
    font = ImageFont.load_default(44)
    ImageDraw.Draw(drawing).text((20, 30), "<b>bold</b> <i>new</i>", "black", font)
    content = io.BytesIO()
    drawing.save(content, "PNG")
    visit.choose({"name": "tags.png", "mimeType": "image/png", "buffer": content.getvalue()})
    assert "<b>bold" in visit.shown()[0].replace(" ", "")
    assert visit.find("#lines b, #lines i").count() == 0


def test_markup_in_names_and_messages_is_text(visit: Visit) -> None:
    visit.statuses = {422}
    message = {"error": {"type": "ImageError", "message": MARKUP[1], "source": MARKUP[1]}}
    visit.answer("/v1/read", message, 422)
    visit.choose(picture(name=MARKUP[1]))
    assert visit.find("#problem .message").text_content() == f"{MARKUP[1]}."
    assert visit.find("#problem .name").text_content() == MARKUP[1]
    visit.answer("/v1/read", page_of("a"))
    visit.choose(picture(name=MARKUP[1]))
    assert visit.find("#strip .name").all_text_contents() == [MARKUP[1]] * 2
    assert visit.find("#name").text_content() == MARKUP[1]
    assert visit.page.title() == "edgeocr"


def test_the_policy_forbids_scripts_in_the_document(visit: Visit, service: Client) -> None:
    policy = service.get("/").headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    append = """() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'broken'";
        document.body.append(script);
    }"""
    visit.page.evaluate(append)
    assert visit.page.title() == "edgeocr"
    assert "Content Security Policy" in visit.faults.pop()


def test_only_the_files_of_the_page_are_served(service: Client) -> None:
    folder = Path("edgeocr/serve/page")
    for path in folder.iterdir():
        answer = service.get(f"/page/{path.name}")
        assert (answer.status, answer.body) == (200, path.read_bytes())
        assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("..%2Fapp.py", "../app.py", "missing.js", "..%2f..%2fpy.typed"):
        assert service.get(f"/page/{name}").status == 404
