"""Detectors trained for the tests find words, from Paddle's export to regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from edgeocr import OCR, RuntimeOptions
from tests.support import systems
from tests.support.overlap import Polygons, pairs
from tests.trained import pages

# A system with the network, by the network's name.
SYSTEMS = {
    "db": "trained DB, CRNN",
    "east": "trained EAST, STAR-Net",
    "sast": "trained SAST, CRNN",
    "pgnet": "trained PGNet",
}
# The training's pages have other seeds.
SEED = 2026
OVERLAP = 0.5
HMEAN = 0.9


pytestmark = pytest.mark.slow


@cache
def opened(name: str, fixed_shapes: bool = False) -> OCR:
    """Open a bundle with a network; the bundle is shared with the tests of whole systems."""
    options = RuntimeOptions(fixed_shapes=fixed_shapes)
    return OCR(systems.bundle(SYSTEMS[name]), provider="cpu", threads=1, runtime=options)


def hmean(found: Sequence[Polygons], expected: Sequence[Polygons]) -> float:
    """Return the harmonic mean of precision and recall over all pages."""
    hits = sum(len(pairs(a, b, OVERLAP)) for a, b in zip(found, expected, strict=True))
    return 2 * hits / (sum(map(len, found)) + sum(map(len, expected)))


def outlines(ocr: OCR, image: pages.Picture) -> list[np.ndarray]:
    """Detect the regions of a page; return their polygons, or their quads where there are none."""
    regions = ocr.detect(image)
    return [region.quad if region.polygon is None else region.polygon for region in regions]


@pytest.mark.parametrize("name", ["db", "east"])
def test_straight_words_are_found(name: str) -> None:
    given = pages.pages(12, SEED, (384, 512))
    found = [[region.quad for region in opened(name).detect(image)] for image, _, _ in given]
    assert hmean(found, [quads for _, quads, _ in given]) >= HMEAN


@pytest.mark.stress
def test_curved_words_are_found() -> None:
    given = pages.arcs(20, SEED)
    found = [outlines(opened("sast"), image) for image, _, _ in given]
    assert hmean(found, [polygons for _, polygons, _ in given]) >= HMEAN


@pytest.mark.parametrize(
    ("draw", "number", "least"), [(pages.pages, 20, 0.5), (pages.arcs, 40, 0.3)]
)
def test_words_are_spotted(
    draw: Callable[..., list[pages.Page]], number: int, least: float
) -> None:
    """The small network finds words well, but reads many of them with a wrong character."""
    given = draw(number, SEED, (256, 256))
    found: list[Polygons] = []
    right = words = 0
    for image, polygons, texts in given:
        lines = opened("pgnet").read(image).lines
        polygons_found = [line.polygon for line in lines if line.polygon is not None]
        assert len(polygons_found) == len(lines)
        found.append(polygons_found)
        words += len(texts)
        for i, j in pairs(polygons_found, polygons, OVERLAP).items():
            right += lines[i].text == texts[j].lower().replace(" ", "")
    assert hmean(found, [polygons for _, polygons, _ in given]) >= HMEAN
    assert right / words >= least


@pytest.mark.stress
@pytest.mark.parametrize(
    ("name", "task"), [("db", "detection"), ("east", "detection"), ("sast", "detection"),
                       ("pgnet", "spotting")]
)  # fmt: skip
def test_padding_to_fixed_shapes_loses_no_words(name: str, task: str) -> None:
    """The pages fill none of the shapes, so the maps have to be cut to the page."""
    given = pages.arcs(8, SEED) if name == "sast" else pages.pages(8, SEED, (384, 512))
    expected = [words for _, words, _ in given]
    scores = []
    for fixed_shapes in (False, True):
        ocr = opened(name, fixed_shapes)
        cut = [image[: image.shape[0] - 60, : image.shape[1] - 30] for image, _, _ in given]
        shapes: set[tuple[int, ...]] = set()
        session = ocr.stages[task].session
        session.observer = lambda batch, shapes=shapes: shapes.add(batch.shape)
        found = [outlines(ocr, image) for image in cut]
        assert not fixed_shapes or shapes <= set(session.shapes)
        scores.append(hmean(found, expected))
    natural, padded = scores
    assert natural > 0.7 and padded >= natural - 0.05
