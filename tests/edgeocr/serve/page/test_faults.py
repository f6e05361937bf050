"""What the page says when something goes wrong, the token, and giving up."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from edgeocr.serve import Options, ReaderOptions
from tests.support.services import Client, serving, wait_until
from tests.support.visits import Visit, page_of, picture, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
NO_PICTURE: Any = {
    "name": "notes.png",
    "mimeType": "image/png",
    "buffer": b"no picture at all, only text",
}

TOKEN = "OpenSesame-0123456789"


def error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, "source": None}}


def test_an_unreadable_file_says_what_the_service_says(visit: Visit, service: Client) -> None:
    visit.statuses = {422}
    visit.choose(NO_PICTURE)
    said = service.post("/v1/read?name=notes.png", NO_PICTURE["buffer"]).json["error"]["message"]
    problem = visit.find("#problem")
    assert problem.get_attribute("role") == "alert"
    assert problem.locator(".message").text_content() == f"{said}."
    assert problem.locator("h2").text_content() == "This could not be read"
    assert problem.locator(".name").text_content() == "notes.png"
    assert not visit.find("#result").is_visible()


def test_another_file_can_follow_a_failed_one(visit: Visit, pictures: Path) -> None:
    visit.statuses = {422}
    visit.choose(NO_PICTURE).choose(pictures / "badge.jpg")
    assert "OPEN 07:30" in visit.shown()
    visit.find("#strip li button").first.click()
    assert visit.find("#problem").is_visible()


def test_a_picture_that_is_too_large(visit: Visit) -> None:
    visit.statuses = {413}
    # The service answers before all of it is sent.
    visit.choose({**picture(), "buffer": bytes(5_000_000)})
    title = visit.find("#problem h2").text_content()
    assert title == "This is larger than the service accepts"


def test_a_busy_service_is_asked_again(visit: Visit) -> None:
    visit.statuses = {503}
    # Routes are asked in the reverse order.
    visit.answer("/v1/read", page_of("read at last"))
    visit.answer(
        "/v1/read", error("BusyError", "all 3 places are taken"), 503, **{"Retry-After": "1"}
    )
    visit.page.set_input_files("#choose", [picture()])
    visit.find("#doing", has_text="The service is busy: trying again in 1 s").wait_for()
    assert visit.settled().shown() == ["read at last"]


def test_a_busy_service_is_not_waited_for_if_the_user_cancels(visit: Visit) -> None:
    visit.statuses = {503}
    visit.answer("/v1/read", error("BusyError", "all taken"), 503, **{"Retry-After": "500"})
    visit.page.set_input_files("#choose", [picture()])
    visit.find("#doing", has_text="trying again in").wait_for()
    visit.find("#cancel").click()
    assert visit.settled().find("#problem h2").text_content() == "Cancelled"


def test_a_service_that_is_gone_can_be_tried_again(visit: Visit, pictures: Path) -> None:
    visit.page.route("**/v1/read*", lambda route: route.abort("connectionrefused"), times=1)
    visit.choose(pictures / "badge.jpg")
    assert visit.find("#problem h2").text_content() == "The service can't be reached"
    assert "net::ERR_CONNECTION_REFUSED" in visit.faults.pop()
    visit.find("#problem button").click()
    assert "OPEN 07:30" in visit.settled().shown()


def test_a_document_that_can_t_be_made_leaves_the_result(visit: Visit, pictures: Path) -> None:
    visit.statuses = {500}
    visit.choose(pictures / "badge.jpg")
    visit.answer("/v1/read", error("InternalError", "out of paper"), 500)
    visit.find("[data-format=pdf]").click()
    visit.find("#notice", has_text="badge.pdf was not made. Out of paper.").wait_for()
    assert visit.find("#lines").is_visible()
    visit.find("#notice button").click()
    assert not visit.find("#notice").is_visible()


@pytest.mark.parametrize("status", [400, 408, 413, 415, 418, 500, 504])
def test_every_status_has_words(visit: Visit, status: int) -> None:
    visit.statuses = {status}
    visit.answer("/v1/read", error("SomeError", "the oven is cold"), status)
    visit.choose(picture())
    assert visit.find("#problem h2").text_content()
    assert visit.find("#problem .message").text_content() == "The oven is cold."
    assert visit.find("#problem .advice").text_content()


def test_an_answer_of_a_proxy_is_told(visit: Visit) -> None:
    visit.statuses = {502}
    visit.page.route(
        "**/v1/read*", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>")
    )
    visit.choose(picture())
    assert (visit.find("#problem .message").text_content() or "").startswith("The answer was 502")


# Services of their own


@pytest.fixture
def guarded(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """The page of a service that wants a token."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    reader = ReaderOptions(provider="cpu", threads=2, warm_up=False)
    (tmp_path / "token").chmod(0o600)
    with (
        serving(Options(reader, port=0, token_file=tmp_path / "token", drain=1)) as (client, _),
        visiting(browser, client.url) as visit,
    ):
        visit.statuses = {401}
        yield visit.open()


def test_the_token_is_asked_for_until_it_is_right(guarded: Visit, pictures: Path) -> None:
    dialog = guarded.find("dialog[open]")
    dialog.wait_for()
    assert guarded.page.evaluate("() => document.activeElement.id") == "token"
    guarded.page.keyboard.type("wrong")
    guarded.page.keyboard.press("Enter")
    guarded.find("#not-accepted").wait_for()
    guarded.page.keyboard.type(TOKEN)
    guarded.page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    guarded.find("#made-of:not(:empty)").wait_for()
    assert "OPEN 07:30" in guarded.choose(pictures / "badge.jpg").shown()
    # The tab keeps it while it is open; nothing else does.
    guarded.page.reload()
    assert "OPEN 07:30" in guarded.choose(pictures / "badge.jpg").shown()
    kept = "() => [localStorage.length, document.cookie, location.href.includes('Sesame')]"
    assert guarded.page.evaluate(kept) == [0, "", False]


def test_without_the_token_nothing_is_read(guarded: Visit) -> None:
    guarded.find("#ask-cancel").click()
    guarded.page.set_input_files("#choose", [picture()])
    guarded.find("dialog[open]").wait_for()
    guarded.find("#ask-cancel").click()
    assert guarded.settled().find("#problem h2").text_content() == "The service asks for a token"


def test_cancelling_frees_the_place(browser: Browser, pictures: Path) -> None:
    content = io.BytesIO()
    with Image.open(pictures / "receipt.jpg") as page:
        page.save(content, "TIFF", save_all=True, append_images=[page] * 30, compression="jpeg")
    long: Any = {"name": "long.tif", "mimeType": "image/tiff", "buffer": content.getvalue()}
    reader = ReaderOptions(provider="cpu", threads=2)
    with (
        serving(Options(reader, port=0, drain=1)) as (client, _),
        visiting(browser, client.url) as visit,
    ):
        visit.open().page.set_input_files("#choose", [long, picture()])
        wait_until(lambda: client.metric("edgeocr_reading") == 1)
        assert visit.find("#doing").text_content() == "Reading long.tif, 1 of 2"
        visit.find("#cancel").click()
        assert visit.settled().find("#problem h2").text_content() == "Cancelled"
        wait_until(lambda: client.metric("edgeocr_places_taken") == 0)
        # It was given up, and the file behind it was not sent.
        gone = 'edgeocr_requests_total{endpoint="/v1/read",status="499"}'
        read = 'edgeocr_requests_total{endpoint="/v1/read",status="200"}'
        assert (client.metric(gone), client.metric(read)) == (1, 0)
        states = visit.find("#strip .state").all_text_contents()
        assert states == ["failed", "failed"]
