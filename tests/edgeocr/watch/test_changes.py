"""Differences of frames are found, and nothing that cameras add by themselves is one."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edgeocr.images import Image, load
from edgeocr.watch.changes import Change, ChangeDetector
from tests.support.events import quad
from tests.support.panels import noisy, panel
from tests.support.paths import IMAGES

RANDOM = np.random.default_rng(23)


def photograph(name: str) -> Image:
    image = cv2.resize(load(IMAGES / name), (640, 480), interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)


SIGN, POSTER = photograph("sample.jpg"), photograph("poster.jpg")


def scaled(image: Image, gain: float, offset: float = 0.0) -> Image:
    return np.clip(image * gain + offset, 0, 255).astype(np.uint8)


def shifted(image: Image, x: float, y: float) -> Image:
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    moved = cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def compressed(image: Image, quality: int) -> Image:
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def in_shade(image: Image, turn: int) -> Image:
    """Darken a picture more and more from left to right, as a shade that comes nearer does."""
    slope = np.linspace(1, 1 - 0.05 * turn, image.shape[1])[None, :, None]
    return np.clip(image * slope, 0, 255).astype(np.uint8)


# What becomes of a picture in the frame of a number.
HARMLESS: dict[str, Callable[[Image, int], Image]] = {
    "nothing": lambda image, _: image,
    "noise": lambda image, _: noisy(image, RANDOM, 4),
    "brightness": lambda image, turn: scaled(image, 1, 30 * np.sin(turn)),
    "contrast": lambda image, turn: scaled(
        image, 1 - 0.3 * abs(np.sin(turn)), 38 * abs(np.sin(turn))
    ),
    "exposure": lambda image, turn: scaled(image, 0.65 if turn % 2 else 1),
    "fading light": lambda image, turn: scaled(image, 1 - 0.05 * turn),
    "shade": in_shade,
    "shake": lambda image, turn: shifted(image, (turn + 1) % 3 - 1, (turn // 3 + 1) % 3 - 1),
    "shake by parts of a pixel": lambda image, turn: shifted(image, 0.4 * (turn % 3), -0.3),
    "compression": lambda image, turn: compressed(image, 90 - 5 * turn),
    "noise and exposure": lambda image, turn: noisy(scaled(image, 1 - 0.3 * (turn % 2)), RANDOM, 3),
}


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize(
    "image",
    [
        pytest.param(SIGN, marks=pytest.mark.stress),
        SIGN[100:340, 100:420],
        panel({(30, 60): "GATE 4711"}),
    ],
    ids=["sign", "part", "panel"],
)
def test_what_cameras_add_is_no_difference(image: Image, name: str) -> None:
    changes = ChangeDetector()
    changes.compare(HARMLESS[name](image, 0))
    changes.accept()
    for turn in range(1, 6):
        change = changes.compare(HARMLESS[name](image, turn))
        assert not change and not change.is_cut, turn


def after(*images: Image) -> Change:
    """Return how the last image differs from the others, which were all accepted."""
    changes = ChangeDetector()
    for image in images[:-1]:
        changes.compare(image)
        changes.accept()
    return changes.compare(images[-1])


@pytest.mark.parametrize("size", [(400, 160), (1280, 720)])
@pytest.mark.parametrize("sigma", [0.0, 3.0])
@pytest.mark.parametrize("digits", ["38", "17"])
def test_a_single_digit_of_14_pixels_is_found(
    size: tuple[int, int], sigma: float, digits: str
) -> None:
    x, y = 33, 95
    before, now = (
        panel({(30, 60): "GATE 4711", (x, y): digit}, size=size, capitals=14) for digit in digits
    )
    if sigma:
        before, now = noisy(before, RANDOM, sigma), noisy(now, RANDOM, sigma)
    change = after(before, now)
    assert change and not change.is_cut
    assert change.touches(quad(x, y - 14, 12, 14))
    assert not change.touches(quad(200, 20))
    rows, columns = np.nonzero(change.tiles)
    assert np.ptp(rows) <= 2 and np.ptp(columns) <= 2


def test_a_digit_that_changes_while_the_light_does_is_found() -> None:
    before, now = (panel({(30, 95): f"metre 0381{digit}"}, capitals=14) for digit in (3, 8))
    assert after(before, scaled(now, 0.7)).touches(quad(125, 80, 20, 16))
    assert not after(before, scaled(before, 0.7))


def test_what_changes_slowly_adds_up() -> None:
    before, now = (panel({(30, 60): text}) for text in ("GATE 4711", "GATE 4712"))
    changes = ChangeDetector()
    changes.compare(before)
    changes.accept()
    found = []
    for step in range(1, 41):
        image = cv2.addWeighted(before, 1 - step / 40, now, step / 40, 0)
        change = changes.compare(np.asarray(image, np.uint8))
        if change:
            found.append(step)
            changes.accept(change)
    assert found and min(found) < 30


def test_only_what_was_accepted_is_known() -> None:
    first = panel({(30, 60): "GATE 4711"})
    second = panel({(30, 60): "GATE 4711", (30, 120): "OPEN"})
    changes = ChangeDetector()
    changes.compare(first)
    changes.accept()
    assert changes.compare(second)
    change = changes.compare(second)  # nobody has looked at it yet
    assert change
    changes.accept(change)
    assert not changes.compare(second)
    assert changes.compare(first)


@pytest.mark.parametrize("step", [(9, 0), (0, -7), (3, -2), (31, 0)])
def test_a_picture_that_moves_differs_where_it_is_new(step: tuple[int, int]) -> None:
    large = load(IMAGES / "poster.jpg")
    x, y = 300, 200

    def seen(turn: int) -> Image:
        left, top = x + turn * step[0], y + turn * step[1]
        return large[top : top + 360, left : left + 640]

    changes = ChangeDetector()
    changes.compare(seen(0))
    changes.accept()
    for turn in range(1, 4):
        change = changes.compare(seen(turn))
        assert not change.is_cut
        np.testing.assert_allclose(change.moved, (-step[0], -step[1]), atol=0.5)
        entered = np.zeros((360, 640), bool)
        if step[0]:
            entered[:, slice(-40, None) if step[0] > 0 else slice(None, 40)] = True
        if step[1]:
            entered[slice(-40, None) if step[1] > 0 else slice(None, 40)] = True
        rows, columns = np.nonzero(change.tiles)
        inside = entered[
            np.minimum(rows * change.side + 8, 359), np.minimum(columns * change.side + 8, 639)
        ]
        assert inside.all(), turn
        changes.accept(change)


def test_what_enters_is_new_once_it_fills_tiles() -> None:
    """Steps that are smaller than a tile are not lost."""
    large = load(IMAGES / "poster.jpg")
    changes = ChangeDetector()
    changes.compare(large[:360, :640])
    changes.accept()
    columns = 0
    for turn in range(1, 13):
        change = changes.compare(large[:360, 4 * turn : 4 * turn + 640])
        columns += int(change.tiles.any(axis=0).sum())
        changes.accept(change)
    assert columns >= 4 * 12 // 16


BLACK = np.zeros_like(SIGN)


@pytest.mark.parametrize(
    ("before", "now", "frames"),
    [
        (SIGN, POSTER, 1),
        (POSTER, SIGN, 1),
        (SIGN, POSTER, 5),
        (SIGN, BLACK, 5),
        (BLACK, POSTER, 5),
    ],
    ids=["at once", "at once, the other way", "later", "to black", "from black"],
)
def test_another_picture_is_a_cut(before: Image, now: Image, frames: int) -> None:
    assert after(*[before] * frames, now).is_cut
    assert after(*(noisy(before, RANDOM) for _ in range(frames)), noisy(now, RANDOM)).is_cut


def test_each_of_many_pictures_may_be_another_one() -> None:
    """A folder that fills up shows no picture twice, which is not noise."""
    changes = ChangeDetector()
    for turn in range(12):
        assert changes.compare((SIGN, POSTER)[turn % 2]).is_cut, turn
        changes.accept()
    assert changes.compare(BLACK)


@pytest.mark.stress
def test_noise_that_grows_is_learned() -> None:
    changes = ChangeDetector()
    found = []
    small = SIGN[100:340, 100:420]
    for turn in range(40):
        change = changes.compare(noisy(small, RANDOM, min(12, 2 + 0.4 * turn)))
        if change and turn:
            found.append(turn)
        changes.accept(change)
    assert not found


def test_the_first_picture_and_one_of_another_size_are_cuts() -> None:
    assert after(SIGN).is_cut
    assert after(SIGN, SIGN[:-1]).is_cut
    assert after(SIGN, SIGN[:-1]).tiles.all()


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (400, 2), (40, 3), (16, 16), (4000, 12)])
def test_pictures_of_any_size_are_compared(size: tuple[int, int]) -> None:
    width, height = size
    dark, light = (np.full((height, width, 3), grey, np.uint8) for grey in (10, 240))
    changes = ChangeDetector()
    for image in (dark, dark, light, noisy(dark, RANDOM, 40), dark):
        change = changes.compare(image)
        assert change.tiles.ndim == 2
        changes.accept(change)
    assert not changes.compare(dark).is_cut


def test_touching_is_judged_in_pixels_of_the_frame() -> None:
    tiles = np.zeros((5, 8), np.bool_)
    tiles[2, 3] = True
    change = Change(tiles, 32)
    assert change.touches(quad(96, 64, 32, 32))
    assert change.touches(quad(0, 70, 97, 10))
    assert not change.touches(quad(0, 70, 95, 10))
    assert not change.touches(quad(130, 70))
    # What lies beyond the picture is compared with the tiles at its edge.
    assert not change.touches(quad(-50, -50)) and not change.touches(quad(900, 900))
