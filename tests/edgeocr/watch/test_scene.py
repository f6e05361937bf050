"""What a watch tells of scenes, and what it reads for that."""

from __future__ import annotations

import re
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from edgeocr import OCR
from edgeocr.detect import Detector
from edgeocr.images import Image
from edgeocr.watch import Frame, WatchOptions
from tests.support.panels import as_frames, noisy, panel, watch_frames, watch_images

GATE, OPEN = (30, 60), (30, 120)
BOTH = panel({GATE: "GATE 4711", OPEN: "OPEN 24 H"})


def gate(text: str) -> Image:
    """Draw the panel with another first line."""
    return panel({GATE: text, OPEN: "OPEN 24 H"})


def covered(image: Image) -> Image:
    """Hold something before the second line."""
    image = image.copy()
    image[75:140, 10:260] = (120, 90, 60)
    return image


def test_what_stands_is_told_once_and_read_twice(ocr: OCR) -> None:
    watched = watch_images(ocr, [BOTH] * 40)
    assert watched.told == [("appeared", 1, "GATE 4711"), ("appeared", 2, "OPEN 24 H")]
    assert [event.frame for event in watched.events] == [0, 0]
    assert [round(event.delay, 6) for event in watched.events] == [0.1, 0.1]
    # The second frame only confirms the texts: nothing is searched for.
    assert watched.busy == [0, 1] and list(watched.runs[1]) == ["recognition"]


def unquiet() -> Iterator[Image]:
    """Yield frames of a camera that shakes, with noise and an exposure that changes."""
    random = np.random.default_rng(3)
    for turn in range(16):
        x, y = random.integers(-1, 2, 2)
        move = np.array([[1, 0, x], [0, 1, y]], np.float32)
        image = cv2.warpAffine(BOTH, move, BOTH.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        yield noisy(np.asarray(image * (1 - 0.3 * (turn // 7 % 2)), np.uint8), random, 3)


def test_a_camera_that_is_unquiet_costs_nothing(ocr: OCR) -> None:
    watched = watch_images(ocr, unquiet())
    assert watched.told == [("appeared", 1, "GATE 4711"), ("appeared", 2, "OPEN 24 H")]
    assert watched.busy == [0, 1]


def test_a_digit_that_changes_is_the_same_line(ocr: OCR) -> None:
    def meter(digit: int) -> Image:
        lines = {(300, 360): "GATE 4711", (800, 620): f"metre 0381{digit}"}
        return panel(lines, size=(1280, 720), capitals=14)

    watched = watch_images(ocr, [meter(3)] * 5 + [meter(8)] * 8)
    before = next(event for event in watched.events if event.text == "metre 03813")
    assert [event.kind for event in watched.events] == ["appeared", "appeared", "changed"]
    change = watched.events[-1]
    assert (change.text, change.previous) == ("metre 03818", "metre 03813")
    assert change.track == before.track and change.frame == 5
    assert change.seconds == pytest.approx(0.5) and change.delay == pytest.approx(0.2)
    # A small part of the picture was looked at, and no other line was read.
    assert max(watched.busy) < 8
    assert watched.runs[5]["detection"] < watched.runs[0]["detection"] / 20
    assert watched.runs[5]["recognition"] < 0.7 * watched.runs[0]["recognition"]


@pytest.mark.stress
def test_each_value_of_a_counter_is_told(ocr: OCR) -> None:
    values = [f"GATE {1000 + 37 * i}" for i in range(4)]
    watched = watch_images(ocr, [gate(value) for value in values for _ in range(4)])
    told = [event.text for event in watched.events if event.track == 1]
    assert told == values
    assert [event.previous for event in watched.of("changed")] == values[:-1]
    assert [event.frame for event in watched.of("changed")] == [4, 8, 12]


def test_a_wrong_frame_is_no_event(ocr: OCR) -> None:
    """A single frame in which a line says something else is outvoted."""
    watched = watch_images(ocr, [gate("GATE 4711")] * 5 + [gate("GATE 4771")] + [BOTH] * 10)
    assert watched.told == [("appeared", 1, "GATE 4711"), ("appeared", 2, "OPEN 24 H")]


@pytest.mark.parametrize(
    ("frames", "patience", "gone"),
    [
        (8, 0.5, True),
        *(
            pytest.param(*case, marks=pytest.mark.stress)
            for case in ((4, 0.5, False), (8, 2.0, False), (3, 0.0, True), (1, 0.0, False))
        ),
    ],
)
def test_a_text_that_is_covered_is_gone_after_the_patience(
    ocr: OCR, frames: int, patience: float, gone: bool
) -> None:
    images = [BOTH] * 4 + [covered(BOTH)] * frames + [BOTH] * 4
    watched = watch_images(ocr, images, WatchOptions(patience=patience))
    assert watched.told[:2] == [("appeared", 1, "GATE 4711"), ("appeared", 2, "OPEN 24 H")]
    if gone:
        assert watched.told[2:] == [("gone", 2, "OPEN 24 H"), ("appeared", 3, "OPEN 24 H")]
        event = watched.events[2]
        assert event.frame == 4 and event.delay == pytest.approx(max(patience, 0.1))
        assert event.previous is None
    else:
        assert watched.told[2:] == []


def test_a_text_that_comes_later_is_read_alone(ocr: OCR) -> None:
    watched = watch_images(ocr, [panel({GATE: "GATE 4711"})] * 4 + [BOTH] * 4)
    assert watched.told == [("appeared", 1, "GATE 4711"), ("appeared", 2, "OPEN 24 H")]
    assert watched.events[1].frame == 4 and watched.busy == [0, 1, 4, 5]
    assert watched.runs[4]["recognition"] < 0.7 * (watched.runs[0]["recognition"] + 1) * 2


def scene(seed: int, lines: dict[tuple[int, int], str]) -> Image:
    """Draw plates with texts before a ground of stains."""
    stains = np.random.default_rng(seed).normal(128, 50, (24, 32, 3)).astype(np.float32)
    image = np.clip(cv2.resize(stains, (640, 480), interpolation=cv2.INTER_CUBIC), 0, 255)
    for (x, y), text in lines.items():
        image[y : y + 46, x : x + 230] = panel({(10, 34): text}, size=(230, 46))
    return image.astype(np.uint8)


def test_a_cut_tells_everything_at_once(ocr: OCR) -> None:
    first = scene(1, {(40, 40): "ENTRY", (40, 300): "EXIT 12"})
    second = scene(2, {(350, 120): "HALL 258", (40, 300): "EXIT 12"})
    watched = watch_images(ocr, [first] * 5 + [second] * 6, WatchOptions(patience=10))
    assert [event.text for event in watched.events[:2]] == ["ENTRY", "EXIT 12"]
    assert {(event.kind, event.text) for event in watched.events[2:]} == {
        ("gone", "ENTRY"),
        ("appeared", "HALL 258"),
    }
    # Whatever the patience is, a cut ends what it doesn't show.
    assert watched.told_at[2:] == [6, 6]
    assert [event.frame for event in watched.events[2:]] == [5, 5]


def test_a_flash_is_no_cut_for_good(ocr: OCR) -> None:
    shown = scene(1, {(40, 40): "ENTRY"})
    watched = watch_images(ocr, [shown] * 4 + [np.full_like(shown, 255)] + [shown] * 6)
    assert watched.told == [("appeared", 1, "ENTRY")]


WALL = cv2.resize(
    np.random.default_rng(0).normal(210, 8, (40, 200, 1)).astype(np.float32), (1600, 320)
)


def passing(x: int, y: int = 0) -> Image:
    """Look at a part of a wall with plates, all of which have room between them."""
    texts = ["GATE 4711", "EXIT 12", "HALL 258", "OPEN 24 H"]
    wall = np.repeat(WALL[..., None], 3, 2).astype(np.uint8)
    for i, text in enumerate(texts):
        place = (60 + 520 * i, 120 + 60 * (i % 2))
        cv2.putText(wall, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.1, (30, 30, 30), 2, 16)
    return np.asarray(wall[y : y + 240, x : x + 480], np.uint8)


@pytest.mark.stress
def test_a_picture_that_pans_keeps_its_lines(ocr: OCR) -> None:
    images = [passing(0)] * 3 + [passing(8 * i) for i in range(1, 6)] + [passing(40)] * 3
    images += [passing(40, 6 * i) for i in range(1, 6)] + [passing(40, 30)] * 3
    watched = watch_images(ocr, images)
    assert watched.told == [("appeared", 1, "GATE 4711")]


def test_a_picture_that_pans_down_reads_what_enters(ocr: OCR) -> None:
    lines = {(30, 60 + 70 * i): f"LINE {i} {7 * i + 1:03}" for i in range(9)}
    page = panel(lines, size=(400, 680))
    images = [page[top : top + 240] for top in (0, 0, 0, *range(20, 441, 20), 440, 440, 440)]
    watched = watch_images(ocr, images)
    assert [event.text for event in watched.of("appeared")] == list(lines.values())
    assert [event.track for event in watched.of("appeared")] == list(range(1, 10))
    assert not watched.of("changed")
    assert [event.text for event in watched.of("gone")] == list(lines.values())[
        : len(watched.of("gone"))
    ]
    assert len(watched.of("gone")) >= 4
    # Every frame moves; reading each of them would see three lines in each.
    read = sum(runs.get("recognition", 0) for runs in watched.runs)
    assert read < 0.7 * watched.runs[0]["recognition"] * len(images)


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("DELTA 303", 45),
        *(
            pytest.param(text, speed, marks=pytest.mark.stress)
            for text in ("DELTA 303", "NUMBERPLATE")
            for speed in (6, 10, 18, 30)
        ),
    ],
)
def test_a_text_that_moves_in_is_told_when_it_is_whole(ocr: OCR, text: str, speed: int) -> None:
    empty = panel({}, size=(480, 160))
    places = list(range(470, 20, -speed))
    moving = [panel({(x, 90): text}, size=(480, 160)) for x in places]
    watched = watch_images(ocr, [empty] * 3 + moving + moving[-1:] * 4)
    assert watched.told == [("appeared", 1, text)]


def test_a_text_at_the_edge_that_stands_is_told(ocr: OCR) -> None:
    empty, cut = panel({}, size=(480, 160)), panel({(390, 90): "WINDOW"}, size=(480, 160))
    watched = watch_images(ocr, [empty] * 3 + [cut] * 20)
    ((kind, _, text),) = watched.told
    assert kind == "appeared" and "WINDOW".startswith(text[:3])
    assert watched.told_at[0] >= 13


@pytest.mark.stress
def test_a_text_that_moves_out_is_gone(ocr: OCR) -> None:
    empty = panel({}, size=(480, 160))
    moving = [panel({(x, 90): "DELTA 303"}, size=(480, 160)) for x in range(200, -220, -30)]
    watched = watch_images(ocr, moving[:1] * 3 + moving + [empty] * 8)
    assert watched.told == [("appeared", 1, "DELTA 303"), ("gone", 1, "DELTA 303")]


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (r"GATE (\d+)", ("4711", "4712")),
        *(
            pytest.param(pattern, ("GATE 4711", "GATE 4712"), marks=pytest.mark.stress)
            for pattern in (r"GATE \d+", r"GATE (?:\d+)|EXIT (\d+)")
        ),
    ],
)
def test_only_what_matches_is_told(ocr: OCR, pattern: str, matches: tuple[str, str]) -> None:
    texts = ["GATE 4711", "GATE 4711 A", "GATE 4712 A", "CLOSED"]
    images = [gate(text) for text in texts for _ in range(5)]
    watched = watch_images(ocr, images, WatchOptions(match=re.compile(pattern)))
    assert [(event.kind, event.text, event.match) for event in watched.events] == [
        ("appeared", "GATE 4711", matches[0]),
        ("changed", "GATE 4712 A", matches[1]),
        ("gone", "GATE 4712 A", matches[1]),
    ]
    assert watched.events[1].frame == 10 and watched.events[2].frame == 15
    assert {event.track for event in watched.events} == {1}


@pytest.mark.stress
def test_a_text_that_matches_again_appears_again(ocr: OCR) -> None:
    texts = ["GATE 4711", "CLOSED", "GATE 99"]
    images = [gate(text) for text in texts for _ in range(7)]
    watched = watch_images(ocr, images, WatchOptions(match=re.compile(r"GATE (\d+)")))
    assert [(event.kind, event.match) for event in watched.events] == [
        ("appeared", "4711"),
        ("gone", "4711"),
        ("appeared", "99"),
    ]


def test_a_text_that_matches_only_later_appears_then(ocr: OCR) -> None:
    images = [gate(text) for text in ("CLOSED", "GATE 99") for _ in range(12)]
    watched = watch_images(ocr, images, WatchOptions(match=re.compile(r"GATE (\d+)")))
    assert [(event.kind, event.match) for event in watched.events] == [("appeared", "99")]
    assert watched.events[0].frame == 12 and watched.events[0].delay < 0.5


def test_unsure_texts_are_ignored(ocr: OCR) -> None:
    scores = {line.text: line.score for line in ocr.read(BOTH)}
    unsure, sure = sorted(scores, key=lambda text: scores[text])
    least = (scores[unsure] + scores[sure]) / 2
    assert scores[sure] - scores[unsure] > 0.02
    watched = watch_images(ocr, [BOTH] * 6, WatchOptions(min_score=least))
    assert watched.told == [("appeared", 1, sure)]


@pytest.mark.parametrize(
    "degrees",
    [90, *(pytest.param(degrees, marks=pytest.mark.stress) for degrees in (180, 270))],
)
def test_a_scene_that_is_turned_has_quads_in_the_frame(ocr: OCR, degrees: int) -> None:
    turns = degrees // 90
    images = [BOTH] * 3 + [gate("GATE 4712")] * 5
    upright = {event.text: event for event in watch_images(ocr, images).events}
    watched = watch_images(ocr, [np.ascontiguousarray(np.rot90(each, turns)) for each in images])
    assert {event.text for event in watched.events} == set(upright)
    (change,) = watched.of("changed")
    assert change.previous == "GATE 4711"
    height, width = BOTH.shape[:2]
    for event in watched.events:
        x, y = upright[event.text].quad.T
        # Where the corners come to when the picture is turned counterclockwise.
        there = {1: (y, width - 1 - x), 2: (width - 1 - x, height - 1 - y), 3: (height - 1 - y, x)}
        np.testing.assert_allclose(event.quad, np.stack(there[turns], -1), atol=4)


@pytest.mark.stress
def test_frames_that_change_their_size(ocr: OCR) -> None:
    larger = cv2.resize(BOTH, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    other = panel({GATE: "GATE 4712", (30, 220): "HALL 258"}, size=(500, 300))
    images = [BOTH] * 4 + [np.asarray(larger, np.uint8)] * 4 + [other] * 4
    watched = watch_images(ocr, images)
    appeared = [event.text for event in watched.of("appeared")]
    assert appeared[:2] == ["GATE 4711", "OPEN 24 H"] and "HALL 258" in appeared
    assert [event.text for event in watched.of("gone")][-1] == "OPEN 24 H"
    for event in watched.events:
        assert event.image is not None
        height, width = event.image.shape[:2]
        assert (event.quad >= 0).all() and (event.quad <= (width - 1, height - 1)).all()


def still(images: list[Image]) -> Iterator[Frame]:
    """Yield pictures of a folder, which were there before the watch began."""
    for number, image in enumerate(images):
        yield Frame(image, number, number / 100, 0.0, still=True)


def test_the_texts_of_pictures_in_a_folder_are_told_at_once(ocr: OCR) -> None:
    other = panel({(90, 40): "EXIT 12"}, ground=90)
    watched = watch_frames(ocr, still([BOTH, other, gate("GATE 0815")]))
    told = list(zip(watched.told_at, watched.told, strict=True))
    assert told[:2] == [(0, ("appeared", 1, "GATE 4711")), (0, ("appeared", 2, "OPEN 24 H"))]
    assert (1, ("appeared", 3, "EXIT 12")) in told
    assert {(1, ("gone", 1, "GATE 4711")), (1, ("gone", 2, "OPEN 24 H"))} <= set(told)
    assert {text for at, (kind, _, text) in told if at == 2 and kind == "appeared"} == {
        "GATE 0815",
        "OPEN 24 H",
    }


def test_a_letter_that_the_detector_overlooks_is_read_where_it_was(ocr: OCR) -> None:
    place, size = (150, 130), (360, 180)
    images = [panel({place: digit}, size=size, capitals=90) for digit in "3333333777777"]
    detector = ocr.stages["detection"]
    assert isinstance(detector, Detector)
    find, find_in = detector.detect, detector.detect_in
    blind = False

    def frames() -> Iterator[Frame]:
        nonlocal blind
        for frame in as_frames(images):
            blind = frame.number >= 7
            yield frame

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detector, "detect", lambda *a: [] if blind else find(*a))
        patch.setattr(detector, "detect_in", lambda *a: [] if blind else find_in(*a))
        watched = watch_frames(ocr, frames())
    assert watched.told == [("appeared", 1, "3"), ("changed", 1, "7")]
