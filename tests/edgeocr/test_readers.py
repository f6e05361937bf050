"""Networks that read, frozen from PaddleOCR's exports, beside PaddleOCR's own TextRecognizer.

The networks are those of the zoo, whose random weights read no text. But what they make of a line
must be the same: it depends on how the line is resized and normalized, and how classes become text.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from edgeocr import OCR
from tests.support.frozen import frozen
from tests.support.line_crops import line_crops
from tests.support.paths import ZOO_EXPORTS

READERS = [
    "rec_vitstr_none_ce",
    "rec_r45_abinet",
    "rec_vit_parseq",
    "rec_svtrnet_cppd_base_en",
    "rec_r45_visionlan",
    "rec_resnet_rfl_att",
    "rec_r32_gaspin_bilstm_att",
    "rec_efficientb3_fpn_pren",
    "rec_svtrnet",
    "rec_mtb_nrtr",
    "rec_satrn",
    "rec_r31_sar",
    "rec_r31_robustscanner",
]
GREY = (
    "rec_vitstr_none_ce",
    "rec_resnet_rfl_att",
    "rec_r32_gaspin_bilstm_att",
    "rec_mtb_nrtr",
)
# PaddleOCR runs these networks only on lines that leave padding.
SHORT = ("rec_r31_sar", "rec_r31_robustscanner")
# Lines that have the network's size already: NRTR's random weights amplify that Pillow's Lanczos
# differs from OpenCV's.
SIZES = {"rec_mtb_nrtr": (100, 32)}
# PaddleOCR gives scores that are no mean of probabilities.
OTHER_SCORES = ("rec_r45_visionlan", "rec_resnet_rfl_att")
# SATRN's loop is as long as NRTR's, and converts as slowly.
LEGACY = [
    pytest.param(name, "legacy", marks=[pytest.mark.stress] if name == "rec_satrn" else [])
    for name in READERS
]
PIR = [
    pytest.param(name, "pir", marks=pytest.mark.stress)
    for name in READERS
    if (ZOO_EXPORTS / name / "pir").is_dir()
]
pytestmark = pytest.mark.slow


def as_edgeocr_writes(text: str) -> str:
    """Return a text of PaddleOCR with one character in place of the name of the unknown class.

    PaddleOCR writes the names of special classes, "ukn" where it drops all but letters.
    """
    for name in ("<unk>", "<UKN>", "ukn"):
        text = text.replace(name, "\N{REPLACEMENT CHARACTER}")
    return text.replace("blank", "")


@pytest.mark.parametrize(("name", "form"), [*LEGACY, *PIR])
def test_lines_are_read_as_paddleocr_reads_them(
    name: str, form: str, tmp_path: Path, fixtures: Path
) -> None:
    bundle = frozen(tmp_path / "reader.edgeocr", recognition=str(ZOO_EXPORTS / name / form))
    crops = line_crops(grey=name in GREY, short=name in SHORT, size=SIZES.get(name))
    readings = OCR(bundle).recognize(crops)
    with np.load(fixtures / "readers.npz") as file:
        texts, scores = file[f"{name}_texts"].tolist(), file[f"{name}_scores"]
    found = [reading.text for reading in readings]
    if name == "rec_vitstr_none_ce":
        # Pillow's bicubic curve is a little softer than OpenCV's.
        apart = [Levenshtein.distance(*pair) for pair in zip(found, texts, strict=True)]
        assert max(apart) <= 1 and len(texts[0]) == 26
    else:
        assert found == [as_edgeocr_writes(text) for text in texts]
    if name not in OTHER_SCORES:
        # PaddleOCR's mean of nothing is no number, and it counts the names of classes too.
        means = [0.0 if not text else score for text, score in zip(texts, scores, strict=True)]
        same = ["blank" not in text for text in texts]
        assert sum(same) >= 4
        for reading, mean, counts in zip(readings, means, same, strict=True):
            assert reading.score == pytest.approx(mean, abs=1e-3) or not counts


def test_cppd_keeps_doubled_letters(tmp_path: Path, fixtures: Path) -> None:
    """Its export looks like one of CTC, whose decoder would join them."""
    folder = ZOO_EXPORTS / "rec_svtrnet_cppd_base_en" / "legacy"
    bundle = frozen(tmp_path / "reader.edgeocr", recognition=str(folder))
    stage = bundle.manifest.stages.recognition
    assert stage is not None and stage.algorithm == "Attention" and stage.charset.end == 0
    texts = [reading.text for reading in OCR(bundle).recognize(line_crops())]
    doubled = [text for text in texts if any(a == b for a, b in pairwise(text))]
    assert len(doubled) >= 4 and "ereyexqeee2eyeeeqe2eeeeeee" in doubled


@pytest.mark.parametrize(
    ("name", "method", "schema"),
    [("rec_vitstr_none_ce", "cubic", 5), ("rec_svtrnet", "linear", 2)],
)
def test_bundles_have_the_oldest_schema_that_can_say_it(
    name: str, method: str, schema: int, tmp_path: Path
) -> None:
    folder = ZOO_EXPORTS / name / "legacy"
    bundle = frozen(tmp_path / "reader.edgeocr", recognition=str(folder))
    stage = bundle.manifest.stages.recognition
    assert stage is not None and stage.interpolation == method
    assert bundle.manifest.schema == schema
