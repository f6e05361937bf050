"""The scores of a watch: the truth scores 1, and each kind of mistake lowers a score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.watch_drawing import box_quad
from benchmarks.watch_scenes import SCENES
from benchmarks.watch_scoring import Scored, Told, score
from benchmarks.watch_truth import FPS, Shown, Video, expected_events
from edgeocr.postprocess.geometry import Float32
from edgeocr.watch import Event

PATIENCE = 0.5
SIGN, PANEL = box_quad(100, 100, 300, 140), box_quad(100, 300, 500, 360)


@pytest.fixture(scope="module")
def video() -> Video:
    """A sign that appears and goes, and a panel whose text changes."""
    truth = []
    for number in range(4 * FPS):
        lines = [Shown("panel", "Platform 12" if number < 40 else "Platform 74", PANEL)]
        if 10 <= number < 60:
            lines.append(Shown("sign", "Please wait", SIGN))
        truth.append(lines)
    return Video("test", [np.zeros((2, 2, 3), np.uint8)] * len(truth), truth)


def line_of(video: Video, place: str, frame: int) -> Float32:
    """Return where a line is, or was last."""
    for number in range(frame, -1, -1):
        for line in video.truth[min(number, len(video.truth) - 1)]:
            if line.place == place:
                return line.quad
    raise LookupError(place)


def truth_of(video: Video) -> list[Told]:
    """Return the required events as a perfect watch tells them."""
    events = [each for each in expected_events(video.truth, PATIENCE) if each.required]
    tracks = {each.place: i for i, each in enumerate(events)}
    told = []
    for each in events:
        quad = line_of(video, each.place, each.end)
        at = (tracks[each.place], each.text, 0.9, quad, each.end, each.end / FPS, 0.0)
        late = round(PATIENCE * FPS) if each.is_gone else 0
        told.append(Told(Event(each.kinds[0], *at, previous=each.previous), each.end + late))
    return told


def test_truth_scores_one(video: Video) -> None:
    scored = score(video, truth_of(video), PATIENCE)
    assert (scored.precision, scored.recall, scored.right, scored.exact) == (1, 1, 4, 4)
    assert scored.latencies(gone=False) == [0, 0, 0]
    assert scored.latencies(gone=True) == [pytest.approx(0.48, abs=0.03)]


@pytest.mark.parametrize(
    "scene", [scene.name for scene in SCENES if scene.name in ("meter", "cuts")]
)
def test_truth_of_rendered_scenes_scores_one(scene: str) -> None:
    (chosen,) = (each for each in SCENES if each.name == scene)
    drawn = chosen.render(3.4, 1)
    scored = score(drawn, truth_of(drawn), PATIENCE)
    assert (scored.precision, scored.recall) == (1, 1)
    assert scored.right > 10


def change(video: Video, number: int, **values: object) -> list[Told]:
    """Return a perfect watch of which one event has other values."""
    told = truth_of(video)
    told[number] = replace(told[number], event=replace(told[number].event, **values))  # type: ignore[arg-type]
    return told


Mistake = Callable[[Video], list[Told]]
APPEARED, CHANGED, GONE = 1, 2, 3
LOST: dict[str, Mistake] = {
    "not told": lambda video: truth_of(video)[1:],
    "another kind": lambda video: change(video, APPEARED, kind="changed"),
    "another place": lambda video: change(video, APPEARED, quad=SIGN + 300),
    "another text": lambda video: change(video, APPEARED, text="Please sing"),
    "the old text": lambda video: change(video, CHANGED, text="Platform 12"),
    "another frame": lambda video: change(video, APPEARED, frame=30),
    "too late": lambda video: [
        replace(each, frame=each.frame + 30 * (i == GONE)) for i, each in enumerate(truth_of(video))
    ],
}


@pytest.mark.parametrize("mistake", LOST)
def test_events_are_lost(video: Video, mistake: str) -> None:
    scored = score(video, LOST[mistake](video), PATIENCE)
    assert scored.recall == 0.75
    assert len(scored.lost) == 1
    assert scored.precision == 1 if mistake == "not told" else scored.precision == 0.75


def added(video: Video, event: Event, frame: int) -> Scored:
    return score(video, [*truth_of(video), Told(event, frame)], PATIENCE)


@pytest.mark.parametrize(
    ("mistake", "event"),
    [
        ("duplicate", Event("appeared", 9, "Please wait", 0.9, SIGN, 40, 1.6, 0.0)),
        ("correction", Event("changed", 9, "Please wait", 0.9, SIGN, 40, 1.6, 0.0, previous="P")),
        ("misread", Event("changed", 9, "Pleasure", 0.9, SIGN, 40, 1.6, 0.0, previous="P")),
        ("early", Event("gone", 9, "Please wait", 0.9, SIGN, 30, 1.2, 0.0)),
        ("phantom", Event("appeared", 9, "Please wait", 0.9, SIGN + 400, 40, 1.6, 0.0)),
        ("phantom", Event("gone", 9, "Please wait", 0.9, SIGN, 60, 2.4, 0.0)),
    ],
)
def test_events_that_are_too_many_have_their_kind(video: Video, mistake: str, event: Event) -> None:
    scored = added(video, event, 75 if event.frame == 60 else 42)
    assert scored.mistakes == {mistake: 1}
    assert (scored.recall, scored.precision) == (1, 0.8)


def test_a_text_that_is_told_as_another_kind_is_no_duplicate(video: Video) -> None:
    scored = score(video, change(video, CHANGED, kind="appeared", previous=None), PATIENCE)
    assert scored.mistakes == {"otherwise": 1}


def test_small_errors_of_a_text_are_right_but_not_exact(video: Video) -> None:
    scored = score(video, change(video, APPEARED, text="Please walt"), PATIENCE)
    assert (scored.recall, scored.right, scored.exact) == (1, 4, 3)


def test_lines_that_are_partly_visible_are_neither_right_nor_wrong(video: Video) -> None:
    edge = box_quad(0, 500, 90, 540)
    partly = replace(
        video, truth=[[*lines, Shown("edge", "Departures", edge, False)] for lines in video.truth]
    )
    event = Event("appeared", 9, "rtures", 0.9, edge, 20, 0.8, 0.0)
    scored = added(partly, event, 20)
    assert (scored.recall, scored.precision, len(scored.excused)) == (1, 1, 1)


def test_latency_is_real_time_where_frames_have_their_own_speed(video: Video) -> None:
    told = [replace(each, wall=each.event.frame / FPS + 0.25) for each in truth_of(video)]
    scored = score(video, told, PATIENCE)
    assert scored.latencies(gone=True) == pytest.approx([0.25])
