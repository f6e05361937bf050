"""Time and work of ONNX Runtime's operators."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks import operators
from benchmarks.operators import Limits, Profile, Work

LIMITS = Limits(gflops=100.0, gigabytes_per_second=10.0)


def graph(channels: int = 4) -> bytes:
    """Return a graph with a convolution of 3 x 3 pixels and a product with a matrix."""
    weights = {
        "kernel": np.ones((16, channels, 3, 3), np.float32),
        "matrix": np.ones((8, 5), np.float32),
    }
    made = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Conv", ["float", "kernel"], ["map"], pads=[1, 1, 1, 1]),
            helper.make_node("MatMul", ["map", "matrix"], ["y"]),
        ],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["N", channels, "H", 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()


def profiled(*batches: np.ndarray) -> Profile:
    return operators.profile(graph(), batches, LIMITS)


def test_work_of_a_graph_is_counted() -> None:
    """16 maps of 4 x 3 x 3 products for each pixel; a product of 8 numbers for each result."""
    found = profiled(np.zeros((1, 4, 10, 8), np.uint8), np.zeros((2, 4, 5, 8), np.uint8))
    pixels = 10 * 8 + 2 * 5 * 8
    by_name = {each.name: each for each in found.operators}
    assert by_name["Conv"].gflop == pytest.approx(2 * 16 * 4 * 9 * pixels / 1e9, abs=1e-6)
    results = 16 * 5 * (10 + 2 * 5)
    assert by_name["MatMul"].gflop == pytest.approx(2 * 8 * results / 1e9, abs=1e-6)
    assert by_name["Cast"].gflop == 0
    assert by_name["Cast"].gigabytes == pytest.approx(4 * pixels * (1 + 4) / 1e9, abs=1e-6)
    times = [each.ms for each in found.operators]
    assert times == sorted(times, reverse=True)
    assert found.ms == pytest.approx(sum(each.ms for each in found.nodes), abs=1e-4)


def test_nodes_are_named_after_their_shapes() -> None:
    found = profiled(np.zeros((1, 4, 10, 8), np.uint8))
    names = {each.name for each in found.nodes}
    assert "MatMul 1×16×10×8 → 1×16×10×5" in names


CONV = {
    "op_name": "Conv",
    "input_type_shape": [{"float": [1, 48, 6, 80]}, {"float": [96, 12, 1, 1]}, {"float": [96]}],
    "output_type_shape": [{"float": [1, 96, 6, 80]}],
    "activation_size": "92160",
    "parameter_size": "4992",
    "output_size": "184320",
}


def product(kind: str, *given: Sequence[int], made: Sequence[int]) -> dict[str, Any]:
    return {
        "op_name": kind,
        "input_type_shape": [{"float": list(shape)} for shape in given],
        "output_type_shape": [{"float": list(made)}],
        "activation_size": "100",
        "parameter_size": "0",
        "output_size": "10",
    }


@pytest.mark.parametrize(
    ("details", "flop", "moved"),
    [
        (CONV, 2 * 96 * 480 * 12, 92160 + 4992 + 184320),
        ({**CONV, "op_name": "Relu"}, 0, 92160 + 4992 + 184320),
        (
            product("MatMul", [1, 40, 81], made=[1, 40, 6906]),
            2 * 40 * 6906 * 81,
            110 + 4 * 81 * 6906,
        ),
        (product("FusedMatMul", [1, 160, 40], made=[1, 40, 80]), 2 * 40 * 80 * 160, 110 + 51200),
        (product("MatMul", [1, 16, 64], [1, 64, 99], made=[1, 16, 99]), 2 * 16 * 99 * 64, 110),
        ({"op_name": "Shape"}, 0, 0),
    ],
    ids=["groups", "no product", "weights left out", "transposed", "two inputs", "nothing known"],
)
def test_work_of_a_run(details: dict[str, Any], flop: int, moved: int) -> None:
    assert operators.work_of(details) == (flop, moved)


def test_table_compares_with_the_limits() -> None:
    works = [Work("Conv", 8.0, 0.4, 0.02), Work("Add", 2.0, 0.0, 0.01)]
    nodes = [Work("Conv 1×3×4×4 → 1×6×4×4", 8.0, 0.4, 0.02)]
    title, head, *rows = operators.table("detection", Profile(works, nodes, LIMITS), 2)
    assert "5.00 ms per page" in title and "100 GFLOP/s" in title and "10.0 GB/s" in title
    assert head.split() == ["operator", "ms/page", "share", "GFLOP/s", "limit", "GB/s", "limit"]
    assert rows[0].split() == ["Conv", "4.00", "80.0%", "50.0", "50.0%", "2.5", "25.0%"]
    assert rows[1].split() == ["Add", "1.00", "20.0%", "-", "5.0", "50.0%"]
    assert rows[2].strip() == "slowest nodes"
    assert rows[3].split()[0] == "Conv" and rows[3].endswith("25.0% 1×3×4×4 → 1×6×4×4")
    assert {len(row) for row in rows[:2]} == {len(head)}


def test_limits_are_measured() -> None:
    found = operators.measure_limits(side=64, copied=1 << 16)
    assert found.gflops > 0 and found.gigabytes_per_second > 0


def test_first_run_and_other_events_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    given: list[Any] = []

    class Session:
        def __init__(self, graph: bytes, options: Any, providers: list[str]) -> None:
            made.append(options)

        def get_inputs(self) -> list[Any]:
            return [SimpleNamespace(name="x")]

        def run(self, outputs: None, inputs: dict[str, Any]) -> None:
            given.append(inputs["x"])

        def end_profiling(self) -> str:
            def event(name: str, cat: str, dur: int) -> dict[str, Any]:
                return {"name": name, "cat": cat, "dur": dur, "args": {"op_name": name[:4]}}

            events = [{"name": "model_run", "cat": "Session", "dur": 9000}]
            for dur in (9000, 1000, 500):
                events += [
                    event("Relu_a_fence_before", "Node", 400),
                    event("Relu_a_kernel_time", "Node", dur),
                    event("Conv_b_kernel_time", "Node", 2 * dur),
                    event("Conv_b_kernel_time", "Api", 8000),
                ]
            path = Path(f"{made[0].profile_file_prefix}.json")
            path.write_text(json.dumps(events))
            return str(path)

    fake = SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=Session)
    monkeypatch.setattr(operators, "import_onnxruntime", lambda: fake)
    first, second = np.zeros((1, 2), np.uint8), np.ones((3, 4), np.uint8)
    found = operators.profile(b"", [first, second], LIMITS)
    assert {each.name: each.ms for each in found.operators} == {"Conv": 3.0, "Relu": 1.5}
    assert [batch.shape for batch in given] == [(1, 2), (1, 2), (3, 4)]
    assert made[0].intra_op_num_threads == 1 and made[0].enable_profiling is True
    assert not Path(made[0].profile_file_prefix).parent.exists()
