"""The reading process of `edgeocr tune` and `edgeocr warm`.

It reads one JSON object per line, first a `Request` and then commands, and answers each of them, as
the measuring process of `edgeocr bench` does.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TYPE_CHECKING

from ..bench.worker import Message, Send, serve
from ..bundle.fields import parse
from ..errors import EdgeOCRError
from .way import Request

if TYPE_CHECKING:
    from ..ocr import OCR


def main() -> int:
    """Read what standard input asks for, and return the exit code."""
    return serve(lambda row, send: Worker(parse(Request, row), send))


class Worker:
    """What the reading process does, command by command."""

    def __init__(self, request: Request, send: Send) -> None:
        """Prepare to read; nothing is opened yet.

        Args:
            request: What to open.
            send: Takes the messages about the progress.
        """
        self._request = request
        self._send = send
        self._ocr: OCR | None = None

    def start(self) -> Message:
        """Open the bundle.

        Returns:
            The `threads` in use; the `providers` by stage; and the `variants` of the stages that
            have several graphs.

        Raises:
            EdgeOCRError: The bundle or a provider does not work.
        """
        self._ocr = ocr = self._request.open()
        return {
            "threads": ocr.threads,
            "providers": dict(ocr.providers),
            "variants": dict(ocr.variants),
        }

    def obey(self, command: Message) -> Message:
        """Read pictures once each, which is the only command.

        Args:
            command: `indices` are the numbers of the pictures in the request.

        Returns:
            `pages`: for each picture its `lines` as `Line.to_dict` has them, the milliseconds of
            its `stages` and the `ms` of the whole, or the `error` for which it can't be read.
        """
        return {"pages": [self._page(index) for index in command["indices"]]}

    def _page(self, index: int) -> Message:
        assert self._ocr is not None
        began = perf_counter()
        try:
            page = self._ocr.read(self._request.images[index])
        except EdgeOCRError as error:
            return {"error": str(error)}
        finally:
            self._send({"page": index})
        return {
            "ms": 1000 * (perf_counter() - began),
            "stages": page.milliseconds,
            "lines": [line.to_dict() for line in page.lines],
        }


if __name__ == "__main__":
    sys.exit(main())
