"""Test that programs and parameters that were changed at random are translated or refused.

paddle2onnx isn't run: it has a process of its own, see test_translate.py.
"""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from converters.errors import ConverterError, ModelFormatError
from converters.model.paddle_model import PaddleModel
from converters.paddle.files import tensor_bytes
from converters.paddle.program import Program
from converters.translate import paddle2onnx, translate
from tests.support import mutants
from tests.support import pir_programs as pir
from tests.support.legacy_programs import network, write
from tests.support.paths import ZOO_EXPORTS

LEGACY = ("PP-OCRv6_tiny_rec", "rec_mv3_none_bilstm_ctc", "PP-OCRv6_tiny_det")


@pytest.fixture(autouse=True)
def no_translator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paddle2onnx, "translate", lambda program, parameters: b"")


def is_refused(model: PaddleModel) -> bool:
    """Tell whether a model is refused, with a short error that names the file or its folder."""
    try:
        translate(model)
    except ConverterError as error:
        assert str(model.graph.parent) in str(error) and len(str(error)) < 3000
        return True
    return False


def legacy(folder: Path, program: bytes, parameters: bytes) -> PaddleModel:
    graph, weights = folder / "inference.pdmodel", folder / "inference.pdiparams"
    graph.write_bytes(program)
    weights.write_bytes(parameters)
    return PaddleModel("paddle-legacy", graph, weights)


def exported(name: str) -> tuple[bytes, bytes]:
    folder = ZOO_EXPORTS / name / "legacy"
    program, parameters = folder / "inference.pdmodel", folder / "inference.pdiparams"
    return program.read_bytes(), parameters.read_bytes()


def test_pir_programs(tmp_path, pir_cases):
    cases = list(pir_cases.values())
    refused = 0
    for seed in range(300):
        chance = random.Random(seed)
        case = chance.choice(cases)
        graph, parameters = case.write(tmp_path)
        tree = mutants.dumped(mutants.of_json(case.graph, chance))
        graph.write_bytes(tree if seed % 10 else mutants.of_bytes(tree, chance))
        refused += is_refused(PaddleModel("paddle-pir", graph, parameters))
    assert 150 < refused < 290


def test_pir_programs_of_a_whole_network(tmp_path):
    source = ZOO_EXPORTS / LEGACY[0] / "pir"
    tree = json.loads((source / "inference.json").read_text())
    graph, parameters = tmp_path / "inference.json", source / "inference.pdiparams"
    refused = 0
    for seed in range(10):
        graph.write_bytes(mutants.dumped(mutants.of_json(tree, random.Random(seed))))
        refused += is_refused(PaddleModel("paddle-pir", graph, parameters))
    assert refused > 3


def test_legacy_programs(tmp_path):
    sources = [exported(name) for name in LEGACY]
    refused = 0
    for seed in range(80):
        chance = random.Random(seed)
        program, parameters = chance.choice(sources)
        refused += is_refused(legacy(tmp_path, mutants.of_bytes(program, chance), parameters))
    assert 40 < refused < 79


def test_parameters(tmp_path):
    program, parameters = exported(LEGACY[0])
    graph = legacy(tmp_path, program, parameters).graph
    refused = 0
    for seed in range(150):
        changed = mutants.of_bytes(parameters[:2000], random.Random(seed)) + parameters[2000:]
        (tmp_path / "inference.pdiparams").write_bytes(changed)
        try:
            Program.read(graph, tmp_path / "inference.pdiparams")
        except ModelFormatError as error:
            refused += 1
            assert str(tmp_path) in str(error) and len(str(error)) < 3000
    assert 75 < refused < 149


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret"])
def test_parameters_are_not_read_from_outside_the_folder(tmp_path, name):
    (tmp_path / "secret").write_bytes(tensor_bytes(np.zeros(3, np.float32)))
    program = network({"x": ([1, 3], "float32")}, lambda program: ["x"])
    program.add_variable(name, [3], "float32", parameter=True)
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "__model__").write_bytes(program.desc.SerializeToString())
    with pytest.raises(ModelFormatError, match="would be read from outside the model's folder"):
        Program.read(folder / "__model__", None)


def test_constants_that_would_fill_the_memory_are_not_computed(tmp_path):
    def build(program: Program) -> list[str]:
        for name in ("wide", "inverted"):
            program.add_variable(name, [1 << 20, 1 << 20], "float32")
        shape = {"shape": [1 << 20, 1 << 20], "value": 1.0, "str_value": "1", "dtype": 5}
        program.add_operator("fill_constant", {}, {"Out": ["wide"]}, shape)
        program.add_operator("inverse", {"Input": ["wide"]}, {"Output": ["inverted"]})
        return ["inverted"]

    graph, weights = write(network({"x": ([1, 3], "float32")}, build), tmp_path)
    assert translate(PaddleModel("paddle-legacy", graph, weights)).repairs == []
    wide = pir.operation(
        "full", [], pir.tensor(1, [1]), shape=[1 << 20, 1 << 20], value=1.0, dtype="float32"
    )
    path = pir.write(tmp_path, wide, pir.fetch(1))
    with pytest.raises(ModelFormatError, match=r"full → %1 .* too large for a text network"):
        translate(PaddleModel("paddle-pir", path))


def test_truncated_parameters(tmp_path):
    program, parameters = exported(LEGACY[0])
    for size in (0, 1, 11, 12, 19, 30, len(parameters) // 2, len(parameters) - 1):
        assert is_refused(legacy(tmp_path, program, parameters[:size]))
    assert is_refused(legacy(tmp_path, program, parameters + b"\0"))
