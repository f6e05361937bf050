"""`events_of` and `watch`: which frames are looked at, when they end, and what they refuse."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeocr import OCR, Bundle
from edgeocr.errors import ClosedError, VideoError
from edgeocr.images import Image
from edgeocr.memory.limit import resident_bytes
from edgeocr.watch import Frame, WatchOptions, events_of, watch
from tests.support.clips import clip
from tests.support.panels import BEGIN, as_frames, panel, watch_frames, watch_images

GATE, OPEN = (30, 60), (30, 120)
BOTH = panel({GATE: "GATE 4711", OPEN: "OPEN 24 H"})
NEXT = panel({GATE: "GATE 4712", OPEN: "OPEN 24 H"})


def test_it_ends_after_so_many_events(ocr: OCR) -> None:
    watched = watch_images(ocr, [BOTH] * 3 + [NEXT] * 5, WatchOptions(until=1))
    assert watched.told == [("appeared", 1, "GATE 4711")]
    assert len(watched.runs) == 2  # no further frame is asked for
    watched = watch_images(ocr, [BOTH] * 3 + [NEXT] * 9, WatchOptions(until=3))
    assert len(watched.events) == 3 and len(watched.runs) == watched.told_at[-1] + 1


def test_a_frame_is_asked_for_when_the_one_before_was_read(ocr: OCR) -> None:
    asked: list[int] = []

    def noted() -> Iterator[Frame]:
        for frame in as_frames([BOTH] * 5):
            asked.append(frame.number)
            yield frame

    events = events_of(noted(), ocr)
    assert asked == []
    next(events)
    assert asked == [0, 1]
    next(events)
    assert asked == [0, 1]
    assert list(events) == [] and asked == list(range(5))


def test_no_frames_have_no_events(ocr: OCR) -> None:
    assert list(events_of([], ocr)) == []
    assert list(events_of([], ocr, WatchOptions(region=(0, 0, 9, 9)))) == []


def test_a_region_has_coordinates_of_the_frame(ocr: OCR) -> None:
    whole = {event.text: event for event in watch_images(ocr, [BOTH] * 3).events}
    images = [BOTH] * 3 + [NEXT] * 3
    watched = watch_images(ocr, images, WatchOptions(region=(10, 70, 300, 90)))
    (event,) = watched.events
    assert event.text == "OPEN 24 H"
    np.testing.assert_allclose(event.quad, whole["OPEN 24 H"].quad, atol=5)
    assert event.image is not None and event.image.shape == BOTH.shape
    # Nothing is read for what changes outside of it.
    assert watched.busy == [0, 1]


@pytest.mark.parametrize(
    "region", [(0, 0, 401, 160), (0, 0, 400, 161), (399, 159, 2, 1), (500, 0, 10, 10)]
)
def test_a_region_outside_of_the_first_frame_is_refused(
    ocr: OCR, region: tuple[int, int, int, int]
) -> None:
    words = ",".join(map(str, region))
    with pytest.raises(ValueError, match=rf"{words} .*400 × 160"):
        watch_images(ocr, [BOTH], WatchOptions(region=region))


def test_later_frames_without_the_region_are_left_out(
    ocr: OCR, caplog: pytest.LogCaptureFixture
) -> None:
    small = BOTH[:100]
    images = [BOTH] * 3 + [small] * 8 + [NEXT] * 3 + [small] * 2
    with caplog.at_level(logging.WARNING, "edgeocr.watch"):
        watched = watch_images(ocr, images, WatchOptions(region=(0, 0, 400, 120)))
    assert [record.message.count("400 × 100") for record in caplog.records] == [1, 1]
    # What stood is neither gone nor forgotten.
    assert watched.of("gone") == []
    assert [event.text for event in watched.events][-1] == "GATE 4712"
    assert not set(watched.busy) & set(range(3, 11))


@pytest.mark.parametrize("region", [(0, 0, 1, 1), (0, 40, 400, 2), (30, 0, 2, 160)])
def test_regions_of_a_few_pixels_have_no_text(ocr: OCR, region: tuple[int, int, int, int]) -> None:
    assert not watch_images(ocr, [BOTH, NEXT] * 3, WatchOptions(region=region)).events


def test_numbers_of_frames_may_have_gaps(ocr: OCR) -> None:
    """A live source leaves out frames, and its clock jumps."""
    images = [BOTH] * 3 + [NEXT] * 4
    frames = [Frame(image, 7 * i, 0.7 * i, BEGIN - i) for i, image in enumerate(images)]
    watched = watch_frames(ocr, frames)
    assert watched.told[2:] == [("changed", 1, "GATE 4712")]
    change = watched.events[2]
    assert change.frame == 21 and change.seconds == pytest.approx(2.1)
    assert change.time == BEGIN - 3 and change.delay == pytest.approx(1.4)


def test_seconds_that_stand_still(ocr: OCR) -> None:
    """A text is not gone while no time passes, and whatever else there is is told."""
    empty = panel({})
    images = [BOTH] * 3 + [NEXT] * 5 + [empty] * 5
    watched = watch_frames(ocr, [Frame(image, i, 3.0, BEGIN) for i, image in enumerate(images)])
    assert watched.told == [
        ("appeared", 1, "GATE 4711"),
        ("appeared", 2, "OPEN 24 H"),
        ("changed", 1, "GATE 4712"),
    ]
    assert {event.delay for event in watched.events} == {0.0}


def test_a_closed_ocr_is_refused(bundle: Bundle) -> None:
    with OCR(bundle, provider="cpu", threads=1) as ocr:
        events = events_of(as_frames([BOTH] * 3 + [NEXT] * 4), ocr)
        assert next(events).text == "GATE 4711"
    assert next(events).text == "OPEN 24 H"  # it was found before
    with pytest.raises(ClosedError):
        next(events)
    with pytest.raises(ClosedError):
        next(events_of(as_frames([BOTH]), ocr))


@pytest.mark.stress
def test_a_memory_limit_changes_no_event(ocr: OCR, bundle: Bundle) -> None:
    images = [BOTH] * 3 + [NEXT] * 4
    usual = watch_images(ocr, images)
    limit = resident_bytes() + 400_000_000  # beside what other tests have left in this process
    with OCR(bundle, provider="cpu", threads=1, memory_limit=limit) as limited:
        assert limited.memory_budget is not None
        assert watch_images(limited, images).told == usual.told


@pytest.mark.stress
def test_one_ocr_watches_several_sources(ocr: OCR) -> None:
    """Threads share the networks, and no scene knows of the others."""
    texts = ["GATE 4711", "EXIT 12", "LANE 33"]
    told: dict[str, list[str]] = {}

    def watch_text(text: str) -> None:
        events = events_of(as_frames([panel({GATE: text})] * 8), ocr)
        told[text] = [event.text for event in events]

    threads = [threading.Thread(target=watch_text, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {text: [text] for text in texts}


def test_a_video_is_watched_to_its_end(ocr: OCR, tmp_path: Path) -> None:
    path = clip(tmp_path / "signs.avi", [(0.6, "GATE 12"), (0.6, "GATE 34"), (1.0, "")])
    events = list(watch(path, ocr))
    assert [(event.kind, event.text) for event in events] == [
        ("appeared", "GATE 12"),
        ("changed", "GATE 34"),
        ("gone", "GATE 34"),
    ]
    assert [event.frame for event in events] == [0, 6, 12]
    assert [event.seconds for event in events] == pytest.approx([0, 0.6, 1.2], abs=0.01)


def test_a_source_that_is_missing(ocr: OCR, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"nothing\.avi"):
        next(watch(tmp_path / "nothing.avi", ocr))


def grey(value: int) -> Image:
    return np.full((160, 400, 3), value, np.uint8)


def test_pictures_without_text_have_no_events(ocr: OCR) -> None:
    watched = watch_images(ocr, [grey(0), grey(255), grey(90), grey(90), grey(0)])
    assert watched.events == []
