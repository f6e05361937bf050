"""With Paddle: the zoo exported again, and networks of the published widths converted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.catalog import entries as catalog
from converters.convert import convert
from tests.support.paths import ROOT
from tests.zoo.converted import EXPORTS, NAMES

# One of each family: backbone, neck and head, as wide as the published models.
FULL = [
    "det_mv3_db",
    "det_r50_vd_east",
    "det_r50_vd_sast_icdar15",
    "e2e_r50_vd_pg",
    "rec_r34_vd_tps_bilstm_ctc",
    "rec_mv3_tps_bilstm_att",
    "rec_r50_fpn_srn",
    "ch_ppocr_server_v2.0_rec",
    "PP-OCRv4_server_rec",
    "PP-OCRv6_small_det",
    "ch_ppocr_mobile_v2.0_cls",
]
with_each_paddle = pytest.mark.parametrize(
    "form",
    [pytest.param("legacy", marks=pytest.mark.paddle), pytest.param("pir", marks=pytest.mark.pir)],
)


def export(output: Path, form: str, name: str, *options: str) -> Path:
    """Export a network with this environment's Paddle; returns its folder."""
    command = [sys.executable, "-m", "tests.zoo.export", "--format", form, *options]
    command += ["--output", str(output), name]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return output / name / form


@with_each_paddle
@pytest.mark.parametrize("name", FULL)
def test_a_network_of_full_width_computes_what_paddle_computes(tmp_path, name, form):
    """With the weights that a training starts from: what a user's own export is most like."""
    folder = export(tmp_path, form, name, "--width", "full", "--weights", "initial")
    small = sum(path.stat().st_size for path in (EXPORTS / name / form).iterdir())
    assert sum(path.stat().st_size for path in folder.iterdir()) > 2 * small
    conversion = convert(folder, catalog.load())
    assert conversion.edge_graph.passed
    beside = conversion.paddle
    assert not isinstance(beside, str), beside
    assert beside.passed, str(beside)
    assert beside.reference.startswith(f"Paddle Inference {2 if form == 'legacy' else 3}.")


@with_each_paddle
@pytest.mark.parametrize("name", NAMES)
def test_the_export_of_a_network_is_the_one_that_is_here(tmp_path, name, form):
    """The script, not only its output: what Paddle says of the new export is what is stored."""
    export(tmp_path, form, name)
    with (
        np.load(EXPORTS / name / "outputs.npz") as stored,
        np.load(tmp_path / name / "outputs.npz") as made,
    ):
        assert set(made) == set(stored)
        for key in stored:
            if not key.startswith("output_"):
                assert (made[key] == stored[key]).all(), key
                continue
            assert made[key].shape == stored[key].shape and made[key].dtype == stored[key].dtype
            largest = np.abs(stored[key]).max()
            gap = np.abs(made[key].astype(np.float64) - stored[key]).max()
            assert gap <= 1e-4 * largest, f"{key}: {gap} of {largest}"
