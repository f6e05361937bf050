"""The command `edgeocr bundle add-engines`."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr import Bundle, SignatureError
from tests.edgeocr.cli.conftest import Run
from tests.support.gpu import FakeMachine
from tests.support.packing import Files, packed


def test_the_command_replaces_the_bundle_and_drops_the_signature(
    run: Run,
    signed: Files,
    keys: Path,
    machine: FakeMachine,
    tmp_path: Path,
) -> None:
    path = packed(signed, tmp_path / "signed.edgeocr")
    old = Bundle.open(path)
    built = machine.build(tmp_path / "signed.engines", old)
    public = keys / "own.pub"
    code, out, err = run("add-engines", path, "--from", built.parent)
    assert code == 0 and "engines for NVIDIA L4 (compute capability 8.9" in out
    assert "9 files" in out and "signed by" not in out
    assert f"the signature by {old.signed_by}" in err and "--sign KEY" in err
    assert Bundle.open(path).signed_by is None
    with pytest.raises(SignatureError):
        Bundle.open(path, require_signature=public)
    # Signed again, and the engines replace themselves.
    code, out, err = run("add-engines", path, "--from", built, "--sign", keys / "own.key")
    assert code == 0 and err == "" and "in place of earlier ones" in out
    assert f"signed by {old.signed_by}" in out
    assert Bundle.open(path, require_signature=public).manifest.engines
    code, out, _ = run("verify", path, "--require-signature", public)
    assert code == 0 and "It has TensorRT engines for NVIDIA L4" in out


def test_the_command_writes_another_bundle_or_none(
    run: Run,
    plain: Bundle,
    built: Path,
    keys: Path,
    tmp_path: Path,
) -> None:
    before = plain.path.read_bytes()
    new = tmp_path / "new"
    for target in (new, tmp_path / "new.edgeocr"):
        code, _, err = run("add-engines", plain.path, "--from", built, "-o", target)
        assert (code, err) == (0, "")
    assert new.is_dir() and (tmp_path / "new.edgeocr").is_file()
    assert Bundle.open(new).files() == Bundle.open(tmp_path / "new.edgeocr").files()
    assert plain.path.read_bytes() == before
    # A folder is replaced, too.
    again = built.parent / "empty"
    code, out, _ = run("add-engines", new, "--from", built)
    assert code == 0 and Bundle.open(new).files() == Bundle.open(tmp_path / "new.edgeocr").files()
    for arguments, message in [
        ((plain.path, "--from", again), "no such folder of TensorRT engines: run edgeocr warm"),
        ((plain.path, "--from", built, "-o", new), "exists: choose another name"),
        ((new, "--from", built, "-o", new / "in"), "is inside the bundle"),
        ((plain.path, "--from", built, "--sign", keys / "own.pub"), "not a private key"),
    ]:
        code, out, err = run("add-engines", *arguments)
        assert code == 1 and message in err and out == ""
    assert plain.path.read_bytes() == before
    left = [each.name for each in tmp_path.iterdir() if each.name.startswith(".")]
    assert left == []
