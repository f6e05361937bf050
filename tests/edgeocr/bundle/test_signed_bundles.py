"""Opening bundles with a required signature, and every way in which it can be missing or wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from converters.freeze import write
from edgeocr import OCR, Bundle, BundleError, SignatureError
from edgeocr.bench import turns
from edgeocr.bench.cell_process import CellError
from edgeocr.bench.measure import measure
from edgeocr.bench.settings import Settings
from edgeocr.bench.worker import Request, Worker
from edgeocr.bundle import signature
from edgeocr.bundle.archive import MANIFEST, SIGNATURE
from edgeocr.cli.main import main
from tests.support.packing import (
    OTHER_STUB,
    Files,
    fingerprint,
    folder,
    packed,
    sealed,
    unpacked,
)
from tests.support.paths import IMAGES

SAMPLE = str(IMAGES / "sample.jpg")


@pytest.fixture
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when a graph reaches ONNX Runtime."""

    def started(*_: Any, **__: Any) -> None:
        pytest.fail("a graph reached ONNX Runtime")

    monkeypatch.setattr(onnxruntime, "InferenceSession", started)


@pytest.mark.parametrize("pack", [folder, packed])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_signed_bundle_opens_with_its_public_key(
    signed: Files, keys: Path, tmp_path: Path, pack: Any, as_bytes: bool
) -> None:
    public = keys / "own.pub"
    given = public.read_bytes() if as_bytes else str(public)
    bundle = Bundle.open(pack(signed, tmp_path / "a"), require_signature=given)
    assert bundle.signed_by == fingerprint(public)
    assert bundle.digest == hashlib.sha256(signed[MANIFEST]).hexdigest()
    assert bundle.files() == signed
    assert SIGNATURE not in bundle.manifest.files
    bundle.check_signature(given)
    with pytest.raises(SignatureError, match="signed by another key"):
        bundle.check_signature(keys / "other.pub")


def test_freezing_writes_a_signed_bundle(
    signed: Files, files: Files, keys: Path, tmp_path: Path
) -> None:
    for name in ("a.edgeocr", "folder"):
        bundle = write(files, tmp_path / name, sign=keys / "own.key")
        bundle.check_signature(keys / "own.pub")
        assert bundle.files() == signed
    with (tmp_path / "a.edgeocr").open("rb") as stream:
        assert list(unpacked(stream))[:2] == [MANIFEST, SIGNATURE]
    with pytest.raises(SignatureError):
        write(files, tmp_path / "b.edgeocr", sign=keys / "own.pub")
    assert not (tmp_path / "b.edgeocr").exists()


def test_a_missing_foreign_or_wrong_signature_is_refused(
    files: Files, signed: Files, keys: Path, tmp_path: Path
) -> None:
    public = keys / "own.pub"
    with pytest.raises(SignatureError, match=f"not signed, .* {fingerprint(public)}") as caught:
        Bundle.open(packed(files, tmp_path / "none.edgeocr"), require_signature=public)
    assert str(tmp_path / "none.edgeocr") in str(caught.value)
    path = packed(signed, tmp_path / "own.edgeocr")
    both = f"key, {fingerprint(public)}; {fingerprint(keys / 'other.pub')} is required"
    with pytest.raises(SignatureError, match=both):
        Bundle.open(path, require_signature=keys / "other.pub")
    claimed = json.loads(signed[SIGNATURE]) | {"key": fingerprint(keys / "other.pub")}
    lying = signed | {SIGNATURE: signature.Signature(**claimed).content}
    with pytest.raises(SignatureError, match="wrong signature"):
        Bundle.open(packed(lying, path), require_signature=keys / "other.pub")


def test_an_unsigned_manifest_is_not_parsed(signed: Files, keys: Path, tmp_path: Path) -> None:
    broken = signed | {MANIFEST: b"no JSON"}
    path = packed(broken, tmp_path / "a.edgeocr")
    with pytest.raises(SignatureError, match="wrong signature"):
        Bundle.open(path, require_signature=keys / "own.pub")
    own = {SIGNATURE: signature.sign(b"no JSON", keys / "own.key")}
    with pytest.raises(BundleError, match="is not valid JSON"):
        Bundle.open(packed(broken | own, path), require_signature=keys / "own.pub")


@pytest.mark.stress
@pytest.mark.parametrize("require", [True, False])
def test_every_97th_changed_byte_of_a_signed_bundle_is_refused(
    signed: Files, keys: Path, tmp_path: Path, require: bool
) -> None:
    public = keys / "own.pub" if require else None
    content = packed(signed, tmp_path / "a.edgeocr").read_bytes()
    Bundle.open(tmp_path / "a.edgeocr", require_signature=public)
    path = tmp_path / "changed.edgeocr"
    for place in range(0, len(content), 97):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(BundleError):
            Bundle.open(path, require_signature=public)


@pytest.mark.usefixtures("no_session")
def test_a_changed_bundle_with_matching_hashes_never_runs(
    files: Files, signed: Files, keys: Path, tmp_path: Path
) -> None:
    """Adapt the hashes to a changed graph, which only the owner of the key could sign."""
    changed = sealed(files | {"graphs/detection.onnx": OTHER_STUB})
    path = tmp_path / "a.edgeocr"
    by_other = {SIGNATURE: signature.sign(changed[MANIFEST], keys / "other.key")}
    for more, words in (
        ({}, "not signed"),
        (by_other, "signed by another key"),
        ({SIGNATURE: signed[SIGNATURE]}, "wrong signature"),
    ):
        Bundle.open(packed(changed | more, path))  # without a required signature it is valid
        for given in (path, Bundle.open(path), folder(changed | more, tmp_path / words)):
            with pytest.raises(SignatureError, match=words):
                OCR(given, require_signature=keys / "own.pub", provider="cpu")
    with pytest.raises(SignatureError, match="not signed"):
        OCR(require_signature=keys / "own.pub", provider="cpu")
    # The signed bundle does reach ONNX Runtime, so the fixture would notice.
    with pytest.raises(BaseException, match="reached ONNX Runtime"):
        OCR(packed(signed, path), require_signature=keys / "own.pub", provider="cpu")


def test_a_manifest_that_lists_the_signature_file_is_refused(
    files: Files, keys: Path, tmp_path: Path
) -> None:
    """A manifest can't contain the hash of a file that signs the manifest."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"][SIGNATURE] = {"sha256": "0" * 64, "size": 1}
    files[MANIFEST] = json.dumps(manifest).encode()
    files[SIGNATURE] = signature.sign(files[MANIFEST], keys / "own.key")
    with pytest.raises(BundleError, match=SIGNATURE):
        Bundle.open(packed(files, tmp_path / "a.edgeocr"), require_signature=keys / "own.pub")


@pytest.mark.usefixtures("no_session")
@pytest.mark.parametrize("command", ["read", "detect", "recognize", "warm", "bench"])
def test_commands_refuse_a_bundle_without_the_required_signature(
    command: str, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [SAMPLE] if command in ("read", "detect", "recognize") else []
    assert main([command, *sources, "--require-signature", str(keys / "own.pub")]) == 1
    assert f"not signed, but a signature by the key {fingerprint(keys / 'own.pub')}" in (
        capsys.readouterr().err
    )


def test_read_accepts_a_signed_bundle(
    embedded_files: Files, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {SIGNATURE: signature.sign(embedded_files[MANIFEST], keys / "own.key")}
    path = packed(embedded_files | made, tmp_path / "a.edgeocr")
    arguments = ["--bundle", str(path), "--require-signature", str(keys / "own.pub")]
    assert main(["read", SAMPLE, "--provider", "cpu", *arguments]) == 0
    assert "NO PARKING" in capsys.readouterr().out


def test_worker_processes_of_bench_require_the_signature(
    signed: Files, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(signed, tmp_path / "a.edgeocr")
    requests: list[Request] = []

    def fail(request: Request, stages: object) -> None:
        requests.append(request)
        raise CellError(f"{request.settings.require_signature} fails")

    monkeypatch.setattr(turns, "Running", fail)
    settings = Settings(require_signature=str(keys / "own.pub"))
    result = measure(
        bundles=[str(path)], providers=["cpu"], sources=[SAMPLE], settings=settings, labels=False
    )
    assert result.bundles["tiny"].reference.error == "own.pub fails"
    assert str(keys) not in json.dumps(result.to_dict())
    packed({name: signed[name] for name in signed if name != SIGNATURE}, path)
    with pytest.raises(SignatureError, match="not signed"):
        Worker(requests[0], lambda message: None).start()
