"""Services that tests start, on a free port of this machine."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from edgeocr.serve import Options, Server

# Longer than any answer takes on a slow machine.
PATIENCE = 60


@dataclass(frozen=True)
class Reply:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """The status, and the error's type."""
        return self.status, self.json["error"]["type"]


@dataclass(frozen=True)
class Client:
    """A client of a service at an address."""

    url: str

    def connect(self) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        return http.client.HTTPConnection(address.hostname or "", address.port, PATIENCE)

    def dial(self) -> socket.socket:
        """Connect, for a client that sends bytes of its own making."""
        address = urlsplit(self.url)
        return socket.create_connection((address.hostname, address.port or 0), PATIENCE)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        connection = self.connect()
        try:
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def get(self, target: str, **headers: str) -> Reply:
        return self.ask("GET", target, None, headers)

    def post(self, target: str, body: bytes, **headers: str) -> Reply:
        return self.ask("POST", target, body, headers)

    def upload(self, target: str, files: Mapping[str, bytes]) -> Reply:
        """Send files as multipart/form-data."""
        headers = {"Content-Type": "multipart/form-data; boundary=limit"}
        return self.ask("POST", target, multipart(files), headers)

    def metric(self, name: str) -> float:
        """Return the value of a metric, with its labels as the text has them."""
        rows = self.get("/metrics").body.decode().splitlines()
        return next((float(row[len(name) :]) for row in rows if row.startswith(f"{name} ")), 0.0)


def multipart(files: Mapping[str, bytes]) -> bytes:
    """Return files as multipart/form-data with the boundary "limit"."""
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files.items()
    ]
    return b"".join([*parts, b"--limit--\r\n"])


@contextmanager
def serving(options: Options) -> Iterator[tuple[Client, Server]]:
    """Run a service in a thread of this process until the block ends, from when it is ready."""
    server = Server(options)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        client = Client(server.url)
        wait_until(lambda: client.get("/readyz").status == 200)
        yield client, server
    finally:
        server.end()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def wait_until(condition: Any, patience: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.02)
