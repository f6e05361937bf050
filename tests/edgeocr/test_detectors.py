"""PSE, FCE, CT and DB++, frozen from PaddleOCR's exports, beside PaddleOCR's own processing.

The networks are those of the zoo. All but CT have random weights, which find no text. But the
regions that they find in a picture must be the same: they depend on the size at which a network
sees the picture, the normalization, the graph and the decoder.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import OCR
from tests.support.detectors import DETECTORS, folder
from tests.support.frozen import frozen, stored
from tests.support.overlap import pairs
from tests.support.packed_regions import unpacked


@pytest.mark.stress
@pytest.mark.parametrize("form", ["legacy", "pir"])
@pytest.mark.parametrize("name", DETECTORS)
def test_regions_of_a_picture_are_those_of_paddleocr(
    name: str, form: str, tmp_path: Path, fixtures: Path
) -> None:
    detector = DETECTORS[name]
    made = frozen(tmp_path / "made.edgeocr", detection=str(folder(name, form, tmp_path / name)))
    manifest = json.loads(made.manifest_text)
    settings = manifest["stages"]["detection"]["postprocess"]
    settings |= {key: each for key, each in detector.numbers.items() if key in settings}
    settings["shape"] = detector.shape
    bundle = stored(made, tmp_path / "compared.edgeocr", json.dumps(manifest) + "\n")
    image = detector.picture()
    regions = OCR(bundle).detect(image)
    outlines = [region.quad if region.polygon is None else region.polygon for region in regions]
    with np.load(fixtures / "detectors.npz") as file:
        # PaddleOCR's decoder leaves it to its callers to keep regions within the picture.
        most = np.array(image.shape[1::-1]) - 1
        expected = [np.clip(each, 0, most) for each in unpacked(file, name)]
    assert abs(len(outlines) - len(expected)) <= 0.03 * len(expected)
    for ones, others in ((outlines, expected), (expected, outlines)):
        large = [each for each in ones if min(cv2.minAreaRect(each)[1]) >= detector.least]
        # FCE's regions are crowded here, and rounding decides which of two that overlap remains.
        # One text of CT is in pieces: PaddleOCR outlines the first of them, edgeocr the largest.
        assert len(pairs(large, others, detector.overlap)) >= detector.share * len(large) > 10
