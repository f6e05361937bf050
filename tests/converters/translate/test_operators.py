"""Compare the translation of every operator with what Paddle Inference computes.

The cases are programs of a few operators each, those of Paddle 3.3.1 in PIR and those of Paddle
2.6.2 in the legacy format; tests/oracle makes them.
"""

import copy
import dataclasses
import functools
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest

from converters.errors import TranslationError
from converters.paddle import pir
from converters.paddle.pir.operators import RULES
from converters.paddle.program import Program
from converters.translate import program_graph
from converters.translate.registry import OPERATORS
from tests.oracle import legacy_case
from tests.oracle.pir_case import Case, load
from tests.support.onnx_run import run, session
from tests.support.paths import FIXTURES

PIR = load(FIXTURES / "pir_operators.npz")
LEGACY = load(FIXTURES / "legacy_operators.npz")
CASES = PIR | LEGACY
OPSETS = (13, 14, 15, 16, 18, 19, 20, 21)
# Case → what the error says.
REFUSED = {
    "conv2d_transpose_same": "padding SAME depends",
    "exp_of_integers": "Paddle declares integers",
    "legacy_pool_same_open": "padding SAME depends",
    "legacy_pool_wide_ceil": "its padding, with what ceil_mode adds, is as wide as its window",
    "legacy_bicubic_single": "a single row or column",
    "legacy_backwards_far": "which Paddle 2 and 3 understand differently",
    "grid_sample_volume": "from opset 20 on",
    **dict.fromkeys(
        ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"), "from opset 18 on"
    ),
}
_SAMPLING = [name for name in CASES if name.startswith(("grid_sample", "deform"))]
# Case → the first opset that can express it, and what the error says before.
_ADDING = (
    "put_along_axis_add", "put_along_axis_multiply", "scatter_sums", "scatter_nd_add",
    "scatter_nd", "index_put_sum",
)  # fmt: skip
FIRST_OPSET = {
    **{name: (18, "from opset 18 on") for name in REFUSED if name.startswith("bitwise")},
    **dict.fromkeys((*_ADDING, *_SAMPLING), (16, "from opset 16 on")),
    "grid_sample_volume": (20, "from opset 20 on"),
}
# Operator of an earlier export of Paddle → the case with its successor, and the successor.
RENAMED = {
    "batch_norm": ("batch_norm", "1.batch_norm_"),
    "share_data_": ("assign", "1.assign"),
}
# Operators without a case here: values that are random, constants that are always computed, what
# Paddle's CPU build can't run, control flow, which has operators/test_control.py, and an older
# name of deformable convolutions.
WITHOUT_CASE = {
    "gaussian_random", "uniform_random", "randint", "randperm", "bernoulli",
    "inverse", "assign_value", "eye", "sync_batch_norm",
    "while", "conditional_block", "select_input", "write_to_array", "read_from_array",
    "lod_array_length", "tensor_array_to_tensor", "memcpy", "memcpy_d2h", "memcpy_h2d",
    "deformable_conv_v1",
}  # fmt: skip
# Rules of PIR's operators whose legacy forms have a case, or none for the reasons above.
RULES_WITHOUT_CASE = {
    "gaussian", "uniform", "randint", "randperm", "bernoulli", "memcpy", "memcpy_h2d",
    "memcpy_d2h", "diag", "mean_all", "norm", "increment", "assign_out_", "shape", "share_data_",
    "sync_batch_norm_",
}  # fmt: skip


@functools.cache
def kinds(name: str) -> set[str]:
    """Return the types of a case's operators."""
    return {operator.type for operator in program(CASES[name]).operators}


def program(case: Case) -> Program:
    """Return a case's program in the legacy form."""
    if case.name in LEGACY:
        return legacy_case.program(case)
    with tempfile.TemporaryDirectory() as folder:
        return pir.lower(*case.write(Path(folder)))


def compare(case: Case, opset: int = program_graph.OPSET) -> None:
    """Translate a case, and compare the graph with what Paddle computed."""
    model = program_graph.write(program(case), source=case.name, opset=opset)
    assert model.opset_import[0].version == opset
    graph = session(model.SerializeToString())
    for inputs, expected in case.runs:
        found = run(graph, inputs)
        assert [item.shape for item in found] == [item.shape for item in expected]
        assert [item.dtype for item in found] == [item.dtype for item in expected]
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSED])
def test_translated_program_computes_what_paddle_computes(name):
    compare(CASES[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_onnx_cannot_express_is_refused_with_the_reason(name):
    with pytest.raises(TranslationError, match=REFUSED[name]):
        compare(CASES[name])


@pytest.mark.stress
@pytest.mark.slow
@pytest.mark.parametrize("opset", OPSETS)
def test_every_opset_computes_the_same(opset):
    for name, case in CASES.items():
        first, reason = FIRST_OPSET.get(
            name, (99 if name in REFUSED else 13, REFUSED.get(name, ""))
        )
        if opset < first:
            with pytest.raises(TranslationError, match=reason):
                compare(case, opset)
        else:
            compare(case, opset)


@pytest.mark.parametrize("earlier", RENAMED)
def test_operator_names_of_earlier_exports_are_translated(earlier):
    name, today = RENAMED[earlier]
    case = copy.deepcopy(CASES[name])
    for operation in case.operations:
        if operation["#"] == today:
            operation["#"] = f"1.{earlier}"
    assert case.operations != CASES[name].operations
    compare(case)


def test_shape_operator_of_earlier_exports_gives_32_bits():
    case = CASES["shape"]
    text = json.dumps(case.graph).replace("1.shape64", "1.shape").replace("0.t_i64", "0.t_i32")
    runs = [run._replace(outputs=[run.outputs[0].astype(np.int32)]) for run in case.runs]
    compare(dataclasses.replace(case, graph=json.loads(text), runs=runs))


def test_every_rule_of_pir_has_a_case():
    seen = {op["#"].removeprefix("1.") for case in PIR.values() for op in case.operations}
    seen |= {name.removesuffix("_") for name in seen}
    assert set(RULES) - seen <= RULES_WITHOUT_CASE


def test_every_operator_has_a_case():
    seen = set().union(*(kinds(name) for name in CASES))
    assert set(OPERATORS) - seen - WITHOUT_CASE == set()
