"""Test that a conversion's folder holds all files or none, whenever the process is killed."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from converters import atomic, output
from converters.__main__ import main
from converters.errors import ConverterError
from tests.support.paths import ROOT, ZOO_EXPORTS

NEW = {"plain.onnx": b"new plain", "edge.onnx": b"new edge", "report.json": b"{}", "report.md": b""}
OLD = {**NEW, "plain.onnx": b"old plain", "edge.onnx": b"old edge"}
# Writes a conversion's files, and is killed at the step of the given number: before one of the
# calls by which Python opens, moves and removes files.
KILLED = """
import os, signal, sys
from pathlib import Path
from converters import output
new = {"plain.onnx": b"new plain", "edge.onnx": b"new edge", "report.json": b"{}", "report.md": b""}
target, last = Path(sys.argv[1]), int(sys.argv[2])
steps = 0
def step(event, arguments):
    global steps
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "ctypes.dlsym"):
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1
for number in range(last, int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        last = number
        sys.addaudithook(step)
        output.write(target, new)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    here = {path.name: path.read_bytes() for path in target.iterdir()} if target.is_dir() else None
    print(number, status, here == new, here is None or here == {}, here)
    if status == 0:
        break
    if here == new:  # begin again with the older conversion
        for name in new:
            (target / name).write_bytes(b"old " + name.encode())
"""


def written(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_is_written_and_replaced(tmp_path):
    target = tmp_path / "deep" / "out"
    assert output.write(target, OLD) == [target / name for name in OLD]
    assert contents(target) == OLD
    output.write(target, NEW)
    assert contents(target) == NEW
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_empty_folder_and_link_to_a_folder_are_written_to(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    output.check(tmp_path / "link")
    output.write(tmp_path / "link", NEW)
    assert contents(tmp_path / "real") == NEW and (tmp_path / "link").is_symlink()


def test_failure_leaves_the_folder_as_it_was(tmp_path, monkeypatch):
    target = tmp_path / "out"
    written(target, OLD)
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    rename = Path.rename

    def failing(self: Path, to: Any) -> Any:
        if to == target and not self.name.endswith(".old.part"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(ConverterError, match=f"^{target}: can't be written: Input/output error$"):
        output.write(target, NEW)
    monkeypatch.undo()
    assert contents(target) == OLD and [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV])
def test_mounted_folder_gets_its_files_one_by_one(tmp_path, monkeypatch, number):
    target = tmp_path / "out"
    written(target, OLD)

    def mounted(*_: Any) -> bool:
        raise OSError(number, "busy")

    monkeypatch.setattr(atomic, "_exchange", mounted)
    output.write(target, NEW)
    assert contents(target) == NEW and [path.name for path in tmp_path.iterdir()] == ["out"]


def test_systems_without_an_exchange_rename_twice(tmp_path, monkeypatch):
    target = tmp_path / "out"
    written(target, OLD)
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    output.write(target, NEW)
    assert contents(target) == NEW and [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems can't exchange two folders")
@pytest.mark.parametrize("older", [False, True])
def test_killed_at_any_step_it_leaves_everything_or_nothing(tmp_path, older):
    target = tmp_path / "out"
    if older:
        written(target, OLD)
    command = [sys.executable, "-c", KILLED, str(target), "0", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) > 8 and lines[-1].split()[1:3] == ["0", "True"]
    for line in lines[:-1]:
        _, status, is_new, is_empty, here = line.split(maxsplit=4)
        assert status == str(int(signal.SIGKILL))
        assert is_new == "True" or (is_empty == "True" and not older) or "old" in here, line
        if "old" in here:
            assert here.count("old") >= 2 and "new" not in here
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # the last call has tidied up


@pytest.mark.stress
@pytest.mark.slow
def test_killed_command_leaves_everything_or_nothing(tmp_path):
    """The command itself, killed at moments that are spread over the time that it takes."""
    target = tmp_path / "out"
    source = ZOO_EXPORTS / "PP-OCRv6_tiny_det" / "pir"
    command = [sys.executable, "-m", "converters", "convert", str(source), "-o", str(target)]
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    begin = time.monotonic()
    subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True)
    whole = time.monotonic() - begin
    shutil.rmtree(target)
    for moment in range(24):
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(whole * (0.5 + moment / 40))
        process.kill()
        process.wait()
        if target.exists():
            assert sorted(contents(target)) == sorted(output.FILES)
            assert json.loads((target / "report.json").read_bytes())["sizes"]


@pytest.mark.parametrize("name", ["notes.txt", "inference.pdmodel", "rknn"])
def test_folder_with_other_files_is_refused(tmp_path, name):
    written(tmp_path / "out", OLD)
    (tmp_path / "out" / name).mkdir()
    with pytest.raises(ConverterError, match=rf"holds other files than a conversion's \({name}\)"):
        output.check(tmp_path / "out")


def test_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ConverterError, match=f"out: {tmp_path} can't be written to"):
        output.check(tmp_path / "out")


def test_plain_graph_of_an_unknown_network_is_kept_beside_and_named(tmp_path, monkeypatch, capsys):
    """A network of the shape of CTC's may be one of several, so it isn't taken for CTC's."""
    from converters import convert
    from tests.zoo.converted import translated

    name = "rec_mv3_tps_bilstm_ctc"
    monkeypatch.setattr(convert, "translate", lambda *_, **_wanted: translated(name))
    source, out = str(ZOO_EXPORTS / name / "legacy"), tmp_path / "out"
    assert main(["convert", source, "-o", str(out)]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    kept = tmp_path / "out.plain.onnx"
    assert error.startswith(f"error: {name}: nothing says what this network is")
    assert "1 input and the output [?, 25, 37] may be for CTC, Attention, " in error
    assert "with --algorithm" in error and "with --as" in error and "DB" not in error
    assert error.endswith(f"Its plain graph, which runs, is {kept}")
    assert kept.read_bytes() == translated(name).plain and not out.exists()
    assert main(["convert", source, "-o", str(out), "--algorithm", "CTC", "--fast"]) == 0
    assert not kept.exists() and sorted(contents(out)) == sorted(output.FILES)
    report = json.loads((out / "report.json").read_bytes())
    assert report["times"] == [] and len(report["parity"]["edge_graph"]["inputs"]) == 1
    assert report["parity"]["paddle"] == "left out by --fast"
    page = (out / "report.md").read_text("utf-8")
    assert "--fast left out the times, the comparison with Paddle Inference, two of" in page
