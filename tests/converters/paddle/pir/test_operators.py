"""Every rule for a PIR operator, against what Paddle Inference computes.

The cases are programs of Paddle 3.3.1, an operator or a few each; tests/oracle makes them.
"""

import copy
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from converters.errors import TranslationError
from converters.model.paddle_model import PaddleModel
from converters.paddle.pir.operators import RULES
from converters.translate import Translation, translate
from tests.oracle.pir_case import Case, load
from tests.support.onnx_run import run, session
from tests.support.paths import FIXTURES

CASES = load(FIXTURES / "pir_operators.npz")
# Case → what the error says: paddle2onnx gets these wrong, or knows no form of them.
REFUSED = {
    "addmm": "addmm → %4",
    "addmm_broadcast": "addmm → %4",
    "celu": "celu → %2",
    "conv2d_transpose_same": "padding SAME",
    "conv2d_transpose_sized": "output size would be ignored",
    "flip_two": "must be fixed for flip",
    "gather_column": r"index of shape \[N, 1\]",
    "gru_bidirect_2": "only the last layer's",
    "gru_forward_2": "only the last layer's",
    "gru_relu": "only LSTM and GRU",
    "lstm_bidirect_2": "only the last layer's",
    "lstm_dropout": "only the last layer's",
    "lstm_forward_2": "only the last layer's",
    "lstm_lengths": "sequence lengths",
    "p_norm_-inf": "order -inf",
    "p_norm_0": r"order 0\.0",
    "p_norm_flat": "norm of all values",
    "p_norm_inf": "order inf",
    "pad_circular": "circularly",
    "simplernn_bidirect_1": "only LSTM and GRU",
    "simplernn_bidirect_2": "only LSTM and GRU",
    "simplernn_forward_1": "only LSTM and GRU",
    "simplernn_forward_2": "only LSTM and GRU",
    "softplus_beta": "beta and threshold",
    "softplus_threshold": "beta and threshold",
}
# Case → what ONNX Runtime says when it loads the graph.
NOT_LOADED = {
    "squeeze_none": "must be 1 instead of 3",
    "sum_bools": "tensor.bool.",
    "tile_longer": "incorrect number of values",
}
# Operators of Paddle's earlier exports: as an operator of today they are tested below.
RENAMED = {
    "batch_norm": ("batch_norm", "1.batch_norm_"),
    "share_data_": ("assign", "1.assign"),
}


def translated(case: Case, folder: Path) -> Translation:
    return translate(PaddleModel("paddle-pir", *case.write(folder)))


def compare(case: Case, translation: Translation) -> None:
    graph = session(translation.plain)
    for inputs, expected in case.runs:
        found = run(graph, inputs)
        assert [item.shape for item in found] == [item.shape for item in expected]
        assert [item.dtype for item in found] == [item.dtype for item in expected]
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in CASES if n not in REFUSED and n not in NOT_LOADED])
def test_a_program_computes_what_paddle_computes(name, translator, tmp_path):
    compare(CASES[name], translated(CASES[name], tmp_path))


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_translated_is_refused(name, translator, tmp_path):
    with pytest.raises(TranslationError, match=REFUSED[name]):
        translated(CASES[name], tmp_path)


@pytest.mark.parametrize("name", NOT_LOADED)
def test_what_onnx_can_not_do_does_not_load(name, translator, tmp_path):
    with pytest.raises(Exception, match=NOT_LOADED[name]):
        session(translated(CASES[name], tmp_path).plain)


@pytest.mark.parametrize("earlier", RENAMED)
def test_an_operator_of_earlier_exports(earlier, translator, tmp_path):
    name, today = RENAMED[earlier]
    case = copy.deepcopy(CASES[name])
    for operation in case.operations:
        if operation["#"] == today:
            operation["#"] = f"1.{earlier}"
    assert case.operations != CASES[name].operations
    compare(case, translated(case, tmp_path))


def test_the_shape_of_earlier_exports_has_32_bits(translator, tmp_path):
    case = CASES["shape"]
    text = json.dumps(case.graph).replace("1.shape64", "1.shape").replace("0.t_i64", "0.t_i32")
    runs = [run._replace(outputs=[run.outputs[0].astype(np.int32)]) for run in case.runs]
    earlier = dataclasses.replace(case, graph=json.loads(text), runs=runs)
    compare(earlier, translated(earlier, tmp_path))


def test_every_rule_has_a_case():
    translatable = [case for name, case in CASES.items() if name not in {**REFUSED, **NOT_LOADED}]
    seen = {op["#"].removeprefix("1.") for case in translatable for op in case.operations}
    assert set(RULES) - seen == {*RENAMED, "shape"}
