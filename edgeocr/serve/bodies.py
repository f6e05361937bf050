"""Receive the body of a request: one file, or several as `multipart/form-data`.

Everything stays in memory, within the limits, and nothing is written to a disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..errors import printable
from .errors import BodyTimeoutError, MediaTypeError, RequestError, TooLargeError
from .options import Options

# What a file is called that has no name, as the command line calls standard input.
UNNAMED = "-"
# The most characters of a file's name.
MOST_NAME = 255
# The most headers of a part, and the most bytes of each.
MOST_HEADERS, MOST_HEADER = 8, 4096
# The most bytes that the multipart format may take beside its files, for each of them.
MOST_AROUND = 16384
# Takes the parser's warnings about what strangers send, which the answers report.
QUIET = logging.Logger("edgeocr.serve.bodies.parser", logging.CRITICAL)


@dataclass(frozen=True, eq=False)
class File:
    """A file of a request.

    Attributes:
        name: What results and errors call it; a label, and never a path that is opened.
        content: Its bytes.
    """

    name: str
    content: bytes | bytearray


async def files_of(
    headers: Mapping[str, str], chunks: AsyncIterator[bytes], name: str | None, options: Options
) -> list[File]:
    """Receive the files of a request.

    Args:
        headers: The request's headers.
        chunks: The request's body.
        name: What the file is called if the body is a single one; None for `UNNAMED`.
        options: The limits.

    Raises:
        RequestError: The body is empty, or no proper multipart.
        MediaTypeError: It is compressed, or another kind of multipart.
        TooLargeError: It has too many bytes or files.
        BodyTimeoutError: It doesn't arrive in time.
    """
    if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise MediaTypeError("send the body without Content-Encoding")
    kind, parameters = parse_options_header(headers.get("content-type"))
    parts: _Parts | _Whole
    if not kind.startswith(b"multipart/"):
        parts, limit = _Whole(_label(name) if name else UNNAMED), options.max_body
    elif kind == b"multipart/form-data":
        parts = _Parts(parameters.get(b"boundary", b""), options.max_files)
        limit = options.max_body + MOST_AROUND * options.max_files
    else:
        raise MediaTypeError("send one file as the body, or several as multipart/form-data")
    with suppress(ValueError):  # HTTP itself has checked the number
        if int(headers.get("content-length", 0)) > limit:
            raise _too_large(options.max_body)
    receiving = _receive(parts, chunks, limit, options.max_body)
    try:
        await asyncio.wait_for(receiving, options.body_timeout)
    except asyncio.TimeoutError:
        raise BodyTimeoutError(
            f"the body did not arrive within {options.body_timeout:g} s"
        ) from None
    finally:
        parts.end()
    return parts.files()


async def _receive(
    parts: _Parts | _Whole, chunks: AsyncIterator[bytes], limit: int, shown: int
) -> None:
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > limit:
            raise _too_large(shown)
        parts.write(chunk)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"the body has more than {limit} bytes: send a smaller file or fewer at a time, or start "
        "the service with a higher --max-body"
    )


def _label(name: str) -> str:
    """Return a name that a stranger has chosen as one short line."""
    return printable(name[:MOST_NAME])


class _Whole:
    """A body that is one file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._content = bytearray()

    def write(self, chunk: bytes) -> None:
        self._content += chunk

    def end(self) -> None:
        """Receive nothing more."""

    def files(self) -> list[File]:
        if not self._content:
            raise RequestError("the body is empty: send the bytes of a picture or of a PDF file")
        return [File(self._name, self._content)]


class _Parts:
    """The parts of a multipart body, each of which is a file."""

    def __init__(self, boundary: bytes, most: int) -> None:
        self._files: list[File] = []
        self._most = most
        self._is_complete = False
        self._header, self._value = bytearray(), bytearray()
        self._disposition: bytes | None = None
        self._content = bytearray()
        if not boundary:
            raise RequestError("the Content-Type names no boundary")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._take_header,
                    "on_header_value": self._take_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take_content,
                    "on_part_end": self._end,
                    "on_end": self._complete,
                },
                max_header_count=MOST_HEADERS,
                max_header_size=MOST_HEADER,
            )
            self._parser.logger = QUIET
        except FormParserError as error:
            raise RequestError(f"the multipart body is malformed: {error}") from None

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise RequestError(f"the multipart body is malformed: {error}") from None

    def end(self) -> None:
        """Receive nothing more.

        The parser refers to these parts, and they to the parser: without this, the files would stay
        in memory until Python looks for such circles.
        """
        del self._parser

    def files(self) -> list[File]:
        if not self._is_complete:
            raise RequestError("the multipart body is not complete: its last boundary is missing")
        if not self._files:
            raise RequestError("the multipart body has no files")
        return self._files

    def _begin(self) -> None:
        if len(self._files) == self._most:
            raise TooLargeError(
                f"the request has more than {self._most} files: send fewer at a time"
            )
        self._disposition = None
        self._content = bytearray()

    def _take_header(self, data: bytes, begin: int, end: int) -> None:
        self._header += data[begin:end]

    def _take_value(self, data: bytes, begin: int, end: int) -> None:
        self._value += data[begin:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        kind, parameters = parse_options_header(self._disposition)
        if kind != b"form-data" or b"filename" not in parameters:
            raise RequestError(
                "a part of the multipart body is no file: each part needs a file name, and "
                "parameters belong into the URL"
            )
        name = parameters[b"filename"].decode("utf-8", "replace")
        self._files.append(File(_label(name) or UNNAMED, self._content))

    def _take_content(self, data: bytes, begin: int, end: int) -> None:
        self._content += memoryview(data)[begin:end]

    def _end(self) -> None:
        file = self._files[-1]
        if not file.content:
            raise RequestError(f"{file.name}: the file is empty")

    def _complete(self) -> None:
        self._is_complete = True
