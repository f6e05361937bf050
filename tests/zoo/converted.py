"""The exported networks, translated and converted once per test run; needs no Paddle."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import pytest

from converters.atomic import replacing
from converters.catalog import entries as catalog
from converters.convert import Conversion, convert
from converters.model.paddle_model import identify
from converters.parity import paddle_reference
from converters.translate import Translation, translate
from tests.support.paths import ZOO_EXPORTS

ENTRIES = catalog.load()
EXPORTS = ZOO_EXPORTS
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
# Every network in the legacy format, and one of each algorithm in PIR. tests/converters/translate/
# test_zoo.py compares the plain graphs of all networks in both formats.
CONVERTED = [
    *((name, "legacy") for name in NAMES),
    *((name, "pir") for name in OF_ALGORITHM.values()),
]
# The folder through which the processes of pytest-xdist share; a fixture sets it.
shared_folder: Path | None = None
# What this process has made or read.
_made: dict[str, Any] = {}
T = TypeVar("T")


def translated(name: str, form: str = "legacy") -> Translation:
    """Translate a network's export in the format `form`, "legacy" or "pir"."""
    if sys.version_info >= (3, 13):
        pytest.skip("paddle2onnx 1.3.1 has no wheel for this Python")
    return _shared(f"{name}.{form}.plain", lambda: translate(identify(EXPORTS / name / form)))


def converted(name: str, form: str = "legacy") -> Conversion:
    """Convert a network's export, without comparing it with Paddle even if that is installed."""
    translation = translated(name, form)

    def conversion() -> Conversion:
        missing = paddle_reference.PaddleMissingError("not asked")
        with (
            patch.object(paddle_reference, "run", side_effect=missing),
            patch("converters.convert.translate", return_value=translation),
        ):
            return convert(EXPORTS / name / form, ENTRIES)

    return _shared(f"{name}.{form}.edge", conversion)


def _shared(name: str, make: Callable[[], T]) -> T:
    """Make something once in a test run, whichever process of the run needs it first."""
    if name not in _made:
        _made[name] = make() if shared_folder is None else _through_file(shared_folder, name, make)
    made: T = _made[name]
    return made


def _through_file(folder: Path, name: str, make: Callable[[], T]) -> T:
    """Take something from the process that has written it, or else make and write it."""
    file = folder / name
    if file.is_file():
        made: T = pickle.loads(file.read_bytes())
        return made
    made = make()
    folder.mkdir(exist_ok=True)
    with replacing(file) as partial:
        partial.write_bytes(pickle.dumps(made))
    return made
