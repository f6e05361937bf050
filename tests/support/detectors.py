"""Pictures and numbers with which the zoo's detectors find regions, for a test and its oracle."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support import curved_cases
from tests.support.paths import CT_PARAMETERS, IMAGES, ZOO_EXPORTS

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Compared:
    """A detector of the zoo and how its regions are compared with PaddleOCR's.

    Attributes:
        algorithm: Its algorithm.
        numbers: edgeocr's numbers of the post-processing. Most networks have random weights, which
            find regions with low thresholds.
        shape: The shape of its regions.
        picture: Makes the picture, uint8 [H, W, 3] BGR.
        parameters: The file that replaces the zoo's parameters; None for these.
        least: The regions that are compared one by one have a shorter side of so many pixels of the
            picture. PaddleOCR rounds corners to whole pixels, so smaller ones differ.
        overlap: The intersection over union that a region and its counterpart have.
        share: The share of the regions that have a counterpart.
    """

    algorithm: str
    numbers: dict[str, Any]
    shape: Literal["quad", "polygon"]
    picture: Callable[[], Picture]
    parameters: Path | None = None
    least: float = 0
    overlap: float = 0.9
    share: float = 0.9


def sample() -> Picture:
    """Return the sample picture."""
    pixels = cv2.imread(str(IMAGES / "sample.jpg"))
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def continued(height: int, width: int) -> Picture:
    """Return the sample picture, continued beyond its lower and right edges to a size in pixels."""
    pixels = sample()
    more = (0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)
    return np.asarray(np.pad(pixels, more, mode="reflect"), np.uint8)


def unresized() -> Picture:
    """Return the sample picture, continued until nobody has to resize it for PSE and FCE."""
    return continued(736, 960)


def wide() -> Picture:
    """Return the sample picture, continued to the proportions of DB++'s input, 1152 to 2048.

    PaddleOCR stretches other pictures to them, edgeocr doesn't.
    """
    return continued(900, 1600)


def folder(name: str, form: str, target: Path) -> Path:
    """Copy a detector's export, with the parameters and the inference.yml that it is to have.

    Args:
        name: Name of the network.
        form: "legacy" or "pir".
        target: The folder to make.
    """
    shutil.copytree(ZOO_EXPORTS / name / form, target)
    # Only exports of Paddle 3 come with an inference.yml.
    shutil.copy(ZOO_EXPORTS / name / "pir" / "inference.yml", target)
    parameters = DETECTORS[name].parameters
    if parameters is not None:
        shutil.copy(parameters, target / "inference.pdiparams")
    return target


DETECTORS = {
    "det_r50_vd_pse": Compared("PSE", curved_cases.PSE_OF_NOISE, "polygon", unresized),
    "det_r50_vd_dcn_fce_ctw": Compared("FCE", curved_cases.FCE, "polygon", unresized),
    "det_r18_vd_ct": Compared("CT", curved_cases.CT_OF_NOISE, "polygon", sample, CT_PARAMETERS),
    "det_r50_db++_icdar15": Compared(
        "DB",
        # The map is full of specks; with too many candidates PaddleOCR keeps only the lowest ones.
        {"threshold": 0.75, "box_threshold": 0.3, "unclip_ratio": 1.5, "max_candidates": 1_000_000},
        "quad",
        wide,
        least=8,
        overlap=0.75,
        share=0.97,
    ),
}
