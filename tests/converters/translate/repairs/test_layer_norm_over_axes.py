"""Test the repair of layer norms over several axes."""

import numpy as np
import onnx
import pytest

from converters.translate.repairs import layer_norm_over_axes
from tests.support.onnx_run import run


def weights(plain: bytes) -> list[tuple[int, ...]]:
    """Return the shapes of the scale and the bias; ONNX wants those of the normalized axes."""
    graph = onnx.load_from_string(plain).graph
    (node,) = (node for node in graph.node if node.op_type == "LayerNormalization")
    shapes = {item.name: tuple(item.dims) for item in graph.initializer}
    made = {
        item.output[0]: item.attribute[0].t for item in graph.node if item.op_type == "Constant"
    }
    return [shapes.get(name) or tuple(made[name].dims) for name in node.input[1:]]


def test_without_the_repair_the_weights_are_flat(lowered, plain):
    """ONNX Runtime accepts such weights before version 1.24, and refuses them since."""
    assert weights(plain(lowered("layer_norm_two_axes"))) == [(24,), (24,)]


def test_with_the_repair_the_weights_have_the_shape_of_the_axes(lowered, plain, pir_cases):
    program = lowered("layer_norm_two_axes")
    (mended,) = layer_norm_over_axes.mend(program)
    assert mended.startswith("layer_norm → ")
    assert {array.shape for array in program.parameters.values()} == {(4, 6)}
    graph = plain(program)
    assert weights(graph) == [(4, 6), (4, 6)]
    for given, expected in pir_cases["layer_norm_two_axes"].runs:
        np.testing.assert_allclose(run(graph, given)[0], expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["layer_norm", "layer_norm_plain", "group_norm"])
def test_other_norms_are_unchanged(name, lowered):
    assert layer_norm_over_axes.mend(lowered(name)) == []
