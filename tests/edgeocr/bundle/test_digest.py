"""The digest pins a bundle without keys."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from edgeocr import OCR, Bundle, BundleError
from edgeocr.bundle.unpack import unpack
from tests.support.packing import Files, folder, packed, sealed, with_manifest, with_signature
from tests.support.paths import EMBEDDED_BUNDLE

MANIFEST = "manifest.json"


@pytest.mark.parametrize("pack", [folder, packed])
def test_a_bundle_opens_only_with_its_digest(files: Files, tmp_path: Path, pack: Any) -> None:
    path = pack(files, tmp_path / "a")
    digest = hashlib.sha256(files[MANIFEST]).hexdigest()
    assert Bundle.open(path, expect_digest=digest).digest == digest
    assert Bundle.open(path, expect_digest=digest.upper()).digest == digest
    with pytest.raises(BundleError, match=f"its digest is {digest}, but {'0' * 64} is expected"):
        Bundle.open(path, expect_digest="0" * 64)


@pytest.mark.parametrize("pack", [folder, packed])
def test_every_part_of_a_bundle_is_pinned(files: Files, tmp_path: Path, pack: Any) -> None:
    """Change each file and, once, also the hash in the manifest; the digest refuses both."""
    digest = Bundle.open(pack(files, tmp_path / "sound")).digest
    for name in files:
        changed = {**files, name: files[name].replace(b"e", b"f", 1)}
        assert changed != files
        for number, made in enumerate([changed, sealed(changed)]):
            path = pack(made, tmp_path / f"{number}-{name.replace('/', '-')}")
            with pytest.raises(BundleError):
                Bundle.open(path, expect_digest=digest)


def test_the_digest_is_checked_before_the_manifest_is_read(files: Files, tmp_path: Path) -> None:
    files[MANIFEST] = b"no JSON"
    path = packed(files, tmp_path / "a.edgeocr")
    with pytest.raises(BundleError, match="not the expected bundle"):
        Bundle.open(path, expect_digest="0" * 64)
    with pytest.raises(BundleError, match="not valid JSON"):
        Bundle.open(path, expect_digest=hashlib.sha256(b"no JSON").hexdigest())


def test_folder_file_and_signed_bundle_have_one_digest(
    files: Files, keys: Path, tmp_path: Path
) -> None:
    digest = Bundle.open(packed(files, tmp_path / "a.edgeocr")).digest
    signed = Bundle.open(packed(with_signature(files, keys / "own.key"), tmp_path / "b.edgeocr"))
    unpack(signed, tmp_path / "folder")
    for path in ("a.edgeocr", "b.edgeocr", "folder"):
        assert Bundle.open(tmp_path / path, expect_digest=digest).digest == digest


def test_ocr_and_open_bundles_check_the_digest(files: Files, tmp_path: Path) -> None:
    bundle = Bundle.default()
    OCR(expect_digest=bundle.digest, provider="cpu", threads=1).close()
    OCR(bundle, expect_digest=bundle.digest, provider="cpu", threads=1).close()
    other = packed(with_manifest(files, lambda m: m.update(name="b")), tmp_path / "b.edgeocr")
    for source in (None, bundle, EMBEDDED_BUNDLE, other, Bundle.open(other)):
        with pytest.raises(BundleError, match="not the expected bundle") as caught:
            OCR(source, expect_digest="0" * 64, provider="cpu")
        assert ".edgeocr: " in str(caught.value)


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "g" * 64, "sha256:00", "٠" * 64])
def test_a_digest_of_another_form_is_the_callers_mistake(digest: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        Bundle.default(expect_digest=digest)
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        Bundle.default().check_digest(digest)


def test_a_digest_of_another_type_is_the_callers_mistake() -> None:
    wrong: Any = b"0" * 64
    with pytest.raises(TypeError, match="a digest must be a str, not bytes"):
        OCR(expect_digest=wrong, provider="cpu")
