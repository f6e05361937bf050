"""The exported networks, translated and converted once per test run; needs no Paddle."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import pytest

from converters.atomic import replacing
from converters.catalog import entries as catalog
from converters.catalog.entries import Algorithm
from converters.convert import Conversion, convert
from converters.model.known import Statement
from converters.model.paddle_model import identify
from converters.parity import paddle_reference
from converters.translate import Translation, translate
from tests.zoo.names import EXPORTS, IN_BOTH, NAMES, OF_ALGORITHM

ENTRIES = catalog.load()
# Networks whose exports neither state nor prove their algorithm.
STATED: dict[str, Algorithm] = {
    "ch_ppocr_mobile_v2.0_cls": "CLS",
    "PP-LCNet_x1_0_doc_ori": "PageCLS",
    "PP-LCNet_x0_25_textline_ori": "CLS",
    "PP-LCNet_x1_0_textline_ori": "CLS",
    "rec_mv3_tps_bilstm_ctc": "CTC",
    "rec_r34_vd_tps_bilstm_ctc": "CTC",
    "rec_svtrnet": "CTC",
    "rec_vitstr_none_ce": "ViTSTR",
    "rec_r45_abinet": "ABINet",
    "rec_vit_parseq": "PARSeq",
    "rec_svtrnet_cppd_base_en": "CPPD",
    "rec_r45_visionlan": "VisionLAN",
    "rec_resnet_rfl_att": "RFL",
    "rec_r32_gaspin_bilstm_att": "SPIN",
    "rec_efficientb3_fpn_pren": "PREN",
    "rec_mtb_nrtr": "NRTR",
    "rec_r31_sar": "SAR",
    "rec_satrn": "SATRN",
    "rec_r31_robustscanner": "RobustScanner",
}
# Every network in the legacy format, and one of each algorithm in PIR. tests/converters/translate/
# test_zoo.py compares the plain graphs of all networks in both formats.
CONVERTED = [
    *((name, "legacy") for name in NAMES),
    *((name, "pir") for name in OF_ALGORITHM.values() if name in IN_BOTH),
]
# The folder through which the processes of pytest-xdist share; a fixture sets it.
shared_folder: Path | None = None
# From PIR, the default run converts the networks of these algorithms only, and the stress stage
# converts the others: an edge graph is made from the plain graph, whatever format that came from.
FROM_PIR = {"DB", "CLS", "CTC"}
# What this process has made or read.
_made: dict[str, Any] = {}
T = TypeVar("T")


def translated(name: str, form: str = "legacy") -> Translation:
    """Translate a network's export in the format `form`, "legacy" or "pir"."""
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
            return convert(EXPORTS / name / form, ENTRIES, said=Statement(STATED.get(name)))

    return _shared(f"{name}.{form}.edge", conversion)


def parameters(pairs: Iterable[tuple[str, str]]) -> list[Any]:
    """Return a test's parameters, with the marks that follow from `FROM_PIR`.

    Args:
        pairs: A network, or its algorithm, and a format.
    """
    first = {*FROM_PIR, *(OF_ALGORITHM[each] for each in FROM_PIR)}
    return [
        pytest.param(name, form, marks=[pytest.mark.stress] if left_out else [])
        for name, form in pairs
        for left_out in [form == "pir" and name not in first]
    ]


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
