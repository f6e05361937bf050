"""PSE and FCE, frozen from PaddleOCR's exports, beside PaddleOCR's own processing.

The networks are those of the zoo, whose random weights find no text. But the regions that they find
in a picture must be the same: they depend on the normalization, the graph and the decoder.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgeocr import OCR
from tests.support.detectors import DETECTORS, picture
from tests.support.frozen import frozen, stored
from tests.support.overlap import pairs
from tests.support.packed_regions import unpacked
from tests.support.paths import ZOO_EXPORTS


@pytest.mark.stress
@pytest.mark.parametrize("form", ["legacy", "pir"])
@pytest.mark.parametrize("name", DETECTORS)
def test_regions_of_a_picture_are_those_of_paddleocr(
    name: str, form: str, tmp_path: Path, fixtures: Path
) -> None:
    folder = tmp_path / name
    shutil.copytree(ZOO_EXPORTS / name / form, folder)
    # Only exports of Paddle 3 come with an inference.yml.
    shutil.copy(ZOO_EXPORTS / name / "pir" / "inference.yml", folder)
    made = frozen(tmp_path / "made.edgeocr", detection=str(folder))
    manifest = json.loads(made.manifest_text)
    settings = manifest["stages"]["detection"]["postprocess"]
    settings |= {key: each for key, each in DETECTORS[name].numbers.items() if key in settings}
    settings["shape"] = "polygon"
    bundle = stored(made, tmp_path / "random.edgeocr", json.dumps(manifest) + "\n")
    image = picture()
    regions = OCR(bundle).detect(image)
    found = [region.polygon for region in regions if region.polygon is not None]
    with np.load(fixtures / "detectors.npz") as file:
        # PaddleOCR's decoder leaves it to its callers to keep regions within the picture.
        most = np.array(image.shape[1::-1]) - 1
        expected = [np.clip(each, 0, most) for each in unpacked(file, name)]
    assert len(found) == len(regions) and abs(len(found) - len(expected)) <= 0.03 * len(expected)
    # FCE's regions are crowded here, and rounding decides which of two that overlap remains.
    assert len(pairs(found, expected, 0.9)) >= 0.9 * len(expected) > 30
