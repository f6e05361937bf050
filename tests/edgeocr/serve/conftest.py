"""Services for the tests of this folder: each takes over a second to start."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from edgeocr.serve import Options, ReaderOptions, Server
from tests.support.services import Client, serving, wait_until

MOST_BYTES = 3_000_000
READER = ReaderOptions(provider="cpu", threads=2)


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[Client, Server]]:
    """A service with two places to wait, which reads two requests at a time."""
    options = Options(READER, port=0, queue=2, max_body=MOST_BYTES, max_files=8, max_pages=9)
    with serving(options) as (client, server):
        yield client, server


@pytest.fixture
def service(running: tuple[Client, Server]) -> Client:
    return running[0]


@pytest.fixture
def server(running: tuple[Client, Server]) -> Iterator[Server]:
    """The service's inside, which is idle before and after the test."""
    yield running[1]
    wait_until(lambda: running[1].service.places.taken == 0)


@contextmanager
def halted(server: Server) -> Iterator[None]:
    """Halt the reader while the block runs, so that it reads nothing."""
    reader = server.service.dispatcher.reader
    assert reader is not None
    os.kill(reader.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(reader.pid, signal.SIGCONT)
