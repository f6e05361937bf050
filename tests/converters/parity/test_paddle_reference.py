"""Test running Paddle Inference in a process of its own, and the errors if that fails."""

import dataclasses
import importlib.util
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from converters.errors import ParityError
from converters.model.paddle_model import PaddleModel, identify
from converters.paddle.files import tensor_bytes
from converters.paddle.program import Program
from converters.parity import paddle_reference
from converters.parity.paddle_reference import PaddleMissingError
from tests.zoo.inputs import stored
from tests.zoo.names import EXPORTS, IN_BOTH, OF_ALGORITHM
from tests.zoo.rounding import excess, shares

# A fake Paddle with two outputs: twice its first input, and its first input plus the mean of each
# further input times that input's position.
FAKE = """
import os, sys
from . import inference

__version__ = os.environ.get("FAKE_VERSION", "9.9.9")
"""
FAKE_INFERENCE = """
import os
from pathlib import Path

class Config:
    def __init__(self, graph, parameters):
        assert Path(graph).stat().st_size and Path(parameters).stat().st_size
        self.calls = []
        if seen := os.environ.get("FAKE_SEEN"):
            Path(seen).write_text(f"{graph}\\n{parameters}\\n{Path(parameters).stat().st_size}")
    def __getattr__(self, name):
        return lambda *values: self.calls.append((name, *values))

class Handle:
    def __init__(self, predictor, name):
        self.predictor, self.name = predictor, name
    def copy_from_cpu(self, value):
        self.predictor.values[self.name] = value
    def copy_to_cpu(self):
        return self.predictor.values[self.name]

class Predictor:
    def __init__(self, config):
        self.values = {}
        self.optimized = ("switch_ir_optim", True) in config.calls
        assert self.optimized or ("switch_ir_optim", False) in config.calls
        assert {("disable_gpu",), ("disable_mkldnn",)} <= set(config.calls)
    def get_input_names(self):
        return os.environ.get("FAKE_INPUTS", "x").split()
    def get_output_names(self):
        return ["double", "sum"]
    def get_input_handle(self, name):
        return Handle(self, name)
    get_output_handle = get_input_handle
    def run(self):
        if self.optimized and "FAKE_ABORT" in os.environ:
            os.abort()
        first, *others = [self.values[name] for name in self.get_input_names()]
        self.values["double"] = 2 * first + self.optimized
        self.values["sum"] = first + sum(i * other.mean() for i, other in enumerate(others, 1))

create_predictor = Predictor
"""
unix = pytest.mark.skipif(sys.platform == "win32", reason="the fake Pythons are shell scripts")


def model_of(name: str, form: str = "legacy") -> PaddleModel:
    return identify(EXPORTS / name / form)


def script(folder: Path, *lines: str) -> Path:
    """Write a shell script that stands for a Python."""
    path = folder / "python"
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


def fake_paddle(folder: Path, **environment: str) -> Path:
    """Write a script that runs this Python with the fake Paddle above."""
    package = folder / "site" / "paddle"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(FAKE)
    (package / "inference.py").write_text(FAKE_INFERENCE)
    settings = {"PYTHONPATH": str(folder / "site"), **environment}
    exports = [f"export {key}={shlex.quote(value)}" for key, value in settings.items()]
    return script(folder, *exports, f'exec {shlex.quote(sys.executable)} "$@"')


def pictures(*shapes: tuple[int, ...]) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return [[rng.standard_normal(shape).astype(np.float32)] for shape in shapes]


@pytest.mark.parametrize(("form", "extra"), [("legacy", "parity"), ("pir", "parity-pir")])
def test_without_paddle_the_advice_is_the_extra_of_the_format(monkeypatch, form, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PaddleMissingError) as caught:
        paddle_reference.run(model_of("det_mv3_db", form), pictures((1, 3, 32, 32)), None)
    assert str(caught.value) == (
        f'paddlepaddle is not installed: pip install ".[cpu,convert,{extra}]" here, or name a '
        "Python that has it with --paddle-python"
    )


@unix
def test_named_python_without_paddle_is_an_error_with_advice(tmp_path):
    python = script(tmp_path, "echo \"ModuleNotFoundError: No module named 'paddle'\"", "exit 1")
    with pytest.raises(PaddleMissingError, match="this Python has no paddlepaddle: pip install"):
        paddle_reference.run(model_of("det_mv3_db"), pictures((1, 3, 32, 32)), python)


@unix
def test_outputs_come_back_for_every_probe(tmp_path):
    probes = pictures((1, 3, 4, 8), (2, 3, 8, 4))
    found = paddle_reference.run(model_of("det_mv3_db"), probes, fake_paddle(tmp_path))
    assert found.version == "9.9.9" and found.optimized is not None
    for outputs, optimized, (x,) in zip(found.outputs, found.optimized, probes, strict=True):
        np.testing.assert_array_equal(outputs[0], 2 * x)
        np.testing.assert_array_equal(outputs[1], x)
        np.testing.assert_array_equal(optimized[0], 2 * x + 1)
    assert len(found.outputs) == len(found.optimized) == len(found.nudged) == 2


@unix
def test_nudge_is_a_few_steps_of_float32(tmp_path):
    probes = pictures((1, 3, 64, 64))
    found = paddle_reference.run(model_of("det_mv3_db"), probes, fake_paddle(tmp_path))
    (x,), (_, nudged) = probes[0], found.nudged[0]
    steps = np.abs(nudged.astype(np.float64) - x) / np.spacing(np.abs(x))
    assert nudged.dtype == np.float32
    assert 4 < steps.max() <= paddle_reference.NUDGE_STEPS + 1
    assert np.median(steps) > 1


@unix
def test_further_inputs_arrive_in_their_order_and_are_not_nudged(tmp_path):
    (x,) = pictures((1, 1, 4, 4))[0]
    others = [np.full((1, 2, 1), number, np.int64) for number in (1, 10, 100)]
    python = fake_paddle(tmp_path, FAKE_INPUTS="x a b c")
    found = paddle_reference.run(model_of("det_mv3_db"), [[x, *others]], python)
    np.testing.assert_allclose(found.outputs[0][1], x + 321, rtol=1e-6)
    np.testing.assert_allclose(found.nudged[0][1], x + 321, rtol=1e-6)


@unix
def test_program_that_crashes_in_the_graph_passes_still_gives_outputs(tmp_path):
    probes = pictures((1, 3, 4, 4))
    python = fake_paddle(tmp_path, FAKE_ABORT="1")
    found = paddle_reference.run(model_of("det_mv3_db"), probes, python)
    assert found.optimized is None
    np.testing.assert_array_equal(found.outputs[0][0], 2 * probes[0][0])


@unix
def test_wrong_number_of_inputs_is_an_error_that_quotes_paddle(tmp_path):
    python = fake_paddle(tmp_path, FAKE_INPUTS="x y")
    with pytest.raises(
        ParityError, match=r"inference\.pdmodel: Paddle .* exit code 1 .*\n(.*\n)*.*0\.1"
    ):
        paddle_reference.run(model_of("det_mv3_db"), pictures((1, 3, 4, 4)), python)


@unix
def test_pir_needs_paddle_3(tmp_path):
    python = fake_paddle(tmp_path, FAKE_VERSION="2.6.2")
    with pytest.raises(PaddleMissingError) as caught:
        paddle_reference.run(model_of("det_mv3_db", "pir"), pictures((1, 3, 4, 4)), python)
    assert str(caught.value).startswith(
        'paddlepaddle 2.6.2 can\'t read PIR: pip install ".[cpu,convert,parity-pir]" here'
    )
    found = paddle_reference.run(model_of("det_mv3_db"), pictures((1, 3, 4, 4)), python)
    assert found.version == "2.6.2"


@unix
def test_files_for_each_parameter_are_joined(tmp_path):
    """Fluid's save_inference_model writes a file for each; Paddle Inference needs a single file."""
    folder = separate(tmp_path / "model")
    seen = tmp_path / "seen"
    python = fake_paddle(tmp_path, FAKE_SEEN=str(seen))
    paddle_reference.run(identify(folder), pictures((1, 3, 4, 4)), python)
    graph, parameters, size = seen.read_text().splitlines()
    assert graph.endswith(".pdmodel") and not Path(parameters).is_relative_to(folder)
    stored_parameters = model_of("det_mv3_db").parameters
    assert stored_parameters is not None and int(size) == stored_parameters.stat().st_size


def separate(folder: Path) -> Path:
    """Write det_mv3_db with a file for each parameter, and return the folder."""
    model = model_of("det_mv3_db")
    folder.mkdir()
    shutil.copy(model.graph, folder / "__model__")
    for name, value in Program.read(model.graph, model.parameters).parameters.items():
        (folder / name).write_bytes(tensor_bytes(value))
    assert identify(folder).parameters is None
    return folder


@unix
@pytest.mark.parametrize(
    ("lines", "how"),
    [
        (["echo first", "echo last", "kill -ABRT $$"], "signal 6 and printed:\n  first\n  last"),
        (["echo some", "exit 7"], "exit code 7 and printed:\n  some"),
        (["printf 'caf\\351'", "exit 1"], "exit code 1 and printed:\n  caf�"),
        (["exit 0"], "exit code 0 and printed:\n  (nothing)"),
    ],
)
def test_failed_process_is_an_error_that_quotes_its_last_lines(tmp_path, lines, how):
    model = model_of("det_mv3_db")
    with pytest.raises(ParityError) as caught:
        paddle_reference.run(model, pictures((1, 3, 4, 4)), script(tmp_path, *lines))
    assert str(caught.value) == f"{model.graph}: Paddle Inference ended with {how}"
    assert not isinstance(caught.value, PaddleMissingError)


@unix
def test_error_quotes_only_the_last_lines(tmp_path):
    python = script(tmp_path, "seq 1 100", "exit 1")
    with pytest.raises(ParityError) as caught:
        paddle_reference.run(model_of("det_mv3_db"), pictures((1, 3, 4, 4)), python)
    assert str(caught.value).split()[-12:] == [str(number) for number in range(89, 101)]


@unix
def test_process_that_hangs_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(paddle_reference, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(ParityError, match=r"did not finish within 0\.2 s"):
        paddle_reference.run(
            model_of("det_mv3_db"), pictures((1, 3, 4, 4)), script(tmp_path, "exec sleep 60")
        )


@pytest.mark.parametrize("name", ["missing", "folder", "text"])
def test_file_that_is_not_a_python_is_an_error(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no program")
    with pytest.raises(ParityError, match=f"{name} can't be run: "):
        paddle_reference.run(model_of("det_mv3_db"), pictures((1, 3, 4, 4)), tmp_path / name)


def run_stored(name: str, model: PaddleModel) -> tuple[paddle_reference.Reference, list[str]]:
    """Run the stored probes; return what Paddle says, and what is wrong with its outputs."""
    probes = list(stored(EXPORTS / name / "outputs.npz"))
    found = paddle_reference.run(model, [probe.inputs for probe in probes], None)
    wrong = []
    for index in range(len(probes[0].outputs)):
        ours, moved = (
            [outputs[index] for outputs in each] for each in (found.outputs, found.nudged)
        )
        said = excess(ours, [probe.outputs[index] for probe in probes], shares(moved, ours))
        wrong += [] if said is None else [said]
    return found, wrong


@pytest.mark.paddle
@pytest.mark.parametrize("kind", OF_ALGORITHM)
def test_stored_outputs_are_reproduced(kind):
    found, wrong = run_stored(OF_ALGORITHM[kind], model_of(OF_ALGORITHM[kind]))
    assert wrong == []
    assert found.version == "2.6.2"
    # The graph passes of Paddle Inference crash on these.
    assert found.optimized is not None or kind in ("SRN", "SAR", "NRTR")
    assert len(found.nudged) == len(found.outputs)


@pytest.mark.paddle
def test_paddle_runs_a_model_with_a_file_for_each_parameter(tmp_path):
    _, wrong = run_stored("det_mv3_db", identify(separate(tmp_path / "model")))
    assert wrong == []


@pytest.mark.paddle
def test_paddle_2_refuses_pir():
    with pytest.raises(PaddleMissingError, match=r"^paddlepaddle 2\.6\.2 can't read PIR: pip"):
        paddle_reference.run(model_of("det_mv3_db", "pir"), pictures((1, 3, 32, 32)), None)


@pytest.mark.paddle
def test_damaged_model_is_an_error(tmp_path):
    model = model_of("det_mv3_db")
    assert model.parameters is not None
    (tmp_path / "half.pdiparams").write_bytes(model.parameters.read_bytes()[:1000])
    broken = dataclasses.replace(model, parameters=tmp_path / "half.pdiparams")
    with pytest.raises(ParityError, match=r"inference\.pdmodel: Paddle Inference ended with"):
        paddle_reference.run(broken, pictures((1, 3, 32, 32)), None)


@pytest.mark.pir
@pytest.mark.parametrize("kind", [kind for kind, name in OF_ALGORITHM.items() if name in IN_BOTH])
def test_stored_outputs_are_reproduced_from_pir(kind):
    found, wrong = run_stored(OF_ALGORITHM[kind], model_of(OF_ALGORITHM[kind], "pir"))
    assert wrong == []
    assert found.version.startswith("3.")
