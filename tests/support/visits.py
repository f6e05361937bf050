"""Visits to the page of a service, in Chromium.

Playwright is imported when it is used: only the tests with the marker `browser` need it.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route

# Where Chromium is, if it isn't on the PATH.
CHROMIUM = "EDGEOCR_CHROMIUM"
# A name that Chromium takes for this machine. Without TLS, a page from such a name may do less than
# a page from 127.0.0.1: it has no clipboard, for example.
OTHER_NAME = "ocr.test"
DESKTOP, PHONE = (1280, 860), (360, 740)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a window."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get(CHROMIUM) or shutil.which("chromium") or shutil.which("google-chrome")
    assert program, f"Chromium is not installed: install it, or name its path in {CHROMIUM}"
    # Chromium's sandbox doesn't work for root, as which CI runs. The pages here are our own.
    arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {OTHER_NAME} 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@dataclass
class Visit:
    """The page of a service, as a user sees it, and what the browser has noticed.

    Attributes:
        page: The page.
        url: The service's address.
        statuses: The statuses of failed answers that the test means to provoke.
        foreign: Addresses elsewhere that the page has asked for.
        faults: Errors and warnings that the browser has reported, also of the page's own policy.
    """

    page: Page
    url: str
    statuses: set[int] = field(default_factory=set)
    foreign: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._ask(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self._hear(said.type, said.text))

    def _ask(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", f"blob:{self.url}/", "data:")):
            self.foreign.append(url)

    def _hear(self, kind: str, text: str) -> None:
        status = re.search(r"responded with a status of (\d+)", text)
        if kind in ("error", "warning") and not (status and int(status[1]) in self.statuses):
            self.faults.append(text)

    def open(self) -> Visit:
        self.page.goto(self.url)
        return self

    def choose(self, *files: Any) -> Visit:
        """Choose files, which are paths or what `picture` returns, and wait until they are read."""
        self.page.set_input_files("#choose", list(files))
        return self.settled()

    def settled(self) -> Visit:
        """Wait until nothing is being read, and what was read is shown."""
        shown = "#result .panel:not(.is-waiting), #problem"
        self.find("#busy").wait_for(state="hidden")
        self.find(shown).locator("visible=true").wait_for()
        self.find("#stage:not([aria-busy=true])").wait_for(state="attached")
        return self

    def find(self, selector: str, **options: Any) -> Locator:
        return self.page.locator(selector, **options)

    def shown(self) -> list[str]:
        """Return the texts in the list of lines."""
        return self.find("#lines .said").all_text_contents()

    def line(self, index: int) -> Locator:
        return self.find(f"#lines li[data-index='{index}']")

    def outline(self, index: int) -> Locator:
        return self.find(f".outlines g[data-index='{index}']")

    def outline_box(self, index: int) -> list[float]:
        """Return the left, top, right and bottom of a line's outline on the screen."""
        return self.box(f".outlines g[data-index='{index}'] .around")

    def box(self, selector: str) -> list[float]:
        """Return the left, top, right and bottom of an element on the screen."""
        sides = "e => (({left, top, right, bottom}) => [left, top, right, bottom])"
        sides += "(e.getBoundingClientRect())"
        box: list[float] = self.find(selector).first.evaluate(sides)
        return box

    def answer(self, path: str, body: Any, status: int = 200, **headers: str) -> None:
        """Answer the next request for a path in the service's stead."""

        def fulfil(route: Route) -> None:
            route.fulfill(
                status=status,
                body=json.dumps(body),
                headers=headers,
                content_type="application/json",
            )

        self.page.route(re.compile(re.escape(f"{self.url}{path}") + r"($|\?)"), fulfil, times=1)

    def transfer(self, name: str, kind: str, content: bytes) -> Any:
        """Return a DataTransfer with a file, as dropping and pasting bring."""
        make = """([name, type, content]) => {
            const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
            const made = new DataTransfer();
            made.items.add(new File([bytes], name, { type }));
            return made;
        }"""
        return self.page.evaluate_handle(make, [name, kind, base64.b64encode(content).decode()])


@contextmanager
def visiting(
    browser: Browser, url: str, size: Sequence[int] = DESKTOP, **options: Any
) -> Iterator[Visit]:
    """Visit a service; fail if the page asks for something elsewhere or the browser reports faults.

    Args:
        browser: The browser.
        url: The service's address.
        size: Width and height of the window.
        options: Options of Playwright's `new_context`.
    """
    width, height = size
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, **options
    )
    context.set_default_timeout(20_000)
    visit = Visit(context.new_page(), url)
    try:
        yield visit
    finally:
        context.close()
    assert not visit.foreign
    assert not visit.faults


def page_of(*texts: str, **changes: Any) -> dict[str, Any]:
    """Return what the service answers for a picture of 400 × 300 with these lines.

    Args:
        texts: The texts of the lines.
        changes: Other values of the page, or the `score` of all lines.
    """
    score = changes.pop("score", 0.99)
    lines = [
        {"text": text, "score": score, "quad": [[20, y], [320, y], [320, y + 30], [20, y + 30]]}
        for y, text in zip(range(20, 300, 40), texts, strict=False)
    ]
    return {
        "source": "picture.png",
        "width": 400,
        "height": 300,
        "lines": lines,
        "milliseconds": {"detection": 12.5, "recognition": 30.0},
        "providers": {"detection": "cpu", "recognition": "cpu"},
        "blocks": [],
        "rotation": 0,
        "frames": 1,
        **changes,
    }


def picture(size: tuple[int, int] = (400, 300), name: str = "picture.png") -> Any:
    """Return an empty picture as a file that can be chosen."""
    from PIL import Image

    content = io.BytesIO()
    Image.new("RGB", size, "white").save(content, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": content.getvalue()}
