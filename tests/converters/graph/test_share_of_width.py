"""The share of an image's width that shows text: in NumPy, in a graph, and beside PaddleOCR's."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from converters.errors import ModelFormatError
from converters.graph import share_of_width
from converters.graph.interface import Port, further_input, is_ratio
from tests.support.onnx_run import run, session

WIDTH = 160


def images(ends: list[int]) -> np.ndarray:
    """Return images [N, 48, 160, 3] that show something up to a column, with gaps before it."""
    made = np.random.default_rng(0).integers(1, 256, (len(ends), 48, WIDTH, 3), np.uint8)
    made[:, :, 10:20] = 0
    for image, end in zip(made, ends, strict=True):
        image[:, end:] = 0
    return made


def in_graph(pictures: np.ndarray, opset: int, *, column: bool) -> np.ndarray:
    made, constants = share_of_width.nodes("x", WIDTH, "y", opset=opset, column=column)
    graph = helper.make_graph(
        made,
        "share",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 48, WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1] if column else ["N"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    planes = pictures.transpose(0, 3, 1, 2).astype(np.float32)
    return run(session(model.SerializeToString()), [planes])[0]


def test_share_ends_with_the_last_column_that_shows_something() -> None:
    ends = [160, 159, 96, 48, 21, 1, 0]
    found = share_of_width.of_images(images(ends))
    assert found.dtype == np.float32
    # PaddleOCR: resized width / 160 (resize_norm_img_sar). A black image counts as one column.
    assert found == pytest.approx([max(end, 1) / WIDTH for end in ends])


def test_a_single_bright_value_is_not_padding() -> None:
    picture = images([40])
    picture[0, 47, 100, 2] = 1
    assert share_of_width.of_images(picture) == pytest.approx([101 / WIDTH])


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
@pytest.mark.parametrize("column", [False, True])
def test_graph_computes_what_numpy_does(opset: int, column: bool) -> None:
    pictures = images([160, 96, 48, 1, 0])
    expected = share_of_width.of_images(pictures)
    found = in_graph(pictures, opset, column=column)
    assert found.shape == ((5, 1) if column else (5,))
    assert (found.ravel() == expected).all()


def test_further_inputs_are_those_of_sar_and_robustscanner() -> None:
    image = Port("x", "float32", [1, 3, 48, 160])
    ratio, positions = Port("r", "float32", [None]), Port("p", "int64", [None, 40])
    assert is_ratio(ratio) and is_ratio(Port("r", "float32", [1, 1])) and not is_ratio(positions)
    assert further_input([image, ratio], 1).tolist() == [1.0]
    assert further_input([image, ratio, positions], 2).tolist() == [list(range(40))]
    for inputs in ([image, positions], [image, Port("r", "float32", [None, 7])]):
        with pytest.raises(ModelFormatError, match=r"has the input \w, \w+ \[.*beside 1 others"):
            further_input(inputs, 1)
