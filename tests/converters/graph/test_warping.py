"""UVDoc's edge graph gives a grid, from which the flat page is made as the export makes it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from converters.errors import TranslationError
from converters.graph import warping
from converters.graph.reading import operator_counts
from converters.graph.runner import onnx_runner
from edgeocr.images import load
from edgeocr.page_stages.unwarping import Grid, stretched
from tests.support.paths import ROOT
from tests.zoo.converted import converted, translated
from tests.zoo.inputs import stored
from tests.zoo.names import EXPORTS, FORMS

PICTURE = ROOT / "tests" / "images" / "sample.jpg"


@pytest.mark.parametrize("form", FORMS)
def test_the_flat_page_is_that_of_paddle_inference(form: str) -> None:
    network = warping.reduced(translated("UVDoc", form).plain)
    assert "GridSample" not in operator_counts(onnx.load_from_string(network))
    run, plain = onnx_runner(network, None), onnx_runner(translated("UVDoc", form).plain, None)
    for probe in stored(EXPORTS / "UVDoc" / "outputs.npz"):
        (picture,) = probe.inputs
        # The network sees the whole picture in its own size, from corner to corner.
        seen = warping.unwarped(picture, corners(len(picture), *warping.SEEN), warping.SEEN)
        (grid,) = run([seen])
        found = warping.unwarped(picture, grid)
        # Its places are a hundred pixels apart on white noise; rounding moves them a little.
        allowed = 5e-3 * np.abs(probe.outputs[0]).max()
        np.testing.assert_allclose(found, probe.outputs[0], atol=allowed)
        np.testing.assert_allclose(found, plain([picture])[0], atol=allowed)


def test_the_runtime_unwarps_a_picture_as_the_export_does() -> None:
    """What the network sees, and what is made of its grid, differ by rounding to bytes only.

    OpenCV divides the distance between two pixels into 32 steps.
    """
    picture = load(PICTURE)
    height, width = picture.shape[:2]
    planes = picture.transpose(2, 0, 1)[None].astype(np.float32)
    seen = stretched(picture, warping.SEEN[::-1])
    exact = warping.unwarped(planes, corners(1, *warping.SEEN), warping.SEEN)[0]
    gaps = np.abs(seen - exact.transpose(1, 2, 0))
    assert gaps.mean() < 0.5 and gaps.max() < 8
    (grid,) = onnx_runner(converted("UVDoc").edge, ["grid"], "edge graph")([seen[None]])
    grid = grid / 4  # the random weights of this network look for places far outside
    places = (grid[0].transpose(1, 2, 0) + 1) * np.array([width - 1, height - 1]) / 2
    flat = Grid(places.astype(np.float32), height, width).flatten(picture)
    gaps = np.abs(flat - warping.unwarped(planes, grid)[0].transpose(1, 2, 0))
    assert gaps.mean() < 0.5 and gaps.max() < 8 and flat.std() > 20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda nodes: rename(nodes, "GridSample", padding_mode="border"), "linear and border"),
        (lambda nodes: rename(nodes, "GridSample", align_corners=0), "align_corners=0"),
        (lambda nodes: rename(nodes, "Transpose", perm=[0, 3, 2, 1]), "no enlarged grid"),
        (lambda nodes: drop(nodes, "GridSample"), "is not its input, sampled"),
    ],
)
def test_other_graphs_are_refused(change, said: str) -> None:
    model = onnx.load_from_string(translated("UVDoc").plain)
    change(model.graph.node)
    with pytest.raises(TranslationError, match=said):
        warping.reduced(model.SerializeToString())


def corners(number: int, height: int, width: int) -> np.ndarray:
    """Return a grid [N, 2, 2, 2] that changes nothing: the corners of a picture."""
    y, x = np.mgrid[-1:1:2j, -1:1:2j]
    return np.repeat(np.stack([x, y])[None], number, axis=0)


def rename(nodes, operator: str, **attributes) -> None:
    """Replace attributes of the last node of this operator."""
    node = [each for each in nodes if each.op_type == operator][-1]
    kept = [each for each in node.attribute if each.name not in attributes]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.extend(helper.make_attribute(*each) for each in attributes.items())


def drop(nodes, operator: str) -> None:
    """Let the last node of this operator pass on its input."""
    node = [each for each in nodes if each.op_type == operator][-1]
    node.op_type = "Identity"
    del node.input[1:], node.attribute[:]
