"""Graphs for NPUs' compilers: fixed shapes, listed operators, and the report."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from converters import convert as conversions
from converters.__main__ import NPU_FILES, main
from converters.arguments import parser
from converters.errors import ConverterError
from converters.model.network import of_algorithm
from converters.npu.export import export
from converters.npu.targets import TARGETS
from tests.support.paths import TRAINED_EXPORTS
from tests.support.rewrite_graphs import Build

READER = of_algorithm("reader", "CTC", "a test")  # mean and std of 0.5


def graph() -> bytes:
    """Return a graph with open sizes, and with operators that some compilers don't list."""
    build = Build()
    value = build.conv("x", 3, 4, 3, pads=[1, 1, 1, 1])
    value = build.add("HardSwish", value)
    value = build.add("LayerNormalization", value, build.weights(8), axis=-1)
    build.add("Celu", value, to="y")
    return build.model({"x": ["N", 3, "H", 8]}, ["y"])


def test_shapes_are_fixed_and_operators_are_replaced_where_they_are_not_listed() -> None:
    made = export(graph(), TARGETS["coreml"], {None: [1, 3, 6, 8]}, READER)
    model = onnx.load_from_string(made.graph)
    onnx.checker.check_model(model)
    assert made.inputs == {"x": [1, 3, 6, 8]} and made.outputs == {"y": [1, 4, 6, 8]}
    assert made.rewrites == {"hard_swish": 1}
    assert [each.operator for each in made.refused] == ["Celu"]
    assert "Conv" in [each.operator for each in made.restricted]
    assert made.difference < 1e-5
    assert made.mean == made.std == [127.5] * 3
    rknn = export(graph(), TARGETS["rknn"], {None: [1, 3, 6, 8]}, READER)
    assert rknn.rewrites == {} and [each.operator for each in rknn.refused] == ["Celu"]


def test_sizes_that_contradict_the_strides_are_refused() -> None:
    detector = of_algorithm("detector", "DB", "a test")
    for name in (None, "x"):
        shapes = {name: [1, 3, 66, 8]}
        with pytest.raises(ConverterError, match="the height must be a multiple of 32"):
            export(graph(), TARGETS["rknn"], shapes, detector)


def test_open_sizes_are_refused() -> None:
    with pytest.raises(ConverterError, match="open sizes"):
        export(graph(), TARGETS["rknn"], {None: [1, 3, 6, 9]}, READER)


def test_tables_agree_with_onnx() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas_with_history()}
    for target in TARGETS.values():
        # Mish and Inverse are of other domains or newer versions of ONNX.
        assert set(target.operators or {}) - known <= {"Mish", "Inverse", "RMSNormalization",
                                                       "RotaryEmbedding"}  # fmt: skip
        assert target.source and target.shapes and target.types


def test_user_says_what_the_files_do_not_say() -> None:
    required = ["npu", "DIR", "--target", "rknn", "--shape", "1x3x48x160", "-o", "OUT"]
    given = ["--algorithm", "SAR", "--charset", "keys.txt", "--no-space", "--ignore-yml"]
    options = parser().parse_args([*required, *given])
    assert options.algorithm == "SAR" and options.ignore_yml
    assert options.dictionary == Path("keys.txt") and options.space is False


@pytest.mark.slow
def test_command_writes_graph_and_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(TRAINED_EXPORTS / "crnn")
    arguments = ["npu", folder, "--target", "coreml", "--shape", "1x3x32x160"]
    assert main([*arguments, "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "LSTM, 2 x" in printed and "23 batch_normalization" in printed
    report = json.loads((tmp_path / "out" / "npu.json").read_text("utf-8"))
    assert report["outputs"] == {next(iter(report["outputs"])): [1, 40, 37]}
    assert (tmp_path / "out" / "npu.txt").read_text("utf-8") == printed
    model = onnx.load(tmp_path / "out" / "npu.onnx")
    assert not any(
        size.dim_param for item in model.graph.output for size in item.type.tensor_type.shape.dim
    )
    assert np.prod(report["inputs"]["x"]) == 3 * 32 * 160


def test_command_refuses_wrong_shapes_and_folders_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(conversions, "translate", None)
    (tmp_path / "notes").mkdir()
    arguments = ["npu", str(TRAINED_EXPORTS / "db"), "--target", "rknn", "-o"]
    for out, shape, message in (
        (tmp_path / "out", "1x3x641x640", "the height must be a multiple of 32"),
        (tmp_path / "out", "1x1x640x640", "the network's input is ?x3x?x?"),
        (tmp_path / "out", "y=1x3x640x640", "the network has no input y"),
        (tmp_path, "1x3x640x640", "holds other files than an export's (notes)"),
    ):
        assert main([*arguments, str(out), "--shape", shape]) == 1
        assert message in capsys.readouterr().err


@pytest.mark.slow
def test_command_that_fails_leaves_an_older_export_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mean and std of one network beside the graph of another would be a wrong export."""
    for name in NPU_FILES:
        (tmp_path / name).write_bytes(b"old")
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == NPU_FILES[-1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    arguments = ["npu", str(TRAINED_EXPORTS / "rosetta"), "--target", "rknn"]
    assert main([*arguments, "--shape", "1x3x32x100", "-o", str(tmp_path)]) == 1
    assert f"{tmp_path}: can't be written: No space left on device" in capsys.readouterr().err
    assert {(tmp_path / name).read_bytes() for name in NPU_FILES} == {b"old"}
