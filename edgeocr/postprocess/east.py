"""EAST: score and geometry maps → quads (Zhou et al. 2017, "EAST: An Efficient and Accurate Scene
Text Detector").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import maps, nms
from .geometry import Float32, box_scores, clockwise
from .maps import STRIDE


def quads(
    score: NDArray[np.float32],
    geometry: NDArray[np.float32],
    *,
    score_threshold: float,
    cover_threshold: float,
    nms_threshold: float,
) -> tuple[Float32, Float32]:
    """Score and geometry maps → quads in pixels of the network's input.

    score: float32 [h, w], 0…1, at a quarter of the input's size. NaN counts as 0.
    geometry: float32 [8, h, w], for each pixel its position minus the position of the corners
        (x and y of the top left, top right, bottom right, bottom left), in input pixels.
    score_threshold: a pixel above it says where its quad is.
    cover_threshold: a quad is kept when the score map's mean over it is above this.
    nms_threshold: quads with a larger intersection over union are one text.

    Returns quads float32 [N, 4, 2], clockwise from the top left, and their mean scores
    float32 [N]. Pixels whose quad is not convex, not finite or smaller than a pixel say nothing;
    PaddleOCR goes on with a part of such a quad.
    Raises `ArrayError` for arrays that are no such maps.
    """
    score = maps.check("EAST", score, {"geometry": (geometry, 8)})
    y, x = np.nonzero(score > score_threshold)
    origins = np.stack([x, y], 1)[:, None] * float(STRIDE)
    found = origins - geometry[:, y, x].T.reshape(-1, 4, 2)
    sound = nms.sound(found)
    weights = score[y, x][sound].astype(np.float64)
    found = nms.locality_aware(found[sound], weights, nms_threshold)
    scores = box_scores(score, np.trunc(found) // STRIDE)
    covered = scores > cover_threshold
    return clockwise(found[covered].astype(np.float32)), scores[covered]
