"""Convert networks of the published widths, which Paddle exports for the test."""

from typing import cast

import pytest

from converters.catalog import entries as catalog
from converters.catalog.entries import Algorithm
from converters.convert import convert
from converters.model.known import Statement
from tests.support.zoo_export import EACH, export
from tests.zoo.export import known
from tests.zoo.names import EXPORTS

# Networks of several families, with backbones, necks and heads as wide as the published ones.
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


@pytest.mark.parametrize(("name", "form"), [each for each in EACH if each.values[0] in FULL])
def test_network_of_full_width_computes_what_paddle_computes(tmp_path, name, form):
    """The weights are those that a training starts with, much like those of a user's own export."""
    done = export(form, tmp_path, "--width", "full", "--weights", "initial", "--no-outputs", name)
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
