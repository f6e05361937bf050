"""Layer norms over more than the last axis."""

import numpy as np
import pytest

from converters.repairs import layer_norm_over_axes
from tests.onnx_run import run


def test_without_the_repair_the_weights_do_not_fit(lowered, plain, pir_cases):
    graph = plain(lowered("layer_norm_two_axes"))
    with pytest.raises(Exception, match=r"Scale and .* bias must match"):
        run(graph, pir_cases["layer_norm_two_axes"].runs[0].inputs)


def test_with_it_they_do(lowered, plain, pir_cases):
    program = lowered("layer_norm_two_axes")
    (mended,) = layer_norm_over_axes.mend(program)
    assert mended.startswith("layer_norm → ")
    assert sorted(array.shape for array in program.parameters.values()) == [(4, 6), (4, 6)]
    graph = plain(program)
    for given, expected in pir_cases["layer_norm_two_axes"].runs:
        np.testing.assert_allclose(run(graph, given)[0], expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["layer_norm", "layer_norm_plain", "group_norm"])
def test_other_norms_stay(name, lowered):
    assert layer_norm_over_axes.mend(lowered(name)) == []
