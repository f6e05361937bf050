"""Compare the translation of every PIR operator with what Paddle Inference computes.

The cases are programs of Paddle 3.3.1 with a few operators each; tests/oracle makes them.
"""

import copy
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from converters import child_process
from converters.errors import TranslationError
from converters.model.paddle_model import PaddleModel
from converters.paddle import pir
from converters.paddle.pir.operators import RULES
from converters.translate import Translation, paddle2onnx, repairs, translate
from converters.translate.refusals import refused
from tests.oracle.pir_case import Case, load
from tests.support.legacy_programs import write
from tests.support.onnx_run import run, session
from tests.support.paths import FIXTURES

CASES = load(FIXTURES / "pir_operators.npz")
# Case → what the error says: paddle2onnx would translate these wrongly or not at all.
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
# Operator of an earlier export of Paddle → the case with its successor, and the successor.
RENAMED = {
    "batch_norm": ("batch_norm", "1.batch_norm_"),
    "share_data_": ("assign", "1.assign"),
}


# Runs the translator's worker on many models in one process, because most of a case's time would be
# spent on starting a process. If it fails on a model, it writes no file for that.
BATCH = """
import contextlib, sys
sys.path.insert(0, sys.argv[1])
import paddle2onnx_worker
for folder in sys.argv[3:]:
    files = [f"{folder}/{name}" for name in ("inference.pdmodel", "inference.pdiparams", "onnx")]
    with contextlib.suppress(SystemExit):
        paddle2onnx_worker.main(sys.argv[2], *files)
"""


def translated(case: Case, folder: Path) -> Translation:
    """Translate a case the way that users' models are translated, in a process of its own."""
    return translate(PaddleModel("paddle-pir", *case.write(folder)))


@pytest.fixture(scope="module")
def plain_graphs(translator: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Translate all cases that can be translated; return case → plain graph."""
    root = tmp_path_factory.mktemp("cases")
    names = [name for name in CASES if name not in {**REFUSED, **NOT_LOADED}]
    for number, name in enumerate(names):
        folder = root / str(number)
        folder.mkdir()
        program = pir.lower(*CASES[name].write(folder))
        repairs.mend(program)
        assert refused(program) == []
        write(program, folder)
    folders = [str(root / str(number)) for number in range(len(names))]
    extension = str(paddle2onnx._extension())
    command = [sys.executable, "-c", BATCH, str(paddle2onnx.WORKER.parent), extension, *folders]
    result = child_process.run(command, paddle2onnx.TIMEOUT_SECONDS)
    assert result.code == 0, str(result)
    return {name: (root / str(number) / "onnx").read_bytes() for number, name in enumerate(names)}


def compare(case: Case, plain: bytes) -> None:
    """Compare a plain graph with what Paddle computed."""
    graph = session(plain)
    for inputs, expected in case.runs:
        found = run(graph, inputs)
        assert [item.shape for item in found] == [item.shape for item in expected]
        assert [item.dtype for item in found] == [item.dtype for item in expected]
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in CASES if n not in REFUSED and n not in NOT_LOADED])
def test_translated_program_computes_what_paddle_computes(name, plain_graphs):
    compare(CASES[name], plain_graphs[name])


@pytest.mark.parametrize("name", ["relu", "lstm_states", "conv2d"])
def test_one_process_for_many_models_gives_the_same_graphs(name, plain_graphs, tmp_path):
    assert translated(CASES[name], tmp_path).plain == plain_graphs[name]


@pytest.mark.parametrize("name", REFUSED)
def test_operators_that_would_be_translated_wrongly_are_refused(name, translator, tmp_path):
    with pytest.raises(TranslationError, match=REFUSED[name]):
        translated(CASES[name], tmp_path)


@pytest.mark.parametrize("name", NOT_LOADED)
def test_graphs_that_onnx_runtime_rejects_do_not_load(name, translator, tmp_path):
    with pytest.raises(Exception, match=NOT_LOADED[name]):
        session(translated(CASES[name], tmp_path).plain)


@pytest.mark.parametrize("earlier", RENAMED)
def test_operator_names_of_earlier_exports_are_translated(earlier, translator, tmp_path):
    name, today = RENAMED[earlier]
    case = copy.deepcopy(CASES[name])
    for operation in case.operations:
        if operation["#"] == today:
            operation["#"] = f"1.{earlier}"
    assert case.operations != CASES[name].operations
    compare(case, translated(case, tmp_path).plain)


def test_shape_operator_of_earlier_exports_gives_32_bits(translator, tmp_path):
    case = CASES["shape"]
    text = json.dumps(case.graph).replace("1.shape64", "1.shape").replace("0.t_i64", "0.t_i32")
    runs = [run._replace(outputs=[run.outputs[0].astype(np.int32)]) for run in case.runs]
    earlier = dataclasses.replace(case, graph=json.loads(text), runs=runs)
    compare(earlier, translated(earlier, tmp_path).plain)


def test_every_rule_has_a_case():
    translatable = [case for name, case in CASES.items() if name not in {**REFUSED, **NOT_LOADED}]
    seen = {op["#"].removeprefix("1.") for case in translatable for op in case.operations}
    assert set(RULES) - seen == {*RENAMED, "shape"}
