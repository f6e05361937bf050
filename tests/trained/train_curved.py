"""Train small SAST and PGNet networks on rendered arcs and export them (Paddle 2.6.2, CPU).

python -m tests.trained.train_curved [NAME...] --output tests/trained/exports
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from edgeocr.postprocess import pgnet as pgnet_lines
from edgeocr.postprocess import sast as sast_regions
from tests.support.ideal import pgnet, sast
from tests.support.ideal.ribbon import STRIDE, ribbon
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
from tests.zoo.networks import det_sast

# With the seed of the arcs, the straight words would be the same words.
STRAIGHT_SEED = 3
# Weight of the characters at pixels of a text that are not on its centre line, where it is 1.
ASIDE = 0.3
SAST_SETTINGS: dict[str, Any] = {
    "name": "SASTPostProcess",
    "nms_thresh": 0.2,
    "sample_pts_num": 6,
    "shrink_ratio_of_width": 0.2,
    "expand_scale": 1.0,
    "tcl_map_thresh": 0.5,
}
PGNET_SETTINGS: dict[str, Any] = {
    "name": "PGPostProcess",
    "score_thresh": 0.5,
    "mode": "fast",
    "character_dict": list(pgnet.CHARACTERS),
}


class Outlines(nn.Layer):
    """SAST, whose offsets start with the size of a text instead of a pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = det_sast.det_r50_vd_sast("trained")
        head = self.detector.head
        for branch, size in ((head.border, 3), (head.vertices, 12), (head.centre, 8)):
            scale = branch[-1].bn.weight
            scale.set_value(paddle.full_like(scale, size))

    def forward(self, x):
        outputs = self.detector(x)
        return [outputs[name] for name in ("f_score", "f_border", "f_tvo", "f_tco")]


class Spotting(nn.Layer):
    """PGNet, whose outputs are a list."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = det_sast.e2e_r50_vd_pg("trained")

    def forward(self, x):
        outputs = self.detector(x)
        return [outputs[name] for name in ("f_score", "f_border", "f_direction", "f_char")]


def inverse_heights(polygons: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return 1 / the text's height in pixels of the map for each pixel, 0 where the owner is -1."""
    heights = np.linalg.norm(polygons - polygons[:, ::-1], axis=2).mean(axis=1) / STRIDE
    return np.append(1 / heights, 0)[owner]


def sast_draw(number: int) -> list[pages.Page]:
    return pages.arcs(number, POOL_SEED, SIZE, pages.dejavu())


def sast_held_out(number: int) -> list[pages.Page]:
    return pages.arcs(number, HELD_OUT_SEED, SIZE, pages.dejavu())


def sast_labels(page: pages.Page) -> np.ndarray:
    """Return the maps, and a weight: 1 / the text's height, 0 outside of the centre lines."""
    _, polygons, _ = page
    maps = sast.maps(polygons, *SIZE)
    weight = inverse_heights(polygons, owners(polygons)) * maps.tcl
    labels = [maps.tcl[None], maps.border, maps.tvo, maps.tco, weight[None]]
    return np.concatenate(labels).astype(np.float16)


def owners(polygons: np.ndarray) -> np.ndarray:
    """Return the index of the text that each pixel of the map belongs to, -1 for none."""
    owner = np.full((SIZE[0] // STRIDE, SIZE[1] // STRIDE), -1)
    for index, polygon in enumerate(polygons):
        owner[ribbon(polygon, *SIZE).within] = index
    return owner


def sast_loss(outputs, labels):
    """Return the loss, in which distances are relative to the height of their text."""
    score, border, tvo, tco = outputs
    tcl, *offsets, weight = paddle.split(labels, [1, 4, 8, 2, 1], axis=1)
    losses = [
        distance(found, expected, weight)
        for found, expected in zip((border, tvo, tco), offsets, strict=True)
    ]
    return dice(score, tcl) + 3 * entropy(score, tcl) + 2 * losses[0] + losses[1] + losses[2]


def sast_decode(outputs: Outputs) -> tuple[list[np.ndarray], None]:
    polygons, _ = sast_regions.polygons(
        outputs["f_score"][0],
        *(outputs[name] for name in ("f_border", "f_tvo", "f_tco")),
        score_threshold=SAST_SETTINGS["tcl_map_thresh"],
        nms_threshold=SAST_SETTINGS["nms_thresh"],
        sample_points=SAST_SETTINGS["sample_pts_num"],
        expand_scale=SAST_SETTINGS["expand_scale"],
        shrink_ratio_of_width=SAST_SETTINGS["shrink_ratio_of_width"],
    )
    return polygons, None


def pgnet_draw(number: int) -> list[pages.Page]:
    """Draw pages, half of them with straight words, because such a page has more words."""
    half = number // 2
    arcs = pages.arcs(number - half, POOL_SEED, SIZE)
    return arcs + pages.pages(half, STRAIGHT_SEED, SIZE)


def pgnet_held_out(number: int) -> list[pages.Page]:
    return pages.arcs(number, HELD_OUT_SEED, SIZE)


def pgnet_labels(page: pages.Page) -> np.ndarray:
    """Return score, border, direction, classes, narrow classes, and 1 / the text's height or 0."""
    _, polygons, texts = page
    maps = pgnet.maps(polygons, texts, *SIZE, pages.advance)
    narrow = pgnet.maps(polygons, texts, *SIZE, pages.advance, narrow=True)
    classes = np.stack([maps.characters.argmax(axis=0), narrow.characters.argmax(axis=0)])
    weight = inverse_heights(polygons, owners(polygons))
    labels = [maps.score[None], maps.border, maps.direction, classes, weight[None]]
    return np.concatenate(labels).astype(np.float16)


def pgnet_loss(outputs, labels, narrow=False):
    """Return the loss, in which all characters have the same weight.

    Distances are relative to the height of their text.
    """
    score, border, direction, characters = outputs
    tcl, sides, ahead, wide, slim, weight = paddle.split(labels, [1, 4, 2, 1, 1, 1], axis=1)
    regions = dice(score, tcl) + 3 * entropy(score, tcl)
    geometry = distance(border, sides, weight * tcl) + distance(direction, ahead, weight)
    classes = (slim if narrow else wide).astype("int64")
    losses = F.cross_entropy(characters, classes, axis=1, reduction="none")
    share = weight**2 * (ASIDE + (1 - ASIDE) * tcl)
    return regions + geometry + (losses * share).sum() / (share.sum() + 1e-3)


def pgnet_narrow_loss(outputs, labels):
    """Return the loss of the second course, whose characters have blanks around them.

    In the first course that would be too hard to learn.
    """
    return pgnet_loss(outputs, labels, narrow=True)


def pgnet_decode(outputs: Outputs) -> tuple[list[np.ndarray], Sequence[str]]:
    polygons, texts, _ = pgnet_lines.lines(
        outputs["f_score"][0],
        *(outputs[name] for name in ("f_border", "f_direction", "f_char")),
        charset=np.array([*pgnet.CHARACTERS, ""], object),
        blank=pgnet.BLANK,
        score_threshold=PGNET_SETTINGS["score_thresh"],
        expand_scale=1.2,
        shrink_ratio_of_width=0.2,
        minimum_points=6,
        minimum_characters=2,
    )
    return polygons, texts


TASKS = {
    "sast": Task(
        Outlines,
        sast_draw,
        sast_labels,
        sast_decode,
        courses=[(1200, sast_loss)],
        rate=4e-3,
        batch=4,
        held_out=sast_held_out,
        model="trained_sast",
        resize={"DetResizeForTest": {"resize_long": SIZE[1]}},
        settings=SAST_SETTINGS,
    ),
    "pgnet": Task(
        Spotting,
        pgnet_draw,
        pgnet_labels,
        pgnet_decode,
        courses=[(1800, pgnet_loss), (1000, pgnet_narrow_loss)],
        rate=4e-3,
        batch=4,
        held_out=pgnet_held_out,
        model="trained_pgnet",
        resize={"E2EResizeForTest": {"max_side_len": SIZE[0], "valid_set": "totaltext"}},
        settings=PGNET_SETTINGS,
    ),
}


if __name__ == "__main__":
    main(TASKS)
