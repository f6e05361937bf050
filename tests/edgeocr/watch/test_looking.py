"""Frames and parts of them are read with the networks of an `OCR`, whatever stages it has."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr import OCR, Bundle
from edgeocr.images import Image
from edgeocr.postprocess.geometry import Float32
from edgeocr.results.lines import Line, Reading, Region
from edgeocr.watch.looking import Looker, unknown
from tests.support import constant_graphs
from tests.support.panels import observed, panel, watch_images

GATE, OPEN = (30, 60), (30, 120)
BOTH = panel({GATE: "GATE 4711", OPEN: "OPEN 24 H"})


def by_text(found: list[Line]) -> dict[str, Float32]:
    return {line.text: line.quad for line in found}


def test_a_part_is_read_as_the_whole_is(ocr: OCR) -> None:
    looker = Looker(ocr)
    whole = by_text([each.line for each in looker.read_scene(BOTH)])
    assert set(whole) == {"GATE 4711", "OPEN 24 H"} and looker.rotation == 0
    every = by_text([each.line for each in looker.read_in(BOTH, None, unknown)])
    part = by_text([each.line for each in looker.read_in(BOTH, [(0, 80, 400, 160)], unknown)])
    assert set(every) == set(whole) and set(part) == {"OPEN 24 H"}
    np.testing.assert_allclose(part["OPEN 24 H"], whole["OPEN 24 H"], atol=3)
    assert looker.read_in(BOTH, [], unknown) == []


def test_what_is_known_is_not_read(ocr: OCR) -> None:
    def known(region: Region) -> Reading | None:
        return Reading("a known text", 0.9) if region.quad[0, 1] > 80 else None

    runs: list[dict[str, int]] = [{}]
    looker = Looker(ocr)
    with observed(ocr, runs):
        looker.read_in(BOTH, None, unknown)
        runs.append({})
        found = looker.read_in(BOTH, None, known)
        runs.append({})
        looker.read_in(BOTH, None, lambda _: Reading("a known text", 0.9))
    assert {each.line.text: each.is_new for each in found} == {
        "GATE 4711": True,
        "a known text": False,
    }
    assert 0 < runs[1]["recognition"] < runs[0]["recognition"]
    assert list(runs[2]) == ["detection"]


def test_lines_are_read_again_where_they_are(ocr: OCR) -> None:
    looker = Looker(ocr)
    lines = [each.line for each in looker.read_scene(BOTH)]
    runs: list[dict[str, int]] = [{}]
    with observed(ocr, runs):
        readings = looker.read_again(BOTH, lines)
    assert [reading.text for reading in readings] == [line.text for line in lines]
    assert "detection" not in runs[0]
    assert looker.read_again(BOTH, []) == []


@pytest.mark.stress
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_scene_is_turned_until_the_next_one(ocr: OCR, degrees: int) -> None:
    image = np.ascontiguousarray(np.rot90(BOTH, degrees // 90))
    looker = Looker(ocr)
    lines = by_text([each.line for each in looker.read_scene(image)])
    assert looker.rotation == degrees
    np.testing.assert_array_equal(looker.upright(image), BOTH)
    upright = by_text([each.line for each in Looker(ocr).read_scene(BOTH)])
    assert set(lines) == set(upright)
    for text, quad in lines.items():
        np.testing.assert_allclose(quad, upright[text], atol=3)
    looker.read_scene(BOTH)
    assert looker.rotation == 0


def test_a_bundle_without_orientation(bundle: Bundle) -> None:
    with OCR(bundle, provider="cpu", threads=2, orientation=False) as ocr:
        assert "orientation" not in ocr.stages
        after = panel({GATE: "GATE 4712", OPEN: "OPEN 24 H"})
        watched = watch_images(ocr, [BOTH] * 3 + [after] * 5)
    assert watched.told == [
        ("appeared", 1, "GATE 4711"),
        ("appeared", 2, "OPEN 24 H"),
        ("changed", 1, "GATE 4712"),
    ]


def constant(*algorithms: str) -> OCR:
    """Open a bundle whose networks find and read the same line whatever they see."""
    stages = {name: constant_graphs.sound_outputs(name) for name in algorithms}
    return OCR(constant_graphs.bundle(**stages), provider="cpu", threads=1)


def flickering(frames: int) -> list[Image]:
    """Return frames in which a part changes all the time."""
    side = constant_graphs.SIDE
    images = [np.full((side, side, 3), 200, np.uint8) for _ in range(frames)]
    for i, image in enumerate(images):
        image[20:44, 8:56] = 200 if i % 2 else 20
        image[28:36, 16:48:8] = 255
    return images


@pytest.mark.parametrize(
    "algorithms", [("PGNet",), ("DB", "CTC"), ("EAST", "Attention"), ("SAST", "SRN")]
)
def test_bundles_of_other_algorithms(algorithms: tuple[str, ...]) -> None:
    with constant(*algorithms) as ocr:
        (line,) = ocr.read(flickering(1)[0])
        watched = watch_images(ocr, flickering(12))
    assert watched.told == [("appeared", 1, line.text)]
    np.testing.assert_allclose(watched.events[0].quad, line.quad, atol=1)


def test_a_spotter_is_not_asked_again_where_nothing_changes() -> None:
    with constant("PGNet") as ocr:
        watched = watch_images(ocr, flickering(1) * 16)  # the line is near the edge
    assert watched.told and watched.busy == [0]
