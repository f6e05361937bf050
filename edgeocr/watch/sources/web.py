"""Frames that a camera sends over HTTP as JPEG pictures, as most cameras with HTTP do.

OpenCV can read such a stream, too, but it decodes every picture, even those that nobody looks at,
and completes half pictures with parts of earlier ones.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import time
import urllib.error
import urllib.request
from threading import Event
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from ...decoding.contents import described
from ...errors import VideoError, excerpt
from ...version import __version__
from .arrivals import Arrival, DroppedError
from .jpegs import Jpegs
from .kinds import Place

# Content types of JPEG pictures: a stream of them, or a single current picture.
STREAM, STILL = "multipart/", "image/"
# The largest number of bytes that are read at a time.
PIECE = 1 << 16
# Seconds between two pictures of an address that gives one at a time.
STILL_PAUSE = 1.0


class Web:
    """JPEG pictures over HTTP: one endless answer, or one answer for each picture."""

    plays = False

    def __init__(self, place: Place, response: Any, timeout: float, stopped: Event) -> None:
        """Read an answer that `answer` has returned.

        Args:
            place: The URL.
            response: The answer.
            timeout: After how many seconds without a picture the stream has dropped.
            stopped: Ends all waiting.
        """
        self._place, self._response, self._timeout = place, response, timeout
        self._still = is_still(response)
        self._stopped = stopped
        self._jpegs = Jpegs(place.name)
        self._last = time.monotonic()
        self._socket = _socket_of(response)

    def take(self) -> Arrival | None:
        """Wait for the next picture; see `Pictures.take`."""
        while (arrival := self._jpegs.next()) is None:
            if self._stopped.is_set():
                return None
            try:
                piece = self._response.read1(PIECE)
            except (OSError, http.client.HTTPException) as error:
                raise DroppedError(described(error)) from error
            if not piece:
                self._ask_again()
            elif time.monotonic() - self._last < self._timeout:
                self._jpegs.feed(piece)
            else:
                raise DroppedError(f"the server sends no picture in {self._timeout:g} seconds")
        self._last = time.monotonic()
        return arrival

    def interrupt(self) -> None:
        """End a wait for bytes; see `Pictures.interrupt`."""
        # After `close` the socket is closed, and this is an OSError.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        self._socket.close()

    def _ask_again(self) -> None:
        """Ask for the next picture if each one is an answer of its own."""
        if not self._still:
            raise DroppedError("the server has ended the stream")
        if not self._jpegs.count:
            raise DroppedError("the server's answer is not a complete JPEG picture")
        self.close()
        if not self._stopped.wait(STILL_PAUSE):
            self._response = answer(self._place, self._timeout)
            self._socket = _socket_of(self._response)


def answer(place: Place, timeout: float) -> Any:
    """Ask for a URL.

    Args:
        place: The URL, with a user and a password if the server wants them.
        timeout: Seconds for the connection, and for each wait for bytes.

    Returns:
        The answer, whose headers have been read.

    Raises:
        DroppedError: The server can't be reached, or refuses; the message is the reason.
        VideoError: The URL is malformed.
    """
    try:
        url, opener = _opener(place.value)
        request = urllib.request.Request(url, headers={"User-Agent": f"edgeocr/{__version__}"})
        return opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise DroppedError(f"the server answers {error.code} {_reason(error)}") from error
    except urllib.error.URLError as error:
        reason = error.reason
        said = described(reason) if isinstance(reason, BaseException) else str(reason)
        if "CERTIFICATE_VERIFY_FAILED" in said:
            said = (
                f"its certificate isn't trusted ({said}): name a file with the certificate of its "
                "authority in the environment variable SSL_CERT_FILE"
            )
        raise DroppedError(excerpt(said)) from error
    except (http.client.InvalidURL, ValueError) as error:
        raise VideoError(f"{place.name}: the address is malformed") from error
    except (OSError, http.client.HTTPException) as error:
        raise DroppedError(excerpt(described(error))) from error


def is_jpeg(response: Any) -> bool:
    """Tell from its content type whether an answer consists of JPEG pictures."""
    kind = response.headers.get_content_type()
    return kind in ("image/jpeg", "image/jpg") or (
        kind.startswith(STREAM) and kind != "multipart/form-data"
    )


def is_still(response: Any) -> bool:
    """Tell whether an answer is a single picture."""
    return str(response.headers.get_content_type()).startswith(STILL)


def _socket_of(response: Any) -> socket.socket:
    """Return another socket for the connection of an answer, because the answer hides its own."""
    try:
        return socket.socket(fileno=os.dup(response.fileno()))
    except OSError:  # Windows can't duplicate sockets like this; there a wait ends by its timeout
        return socket.socket()


def _reason(error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return "Unauthorized: give the user and the password as http://USER:PASSWORD@HOST/…"
    return excerpt(str(error.reason))


def _opener(url: str) -> tuple[str, urllib.request.OpenerDirector]:
    """Return a URL without its user and password, and an opener that sends them."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    plain = urlunsplit(parts._replace(netloc=host))
    handlers: list[urllib.request.BaseHandler] = []
    if parts.username is not None:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        user, password = unquote(parts.username), unquote(parts.password or "")
        passwords.add_password(None, plain, user, password)
        handlers = [
            urllib.request.HTTPDigestAuthHandler(passwords),
            urllib.request.HTTPBasicAuthHandler(passwords),
        ]
    return plain, urllib.request.build_opener(*handlers)
