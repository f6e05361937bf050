"""Compare the published v4 graphs with what Paddle Inference computed (fixtures/README.md)."""

from typing import Any

import numpy as np
import pytest

from converters.convert import Conversion
from converters.edge_graph import to_plain_inputs
from converters.graph.runner import onnx_runner
from edgeocr.postprocess import db
from edgeocr.runtime.job import Job
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.session import Session
from tests.support.paths import FIXTURES

STORED = FIXTURES / "paddle_inference"
V4 = ["PP-OCRv4_mobile_det", "PP-OCRv4_mobile_rec", "ch_ppocr_mobile_v2.0_cls"]


def session(graph: bytes, *outputs: str) -> Session:
    return Session(graph, Job("", "", (1, 1, 1, 3)), outputs, placement=Placement("cpu"), threads=2)


def plain_outputs(conversion: Conversion, pictures: np.ndarray) -> list[np.ndarray]:
    inputs = to_plain_inputs(pictures, conversion.network.normalize, conversion.interface)
    return onnx_runner(conversion.plain, None)(inputs)


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2])
def test_recognition_equals_paddle(v4, number):
    expected = np.load(STORED / "recognition.npz")
    _, conversion = v4("PP-OCRv4_mobile_rec")
    indices, scores = session(conversion.edge, "indices", "scores").run(expected[f"crops_{number}"])
    np.testing.assert_array_equal(indices, expected[f"indices_{number}"])
    assert np.abs(scores - expected[f"scores_{number}"]).max() <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2])
def test_all_probabilities_of_recognition_equal_paddle(v4, number):
    """The whole softmax output; entries that the fixture leaves out are below 1e-7."""
    stored = np.load(STORED / "recognition.npz")
    _, conversion = v4("PP-OCRv4_mobile_rec")
    expected = np.zeros(stored[f"shape_{number}"], np.float32)
    expected.flat[stored[f"flat_{number}"]] = stored[f"value_{number}"]
    (got,) = plain_outputs(conversion, stored[f"crops_{number}"])
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1e-5


def test_orientation_equals_paddle(v4):
    expected = np.load(STORED / "orientation.npz")
    _, conversion = v4("ch_ppocr_mobile_v2.0_cls")
    (probability,) = session(conversion.edge, "probability").run(expected["crops"])
    assert np.abs(probability - expected["probability"]).max() <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2])
def test_detection_equals_paddle(v4, number):
    """Maps agree as far as float32 allows for DB's steep sigmoid, and the quads are the same.

    With its graph passes, Paddle differs from itself by 1.4e-5, because some pixels at the edges of
    regions are that sensitive. All others agree within 1e-6.
    """
    expected = np.load(STORED / "detection.npz")
    _, conversion = v4("PP-OCRv4_mobile_det")
    (got,) = session(conversion.edge, "probability").run(expected[f"image_{number}"])
    reference = expected[f"map_{number}"][:, 0]
    difference = np.abs(got - reference)
    assert difference.mean() <= 1e-6
    assert np.quantile(difference, 0.99) <= 1e-5
    own = float(expected[f"self_difference_{number}"])
    assert difference.max() <= min(max(1e-5, 5 * own), 1e-4)
    numbers: dict[str, Any] = {
        "threshold": 0.3,
        "box_threshold": 0.5,
        "unclip_ratio": 1.6,
        "max_candidates": 1000,
    }
    found = 0
    for mine, paddles in zip(got, reference, strict=True):
        quads, scores = db.quads(mine, **numbers)
        np.testing.assert_allclose(quads, db.quads(paddles, **numbers)[0], atol=0.01)
        found += len(scores)
    assert found


@pytest.mark.slow
@pytest.mark.parametrize("name", V4)
def test_edge_graph_computes_what_the_plain_graph_computes(v4, name):
    """On real pictures, maps agree within 5e-5 and indices are equal; manifests record this."""
    _, conversion = v4(name)
    assert conversion.network.published
    check = conversion.checks["edge_graph"]
    assert check.status == "passed"
    assert check.max_abs_difference_at_most == check.tolerance == 1e-4
    assert all(item.max_abs <= 5e-5 for item in conversion.edge_graph.differences)
    assert len({tuple(shape) for shape in check.inputs}) >= 2
    assert max(shape[0] for shape in check.inputs) > 1


@pytest.mark.paddle
@pytest.mark.parametrize("name", V4)
def test_both_graphs_equal_this_environments_paddle(v4, name):
    """The limit is 1e-5, or five times what rounding changes in Paddle on this processor."""
    _, conversion = v4(name)
    beside = conversion.paddle
    assert beside.passed and beside.reference == "Paddle Inference 2.6.2"
    (only,) = beside.differences
    assert only.allowed <= 1e-4 and only.allowed_mean <= 1e-5
    assert beside.indices_equal is (True if name.endswith("rec") else None)
    assert conversion.checks["paddle"].status == "passed"
