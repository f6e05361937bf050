"""Test what a conversion's report says, for programs and for people."""

import copy
import dataclasses
import errno
import hashlib
import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from converters import report
from converters.convert import Conversion
from converters.errors import ConverterError
from converters.parity.compare import Comparison
from converters.parity.difference import difference
from converters.report import content
from converters.translate.changes import Change
from edgeocr.device.cpus import available_threads
from edgeocr.errors import OutputError
from edgeocr.outputs import devices, replacement
from edgeocr.version import __version__
from tests.zoo.converted import converted

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

READER, DETECTOR = "rec_r50_fpn_srn", "PP-OCRv6_tiny_det"
UNROLLED = Change("unrolled_loops", "edge graphs have no loops", ["while → a", "while → b"])


@pytest.fixture(scope="module")
def built() -> dict[str, tuple[Conversion, report.Report]]:
    """Return network → its conversion from PIR, and the report about that.

    The reader's is told to have been changed as a network with a loop is.
    """
    found = {name: converted(name, "pir") for name in (READER, DETECTOR)}
    changed = dataclasses.replace(found[READER].translation, changes=[UNROLLED])
    found[READER] = dataclasses.replace(found[READER], translation=changed)
    return {name: (conversion, report.build(conversion)) for name, conversion in found.items()}


def strict(path: Path) -> Any:
    """Read JSON as the standard defines it, which has neither NaN nor Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def written(made: report.Report, folder: Path) -> tuple[Any, str]:
    report.write(made, folder)
    return strict(folder / "report.json"), (folder / "report.md").read_text(encoding="utf-8")


def compared(*differences: Any, indices: bool | None = None) -> Any:
    return report.describe(Comparison("Paddle 9", [[1, 32, 100, 3]], list(differences), indices))


@pytest.mark.parametrize("name", [READER, DETECTOR])
def test_report_records_the_network_and_its_files(built, name, tmp_path):
    conversion, made = built[name]
    data, _ = written(made, tmp_path)
    assert data["network"] == dataclasses.asdict(conversion.network)
    folder = conversion.model.graph.parent
    names = ["inference.json", "inference.pdiparams", "inference.yml"]
    assert data["source"] == {
        "folder": str(folder),
        "format": "paddle-pir",
        "files": [
            {
                "name": file,
                "size": (folder / file).stat().st_size,
                "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest(),
            }
            for file in names
            if (folder / file).exists()
        ],
    }
    assert len(data["source"]["files"]) == (3 if name == DETECTOR else 2)
    assert data["made_by"]["edgeocr"] == __version__
    assert data["made_by"]["onnxruntime"] == onnxruntime.__version__


def test_report_records_translation_and_changes(built, tmp_path):
    conversion, made = built[READER]
    data, _ = written(made, tmp_path)
    assert data["translator"] == f"edgeocr {__version__}"
    (change,) = data["changes"]
    assert change == dataclasses.asdict(UNROLLED)
    assert built[DETECTOR][1]["changes"] == []
    assert data["operators"]["paddle"]["conv2d"] == 58
    for graph in ("plain", "edge"):
        model = onnx.load_from_string(getattr(conversion, graph))
        assert data["operators"][graph] == Counter(node.op_type for node in model.graph.node)


def test_report_records_the_interfaces_of_both_graphs(built, tmp_path):
    conversion, made = built[READER]
    data, _ = written(made, tmp_path)
    plain, edge = data["graphs"]["plain"], data["graphs"]["edge"]
    assert (plain["bytes"], edge["bytes"]) == (len(conversion.plain), len(conversion.edge))
    assert plain["opset"] == edge["opset"] == {"ai.onnx": 17} and edge["ir_version"] == 8
    assert plain["inputs"][0] == {"name": "x", "type": "float32", "shape": [None, 1, 64, 256]}
    assert [port["type"] for port in plain["inputs"]] == ["float32", *["int64"] * 4]
    assert edge["inputs"] == [{"name": "crops", "type": "uint8", "shape": [None, 64, 256, 3]}]
    assert edge["outputs"] == [
        {"name": "indices", "type": "int32", "shape": [None, None]},
        {"name": "scores", "type": "float32", "shape": [None, None]},
    ]


def test_report_says_what_fixes_each_size(built, tmp_path):
    data, text = written(built[READER][1], tmp_path)
    assert data["sizes"] == {
        "batch": None,
        "height": 64,
        "width": 256,
        "fixed_by": {"batch": None, "height": "the graph", "width": "the graph"},
    }
    assert "Fixed: height 64 (by the graph), width 256 (by the graph). May vary: batch." in text
    data, text = written(built[DETECTOR][1], tmp_path)
    assert set(data["sizes"]["fixed_by"].values()) == {None}
    assert "May vary: batch, height, width." in text and "Fixed" not in text
    conversion = converted("ch_ppocr_mobile_v2.0_cls")
    known = dataclasses.replace(conversion.network, height=48, width=192)
    by_entry = content._sizes(dataclasses.replace(conversion, network=known))
    assert by_entry["fixed_by"] == {"batch": None, "height": "the entry", "width": "the entry"}


def test_report_records_comparisons_and_times(built, tmp_path):
    conversion, made = built[READER]
    data, _ = written(made, tmp_path)
    beside = data["parity"]["edge_graph"]
    (found,) = conversion.edge_graph.differences
    assert beside["passed"] is beside["indices_equal"] is True
    assert beside["reference"] == "the plain graph"
    (out,) = beside["outputs"]
    assert (out["output"], out["max_abs"]) == ("scores", found.max_abs)
    assert out["allowed"] == found.allowed > 0
    assert out["passed"] is True and out["magnitude"] == found.magnitude
    assert data["parity"]["paddle"] == "not asked"
    assert beside["inputs"] == [[number, 64, 256, 3] for number in (1, 2, 3)]
    threads = sorted({1, available_threads()})
    assert [(row["threads"], row["input"]) for row in data["times"]] == [
        (number, sizes) for number in threads for sizes in beside["inputs"]
    ]
    for row in data["times"]:
        assert row["plain_ms"] > 0 < row["edge_ms"]
        assert row["edge_to_plain"] == pytest.approx(row["edge_ms"] / row["plain_ms"], abs=0.05)


@pytest.mark.parametrize("name", [READER, DETECTOR])
def test_text_shows_everything_that_the_json_records(built, name, tmp_path):
    data, text = written(built[name][1], tmp_path)
    assert text.startswith(f"# {name}\n") and text.endswith(".\n")
    for file in data["source"]["files"]:
        assert f"| {file['name']} | {file['size']} | `{file['sha256']}` |" in text
    for change in data["changes"]:
        assert change["name"] in text and change["why"] in text
        assert all(f"`{node}`" in text for node in change["nodes"])
    assert ("Nothing had to be changed." in text) == (not data["changes"])
    for operator, number in data["operators"]["paddle"].items():
        assert re.search(rf"\b{re.escape(operator)} {number}[,.]", text)
    plain, edge = data["operators"]["plain"], data["operators"]["edge"]
    for operator in {*plain, *edge}:
        row = f"| {operator} | {plain.get(operator, 0)} | {edge.get(operator, 0)} |"
        assert f"\n{row}\n" in text
    for row in data["times"]:
        assert f"{row['plain_ms']} | {row['edge_ms']} |" in text
    for name, version in data["made_by"].items():
        assert f"{name} {version}" in text
    assert "Plain graph beside Paddle Inference: not asked." in text


def test_text_shows_every_figure_of_a_comparison(built, tmp_path):
    got, expected = [np.array([1.25, 2.0])], [np.array([1.0, 2.0])]
    made = copy.deepcopy(built[READER][1])
    found = difference("scores", got, expected, 0.5, 0.0625, 0.0078125)
    made["parity"]["paddle"] = compared(found, indices=True)
    made["parity"]["edge_to_paddle"] = compared(
        dataclasses.replace(found, output="worse", allowed=1e-3), indices=False
    )
    data, text = written(made, tmp_path)
    passed = "Plain graph beside Paddle 9: FAILED. The indices are equal. Inputs: 1×32×100×3."
    assert passed in text  # because of the mean difference alone
    figures = "2.5e-01 | 5.0e-01 | 1.2e-01 | 6.2e-02 | 2.0e+00 | 1.2e-01 | 7.8e-03"
    assert f"| `scores` | {figures} |" in text
    assert "Edge graph beside Paddle 9: FAILED. The indices differ." in text
    assert "| `worse` | 2.5e-01 | 1.0e-03 |" in text
    assert data["parity"]["paddle"]["outputs"][0]["relative"] == 0.125


def test_text_shows_notes_and_published_weights(built, tmp_path):
    made = copy.deepcopy(built[DETECTOR][1])
    _, text = written(made, tmp_path)
    assert "Note:" not in text and "published" not in text
    assert "Normalization: BGR, (pixel × 0.003922 - 0.485 0.456 0.406) / 0.229 0.224 0.225." in text
    made["notes"] = ["inference.yml was not used: x", "another"]
    made["network"]["published"] = True
    _, text = written(made, tmp_path)
    assert "\n\nNote: inference.yml was not used: x\n\nNote: another\n\n## Translation" in text
    assert "the published weights:" in text


@pytest.mark.parametrize("name", [READER, DETECTOR])
def test_tables_have_as_many_cells_in_each_row_as_in_their_header(built, name, tmp_path):
    made = copy.deepcopy(built[name][1])
    made["parity"]["paddle"] = compared(difference("y", [np.ones(1)], [np.ones(1)], 1e-5))
    _, text = written(made, tmp_path)
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(tables) >= 5
    for table in tables:
        rows = table.splitlines()
        assert len({row.count("|") for row in rows}) == 1 and len(rows) > 2
        assert set(rows[1]) <= set("|-: ")


def test_figures_that_are_not_finite_are_recorded_as_null(built, tmp_path):
    made = copy.deepcopy(built[DETECTOR][1])
    broken = difference("y", [np.array([math.nan])], [np.array([math.inf])], 1e-5)
    made["parity"]["paddle"] = compared(broken)
    data, text = written(made, tmp_path)
    assert (
        "Plain graph beside Paddle 9: FAILED." in text and "| `y` | inf | 1.0e-05 | inf |" in text
    )
    (out,) = data["parity"]["paddle"]["outputs"]
    assert (out["max_abs"], out["mean_abs"], out["magnitude"]) == (None, None, None)
    assert out["allowed"] == 1e-5 and out["passed"] is False
    again, _ = report.read(tmp_path)
    report.write(again, tmp_path)  # as `verify` does it


def test_report_is_read_as_it_was_written(built, tmp_path):
    conversion, made = built[READER]
    data, _ = written(made, tmp_path)
    again, known = report.read(tmp_path)
    assert again == data and known == conversion.network


def test_report_names_the_archive_instead_of_its_unpacked_folder(built):
    conversion, _ = built[READER]
    source = report.describe_source(conversion.model, Path("some/net.tar"))
    assert source["folder"] == str(Path("some/net.tar"))


def test_second_report_replaces_the_first_and_leaves_no_other_file(built, tmp_path):
    made = built[DETECTOR][1]
    report.write(made, tmp_path)
    report.write(made | {"notes": ["second"]}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "report.md"]
    assert report.read(tmp_path)[0]["notes"] == ["second"]
    assert "Note: second" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_failed_write_keeps_the_old_report(built, tmp_path, monkeypatch):
    made = built[DETECTOR][1]
    report.write(made, tmp_path)
    whole = devices.write_all

    def half(descriptor: int, content: bytes) -> None:
        whole(descriptor, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OutputError, match="No space"):
        patched.setattr(replacement, "write_all", half)
        report.write(made | {"notes": ["second"]}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "report.md"]
    assert report.read(tmp_path)[0]["notes"] == []


def test_error_for_a_folder_without_a_report_names_the_command(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ConverterError) as caught:
            report.read(folder)
        assert str(caught.value) == (
            f"{folder}: there is no report.json here; "
            f"`python -m converters convert DIR -o {folder}` writes it"
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "{", "Expecting property name .* in line 1"),
        (lambda text: "[]", r"the whole must be an object, not \[\]"),
        (lambda text: "{}", "field changes is missing"),
        (lambda text: "[" * 100_000, "it has a value that no report has"),
        (lambda text: text.replace('"bytes"', '"size"', 1), r"field graphs.plain.bytes is missing"),
        (
            lambda text: text.replace('"sha256"', '"sha1"', 1),
            r"source.files\[0\].sha256 is missing",
        ),
        (lambda text: text.replace('"plain": {', '"first": {', 1), "field graphs.plain is missing"),
        (lambda text: text.replace('"notes": []', '"notes": [3]'), r"notes\[0\] must be a string"),
        (lambda text: re.sub(r'"mean": \[', '"mean": [1,', text), "network.normalize: BGR has 3"),
        (lambda text: text.replace('"multiple": 32', '"multiple": 0'), "must be at least 1"),
        (lambda text: text.replace('"height": null,', "", 1), "network.height is missing"),
        (lambda text: text.replace('"algorithm": "DB"', '"algorithm": "SSD"'), "network.algorithm"),
        (lambda text: text.replace('"published": false', '"published": 0'), "network.published"),
        (lambda text: text.replace('"parity"', '"parities"'), "field parity is missing"),
        (lambda text: "\x00", "Expecting value in line 1"),
    ],
)
def test_damaged_report_is_refused(built, tmp_path, change, message):
    report.write(built[DETECTOR][1], tmp_path)
    path = tmp_path / "report.json"
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    with pytest.raises(
        ConverterError, match=f"report.json: this is not a conversion's report: .*{message}"
    ) as caught:
        report.read(tmp_path)
    assert "\n" not in str(caught.value)


def test_report_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "report.json").write_bytes(b"\xff{}")
    with pytest.raises(ConverterError, match="not a conversion's report: it isn't text"):
        report.read(tmp_path)
    with pytest.raises(ConverterError, match="is a file; name the folder that convert wrote"):
        report.read(tmp_path / "report.json")
