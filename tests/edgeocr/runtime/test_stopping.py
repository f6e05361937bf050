"""Reading that is given up before the next run of a network."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edgeocr import OCR, StoppedError, stoppable
from edgeocr.runtime.stopping import carried


class Counted:
    """Tells to give up from the call on that has a number."""

    def __init__(self, first: int) -> None:
        self.calls, self._first = 0, first
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            self.calls += 1
            return self.calls >= self._first


def test_reading_is_given_up_before_any_run(ocr: OCR, pictures: Path) -> None:
    picture = pictures / "sample.jpg"
    never = Counted(1 << 30)
    with stoppable(never):
        page = ocr.read(picture)
    # One run of detection, and one for each line, in the pool's threads.
    assert never.calls > len(page)
    for first in (1, 2, never.calls):
        with stoppable(Counted(first)), pytest.raises(StoppedError):
            ocr.read(picture)
    assert ocr.read(picture).text == page.text


def test_it_holds_for_all_threads_of_read_many_and_for_recognition(
    ocr: OCR, pictures: Path
) -> None:
    picture = pictures / "sample.jpg"
    with stoppable(lambda: True):
        pages = ocr.read_many([picture, picture])
        with pytest.raises(StoppedError):
            ocr.recognize([picture])
    with pytest.raises(StoppedError):  # also once the block has ended
        list(pages)


def test_it_ends_with_its_block_and_costs_nothing_outside() -> None:
    def work() -> str:
        return "done"

    assert carried(work) is work
    with stoppable(lambda: True):
        inside = carried(work)
    assert carried(work) is work
    with pytest.raises(StoppedError):
        inside()
