"""Hostile bundles are run in a process of their own, and what becomes of them is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeocr import Bundle
from edgeocr.cli.main import main
from edgeocr.errors import BundleError
from edgeocr.graphs import check
from edgeocr.probe import ProbeResult, probe, process
from tests.support import hostile_graphs as hostile
from tests.support.packing import Files, folder, packed, sealed

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are Linux's")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check of graphs, here and in the process that tries a bundle."""
    monkeypatch.setattr(check, "check", lambda graph: None)
    with_lines(monkeypatch, "from edgeocr.graphs import check\ncheck.check = lambda graph: None")


def with_lines(monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """Let the process that tries a bundle execute lines before it begins."""
    program = process._PROGRAM.replace("main(**request)", f"{lines}\nmain(**request)")
    assert program != process._PROGRAM
    monkeypatch.setattr(process, "_PROGRAM", program)


def with_graph(files: Files, stage: str, graph: bytes, target: Path) -> Path:
    return packed(sealed(files | {f"graphs/{stage}.onnx": graph}), target / "hostile.edgeocr")


@pytest.mark.slow
def test_the_embedded_bundle_passes_as_a_file_and_as_a_folder(
    bundle: Bundle, embedded_files: Files, tmp_path: Path
) -> None:
    for given in (None, folder(embedded_files, tmp_path / "unpacked")):
        result = probe(given)
        assert result.passed and result.outcome == "passed" and not result.detail
        assert str(result) == f"passed after {result.seconds:.1f} s"


@pytest.mark.slow
def test_a_graph_that_fills_the_memory_is_stopped(embedded_files: Files, tmp_path: Path) -> None:
    """Its size is computed when it runs, so that the check lets it pass."""
    filling = hostile.filling().SerializeToString()
    result = probe(with_graph(embedded_files, "recognition", filling, tmp_path))
    assert result.outcome == "out of memory"


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_a_graph_that_can_end_the_process_never_ends_this_one(
    embedded_files: Files, tmp_path: Path
) -> None:
    """ONNX Runtime 1.32 aborts at this kernel; some other versions raise an error."""
    kernel = hostile.with_wrong_kernel(
        embedded_files["graphs/detection.onnx"], "p2o.pd_op.conv2d.35.0"
    )
    result = probe(with_graph(embedded_files, "detection", kernel, tmp_path))
    assert result.outcome in ("aborted", "failed")


@linux
@pytest.mark.slow
def test_a_process_that_aborts_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with_lines(
        monkeypatch, "import os\nfrom edgeocr.probe import child\nchild.run = lambda _: os.abort()"
    )
    result = probe()
    assert result.outcome == "aborted"
    assert result.detail.startswith("the process ended with SIGABRT")


@linux
@pytest.mark.slow
def test_the_process_can_not_write_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "written"
    write = f"child.run = lambda _: pathlib.Path({str(target)!r}).write_bytes(bytes(9))"
    with_lines(monkeypatch, f"import pathlib\nfrom edgeocr.probe import child\n{write}")
    result = probe()
    assert result.outcome == "failed" and "File too large" in result.detail
    assert target.read_bytes() == b""


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_a_graph_that_never_ends_is_stopped(embedded_files: Files, tmp_path: Path) -> None:
    endless = hostile.endless().SerializeToString()
    result = probe(with_graph(embedded_files, "recognition", endless, tmp_path), seconds=3)
    assert (result.outcome, result.detail) == ("too slow", "the limit is 3 s")
    assert 3 <= result.seconds < 10


def test_help_of_the_command_states_the_limits(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bundle", "verify", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert f"(default: {process.SECONDS:g})" in text and f"(default: {process.MEMORY})" in text


def test_limits_must_be_positive() -> None:
    for limits in ({"seconds": 0}, {"memory": 0}, {"memory": "none"}, {"memory": "much"}):
        with pytest.raises(ValueError, match="must be"):
            probe(**limits)


def test_a_bundle_that_is_refused_is_not_run(
    embedded_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    endless = hostile.endless().SerializeToString()
    with pytest.raises(BundleError, match="a subgraph"):
        probe(with_graph(embedded_files, "recognition", endless, tmp_path))


@pytest.mark.slow
def test_a_bundle_that_was_changed_since_fails(files: Files, tmp_path: Path) -> None:
    path = packed(files, tmp_path / "a.edgeocr")
    opened = Bundle.open(path)
    packed(sealed(files | {"more": b""}), path)
    result = probe(opened)
    assert result.outcome == "failed" and "was changed after it was opened" in result.detail


@pytest.mark.parametrize(
    ("ending", "outcome", "detail"),
    [
        ((0, b'\n{"error": null}\n', ""), "passed", ""),
        ((0, b'{"error": "GraphError: bad\\u001b[2J"}', ""), "failed", "GraphError: bad\x1b[2J"),
        ((0, b'{"error": "GraphError: std::bad_alloc"}', ""), "out of memory", "GraphError: std::"),
        ((1, b"", "no module"), "failed", "it ended with code 1: no module"),
        ((1, b"[]", "Memory allocation still failed"), "out of memory", "it ended with code 1"),
        ((-6, b"", "terminate"), "aborted", "the process ended with SIGABRT: terminate"),
        ((-6, b"", "what(): std::bad_alloc"), "out of memory", "the process ended with SIGABRT"),
        ((-9, b"", ""), "out of memory", "the process ended with SIGKILL"),
        ((-24, b"", ""), "too slow", "it used up its CPU time"),
    ],
)
@linux
def test_how_a_process_ended_is_told(
    ending: tuple[int, bytes, str], outcome: str, detail: str
) -> None:
    found = process._outcome(*ending)
    assert found[0] == outcome and found[1].startswith(detail)


def test_a_result_can_be_written_as_json() -> None:
    result = ProbeResult("failed", "why", 1.25)
    assert result.to_dict() == {"outcome": "failed", "detail": "why", "seconds": 1.25}
    assert str(result) == "failed after 1.2 s: why" and not result.passed
