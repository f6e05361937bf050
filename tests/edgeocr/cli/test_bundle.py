"""The commands `edgeocr bundle show`, `verify`, `unpack` and `keygen`."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle
from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.description import COLUMNS, size
from edgeocr.cli.main import main
from tests.edgeocr.cli.conftest import Run
from tests.support import hostile_graphs
from tests.support.packing import (
    Files,
    folder,
    packed,
    sealed,
    with_manifest,
    with_signature,
    zipped,
)
from tests.support.paths import BUNDLES, EMBEDDED_BUNDLE, IMAGES

SCHEMA_1 = BUNDLES / "schema-1.edgeocr"


def use_all_of_schema_2(manifest: dict[str, Any]) -> None:
    """Give a manifest every field that schema 2 has."""
    manifest |= {
        "schema": 2,
        "requires": "0.2.0",
        "profile": {"name": "raspberry-pi-4", "threads": 3, "memory_limit": 512_000_000},
        "accuracy": {
            **{"data": "signs", "sha256": "a5" * 32, "pictures": 12, "lines": 235},
            **{"detection_hmean": 0.9671, "hmean": 0.8971, "cer": 0.0374},
        },
    }
    stages = manifest["stages"]
    stages["recognition"] |= {"precision": "int8", "activation_bytes": 180, "providers": ["cpu"]}
    origin = next(each for each in manifest["provenance"] if each["stage"] == "recognition")
    origin |= {
        "repairs": ["unrolled_loops"],
        "rewrites": [f"rewrite_{number}" for number in range(20)],
        "quantization": {
            **{"images": "b7" * 32, "pictures": 24, "nodes": 54},
            "left_out": ["conv_first", "head"],
        },
        "full_classes": 18385,
    }


def test_show_describes_the_embedded_bundle(run: Run) -> None:
    code, out, err = run("show")
    assert (code, err) == (0, "")
    bundle = Bundle.default()
    assert "6.82 MB, schema 2" in " ".join(out.split())
    assert f"digest      {bundle.digest} of the manifest\n" in out
    for origin in bundle.manifest.provenance:
        assert f"{origin.stage}: {origin.title}" in out and f"model       {origin.model}" in out
        for source in origin.files:
            assert f"{source.name}, sha256 {source.sha256[:12]}" in out
    for words in (
        "signature   none",
        "made by     edgeocr 0.3.0, onnx",
        "the shorter side enlarged to 544; at most 900000 pixels; sides are multiples of 32",
        "fixed shapes: 36 from 544 × 544 to",
        "threshold 0.25, box threshold 0.5, unclip ratio 1.5",
        "no dilation",
        "192 × 48, padded; turned by 0 or 180 degrees from a probability of 0.9",
        "240 to 3216 wide, 48 high",
        "6906 classes, charsets/PP-OCRv6_tiny_rec.txt",
        "translator  edgeocr 0.3.0, from paddle-legacy",
        "parity      paddle: passed, at most 0.0001 from Paddle Inference 2.6.2",
        "licence     Apache-2.0, PaddlePaddle authors",
        "graph       fp32, 1.79 MB, graphs/detection.onnx",
        "https://huggingface.co/PaddlePaddle/PP-OCRv6_tiny_det_onnx/resolve/main/inference.onnx",
    ):
        assert words in out
    for name, file in bundle.manifest.files.items():
        (row,) = [row for row in out.splitlines() if row.startswith(f"  {name} ")]
        assert row.split()[1:] == [*size(file.size).split(), "sha256", file.sha256[:12]]


def test_show_prints_every_field_of_schema_2(
    run: Run, files: Files, keys: Path, tmp_path: Path
) -> None:
    path = packed(
        with_signature(with_manifest(files, use_all_of_schema_2), keys / "own.key"),
        tmp_path / "a.edgeocr",
    )
    fingerprint = Bundle.open(path).signed_by
    code, out, _ = run("show", path)
    assert code == 0
    rows = " ".join(out.split())
    for words in (
        "schema 2",
        f"signature by {fingerprint}, as the bundle claims",
        "requires edgeocr 0.2.0 or newer",
        "profile raspberry-pi-4: 3 threads, 512 MB memory",
        "accuracy Hmean 0.8971, CER 0.0374, detection's Hmean 0.9671, on 12 pictures with 235",
        "graph int8, 72 B, graphs/recognition.onnx; a run needs 180 bytes for each pixel",
        "charset 6906 classes, pruned from 18385",
        "providers cpu",
        "changes unrolled_loops rewrites rewrite_0, rewrite_1,",
        "quantized 54 nodes to int8, calibrated with 24 pictures, sha256 b7b7b7b7b7b7;",
        "; in float32 conv_first",
    ):
        assert words in rows
    out = run("show", path, "--require-signature", keys / "own.pub")[1]
    assert f"by {fingerprint}, checked" in out


@pytest.mark.parametrize("path", [EMBEDDED_BUNDLE, SCHEMA_1, None], ids=str)
def test_show_keeps_to_its_columns(
    run: Run, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path | None
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = path or packed(with_manifest(files, use_all_of_schema_2), Path("a.edgeocr"))
    rows = run("show", shown)[1].splitlines()
    assert len(rows) > 10 and max(map(len, rows)) <= COLUMNS


def test_nothing_prints_control_characters_of_a_bundle(
    run: Run, files: Files, tmp_path: Path
) -> None:
    steering = "\x1b]0;title\x07\u202e"
    newer = {"schema": 9, "requires": steering}
    path = tmp_path / "a.edgeocr"
    for wrong in (
        with_manifest(files, lambda manifest: manifest.update({steering: 1})),
        with_manifest(files, lambda manifest: manifest.update(description=steering)),
        with_manifest(files, lambda manifest: manifest.update(newer)),
        {**files, steering: b""},
    ):
        zipped(wrong.items(), path)
        for arguments in (
            ["show", path],
            ["show", "--json", path],
            ["diff", EMBEDDED_BUNDLE, path],
        ):
            code, out, err = run(*arguments)
            assert code and not out and "]0;title" in err
            assert not {"\x1b", "\x07", "\u202e"} & set(err)


def test_show_json_prints_the_manifest_unchanged(run: Run, embedded_files: Files) -> None:
    assert run("show", "--json")[1].encode() == embedded_files[MANIFEST]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        *((0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (11_358, "11.4 kB"), (999_499, "999 kB")),
        *((999_500, "1.00 MB"), (31_626_107, "31.6 MB"), (2_000_000_000, "2000 MB")),
    ],
)
def test_sizes_have_three_digits_and_a_unit(count: int, words: str) -> None:
    assert size(count) == words


def test_verify_checks_content_and_signature(
    run: Run, files: Files, keys: Path, tmp_path: Path
) -> None:
    code, out, _ = run("verify")
    assert code == 0 and "not signed" in out
    assert f"{EMBEDDED_BUNDLE}: intact, 6 files, digest {Bundle.default().digest}\n" in out
    path = packed(with_signature(files, keys / "own.key"), tmp_path / "a.edgeocr")
    fingerprint = Bundle.open(path).signed_by
    code, out, _ = run("verify", path)
    assert code == 0 and f"It claims to be signed by {fingerprint}; --require-signature" in out
    code, out, _ = run("verify", path, "--require-signature", keys / "own.pub")
    assert code == 0 and f"\nIt is signed by {fingerprint}.\n" in out
    code, out, err = run("verify", path, "--require-signature", keys / "other.pub")
    assert (code, out) == (1, "") and "signed by another key" in err
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 10] ^= 1
    path.write_bytes(content)
    code, out, err = run("verify", path)
    assert (code, out) == (1, "") and "the record of manifest.json in the directory" in err


def test_verify_says_what_it_does_not_prove(
    run: Run, files: Files, keys: Path, tmp_path: Path
) -> None:
    """A manifest that was changed is intact, because nothing else knows what it was."""
    path = folder(with_signature(files, keys / "own.key"), tmp_path / "b")
    digest = Bundle.open(path).digest
    (path / MANIFEST).write_bytes(files[MANIFEST].replace(b"smallest", b"smellest"))
    code, out, _ = run("verify", path)
    assert code == 0 and "intact" in out and "does not show who wrote the manifest" in out
    code, out, err = run("verify", path, "--expect-digest", digest)
    assert (code, out) == (1, "") and f"but {digest} is expected" in err
    (path / MANIFEST).write_bytes(files[MANIFEST])
    code, out, _ = run("verify", path, "--expect-digest", digest.upper())
    assert code == 0 and "Its digest is the expected one." in out and "not shown" not in out
    code, out, _ = run("verify", path, "--require-signature", keys / "own.pub")
    assert code == 0 and "It is signed by" in out and "not shown" not in out


@pytest.mark.parametrize(
    "command",
    [
        *(["bundle", "show"], ["bundle", "verify"], ["bundle", "unpack", "-o", "new"]),
        *(["read", "--bundle"], ["detect", "--bundle"], ["recognize", "--bundle"]),
        *(["warm", "--bundle"], ["bench", "--bundle"]),
    ],
    ids=" ".join,
)
def test_every_command_refuses_a_bundle_with_another_digest(
    files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = str(packed(files, tmp_path / "a.edgeocr"))
    picture = [str(IMAGES / "badge.jpg")] if command[0] in ("read", "detect", "recognize") else []
    assert main([*command, path, "--expect-digest", "0" * 64, *picture]) == 1
    out, err = capsys.readouterr()
    assert out == "" and f"its digest is {Bundle.open(path).digest}, but 000" in err
    assert not (tmp_path / "new").exists()
    with pytest.raises(SystemExit) as ended:
        main([*command, path, "--expect-digest", "0" * 63, *picture])
    assert ended.value.code == 2 and "64 hexadecimal digits" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "verify", "unpack", "diff"])
def test_every_action_refuses_a_bundle_without_the_required_signature(
    run: Run, keys: Path, tmp_path: Path, command: str
) -> None:
    arguments: dict[str, list[str | Path]] = {
        "unpack": ["-o", tmp_path / "new"],
        "diff": [EMBEDDED_BUNDLE],
    }
    more = arguments.get(command, [])
    code, out, err = run(command, EMBEDDED_BUNDLE, *more, "--require-signature", keys / "own.pub")
    assert (code, out) == (2 if command == "diff" else 1, "") and "not signed" in err
    assert list(tmp_path.iterdir()) == []


def test_unpack_writes_the_same_bundle_to_a_folder(
    run: Run, files: Files, keys: Path, tmp_path: Path
) -> None:
    path = packed(with_signature(files, keys / "own.key"), tmp_path / "a.edgeocr")
    for target in ("new/folder", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        code, out, _ = run("unpack", path, "-o", tmp_path / target)
        assert code == 0 and "8 files" in out
        opened = Bundle.open(tmp_path / target, require_signature=keys / "own.pub")
        assert opened.files() == Bundle.open(path).files()
        assert run("diff", path, tmp_path / target)[0] == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.edgeocr", "empty", "new"]


def test_unpack_keeps_an_empty_folder_that_exists(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "linked"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("linked")
    monkeypatch.chdir(tmp_path / "here")
    for target in (".", tmp_path / "link"):
        code, _, err = run("unpack", EMBEDDED_BUNDLE, "-o", target)
        assert code == 0, err
        assert run("diff", EMBEDDED_BUNDLE, target)[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["here", "link", "linked"]


def test_unpack_overwrites_nothing_and_leaves_nothing_half_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("nowhere")
    for target in (tmp_path, tmp_path / "photo.jpg", tmp_path / "link"):
        code, _, err = run("unpack", EMBEDDED_BUNDLE, "-o", target)
        assert code == 1 and "exists and is not empty" in err
    write = Path.write_bytes

    def full_disk(path: Path, content: bytes) -> int:
        if path.name == "recognition.onnx":
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    code, _, err = run("unpack", EMBEDDED_BUNDLE, "-o", tmp_path / "new")
    assert code == 1 and "No space left" in err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "photo.jpg"]
    assert (tmp_path / "photo.jpg").read_bytes() == b"precious"


def test_keygen_writes_keys_and_never_overwrites_them(
    run: Run, tmp_path: Path, files: Files
) -> None:
    code, out, _ = run("keygen", tmp_path / "mine")
    assert code == 0 and sorted(p.name for p in tmp_path.iterdir()) == ["mine.key", "mine.pub"]
    made = packed(with_signature(files, tmp_path / "mine.key"), tmp_path / "a.edgeocr")
    assert f"Fingerprint: {Bundle.open(made).signed_by}\n" in out
    key = (tmp_path / "mine.key").read_bytes()
    code, _, err = run("keygen", tmp_path / "mine")
    assert code == 1 and "exists already" in err
    assert (tmp_path / "mine.key").read_bytes() == key
    code, _, err = run("keygen", tmp_path / "no" / "folder")
    assert code == 1 and "No such file" in err


@pytest.mark.parametrize(
    "arguments", [[], ["unpack", "a"], ["diff", "a"], ["keygen"], ["show", "a", "b"], ["mend"]]
)
def test_wrong_arguments_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bundle", *arguments])
    assert caught.value.code == 2


def test_bundle_verify_imports_no_library_of_the_runtime() -> None:
    code = (
        "import sys; from edgeocr.cli.main import main\n"
        "main(['bundle', 'verify'])\nprint(*sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"onnxruntime", "cv2", "numpy", "cryptography", "zipfile"} & set(out.stdout.split())


@pytest.mark.slow
def test_verify_probes_a_bundle(run: Run, embedded_files: Files, tmp_path: Path) -> None:
    code, out, err = run("verify", "--probe")
    assert (code, err) == (0, "")
    assert "\nThe probe passed after " in out
    filling = hostile_graphs.filling().SerializeToString()
    files = sealed(embedded_files | {"graphs/recognition.onnx": filling})
    path = packed(files, tmp_path / "filling.edgeocr")
    limits = ("--probe-memory", "500MB", "--probe-seconds", "60")
    code, out, err = run("verify", path, "--probe", *limits)
    assert code == 1 and "intact" in out
    assert err.startswith(f"edgeocr: error: {path}: the probe out of memory after ")


def test_verify_names_the_operator_that_is_refused(
    run: Run, embedded_files: Files, tmp_path: Path
) -> None:
    model = hostile_graphs.graph(hostile_graphs.node("RandomNormalLike", "x"))
    files = embedded_files | {"graphs/recognition.onnx": model.SerializeToString()}
    path = packed(sealed(files), tmp_path / "random.edgeocr")
    code, out, err = run("verify", path)
    assert (code, out) == (1, "")
    assert f"{path}: graphs/recognition.onnx: node 'the_RandomNormalLike'" in err


def test_a_wrong_limit_of_the_probe_is_a_wrong_argument(capsys: Any) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bundle", "verify", "--probe", "--probe-memory", "much"])
    assert "argument --probe-memory: memory_limit must be" in capsys.readouterr().err


def test_unpack_refuses_a_folder_inside_the_bundle(run: Run, tmp_path: Path) -> None:
    assert run("unpack", EMBEDDED_BUNDLE, "-o", tmp_path / "a")[0] == 0
    code, _, err = run("unpack", tmp_path / "a", "-o", tmp_path / "a" / "graphs" / "b")
    assert code == 1 and "is inside the bundle" in err
    assert run("verify", tmp_path / "a")[0] == 0


def test_unpack_that_is_interrupted_leaves_the_folder_empty(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == MANIFEST and target.parent == tmp_path:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    assert run("unpack", EMBEDDED_BUNDLE, "-o", tmp_path)[0] == 130
    assert list(tmp_path.iterdir()) == []


def test_keygen_that_fails_leaves_no_half_of_a_pair(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = os.open

    def full(path: Path, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(".key"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return create(path, flags, mode)

    monkeypatch.setattr(os, "open", full)
    code, _, err = run("keygen", tmp_path / "mine")
    assert code == 1 and "No space left" in err
    assert list(tmp_path.iterdir()) == []
