"""Pictures and numbers with which the zoo's PSE and FCE find regions, for a test and its oracle.

CT is left out: the map of its random weights is one text with many parts, of which PaddleOCR
outlines the first and edgeocr the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support import curved_cases
from tests.support.paths import IMAGES


@dataclass(frozen=True)
class RandomDetector:
    """A detector of the zoo, whose random weights find regions with low thresholds.

    Attributes:
        algorithm: Its algorithm.
        numbers: edgeocr's numbers of the post-processing.
    """

    algorithm: str
    numbers: dict[str, Any]


DETECTORS = {
    "det_r50_vd_pse": RandomDetector("PSE", curved_cases.PSE_OF_NOISE),
    "det_r50_vd_dcn_fce_ctw": RandomDetector("FCE", curved_cases.FCE),
}


# The shorter side in pixels to which both networks' settings enlarge pictures.
SIDE = 736


def picture() -> NDArray[np.uint8]:
    """Return the sample picture, continued below its lower edge until nobody has to resize it."""
    sample = cv2.imread(str(IMAGES / "sample.jpg"))
    assert sample is not None
    mirrored = np.pad(sample, ((0, SIDE - len(sample)), (0, 0), (0, 0)), mode="reflect")
    return np.asarray(mirrored, np.uint8)
