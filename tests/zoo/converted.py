"""The exported networks, converted without Paddle and once for all tests of a process."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest

from converters.catalog import entries as catalog
from converters.convert import Conversion, convert
from converters.parity import paddle_reference

ENTRIES = catalog.load()
EXPORTS = Path(__file__).parent / "exports"
NAMES = sorted(path.name for path in EXPORTS.iterdir())
FORMS = ("legacy", "pir")
# The smallest network of each algorithm.
OF_ALGORITHM = {
    "DB": "PP-OCRv6_tiny_det",
    "EAST": "det_mv3_east",
    "SAST": "det_r50_vd_sast_icdar15",
    "PGNet": "e2e_r50_vd_pg",
    "CLS": "ch_ppocr_mobile_v2.0_cls",
    "CTC": "rec_mv3_none_none_ctc",
    "Attention": "rec_mv3_tps_bilstm_att",
    "SRN": "rec_r50_fpn_srn",
}


@cache
def converted(name: str, form: str = "legacy") -> Conversion:
    """Convert a network without comparing it with Paddle, even where Paddle is installed."""
    if sys.version_info >= (3, 13):
        pytest.skip("paddle2onnx 1.3.1 has no wheel for this Python")
    nothing = paddle_reference.PaddleMissingError("not asked")
    with patch.object(paddle_reference, "run", side_effect=nothing):
        return convert(EXPORTS / name / form, ENTRIES, lambda line: None)
