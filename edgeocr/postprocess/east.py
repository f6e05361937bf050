"""Decode EAST's score and geometry maps to quads.

EAST is from Zhou et al. 2017, "EAST: An Efficient and Accurate Scene Text Detector".
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
    """Find quads in a score and a geometry map.

    Pixels whose quad is not convex, not finite or smaller than a pixel are ignored; PaddleOCR goes
    on with a part of such a quad.

    Args:
        score: float32 [h, w] from 0 to 1, at a quarter of the input's size; NaN counts as 0.
        geometry: float32 [8, h, w], the position of each pixel minus the position of its quad's
            corners (x and y of the top left, top right, bottom right, bottom left), in pixels of
            the input.
        score_threshold: A pixel above it contributes its quad.
        cover_threshold: A quad is kept if the mean of the score map over it is above this.
        nms_threshold: Quads with a larger intersection over union are taken for one text.

    Returns:
        Quads in pixels of the network's input, float32 [N, 4, 2], clockwise from the top left, and
        their mean scores, float32 [N].

    Raises:
        ArrayError: The arrays are not maps of one size.
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
