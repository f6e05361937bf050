"""One browser for all tests of a process, and visits to the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.services import Client
from tests.support.visits import PHONE, Visit, chromium, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def opened(browser: Browser, service: Client) -> Iterator[Callable[..., Visit]]:
    """Opens the page of the service, with options of `visiting`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            visiting(browser, service.url, **options)
        ).open()


@pytest.fixture
def visit(opened: Callable[..., Visit]) -> Visit:
    """The page in a window of a desktop."""
    return opened()


@pytest.fixture(params=["light", "dark"])
def schemed(opened: Callable[..., Visit], request: pytest.FixtureRequest) -> Visit:
    """The page in both colour schemes."""
    return opened(color_scheme=request.param)


@pytest.fixture
def phone(opened: Callable[..., Visit]) -> Visit:
    """The page on a phone, on which fingers touch and nothing hovers."""
    return opened(size=PHONE, has_touch=True, is_mobile=True)
