"""Test the memory that a run of an edge graph needs.

The expected numbers are counted by hand in small graphs, and measured in runs of ONNX Runtime.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from converters.errors import ConverterError
from converters.graph.activation_memory import bytes_per_pixel
from edgeocr.memory.budget import ARENA_FACTOR

# Prints the peak memory of its process in bytes, after each run on inputs of growing sizes.
MEASURE = """
import sys
from pathlib import Path
import numpy as np
from edgeocr import Bundle
from edgeocr.runtime.job import Job
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.session import Session
def held():
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) << 10 for row in rows if row.startswith("VmHWM"))
bundle, task, sizes = Bundle.default(), sys.argv[1], [int(each) for each in sys.argv[2:]]
stage = getattr(bundle.manifest.stages, task)
outputs = {"detection": ["probability"], "recognition": ["indices", "scores"]}[task]
session = Session(bundle.read(stage.graph), Job(task, "image", None), outputs,
                  placement=Placement("cpu"), threads=1)
for height, width in zip(*[iter(sizes)] * 2):
    session.run(np.zeros((1, height, width, 3), np.uint8))
    print(held())
"""


def graph(nodes: list[onnx.NodeProto], output: int = TensorProto.FLOAT) -> bytes:
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("out", output, None)],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def test_two_values_of_a_chain_are_held_at_a_time():
    # 3 bytes of input and 12 of float32; then 12 of float32 and 24 of float64.
    nodes = [
        helper.make_node("Cast", ["image"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["a"], ["b"], to=TensorProto.DOUBLE),
        helper.make_node("Cast", ["b"], ["out"], to=TensorProto.UINT8),
    ]
    assert bytes_per_pixel(graph(nodes, TensorProto.UINT8), "detection") == 12 + 24


def test_value_that_is_needed_later_is_held_until_then():
    nodes = [
        helper.make_node("Cast", ["image"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["a"], ["b"], to=TensorProto.DOUBLE),
        helper.make_node("Cast", ["b"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["a", "c"], ["out"]),
    ]
    assert bytes_per_pixel(graph(nodes), "detection") == 12 + 24 + 12


@pytest.mark.parametrize("operator", ["Relu", "Identity"])
def test_results_that_replace_their_input_take_no_memory(operator):
    nodes = [
        helper.make_node("Cast", ["image"], ["a"], to=TensorProto.FLOAT),
        helper.make_node(operator, ["a"], ["b"]),
        helper.make_node(operator, ["b"], ["out"]),
    ]
    assert bytes_per_pixel(graph(nodes), "detection") == 3 + 12


def test_loop_is_counted_by_its_result_and_the_values_its_body_reads():
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["goes"]),
            helper.make_node("Add", ["x", "a"], ["y"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    number = helper.make_tensor("n", TensorProto.INT64, [], [3])
    nodes = [
        helper.make_node("Constant", [], ["times"], value=number),
        helper.make_node("Cast", ["image"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["a"], ["b"], to=TensorProto.FLOAT),
        helper.make_node("Loop", ["times", "", "b"], ["out"], body=body),
    ]
    # The body reads `a` from the graph around it, so `a` is held as long as the loop runs.
    assert bytes_per_pixel(graph(nodes), "detection") in (36, 37)


def test_graph_that_does_not_run_is_an_error():
    weights = helper.make_tensor("w", TensorProto.FLOAT, [4], np.zeros(4, np.float32))
    nodes = [
        helper.make_node("Constant", [], ["w"], value=weights),
        helper.make_node("Cast", ["image"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["a", "w"], ["out"]),
    ]
    with pytest.raises(ConverterError, match="doesn't run on"):
        bytes_per_pixel(graph(nodes), "detection")


@pytest.mark.slow
def test_figures_of_the_embedded_bundle_do_not_depend_on_size(bundle):
    stages = bundle.manifest.stages
    edge = bundle.read(stages.recognition.graph)
    assert bytes_per_pixel(edge, "recognition") == bytes_per_pixel(edge, "recognition", width=1600)
    edge = bundle.read(stages.detection.graph)
    small = bytes_per_pixel(edge, "detection", height=320, width=416)
    assert bytes_per_pixel(edge, "detection") == pytest.approx(small, abs=1)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="VmHWM")
@pytest.mark.parametrize(
    ("task", "sizes"),
    [("detection", (320, 416, 832, 1056)), ("recognition", (48, 320, 48, 3200))],
)
def test_onnx_runtime_takes_at_most_the_arena_factor_more(bundle, task, sizes):
    stage = getattr(bundle.manifest.stages, task)
    said = bytes_per_pixel(bundle.read(stage.graph), task)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, task, *map(str, sizes)],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = map(int, done.stdout.split())
    pixels = sizes[2] * sizes[3] - sizes[0] * sizes[1]
    grew = (second - first) / pixels
    assert 0.8 * said < grew < said * ARENA_FACTOR
