"""DB post-processing, compared with PaddleOCR's (tests/fixtures/README.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pyclipper
import pytest

from edgeocr.postprocess import db
from edgeocr.postprocess.geometry import box_scores
from tests.support.overlap import corner_distance, iou, pairs, shape
from tests.support.paths import FIXTURES

MAPS = ["poster", "receipt", "receipt_small", "sample", "sample_small"]
QUAD_SETTINGS = ["quad_fast", "quad_slow", "quad_fast_dilation", "quad_fast_low"]
# Number of holes in regions that are large enough to be candidates. Other maps have none.
HOLES = {("receipt_small", "quad_fast_low"): 3}


@dataclass
class Oracle:
    """A fixture: a map, a setting, and PaddleOCR's regions in pixels of the source."""

    name: str
    setting: str
    probability: np.ndarray = field(init=False)
    to_source: np.ndarray = field(init=False)
    size: np.ndarray = field(init=False)
    regions: list[np.ndarray] = field(init=False)
    scores: np.ndarray = field(init=False)
    arguments: dict[str, Any] = field(init=False)
    score: str = field(init=False)

    def __post_init__(self) -> None:
        folder = FIXTURES / "db"
        with np.load(folder / f"{self.name}.npz") as stored:
            self.probability = stored["probability_u8"].astype(np.float32) / np.float32(255)
            height, width = self.probability.shape
            self.size = stored["source_size"][::-1].astype(np.float32)
            self.to_source = self.size / np.array([width, height], np.float32)
            settings = json.loads(str(stored["settings"]))[self.setting]
            self.scores = stored[f"{self.setting}_scores"]
            if self.setting == "poly":
                ends = np.cumsum(stored["poly_lengths"])
                self.regions = np.split(stored["poly_points"], ends[:-1])
            else:
                self.regions = list(stored[f"{self.setting}_boxes"])
        self.score = {"fast": "box", "slow": "polygon"}[settings["score_mode"]]
        self.arguments = {
            "threshold": settings["thresh"],
            "box_threshold": settings["box_thresh"],
            "unclip_ratio": settings["unclip_ratio"],
            "max_candidates": settings["max_candidates"],
            "dilation": settings["use_dilation"],
        }

    def in_source(self, points: np.ndarray) -> np.ndarray:
        return np.clip(points * self.to_source, 0, self.size)

    def quads(self, **changes: Any) -> tuple[list[np.ndarray], np.ndarray]:
        arguments = self.arguments | {"score": self.score} | changes
        quads, scores = db.quads(self.probability, **arguments)
        assert quads.dtype == scores.dtype == np.float32 and quads.shape == (len(scores), 4, 2)
        return [self.in_source(quad) for quad in quads], scores

    def polygons(self) -> tuple[list[np.ndarray], np.ndarray]:
        polygons, scores = db.polygons(self.probability, **self.arguments)
        assert all(polygon.dtype == np.float32 for polygon in polygons)
        return [self.in_source(polygon) for polygon in polygons], scores

    def hole_contours(self) -> list[np.ndarray]:
        mask = (self.probability > np.float32(self.arguments["threshold"])).astype(np.uint8)
        contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        return [c for c, row in zip(contours, hierarchy[0], strict=True) if row[3] >= 0]


def unclipped_as_paddleocr(corners: np.ndarray, ratio: float) -> np.ndarray:
    """Return the rectangle that PaddleOCR makes of corners with its clipper of integers."""
    polygon = shape(corners)
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(corners.tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    (grown,) = offset.Execute(polygon.area * ratio / polygon.length)
    return cv2.boxPoints(cv2.minAreaRect(np.array(grown, np.float32)))


@pytest.mark.parametrize("setting", QUAD_SETTINGS)
@pytest.mark.parametrize("name", MAPS)
def test_quads_are_those_of_paddleocr(name: str, setting: str) -> None:
    oracle = Oracle(name, setting)
    found, scores = oracle.quads()
    matched = pairs(found, oracle.regions)
    assert len(matched) == len(found), "one of ours is not among the oracle's"
    # The oracle cuts corners down to whole map pixels before and after it unclips and rounds
    # source pixels; edgeocr does neither. So 2 px, of the map or the picture, the coarser one.
    most = 2 * max(1, oracle.to_source.max())
    apart = [corner_distance(found[i], oracle.regions[j]) for i, j in matched.items()]
    assert max(apart) <= most
    assert np.mean(apart) <= most * 0.6
    # Settings "slow" score the same pixels; "fast" ones rectangles whose corners, cut down to
    # whole pixels, may fall on either side.
    differences = np.array([scores[i] - oracle.scores[j] for i, j in matched.items()])
    if setting == "quad_slow":
        # The oracle fills a region's holes, edgeocr doesn't count them.
        assert differences.min() > -1e-4
        assert (differences > 1e-3).sum() <= len(oracle.hole_contours())
    else:
        assert np.abs(differences).max() <= 0.04
        assert np.abs(differences).mean() <= 0.006


@pytest.mark.parametrize("setting", QUAD_SETTINGS)
@pytest.mark.parametrize("name", MAPS)
def test_regions_that_only_paddleocr_finds_are_holes(name: str, setting: str) -> None:
    oracle = Oracle(name, setting)
    found, _ = oracle.quads()
    matched = pairs(found, oracle.regions).values()
    surplus = [oracle.regions[j] for j in range(len(oracle.regions)) if j not in matched]
    assert len(surplus) == HOLES.get((name, setting), 0)
    if surplus:
        ratio = oracle.arguments["unclip_ratio"]
        rectangles = [cv2.boxPoints(cv2.minAreaRect(c)) for c in oracle.hole_contours()]
        holes = [
            oracle.in_source(unclipped_as_paddleocr(rectangle, ratio))
            for rectangle in rectangles
            if shape(rectangle).area > 0
        ]
        assert len(pairs(surplus, holes, least=0.9)) == len(surplus)


@pytest.mark.parametrize("name", ["poster", "receipt", "sample"])
def test_quads_before_unclipping_are_exactly_those_of_paddleocr(name: str) -> None:
    """PaddleOCR's unclipping in integers makes PaddleOCR's corners of our rectangles."""
    oracle = Oracle(name, "quad_fast")
    quads, _ = db.quads(oracle.probability, **(oracle.arguments | {"unclip_ratio": 0.0}))
    ratio = oracle.arguments["unclip_ratio"]
    grown = [oracle.in_source(unclipped_as_paddleocr(quad, ratio)) for quad in quads]
    matched = pairs(grown, oracle.regions)
    assert len(matched) == len(quads) >= 0.9 * len(oracle.regions)
    apart = [corner_distance(grown[i], oracle.regions[j]) for i, j in matched.items()]
    # Float noise may cut a corner that is nearly a whole number down to the number below.
    assert np.median(apart) <= 0.51
    assert max(apart) <= oracle.to_source.max() + 0.51


@pytest.mark.parametrize("name", MAPS)
def test_polygons_are_those_of_paddleocr(name: str) -> None:
    oracle = Oracle(name, "poly")
    found, scores = oracle.polygons()
    matched = pairs(found, oracle.regions)
    assert len(matched) == len(found) == len(oracle.regions)
    for i, j in matched.items():
        ours, theirs = shape(found[i]), shape(oracle.regions[j])
        # A map pixel along the whole outline: the oracle's whole numbers, and its steps on arcs.
        apart = ours.symmetric_difference(theirs).area
        assert apart <= theirs.length * oracle.to_source.max()
        if oracle.to_source.max() < 4:
            assert iou(found[i], oracle.regions[j]) > 0.9
            assert ours.area == pytest.approx(theirs.area, rel=0.1)
        # The oracle takes in the pixels that simplifying the outline adds, and the holes.
        assert -0.005 <= scores[i] - oracle.scores[j] <= 0.1


@pytest.mark.parametrize("name", MAPS)
def test_score_of_a_polygon_is_the_slow_score_of_paddleocr(name: str) -> None:
    polygons, scores = Oracle(name, "poly").polygons()
    slow = Oracle(name, "quad_slow")
    matched = pairs(polygons, slow.regions, least=0.3)
    assert len(matched) >= 0.9 * len(polygons)
    differences = np.array([scores[i] - slow.scores[j] for i, j in matched.items()])
    assert differences.min() > -1e-4
    assert (differences > 1e-3).sum() <= len(slow.hole_contours())


def fill_mean(probability: np.ndarray, box: np.ndarray) -> float:
    mask = np.zeros(probability.shape, np.uint8)
    cv2.fillPoly(mask, [np.floor(box).astype(np.int32)], 1)
    return float(probability[mask > 0].mean())


def random_rectangles(count: int, height: int, width: int, beyond: float) -> np.ndarray:
    """Return rectangles whose corners leave the map by at most `beyond` pixels."""
    random = np.random.default_rng(11)
    boxes: list[np.ndarray] = []
    while len(boxes) < count:
        sides = tuple(random.uniform(3, 90, 2).tolist())
        center = tuple(random.uniform(0, [width, height]).tolist())
        box = cv2.boxPoints((center, sides, float(random.uniform(-90, 90))))
        leaves = max(-box.min(), (box - [width - 1, height - 1]).max())
        if leaves <= beyond and (beyond == 0 or leaves > 0):
            boxes.append(box)
    return np.array(boxes, np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("whole", "beyond"),
    [(True, 0), (False, 0), (False, 3)],
    ids=["whole corners", "corners between pixels", "corners outside"],
)
def test_box_scores_are_the_mean_of_what_fill_poly_paints(whole: bool, beyond: float) -> None:
    boxes = random_rectangles(2000, 240, 320, beyond)
    boxes = np.rint(boxes) if whole else boxes
    random = np.random.default_rng(5)
    # Blots of all levels, so that a pixel more or less on the edge counts.
    probability = cv2.GaussianBlur(random.random((240, 320), np.float32), (9, 9), 3)
    probability = (probability - probability.min()) / np.ptp(probability)
    expected = np.array([fill_mean(probability, box) for box in boxes])
    apart = np.abs(box_scores(probability, boxes) - expected)
    assert apart.max() < 0.03
    assert apart.mean() < 0.001


def test_box_scores_of_upright_rectangles_are_exact() -> None:
    probability = np.random.default_rng(2).random((50, 60), np.float32)
    boxes, expected = [], []
    for x, y, width, height in [(0, 0, 59, 49), (3, 4, 10, 0), (7, 9, 0, 0), (20, 1, 0, 30)]:
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        boxes.append(corners)
        expected.append(probability[y : y + height + 1, x : x + width + 1].mean())
    scores = box_scores(probability, np.array(boxes, np.float32))
    assert scores == pytest.approx(expected, abs=1e-6)


def test_quads_are_scored_over_their_rectangle_and_polygons_over_themselves() -> None:
    """Half of a slanted band's rectangle is empty when the band is bent."""
    probability = np.zeros((200, 200), np.float32)
    cv2.polylines(probability, [np.array([[20, 180], [100, 40], [180, 180]])], False, 0.9, 16)
    settings: dict[str, Any] = {
        "threshold": 0.3,
        "box_threshold": 0.1,
        "unclip_ratio": 1.5,
        "max_candidates": 9,
    }
    (over_region,) = db.polygons(probability, **settings)[1]
    (over_box,) = db.quads(probability, score="box", **settings)[1]
    assert over_region == pytest.approx(0.9, abs=0.01)
    assert over_box < 0.5
