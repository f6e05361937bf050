"""Networks that were trained here: from Paddle's export through the converters to regions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from edgeocr import OCR, RuntimeOptions
from tests.support.frozen import frozen
from tests.support.overlap import pairs
from tests.trained import pages

EXPORTS = Path(__file__).parent / "exports"
# Unlike those of the training's pages.
SEED = 2026
OVERLAP = 0.5
HMEAN = 0.9


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory):
    """Name and task → OCR with the export of that name."""
    folder = tmp_path_factory.mktemp("bundles")

    @cache
    def engine(name: str, task: str = "detection", fixed_shapes: bool = False) -> OCR:
        path = folder / f"{name}.edgeocr"
        bundle = path if path.exists() else frozen(path, **{task: str(EXPORTS / name)})
        options = RuntimeOptions(fixed_shapes=fixed_shapes)
        return OCR(bundle, provider="cpu", threads=1, runtime=options)

    return engine


def hmean(found: Sequence[Sequence[np.ndarray]], expected: Sequence[Sequence[np.ndarray]]) -> float:
    """Over all pages."""
    hits = sum(len(pairs(a, b, OVERLAP)) for a, b in zip(found, expected, strict=True))
    return 2 * hits / (sum(map(len, found)) + sum(map(len, expected)))


@pytest.mark.parametrize("name", ["db", "east"])
def test_straight_words_are_found(engines, name):
    given = pages.pages(40, SEED, (384, 512))
    found = [[region.quad for region in engines(name).detect(image)] for image, _, _ in given]
    assert hmean(found, [quads for _, quads, _ in given]) >= HMEAN


def test_curved_words_are_found(engines):
    given = pages.arcs(60, SEED)
    found = [[region.polygon for region in engines("sast").detect(image)] for image, _, _ in given]
    assert hmean(found, [polygons for _, polygons, _ in given]) >= HMEAN


@pytest.mark.parametrize(("draw", "least"), [(pages.pages, 0.5), (pages.arcs, 0.3)])
def test_words_are_spotted(engines, draw, least):
    """Where words are is told well; many of them are read with a wrong character."""
    given = draw(60, SEED, (256, 256))
    found, right, words = [], 0, 0
    for image, polygons, texts in given:
        lines = engines("pgnet", "spotting").read(image).lines
        found.append([line.polygon for line in lines])
        words += len(texts)
        for i, j in pairs(found[-1], polygons, OVERLAP).items():
            right += lines[i].text == texts[j].lower().replace(" ", "")
    assert hmean(found, [polygons for _, polygons, _ in given]) >= HMEAN
    assert right / words >= least


@pytest.mark.parametrize(
    ("name", "task"), [("db", "detection"), ("east", "detection"), ("sast", "detection"),
                       ("pgnet", "spotting")]
)  # fmt: skip
def test_padded_to_fixed_shapes_they_find_as_much(engines, name, task):
    """On pages that fill none of them; maps at the algorithm's scale are cut to the page."""
    given = pages.arcs(8, SEED) if name == "sast" else pages.pages(8, SEED, (384, 512))
    expected = [outlines for _, outlines, _ in given]
    scores = []
    for fixed_shapes in (False, True):
        engine = engines(name, task, fixed_shapes)
        cut = [image[: image.shape[0] - 60, : image.shape[1] - 30] for image, _, _ in given]
        shapes: set[tuple[int, ...]] = set()
        session = engine.stages[task].session
        session.observer = lambda batch, shapes=shapes: shapes.add(batch.shape)
        found = [
            [region.quad if region.polygon is None else region.polygon for region in each]
            for each in map(engine.detect, cut)
        ]
        assert not fixed_shapes or shapes <= set(session.shapes)
        scores.append(hmean(found, expected))
    natural, padded = scores
    assert natural > 0.7 and padded >= natural - 0.05
