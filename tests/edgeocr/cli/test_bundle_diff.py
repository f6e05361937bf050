"""The command `edgeocr bundle diff`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle
from edgeocr.bundle import signature
from edgeocr.bundle.archive import MANIFEST, SIGNATURE
from edgeocr.bundle.description import COLUMNS
from tests.edgeocr.cli.conftest import Run
from tests.support.packing import (
    OTHER_STUB,
    Files,
    folder,
    packed,
    sealed,
    with_manifest,
    with_signature,
)
from tests.support.paths import EMBEDDED_BUNDLE


def test_diff_finds_a_folder_and_a_file_the_same(
    run: Run, embedded_files: Files, tmp_path: Path
) -> None:
    again = folder(embedded_files, tmp_path / "folder")
    code, out, _ = run("diff", EMBEDDED_BUNDLE, again)
    assert (code, out) == (0, f"the same bundle, digest {Bundle.default().digest}\n")
    code, out, _ = run("diff", EMBEDDED_BUNDLE, again, "--json")
    data = json.loads(out)
    assert code == 0 and data["same"] and data["paths"] == [str(EMBEDDED_BUNDLE), str(again)]
    assert not (data["manifest"] or data["files"] or data["characters_added"])


def test_diff_lists_fields_files_characters_and_signature(
    run: Run, files: Files, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    charset = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    characters = files[charset].decode().removesuffix("\n").split("\n")
    kept = [*characters[60:], "\N{FIGURE SPACE}"]
    assert "\N{FIGURE SPACE}" not in characters
    inside = files | {
        charset: ("\n".join(kept) + "\n").encode(),
        "graphs/detection.onnx": OTHER_STUB,
    }
    inside["licences/More.txt"] = inside.pop("licences/Apache-2.0.txt")

    def change(manifest: dict[str, Any]) -> None:
        stages = manifest["stages"]
        stages["detection"]["resize"]["max_pixels"] = 400000
        stages["detection"]["providers"] = ["cpu"]
        stages["recognition"]["charset"]["classes"] -= 59
        stages["recognition"]["widths"][1] += 8
        stages["orientation"].pop("batches")
        manifest["provenance"].reverse()
        manifest["provenance"][0]["title"] = "another title " * 9

    before = packed(with_signature(files, keys / "own.key"), Path("a.edgeocr"))
    after = packed(sealed(with_manifest(inside, change)), Path("b.edgeocr"))
    code, out, err = run("diff", before, after)
    assert (code, err) == (1, "")
    rows = out.splitlines()
    assert max(map(len, rows)) <= COLUMNS
    assert rows[:2] == [f"- {before}", f"+ {after}"]
    for row in (
        "  stages.detection.resize.max_pixels: 900000 → 400000",
        '  stages.detection.providers: none → ["cpu"]',
        "  stages.orientation.batches: [1, 4] → none",
        "  stages.recognition.charset.classes: 6906 → 6847",
        "  stages.recognition.widths[1]: 264 → 272",
        "  provenance.recognition.title:",
        "  - licences/Apache-2.0.txt, 11.4 kB",
        "  + licences/More.txt, 11.4 kB",
        "  ~ graphs/detection.onnx, 72 B → 74 B",
        "  + 1 character: U+2007",
    ):
        assert row in rows
    assert f"  - 60 characters: {' '.join(characters[:9])}" in out
    assert characters[39] in out.rpartition("- 60 characters")[2]
    assert f"{characters[39]} …" in out
    assert f"  by {Bundle.open(before).signed_by} → none" in rows
    data = json.loads(run("diff", before, after, "--json")[1])
    assert not data["same"] and data["sha256"][0] == Bundle.open(before).digest
    assert data["characters_removed"] == characters[:60]
    assert data["characters_added"] == ["\N{FIGURE SPACE}"]
    assert {"path": "stages.detection.providers", "after": ["cpu"]} in data["manifest"]
    assert {"name": "graphs/detection.onnx", "before": 72, "after": 74} in data["files"]
    paths = [field["path"] for field in data["manifest"]]
    assert len(paths) == len(set(paths)) == 6
    assert {file["name"] for file in data["files"]} == {
        *(charset, "graphs/detection.onnx", "licences/Apache-2.0.txt", "licences/More.txt"),
    }


def test_diff_finds_differences_that_are_easily_overlooked(
    run: Run, files: Files, keys: Path, tmp_path: Path
) -> None:
    def differs(one: Files, other: Files) -> str:
        pair = [packed(one, tmp_path / "a.edgeocr"), packed(other, tmp_path / "b.edgeocr")]
        code, out, _ = run("diff", *pair)
        assert code == 1
        return out

    def threshold(value: float) -> Files:
        def change(manifest: dict[str, Any]) -> None:
            manifest["stages"]["detection"]["postprocess"]["threshold"] = value

        return with_manifest(files, change)

    written = files | {MANIFEST: files[MANIFEST].replace(b"{", b"{ ", 1)}
    assert "the same fields, written differently" in differs(files, written)
    assert "threshold: 1 → 1.0\n" in differs(threshold(1), threshold(1.0)) + "\n"
    charset = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    moved = files[charset].decode().removesuffix("\n").split("\n")[::-1]
    other = sealed(files | {charset: ("\n".join(moved) + "\n").encode()})
    assert "the same characters in another order" in differs(files, other)
    own = with_signature(files, keys / "own.key")
    fingerprint = json.loads(own[SIGNATURE])["key"]
    assert f"signature\n  none → by {fingerprint}" in differs(files, own)
    both = differs(own, with_signature(files, keys / "other.key"))
    assert f"signature\n      by {fingerprint}\n    → by " in both
    wrong = signature.Signature("Ed25519", fingerprint, "A" * 86 + "==").content
    assert "different signatures by the same key" in differs(own, files | {SIGNATURE: wrong})


def test_diff_exits_with_2_when_a_bundle_does_not_open(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"words")
    for pair in ((EMBEDDED_BUNDLE, tmp_path / "none"), (tmp_path / "text", EMBEDDED_BUNDLE)):
        code, out, err = run("diff", *pair)
        assert (code, out) == (2, "") and err.startswith("edgeocr: error: ")
