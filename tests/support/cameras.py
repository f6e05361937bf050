"""Cameras on loopback that send JPEG pictures over HTTP, well or badly."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator

from tests.support.videos import jpeg

HEAD = (
    b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    b"Connection: close\r\n\r\n"
)


def part(content: bytes) -> bytes:
    """Return one part of a multipart stream."""
    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(content)
    return head + content + b"\r\n"


class Connection:
    """A request to the camera, which a script answers.

    Attributes:
        number: How many requests there were before this one.
        path: What was asked for.
        headers: The heads of the request.
        over: Set when the test is over.
    """

    def __init__(self, handler: http.server.BaseHTTPRequestHandler, number: int) -> None:
        self.number, self.path, self.headers = number, handler.path, handler.headers
        self.over: threading.Event = handler.server.over  # type: ignore[attr-defined]
        self._handler = handler

    def send(self, content: bytes) -> None:
        self._handler.wfile.write(content)
        self._handler.wfile.flush()

    def stream(self, numbers: range, pause: float = 0.01) -> None:
        """Send a multipart stream of frames with these numbers."""
        self.send(HEAD)
        for number in numbers:
            self.send(part(jpeg(number)))
            if self.over.wait(pause):
                return

    def wait(self) -> None:
        """Keep the connection open, and silent, until the test is over."""
        self.over.wait(30)


@contextlib.contextmanager
def camera(script: Callable[[Connection], None]) -> Iterator[str]:
    """Run a camera, and yield its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with server.lock:
                number, server.requests = server.requests, server.requests + 1
            # The watch closes connections whenever it likes.
            with contextlib.suppress(OSError):
                script(Connection(self, number))

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        requests = 0

        def __init__(self) -> None:
            self.lock, self.over = threading.Lock(), threading.Event()
            super().__init__(("127.0.0.1", 0), Handler)

    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/video"
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
