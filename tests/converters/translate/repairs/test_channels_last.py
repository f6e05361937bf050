"""Test the repair of operators whose channels come last."""

import numpy as np
import pytest

from converters.translate.repairs import channels_last
from tests.oracle.pir_case import Case
from tests.support.legacy_programs import network
from tests.support.onnx_run import run, session

CASES = {
    "batch_norm_last": "batch_norm",
    "conv2d_last": "conv2d",
    "group_norm_last": "group_norm",
    "pad_5d_last": "pad3d",
    "pad_last": "pad3d",
    "pad_last_reflect": "pad3d",
    "pixel_shuffle_last": "pixel_shuffle",
    "pool2d_max_last": "pool2d",
    "resize_nearest_last": "nearest_interp_v2",
}


def outputs(graph: bytes, case: Case) -> list[np.ndarray]:
    return run(session(graph), case.runs[0].inputs)


@pytest.mark.parametrize("name", CASES)
def test_without_the_repair_the_wrong_axes_are_used(name, lowered, plain, pir_cases):
    graph = plain(lowered(name))
    try:
        (found,) = outputs(graph, pir_cases[name])
    except Exception as error:
        assert "ONNXRuntimeError" in str(error)  # the sizes don't fit
        return
    assert found.shape != pir_cases[name].runs[0].outputs[0].shape


@pytest.mark.parametrize("name", CASES)
def test_with_the_repair_outputs_are_those_of_paddle(name, lowered, plain, pir_cases):
    program = lowered(name)
    mended = channels_last.mend(program)
    assert [node.split(" → ")[0] for node in mended] == [CASES[name]]
    assert channels_last.mend(program) == []
    graph = plain(program)
    for given, expected in pir_cases[name].runs:
        np.testing.assert_allclose(run(graph, given)[0], expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["conv2d", "pool2d_max", "pad_constant", "resize_nearest_scale"])
def test_operators_whose_channels_come_second_are_unchanged(name, lowered):
    program = lowered(name)
    before = program.desc.SerializeToString()
    assert channels_last.mend(program) == []
    assert program.desc.SerializeToString() == before


def test_every_operator_of_a_chain_is_repaired(plain):
    def build(program):
        for source, target in (("x", "a"), ("a", "b")):
            program.add_variable(target, [-1, -1, 4, 2], "float32")
            attributes = {"upscale_factor": 1, "data_format": "NHWC"}
            program.add_operator("pixel_shuffle", {"X": [source]}, {"Out": [target]}, attributes)
        return ["b"]

    program = network({"x": ([-1, -1, 4, 2], "float32")}, build)
    assert channels_last.mend(program) == ["pixel_shuffle → a", "pixel_shuffle → b"]
    given = np.arange(24, dtype=np.float32).reshape(1, 3, 4, 2)
    np.testing.assert_array_equal(run(plain(program), [given])[0], given)
