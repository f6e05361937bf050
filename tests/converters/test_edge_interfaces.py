"""Test that a graph whose interface isn't its algorithm's gets no edge graph."""

import dataclasses

import pytest

from converters import edge_graph
from converters.errors import TranslationError
from converters.graph.interface import Port
from converters.model.families import FAMILIES, HALF
from tests.zoo.converted import converted

# Networks are converted for these tests.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("det_mv3_db", {"algorithm": "EAST"}, "EAST gives score, geometry, but this graph's"),
        ("det_mv3_east", {"algorithm": "SAST"}, r"SAST gives tcl, border, tvo, tco, but .*None, 8"),
        ("e2e_r50_vd_pg", {"algorithm": "SAST"}, "SAST gives"),
        ("det_mv3_east", {"algorithm": "CTC", "task": "recognition"}, "CTC gives indices, scores"),
        ("rec_mv3_none_none_ctc", {"algorithm": "SRN"}, "SRN gives indices, scores"),
        ("rec_mv3_none_none_ctc", {"algorithm": "CLS", "task": "orientation"}, "CLS gives"),
        ("det_mv3_db", {"normalize": FAMILIES["SRN"].normalize}, "takes 3 channels, GREY has 1"),
        ("rec_r50_fpn_srn", {"normalize": HALF}, "takes 1 channels, BGR has 3"),
    ],
)
def test_graph_with_another_interface_is_refused(name, changes, message):
    conversion = converted(name)
    known = dataclasses.replace(conversion.network, **changes)
    with pytest.raises(TranslationError, match=message):
        edge_graph.make(conversion.plain, known, conversion.interface)


def test_levels_of_another_degree_than_the_decoder_takes_are_refused():
    levels = [Port("level", "float32", [None, 22, None, None])] * 3  # of Fourier degree 4, not 5
    conversion = converted("det_mv3_db")
    interface = dataclasses.replace(conversion.interface, outputs=levels)
    known = dataclasses.replace(conversion.network, algorithm="FCE")
    with pytest.raises(TranslationError, match="FCE gives level_8, level_16, level_32, but"):
        edge_graph.make(conversion.plain, known, interface)
