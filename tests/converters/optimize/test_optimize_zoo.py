"""Test that the zoo's networks compute the same with all rewrites as without."""

import math

import numpy as np
import onnx
import pytest

from converters import edge_graph
from converters.edge_graph import CONTRACTS
from converters.optimize import REWRITES, optimize
from converters.parity import compare as parity
from converters.parity.difference import difference
from converters.parity.probes import probes
from tests.support import onnx_run
from tests.support.rewrite_graphs import session
from tests.zoo.converted import converted
from tests.zoo.names import NAMES, OF_ALGORITHM

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

# The rewrites that apply to some networks.
EXPECTED = {
    "PP-OCRv4_mobile_det": {
        "identities",
        "affine_after_convolution",
        "affine_before_convolution",
        "normalization",
        "residual_gate",
        "transposed_convolution",
        "upsampled_input",
        "pooled_product",
        "children_apart",
    },
    "PP-OCRv6_tiny_det": {
        "identities",
        "affine_after_convolution",
        "normalization",
        "residual_gate",
        "transposed_convolution",
        "upsampled_input",
        "concatenated_input",
        "pooled_product",
        "gated_sum",
        "gate_in_product",
        "children_apart",
        "gated_residual",
    },
    "PP-OCRv4_mobile_rec": {
        "identities",
        "affine_after_convolution",
        "affine_before_convolution",
        "normalization",
        "concatenated_input",
    },
    "det_mv3_east": {"identities", "affine_after_convolution", "normalization"},
}
# The share of classes that rounding may change beyond what ONNX Runtime's own rewrites change. None
# changes on an Intel Xeon with AVX-512.
MAX_CHANGED_CLASSES = 0.02


def before(name: str) -> bytes:
    conversion = converted(name)
    return edge_graph.make(conversion.plain, conversion.network, conversion.interface)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_stay_the_same_on_noise(name):
    """The limits depend on what ONNX Runtime's own rewrites change.

    The reason is that the weights are untrained and amplify rounding. On pictures, the conversion
    compares the outputs itself.
    """
    conversion = converted(name)
    original = before(name)
    (*_, picture) = probes(conversion.network, conversion.interface)
    noise = np.random.default_rng(0).integers(0, 256, picture.shape, np.uint8)
    runners = [
        onnx_run.session(conversion.edge),
        onnx_run.session(original),
        session(original),
    ]
    outputs = list(CONTRACTS[conversion.network.algorithm][1])
    assert [item.name for item in runners[0].get_outputs()] == outputs
    assert [item.name for item in runners[1].get_outputs()] == outputs
    found = [onnx_run.run(runner, [noise]) for runner in runners]
    for output, ours, theirs, again in zip(outputs, *found, strict=True):
        assert ours.dtype == theirs.dtype
        if output == "indices":
            assert ours.shape == theirs.shape
            # Two classes that are almost equally likely may change places on another CPU.
            changed = (ours != theirs) & (again == theirs)
            assert changed.mean() <= MAX_CHANGED_CLASSES
            continue
        own = difference(output, [again], [theirs], math.inf)
        gap = difference(output, [ours], [theirs], math.inf)
        factor, size = parity.SELF_DIFFERENCE_FACTOR, max(1.0, gap.magnitude)
        assert gap.max_abs <= max(1e-4 * size, factor * own.max_abs), (output, own)
        assert gap.mean_abs <= max(3e-6 * size, factor * own.mean_abs), (output, own)


@pytest.mark.parametrize("name", NAMES)
def test_optimizing_again_changes_nothing(name):
    edge = converted(name).edge
    again, made = optimize(edge)
    assert made == []
    assert again == edge


@pytest.mark.parametrize("name", [OF_ALGORITHM["DB"], OF_ALGORITHM["CTC"]])
def test_optimizing_twice_gives_the_same_bytes(name):
    conversion = converted(name)
    assert optimize(before(name)) == (conversion.edge, conversion.rewrites)


@pytest.mark.parametrize("name", EXPECTED)
def test_expected_rewrites_apply_to_a_network(name):
    assert {rewrite.name for rewrite in converted(name).rewrites} == EXPECTED[name]


def test_every_rewrite_applies_to_some_network():
    """Except for those of large classifiers and of constants.

    The zoo's networks know too few characters, and our translator computes constants itself.
    """
    made = {rewrite.name for name in EXPECTED for rewrite in converted(name).rewrites}
    names = {module.__name__.rpartition(".")[2] for module in REWRITES}
    assert names - made == {"bias_in_product", "best_of_many", "constants"}


@pytest.mark.parametrize("name", OF_ALGORITHM.values())
def test_interface_stays_the_same(name):
    original, edge = (onnx.load_from_string(g) for g in (before(name), converted(name).edge))
    assert list(original.graph.input) == list(edge.graph.input)
    assert list(original.graph.output) == list(edge.graph.output)
    assert original.opset_import == edge.opset_import
    assert original.ir_version == edge.ir_version
