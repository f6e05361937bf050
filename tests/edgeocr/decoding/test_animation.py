"""Steps of animations are composed as Pillow or OpenCV compose them."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from edgeocr import ImageError
from edgeocr.decoding.animation import NOISE, find, is_animated, looks_alike

SIZE = (90, 60)
# Disposal and blending as Pillow takes them. A first frame that restores what was before it is left
# out: Pillow keeps it, browsers and OpenCV clear it.
KINDS: list[tuple[str, dict[str, Any]]] = [
    *(("GIF", {"disposal": each}) for each in (0, 1, 2, [1, 3, 3, 3, 3, 3], [1, 3, 1, 2, 3, 1])),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"lossless": True, "minimize_size": True}),
    ("WEBP", {"quality": 80}),
    *(
        ("PNG", {"disposal": disposal, "blend": blend})
        for disposal in (0, 1, [0, 2, 2, 2, 2, 2], [0, 2, 1, 0, 2, 0])
        for blend in (0, 1)
    ),
    ("PNG", {"default_image": True}),
]


def rectangles(seed: int, transparent: bool) -> list[PIL.Image.Image]:
    """Draw six pictures that differ in rectangles, some of which stay."""
    random = np.random.default_rng(seed)

    def paint() -> np.ndarray:
        alpha = random.choice([0, 255]) if transparent else 255
        return np.array([*random.integers(0, 256, 3), alpha], np.uint8)

    ground = np.broadcast_to(paint(), (SIZE[1], SIZE[0], 4)).copy()
    pictures = []
    for _ in range(6):
        picture = ground.copy()
        for _ in range(random.integers(1, 3)):
            x, y = random.integers(0, SIZE[0] - 10), random.integers(0, SIZE[1] - 10)
            width, height = random.integers(5, 40, 2)
            picture[y : y + height, x : x + width] = paint()
        if random.random() < 0.5:
            ground = picture
        pictures.append(PIL.Image.fromarray(picture))
    return pictures


def animated(pictures: list[PIL.Image.Image], form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    pictures[0].save(
        stream, form, save_all=True, append_images=pictures[1:], duration=50, **options
    )
    return stream.getvalue()


def without_hidden_colours(picture: np.ndarray) -> np.ndarray:
    if picture.shape[2] == 3:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    return np.where(picture[..., 3:] == 0, 0, picture).astype(int)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "options"), KINDS, ids=str)
@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.skipif(
    not hasattr(cv2, "imdecodeanimation"), reason="OpenCV composes animations since 4.11"
)
def test_every_step_is_the_one_that_pillow_or_opencv_composes(
    form: str, options: dict[str, Any], transparent: bool
) -> None:
    for seed in range(4):
        pictures = rectangles(seed, transparent)
        if form != "GIF" and not transparent:
            pictures = [each.convert("RGB") for each in pictures]
        content = animated(pictures, form, **options)
        assert is_animated(content[:65536])
        steps = list(find(content, 100).pictures())
        others = PIL.Image.open(io.BytesIO(content))
        assert len(steps) == others.n_frames  # type: ignore[attr-defined]
        _, by_opencv = cv2.imdecodeanimation(np.frombuffer(content, np.uint8))
        for number, step in enumerate(steps):
            assert isinstance(step, np.ndarray)
            others.seek(number)
            oracles = [np.asarray(others.convert("RGBA"))[..., [2, 1, 0, 3]]]
            oracles += by_opencv.frames[number : number + 1]
            found = without_hidden_colours(step)
            nearest = min(np.abs(found - without_hidden_colours(each)).max() for each in oracles)
            assert nearest <= 3, (seed, number)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_still_picture_is_not_animated(form: str) -> None:
    stream = io.BytesIO()
    rectangles(0, True)[0].save(stream, form)
    content = stream.getvalue()
    assert len(find(content, 100).parts) == 1 if form == "GIF" else not is_animated(content)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_damaged_file_has_the_steps_before_the_damage(form: str) -> None:
    content = animated(rectangles(1, False), form)
    whole = len(find(content, 100).parts)
    counts = set()
    for length in range(0, len(content), 7):
        found = find(content[:length], 100)
        counts.add(len(found.parts))
        for step in found.pictures():
            assert isinstance(step, (np.ndarray, ImageError))
    assert max(counts) <= whole and min(counts) == 0 and len(counts) > 2


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_changed_bytes_raise_nothing_else(form: str) -> None:
    content = animated(rectangles(2, True), form)
    random = np.random.default_rng(3)
    for _ in range(40):
        damaged = bytearray(content)
        # The size of the canvas stays, which would take memory.
        for place in random.integers(40, len(content), 3):
            damaged[place] = random.integers(0, 256)
        for step in find(bytes(damaged), 100).pictures():
            assert isinstance(step, (np.ndarray, ImageError))


def test_huge_canvas_is_refused_without_memory() -> None:
    content = bytearray(animated(rectangles(0, False), "GIF"))
    content[6:10] = b"\xff\xff\xff\xff"
    (error,) = find(bytes(content), 100).pictures()
    assert isinstance(error, ImageError) and "65535 × 65535" in str(error)


def test_noise_looks_alike_and_a_letter_does_not() -> None:
    random = np.random.default_rng(0)
    picture = random.integers(40, 200, (300, 50, 4), np.uint8)
    noisy = picture + random.integers(0, NOISE + 1, picture.shape, np.uint8)
    assert looks_alike(picture, noisy)
    changed = picture.copy()
    cv2.putText(changed, "i", (10, 290), cv2.FONT_HERSHEY_PLAIN, 0.8, (255, 255, 255, 255))
    assert not looks_alike(picture, changed)
    assert not looks_alike(picture, picture[:-1])
