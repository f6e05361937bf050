"""Test the repair of tensors that are expanded to another tensor's shape, whose sizes vary."""

import numpy as np
import pytest

from converters.translate.repairs import expand_as
from tests.support.legacy_programs import network
from tests.support.onnx_run import run


def test_without_the_repair_the_graph_expands_to_negative_sizes(lowered, plain, pir_cases):
    graph = plain(lowered("expand_as"))
    with pytest.raises(Exception, match="invalid expand shape"):
        run(graph, pir_cases["expand_as"].runs[0].inputs)


def test_with_the_repair_sizes_are_those_of_the_other_tensor(lowered, plain, pir_cases):
    program = lowered("expand_as")
    assert expand_as.mend(program) == ["expand_as_v2 → v5"]
    graph = plain(program)
    for given, expected in pir_cases["expand_as"].runs:
        np.testing.assert_array_equal(run(graph, given)[0], expected[0])


def test_operators_with_fixed_sizes_are_unchanged():
    def build(program):
        program.add_variable("y", [2, 3], "float32")
        slots = {"X": ["x"], "Y": ["like"]}
        program.add_operator("expand_as_v2", slots, {"Out": ["y"]}, {"target_shape": [2, 3]})
        return ["y"]

    program = network({"x": ([1, 3], "float32"), "like": ([2, 3], "float32")}, build)
    assert expand_as.mend(program) == []
