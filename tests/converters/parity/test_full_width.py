"""Export the zoo again with Paddle, and convert networks of the published widths."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from converters.catalog import entries as catalog
from converters.catalog.entries import Algorithm
from converters.convert import convert
from converters.model.known import Statement
from tests.support.paths import ROOT
from tests.zoo.export import disagreements, known
from tests.zoo.names import EVERY, EXPORTS

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
# The release of Paddle 3 that wrote the PIR programs that are stored.
PIR_WRITER = "3.3.1"
MARKS = {"legacy": pytest.mark.paddle, "pir": pytest.mark.pir}
EACH = [pytest.param(name, form, marks=MARKS[form]) for name, form in EVERY]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, str]]:
    """Return format → the folder with all networks exported again, and the script's messages."""

    @cache
    def made(form: str) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp(form)
        return folder, run(form, folder).stdout

    return made


def run(form: str, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Export networks with this environment's Paddle."""
    command = [sys.executable, "-m", "tests.zoo.export", "--format", form, "--output", str(output)]
    return subprocess.run(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(("name", "form"), [each for each in EACH if each.values[0] in FULL])
def test_network_of_full_width_computes_what_paddle_computes(tmp_path, name, form):
    """The weights are those that a training starts with, much like those of a user's own export."""
    done = run(form, tmp_path, "--width", "full", "--weights", "initial", "--no-outputs", name)
    assert done.returncode == 0, done.stdout[-3000:]
    folder = tmp_path / name / form
    small = sum(path.stat().st_size for path in (EXPORTS / name / form).iterdir())
    assert sum(path.stat().st_size for path in folder.iterdir()) > 2 * small
    # The inference.yml has the dictionary of the compact network.
    said = Statement(cast(Algorithm, known()[name].algorithm), ignore_settings=True)
    conversion = convert(folder, catalog.load(), said=said)
    assert conversion.edge_graph.passed
    beside = conversion.paddle
    assert not isinstance(beside, str), beside
    assert beside.passed, str(beside)
    assert beside.reference.startswith(f"Paddle Inference {2 if form == 'legacy' else 3}.")


@pytest.mark.parametrize(("name", "form"), EACH)
def test_exporting_a_network_again_gives_the_stored_files(exported, name, form):
    """The files are the same, and Paddle's outputs are the stored ones except for rounding."""
    folder, said = exported(form)
    # Another release of Paddle 3 may write programs differently.
    same_program = form == "legacy" or version("paddlepaddle") == PIR_WRITER
    for path in (EXPORTS / name / form).iterdir():
        again = folder / name / form / path.name
        assert again.is_file(), said[-3000:]
        if same_program or path.suffix != ".json":
            assert again.read_bytes() == path.read_bytes(), path.name
    made, stored = (dict(np.load(each / name / "outputs.npz")) for each in (folder, EXPORTS))
    assert disagreements(made, stored) == []
