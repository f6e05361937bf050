"""Test that programs and parameters that were changed at random are translated or refused.

Whatever is changed, the translation ends in a valid ONNX model, or in a `ConverterError` whose
message names the model's folder.
"""

import json
import random
from pathlib import Path

import numpy as np
import onnx
import pytest

from converters.errors import ConverterError, ModelFormatError
from converters.model.paddle_model import PaddleModel
from converters.paddle import pir as pir_programs
from converters.paddle.files import tensor_bytes
from converters.paddle.program import Program
from converters.translate import program_graph
from tests.support import mutants, program_mutants
from tests.support import pir_programs as pir
from tests.support.legacy_programs import network, write
from tests.support.paths import ZOO_EXPORTS

# Networks whose operators are different and whose programs are short.
NETWORKS = (
    "PP-OCRv6_tiny_rec", "rec_mv3_none_bilstm_ctc", "PP-OCRv6_tiny_det", "rec_svtrnet",
    "rec_mtb_nrtr", "ch_ppocr_mobile_v2.0_cls",
)  # fmt: skip


def is_refused(model: PaddleModel) -> bool:
    """Tell whether a model is refused, with a short error that names the file or its folder."""
    try:
        if model.format == "paddle-pir":
            program = pir_programs.lower(model.graph, model.parameters)
        else:
            program = Program.read(model.graph, model.parameters)
        written = program_graph.write(program, source=str(model.graph))
    except ConverterError as error:
        folders = {path.parent for path in (model.graph, model.parameters) if path is not None}
        assert any(str(folder) in str(error) for folder in folders)
        assert len(str(error)) < 30_000
        return True
    onnx.checker.check_model(written)
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


def available(kind: str) -> list[Path]:
    return [ZOO_EXPORTS / name / kind for name in NETWORKS if (ZOO_EXPORTS / name / kind).is_dir()]


def refused_legacy(seeds: range, folder: Path) -> int:
    """Translate a mutant of a legacy network for each seed; return how many are refused."""
    sources = available("legacy")
    refused = 0
    for seed in seeds:
        chance = random.Random(seed)
        source = chance.choice(sources)
        graph, weights = source / "inference.pdmodel", source / "inference.pdiparams"
        if seed % 5 == 0:
            content = mutants.of_bytes(graph.read_bytes(), chance)
            refused += is_refused(legacy(folder, content, weights.read_bytes()))
            continue
        program = Program.read(graph, weights)
        program_mutants.of_program(program, chance)
        program.write(folder / "inference.pdmodel", folder / "inference.pdiparams")
        files = folder / "inference.pdmodel", folder / "inference.pdiparams"
        refused += is_refused(PaddleModel("paddle-legacy", *files))
    return refused


def refused_pir(seeds: range, folder: Path) -> int:
    """Translate a mutant of a PIR network for each seed; return how many are refused."""
    sources = available("pir")
    graph = folder / "inference.json"
    refused = 0
    for seed in seeds:
        chance = random.Random(seed)
        source = chance.choice(sources)
        weights = source / "inference.pdiparams"
        tree = json.loads((source / "inference.json").read_text())
        if seed % 5 < 3:
            content = mutants.dumped(program_mutants.of_pir(tree, chance))
        elif seed % 5 == 3:
            content = mutants.dumped(mutants.of_json(tree, chance))
        else:
            content = mutants.of_bytes(mutants.dumped(tree), chance)
        graph.write_bytes(content)
        refused += is_refused(PaddleModel("paddle-pir", graph, weights))
    return refused


def test_some_legacy_networks(tmp_path):
    assert 3 < refused_legacy(range(12), tmp_path) < 12


def test_some_pir_networks(tmp_path):
    assert 3 < refused_pir(range(12), tmp_path) < 12


@pytest.mark.stress
@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_500_legacy_networks(part, tmp_path):
    assert 20 < refused_legacy(range(part * 100, part * 100 + 100), tmp_path) < 95


@pytest.mark.stress
@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_500_pir_networks(part, tmp_path):
    assert 20 < refused_pir(range(part * 100, part * 100 + 100), tmp_path) < 95


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


def test_parameters(tmp_path):
    program, parameters = exported(NETWORKS[0])
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
    assert is_refused(PaddleModel("paddle-legacy", graph, weights))
    wide = pir.operation(
        "full", [], pir.tensor(1, [1]), shape=[1 << 20, 1 << 20], value=1.0, dtype="float32"
    )
    path = pir.write(tmp_path, wide, pir.fetch(1))
    with pytest.raises(ModelFormatError, match=r"full → %1 .* too large for a text network"):
        pir_programs.lower(path, None)


def test_truncated_parameters(tmp_path):
    program, parameters = exported(NETWORKS[0])
    for size in (0, 1, 11, 12, 19, 30, len(parameters) // 2, len(parameters) - 1):
        assert is_refused(legacy(tmp_path, program, parameters[:size]))
    assert is_refused(legacy(tmp_path, program, parameters + b"\0"))
