"""Colours in both schemes, narrow screens, and people who don't see or don't want motion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.visits import PHONE, Visit, page_of, picture

pytestmark = pytest.mark.browser
# Every visible text with too little contrast to what is behind it, by the formula of WCAG 2.
FAINT = """() => {
    const parse = (colour) => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const luminance = (colour) => {
        const [r, g, b] = [...colour].slice(0, 3).map((value) => value / 255)
            .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const colour = parse(getComputedStyle(each).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return parse("white");
    };
    const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    let seen = 0;
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.textContent.trim() || !element.checkVisibility()) continue;
        if (element.closest("svg, :disabled, option, .unseen")) continue;
        seen++;
        const colour = parse(getComputedStyle(element).color);
        const found = ratio(luminance(colour), luminance(behind(element)));
        if (found < 4.5) faint.push([texts.currentNode.textContent.trim(), found]);
    }
    return [faint, seen];
}"""


def check_contrast(visit: Visit, least: int) -> None:
    """Check all texts that are visible now, which are at least so many."""
    faint, seen = visit.page.evaluate(FAINT)
    assert faint == []
    assert seen >= least


def check_with_axe(visit: Visit) -> None:
    """Check what is visible now by axe's rules: names, roles, contrast, headings and others."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(visit.page)
    assert found.violations_count == 0, found.generate_report()


def overflows(visit: Visit) -> bool:
    wide: bool = visit.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    return wide


def test_texts_can_be_told_from_their_ground(schemed: Visit) -> None:
    schemed.statuses = {422}
    schemed.find("#made-of:not(:empty)").wait_for()
    check_contrast(schemed, 8)
    schemed.answer("/v1/read", page_of("sure", "doubtful", score=0.6))
    schemed.choose(picture())
    schemed.find("summary").click()
    schemed.line(0).hover()
    check_contrast(schemed, 25)
    answer = {"error": {"type": "ImageError", "message": "it is broken", "source": None}}
    schemed.answer("/v1/read", answer, 422)
    schemed.choose(picture(name="broken.png"))
    check_contrast(schemed, 14)
    # The dialog and the notice, as a refused token and a folder show them.
    schemed.page.evaluate("() => document.querySelector('#ask').showModal()")
    for name in ("not-accepted", "notice"):
        schemed.page.evaluate("id => { document.getElementById(id).hidden = false }", name)
    schemed.page.evaluate("() => { document.querySelector('#notice span').textContent = 'told' }")
    check_contrast(schemed, 20)


def test_faint_texts_would_be_noticed(visit: Visit) -> None:
    visit.find("h1").evaluate("e => { e.style.color = '#aaa' }")
    faint, _ = visit.page.evaluate(FAINT)
    assert [text for text, _ in faint] == ["edgeocr"]


def test_the_page_is_dark_where_the_device_is(opened: Callable[..., Visit]) -> None:
    colours = (
        "() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color] }"
    )
    light, dark = (
        opened(color_scheme=scheme).page.evaluate(colours) for scheme in ("light", "dark")
    )
    assert light[0] != dark[0] and light[1] != dark[1]

    def brightness(colour: str) -> int:
        return sum(int(part) for part in colour[4:-1].split(","))

    assert brightness(light[0]) > brightness(light[1])
    assert brightness(dark[0]) < brightness(dark[1])


def test_nothing_is_wider_than_a_phone(phone: Visit, pictures: Path) -> None:
    assert not overflows(phone)
    phone.statuses = {422}
    phone.choose(pictures / "sample.jpg", pictures / "receipt.jpg")
    phone.find("#strip .state", has_text="44 lines").wait_for()
    phone.find("summary").click()
    assert not overflows(phone)
    left, _, right, _ = phone.box(".sheet img")
    assert left >= 0 and right <= PHONE[0]
    phone.outline(3).tap()
    left, _, right, _ = phone.box("#tip")
    assert left >= 0 and right <= PHONE[0]
    phone.find("#larger").click()
    assert not overflows(phone)
    phone.answer("/v1/read", page_of("longwordwithoutspaces" * 12))
    phone.choose(picture(name="a-name-that-is-longer-than-a-phone-is-wide" * 3 + ".png"))
    assert not overflows(phone)
    phone.outline(0).tap()
    assert not overflows(phone)
    phone.choose({"name": "x" * 90 + ".png", "mimeType": "image/png", "buffer": b"no picture"})
    assert phone.find("#problem").is_visible()
    assert not overflows(phone)
    phone.page.evaluate("() => document.querySelector('#ask').showModal()")
    left, _, right, _ = phone.box("#ask")
    assert left >= 0 and right <= PHONE[0]


def test_the_picture_stays_in_sight_on_a_phone(phone: Visit, pictures: Path) -> None:
    phone.choose(pictures / "receipt.jpg")
    phone.line(30).scroll_into_view_if_needed()
    _, top, _, bottom = phone.box(".sheet img")
    assert 0 <= top < bottom <= PHONE[1] * 0.6
    phone.line(30).locator(".said").tap()
    assert phone.find("#tip").is_visible()


def test_axe_finds_nothing_wrong(schemed: Visit, pictures: Path) -> None:
    schemed.statuses = {422}
    schemed.find("#made-of:not(:empty)").wait_for()
    check_with_axe(schemed)
    schemed.choose(pictures / "sample.jpg", pictures / "badge.jpg")
    schemed.find("summary").click()
    schemed.line(0).hover()
    check_with_axe(schemed)
    schemed.choose({**picture(), "buffer": b"no picture"})
    check_with_axe(schemed)
    schemed.page.evaluate("() => document.querySelector('#ask').showModal()")
    check_with_axe(schemed)


def test_axe_would_find_something(visit: Visit) -> None:
    visit.find("#choose").evaluate("e => e.labels[0].remove()")
    with pytest.raises(AssertionError, match="label"):
        check_with_axe(visit)


def test_what_was_read_is_announced(visit: Visit) -> None:
    visit.answer("/v1/read", page_of("a line"))
    visit.choose(picture())
    assert visit.find("#status").text_content() == "picture.png: 1 line"


def test_nothing_moves_for_those_who_don_t_want_it(opened: Callable[..., Visit]) -> None:
    moving = """() => {
        document.querySelector("#busy").hidden = false;
        return document.getAnimations().map((each) => each.effect.getComputedTiming())
            .filter((each) => each.iterations === Infinity || each.duration > 1).length;
    }"""
    assert opened().page.evaluate(moving) > 0
    assert opened(reduced_motion="reduce").page.evaluate(moving) == 0
