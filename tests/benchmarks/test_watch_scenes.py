"""Rendered scenes: always the same for a seed, and their truth is where the ink is."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.watch_drawing import HEIGHT, WIDTH, box_quad, hide, lettering, put
from benchmarks.watch_scenes import SCENES, Scene
from benchmarks.watch_truth import FPS, Shown, expected_events


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_scenes_are_frames_with_lines(scene: Scene) -> None:
    video = scene.render(0.2, 3)
    assert len(video.images) == len(video.truth) == 5
    for image, lines in zip(video.images, video.truth, strict=True):
        assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
        assert len({line.place for line in lines}) == len(lines)
        for line in lines:
            assert line.quad.shape == (4, 2)
            assert line.quad.min() >= -2 and line.quad[:, 0].max() <= WIDTH + 2
    assert not np.array_equal(video.images[0], video.images[1])  # there is always some noise


def test_seed_determines_the_video() -> None:
    (scene,) = (each for each in SCENES if each.name == "meter")
    one, same, other = scene.render(0.1, 1), scene.render(0.1, 1), scene.render(0.1, 2)
    for a, b, c in zip(one.images, same.images, other.images, strict=True):
        assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert [line.text for line in one.truth[0]] == [line.text for line in same.truth[0]]
    assert [line.text for line in one.truth[0]] != [line.text for line in other.truth[0]]


def test_letterings_are_where_they_are_said_to_be() -> None:
    for face in ("sans", "bold", "triplex", "duplex"):
        picture = np.zeros((200, 600, 3), np.uint8)
        line = put(picture, "", lettering("Quick brown", 48, (255, 255, 255), face), 50, 60)
        assert line is not None and line.whole
        rows, columns = np.nonzero(picture.max(axis=2) > 60)
        (left, top), (right, bottom) = line.quad.min(axis=0), line.quad.max(axis=0)
        assert abs(columns.min() - left) < 6 and abs(columns.max() - right) < 6
        assert top - 3 <= rows.min() <= rows.max() <= bottom + 3


def test_lines_at_the_edge_and_behind_something_are_not_whole() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    drawn = lettering("Quick brown", 48, (255, 255, 255))
    cut = put(picture, "", drawn, -60, 60)
    assert cut is not None and not cut.whole and cut.quad.min() == 0
    assert put(picture, "", drawn, -drawn.width, 60) is None
    line = Shown("", "Quick", box_quad(100, 100, 200, 140))
    half = hide(line, (150, 0, 400, 400))
    assert half is not None and not half.whole
    assert hide(line, (90, 0, 400, 400)) is None
    assert hide(line, (300, 0, 400, 400)).whole  # type: ignore[union-attr]


@pytest.mark.stress
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_scenes_ask_for_events(scene: Scene) -> None:
    events = expected_events(scene.render(10, 23).truth, 0.5)
    assert sum(event.required for event in events) >= 5
    assert all(0 <= event.begin <= event.end <= 10 * FPS for event in events)
