"""Train small DB and EAST networks on rendered pages and export them (Paddle 2.6.2, CPU).

python -m tests.trained.train_detection [NAME...] --output tests/trained/exports
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from edgeocr.postprocess import db as db_regions
from edgeocr.postprocess import east as east_quads
from tests.support.ideal import db, east
from tests.trained import pages
from tests.trained.training import (
    HELD_OUT_SEED,
    POOL_SEED,
    SIZE,
    Outputs,
    Task,
    dice,
    distance,
    entropy,
    main,
)
from tests.zoo.networks import det_db, det_east
from tests.zoo.networks.db import ShrinkMap
from tests.zoo.networks.resnet_vd import ResNetVd

HELD_OUT_SIZE = (384, 512)
# With PaddleOCR's smallest ratio, 0.4, long words would be two pixels high in the maps.
SHRINK_RATIO = 0.5
# Steepness of DB's step from probability minus threshold to a binary map.
STEEPNESS = 50
RESIZE = {"DetResizeForTest": {"limit_side_len": 960, "limit_type": "max"}}
DB_SETTINGS: dict[str, Any] = {
    "name": "DBPostProcess",
    "thresh": 0.3,
    "box_thresh": 0.6,
    "max_candidates": 1000,
    "unclip_ratio": 1.3,
}
EAST_SETTINGS: dict[str, Any] = {
    "name": "EASTPostProcess",
    "score_thresh": 0.8,
    "cover_thresh": 0.1,
    "nms_thresh": 0.2,
}


class Binarization(nn.Layer):
    """DB with the branch of the thresholds, which only the training has."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = det_db.joined(ResNetVd(18, (8, 16, 32, 48)), 32)
        self.threshold = ShrinkMap(self.detector.neck.channels)

    def forward(self, x):
        features = self.detector.neck(self.detector.backbone(x))
        probability, _ = self.detector.head.binarize(features)
        threshold, _ = self.threshold(features)
        return probability, threshold, F.sigmoid(STEEPNESS * (probability - threshold))


class Corners(nn.Layer):
    """EAST, whose geometry starts with offsets of the size of a word instead of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = det_east.joined(ResNetVd(18, (8, 16, 32, 48)), 32)
        scale = self.detector.head.geometry.bn.weight
        scale.set_value(paddle.full_like(scale, 0.1))

    def forward(self, x):
        outputs = self.detector(x)
        return outputs["f_score"], outputs["f_geo"]


def draw(number: int) -> list[pages.Page]:
    return pages.pages(number, POOL_SEED, SIZE, pages.dejavu())


def held_out(number: int) -> list[pages.Page]:
    return pages.pages(number, HELD_OUT_SEED, HELD_OUT_SIZE, pages.dejavu())


def db_labels(page: pages.Page) -> np.ndarray:
    return np.stack(db.labels(page[1], *SIZE, SHRINK_RATIO)).astype(np.float16)


def db_loss(outputs, labels):
    probability, threshold, binary = outputs
    shrunk, counts, rim, near = paddle.split(labels, 4, axis=1)
    thresholds = (paddle.abs(threshold - rim) * near).sum() / (near.sum() + 1)
    regions = dice(probability, shrunk, counts) + 3 * entropy(probability, shrunk, counts)
    return regions + dice(binary, shrunk, counts) + 5 * thresholds


def db_decode(outputs: Outputs) -> tuple[np.ndarray, None]:
    quads, _ = db_regions.quads(
        outputs["maps"][0],
        threshold=DB_SETTINGS["thresh"],
        box_threshold=DB_SETTINGS["box_thresh"],
        unclip_ratio=DB_SETTINGS["unclip_ratio"],
        max_candidates=DB_SETTINGS["max_candidates"],
    )
    return quads, None


def east_labels(page: pages.Page) -> np.ndarray:
    """Return the score, the eight offsets, and a weight: 1 / the quad's shorter side, 0 outside."""
    _, quads, _ = page
    score, geometry = east.maps(quads, *SIZE)
    _, owner = east.regions(quads, *SIZE)
    sides = np.linalg.norm(np.roll(quads, -1, axis=1) - quads, axis=2).min(axis=1)
    weight = np.append(1 / sides, 0)[owner]
    return np.concatenate([score[None], geometry, weight[None]]).astype(np.float16)


def east_loss(outputs, labels):
    """Return the loss, in which distances of corners are relative to the height of their text."""
    score, geometry = outputs
    expected, offsets, weight = paddle.split(labels, [1, 8, 1], axis=1)
    regions = dice(score, expected) + 3 * entropy(score, expected)
    return regions + distance(geometry, offsets, weight)


def east_decode(outputs: Outputs) -> tuple[np.ndarray, None]:
    quads, _ = east_quads.quads(
        outputs["f_score"][0],
        outputs["f_geo"],
        score_threshold=EAST_SETTINGS["score_thresh"],
        cover_threshold=EAST_SETTINGS["cover_thresh"],
        nms_threshold=EAST_SETTINGS["nms_thresh"],
    )
    return quads, None


TASKS = {
    "db": Task(
        Binarization,
        draw,
        db_labels,
        db_decode,
        courses=[(2000, db_loss)],
        rate=4e-3,
        batch=8,
        held_out=held_out,
        model="trained_db",
        resize=RESIZE,
        settings=DB_SETTINGS,
    ),
    "east": Task(
        Corners,
        draw,
        east_labels,
        east_decode,
        courses=[(1800, east_loss)],
        rate=4e-3,
        batch=8,
        held_out=held_out,
        model="trained_east",
        resize=RESIZE,
        settings=EAST_SETTINGS,
    ),
}


if __name__ == "__main__":
    main(TASKS)
