"""The peers, their environments, and the Python that makes these."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import environments


def test_peer_tells_why_it_cannot_run_the_weights() -> None:
    free = environments.Peer("p", "p==1", "p_worker")
    assert free.left_out("mobile", True) is None
    limited = environments.Peer("p", "p==1", "p_worker", bundles=("tiny", "small"))
    assert limited.left_out("tiny", True) is None
    assert limited.left_out("mobile", False) == "it runs the weights of tiny and small only"
    without_classifier = environments.Peer("p", "p==1", "p_worker", orientation=False)
    assert without_classifier.left_out("mobile", False) is None
    assert without_classifier.left_out("mobile", True) == "it doesn't run the classifier"


def test_peers_are_left_out_of_what_they_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    present = environments.Interpreter(Path("python3.12"), 12)
    monkeypatch.setattr(environments, "interpreter", lambda oldest: present)

    def left_out(bundle: str, orientation: bool) -> list[str]:
        return [p.package for p in environments.PEERS if p.left_out(bundle, orientation)]

    assert left_out("tiny", False) == []
    assert left_out("small", True) == ["rapidocrlite", "faster-paddle", "turboocr-engine-cpu"]
    assert left_out("mobile", False) == ["rapidocrlite", "faster-paddle", "turboocr-engine-cpu"]


def test_shared_packages_are_pinned_to_the_installed_versions() -> None:
    peer = environments.Peer("p", "p==1", "p_worker", ("onnxruntime", "numpy", "no-such-one"))
    pinned = ["p==1", "onnxruntime==1.2.3", f"numpy=={np.__version__}"]
    assert environments.requirements(peer, "1.2.3") == pinned


def test_peer_is_pinned_to_the_packages_that_it_shares_only() -> None:
    rapid, lite, faster, turbo = (environments.requirements(p, "1.2.3") for p in environments.PEERS)
    assert rapid[1] == "onnxruntime==1.2.3"
    assert lite == [environments.PEERS[1].requirement, f"numpy=={np.__version__}"]
    assert faster == [environments.PEERS[2].requirement]
    assert turbo == [environments.PEERS[3].requirement]


def test_finished_environment_is_reused_and_unfinished_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = environments.Peer("p", "p==1", "p_worker", ("onnxruntime",))
    ran: list[list[str]] = []

    def run(command: list[str], peer: environments.Peer) -> None:
        ran.append(command)
        if command[2] == "venv":
            for python in ("bin/python", "Scripts/python.exe"):
                path = Path(command[-1], python)
                path.parent.mkdir(parents=True)
                path.touch()
        elif "onnxruntime==0" in command:
            raise environments.EnvironmentFailedError("no such version")

    def ensure(onnxruntime: str) -> Path:
        return environments.ensure(peer, onnxruntime, tmp_path, lambda line: None)

    monkeypatch.setattr(environments, "_run", run)
    first = ensure("1.2")
    assert first.is_file()
    assert len(ran) == 2
    assert ensure("1.2") == first
    assert len(ran) == 2
    with pytest.raises(environments.EnvironmentFailedError):
        ensure("0")
    ensure("1.2")  # the failed one in between was removed
    assert len(ran) == 6


def program(path: Path, code: str) -> Path:
    """Write a program that runs a line of the shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o755)
    return path


def test_python_that_runs_this_is_taken_if_it_is_new_enough() -> None:
    here = environments.Interpreter(Path(sys.executable), sys.version_info.minor)
    assert environments.interpreter(sys.version_info.minor) == here


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are scripts of the shell")
def test_another_python_is_found_if_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that doesn't run is passed over, as pyenv's is for a version not in use."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    environments.interpreter.cache_clear()
    assert environments.interpreter(90) is None
    program(tmp_path / "path" / "python3.90", "exit 127")
    works = program(tmp_path / "pyenv" / "versions" / "3.91.4" / "bin" / "python3.91", "exit 0")
    environments.interpreter.cache_clear()
    assert environments.interpreter(90) == environments.Interpreter(works, 91)


def test_peer_without_its_python_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "interpreter", lambda oldest: None)
    peer = environments.Peer("p", "p==1", "p_worker", python=90)
    assert peer.left_out("tiny", False) == "it needs Python 3.90 or later, which was not found"
    with pytest.raises(environments.EnvironmentFailedError, match="p needs Python 3"):
        environments.ensure(peer, "1.2", Path("nowhere"), lambda line: None)
