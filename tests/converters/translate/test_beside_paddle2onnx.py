"""Compare the graphs of edgeocr's translator with those of paddle2onnx, program by program."""

import functools
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support import paddle2onnx_worker
from tests.support.onnx_run import run
from tests.support.paths import ZOO_EXPORTS
from tests.zoo.inputs import stored
from tests.zoo.names import EVERY

LEGACY = [name for name, form in EVERY if form == "legacy"]
_OPSET = "it asks for a later opset for deformable convolutions, and aborts"
_INVERSE = "it doesn't know `inverse`, which TPS applies to a constant matrix"
_BRANCHES = "it doesn't know the form of `set_value`, and aborts"
_ARRAYS = "it doesn't know loops over arrays of tensors"
# Networks that paddle2onnx 1.3.1 can't translate → the reason.
REFUSED: dict[str, str] = {
    "det_r50_db++_icdar15": _OPSET,
    "det_r50_vd_dcn_fce_ctw": _OPSET,
    "rec_mtb_nrtr": "it doesn't know `equal_all`",
    "rec_mv3_tps_bilstm_att": _INVERSE,
    "rec_mv3_tps_bilstm_ctc": _INVERSE,
    "rec_r31_robustscanner": _BRANCHES,
    "rec_r31_sar": _BRANCHES,
    "rec_r34_vd_tps_bilstm_att": _INVERSE,
    "rec_r34_vd_tps_bilstm_ctc": _INVERSE,
    "rec_r45_abinet": "it doesn't know `diag_v2`",
    "rec_r32_gaspin_bilstm_att": _INVERSE,
    "rec_resnet_rfl_att": _INVERSE,
    "rec_satrn": _ARRAYS,
    "rec_vit_parseq": _ARRAYS,
}
# Networks whose translation by paddle2onnx ONNX Runtime can't run, or that computes something other
# than Paddle does → the reason.
WRONG: dict[str, str] = {
    "rec_r50_fpn_srn": "it pads the second axis where the channels come last",
}
# The allowed largest difference, as a share of an output's largest value.
TOLERANCE = 1e-2
pytestmark = [pytest.mark.cross_check, pytest.mark.slow]


@functools.cache
def extension() -> Path:
    """Return the file of paddle2onnx's extension module; importing the package imports Paddle."""
    spec = importlib.util.find_spec("paddle2onnx")
    assert spec is not None and spec.origin is not None, "needs the extra cross-check"
    (found,) = Path(spec.origin).parent.glob("paddle2onnx_cpp2py_export*")
    return found


def theirs(name: str, folder: Path) -> bytes | None:
    """Return paddle2onnx's graph of a network, or None if it makes none."""
    source, target = ZOO_EXPORTS / name / "legacy", folder / "graph.onnx"
    program, parameters = source / "inference.pdmodel", source / "inference.pdiparams"
    files = [extension(), program, parameters, target]
    command = [sys.executable, paddle2onnx_worker.__file__, *map(str, files)]
    # It crashes on some programs, so it has a process of its own.
    subprocess.run(command, capture_output=True, timeout=120, check=False)
    return target.read_bytes() if target.exists() else None


def agree(ours: bytes, other: bytes, name: str) -> bool:
    """Return whether both graphs give the same outputs for the network's first stored input."""
    probe = next(iter(stored(ZOO_EXPORTS / name / "outputs.npz")))
    first = run(ours, probe.inputs)
    try:
        second = run(other, probe.inputs)
    except Exception:  # ONNX Runtime's errors have no type of their own
        return False
    return all(
        a.shape == b.shape and bool(np.all(np.abs(a - b) <= TOLERANCE * np.abs(a).max()))
        for a, b in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("name", LEGACY)
def test_both_translators_write_graphs_that_compute_the_same(name, translated, tmp_path):
    other = theirs(name, tmp_path)
    assert (other is None) == (name in REFUSED)
    if other is not None:
        assert agree(translated(name, "legacy").plain, other, name) == (name not in WRONG)


def test_the_lists_name_networks_of_the_zoo():
    assert {*REFUSED, *WRONG} <= set(LEGACY) and not set(REFUSED) & set(WRONG)
