"""edgeocr bundle show, verify, unpack, diff and keygen, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle
from edgeocr.bundle import signature
from edgeocr.bundle.archive import MANIFEST, SIGNATURE
from edgeocr.bundle.description import COLUMNS, size
from edgeocr.cli.main import main
from tests.conftest import EMBEDDED
from tests.support.packing import Files, folder, packed, sealed
from tests.support.paths import BUNDLES

Run = Callable[..., tuple[int, str, str]]
SCHEMA_1 = BUNDLES / "schema-1.edgeocr"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(["bundle", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def changed(files: Files, change: Callable[[dict[str, Any]], object]) -> Files:
    manifest = json.loads(files[MANIFEST])
    change(manifest)
    return files | {MANIFEST: json.dumps(manifest, sort_keys=True).encode()}


def signed(files: Files, key: Path) -> Files:
    return files | {SIGNATURE: signature.sign(files[MANIFEST], key)}


def full(manifest: dict[str, Any]) -> None:
    """All that schema 2 can say."""
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
        "repairs": ["channels_last"],
        "rewrites": [f"rewrite_{number}" for number in range(20)],
        "quantization": {
            **{"images": "b7" * 32, "pictures": 24, "nodes": 54},
            "left_out": ["conv_first", "head"],
        },
        "full_classes": 18385,
    }


def test_show(run: Run) -> None:
    code, out, err = run("show")
    assert (code, err) == (0, "")
    bundle = Bundle.default()
    assert "6.80 MB, schema 2" in " ".join(out.split())
    assert f"{bundle.digest} of the manifest" in out
    for origin in bundle.manifest.provenance:
        assert f"{origin.stage}: {origin.title}" in out and f"model       {origin.model}" in out
        for file in origin.files:
            assert f"{file.name}, sha256 {file.sha256[:12]}" in out
    for words in (
        "signature   none",
        "made by     edgeocr 0.2.0, onnx",
        "the shorter side enlarged to 544; at most 900000 pixels; sides are multiples of 32",
        "fixed shapes: 36 from 544 × 544 to",
        "threshold 0.25, box threshold 0.5, unclip ratio 1.5",
        "no dilation",
        "192 × 48, padded; turned by 0 or 180 degrees from a probability of 0.9",
        "240 to 3216 wide, 48 high",
        "6906 classes, charsets/PP-OCRv6_tiny_rec.txt",
        "translator  paddle2onnx 1.3.1, of paddle-legacy",
        "parity      paddle: passed, at most 0.0001 from Paddle Inference 2.6.2",
        "licence     Apache-2.0, PaddlePaddle authors",
        "graph       fp32, 1.77 MB, graphs/detection.onnx",
        "https://huggingface.co/PaddlePaddle/PP-OCRv6_tiny_det_onnx/resolve/main/inference.onnx",
    ):
        assert words in out
    for name, file in bundle.manifest.files.items():
        (row,) = [row for row in out.splitlines() if row.startswith(f"  {name} ")]
        assert row.split()[1:] == [*size(file.size).split(), "sha256", file.sha256[:12]]


def test_show_says_all_of_schema_2(run: Run, files: Files, keys: Path, tmp_path: Path) -> None:
    path = packed(signed(changed(files, full), keys / "own.key"), tmp_path / "a.edgeocr")
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
        "repairs channels_last rewrites rewrite_0, rewrite_1,",
        "quantized 54 nodes to int8, by 24 pictures, sha256 b7b7b7b7b7b7; in float32 conv_first",
    ):
        assert words in rows
    out = run("show", path, "--require-signature", keys / "own.pub")[1]
    assert f"by {fingerprint}, checked" in out


@pytest.mark.parametrize("path", [EMBEDDED, SCHEMA_1, None], ids=str)
def test_show_is_no_wider_than_its_columns(
    run: Run, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path | None
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = path or packed(changed(files, full), Path("a.edgeocr"))
    rows = run("show", shown)[1].splitlines()
    assert len(rows) > 10 and max(map(len, rows)) <= COLUMNS


def test_show_cannot_steer_the_terminal(run: Run, files: Files, tmp_path: Path) -> None:
    def colour(manifest: dict[str, Any]) -> None:
        manifest["description"] = "red \x1b[31m and\u202e back"
        manifest["provenance"][0]["title"] = "\x1b]0;title\x07"

    path = packed(changed(files, colour), tmp_path / "a.edgeocr")
    for arguments in (["show", path], ["diff", EMBEDDED, path]):
        out = run(*arguments)[1]
        assert "red" in out and not {"\x1b", "\x07", "\u202e"} & set(out)


def test_errors_cannot_steer_the_terminal(run: Run, files: Files, tmp_path: Path) -> None:
    steering = "\x1b]0;title\x07"
    newer = {"schema": 9, "requires": steering}
    for wrong in (
        changed(files, lambda manifest: manifest.update({steering: 1})),
        changed(files, lambda manifest: manifest.update(newer)),
        {**files, steering: b""},
    ):
        path = packed(wrong, tmp_path / "a.edgeocr")
        for arguments in (["show", path], ["diff", EMBEDDED, path]):
            code, _, err = run(*arguments)
            assert code and "]0;title" in err and "\x1b" not in err


def test_show_json_is_the_manifest(run: Run, embedded_files: Files) -> None:
    assert run("show", "--json")[1].encode() == embedded_files[MANIFEST]


@pytest.mark.parametrize(
    ("count", "words"),
    [
        *((0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (11_358, "11.4 kB"), (999_499, "999 kB")),
        *((999_500, "1.00 MB"), (31_626_107, "31.6 MB"), (2_000_000_000, "2000 MB")),
    ],
)
def test_sizes(count: int, words: str) -> None:
    assert size(count) == words


def test_verify(run: Run, files: Files, keys: Path, tmp_path: Path) -> None:
    code, out, _ = run("verify")
    assert code == 0 and f"{EMBEDDED}: intact, 6 files, sha256" in out and "not signed" in out
    path = packed(signed(files, keys / "own.key"), tmp_path / "a.edgeocr")
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


@pytest.mark.parametrize("command", ["show", "verify", "unpack", "diff"])
def test_each_refuses_what_is_not_signed(
    run: Run, keys: Path, tmp_path: Path, command: str
) -> None:
    more = {"unpack": ["-o", tmp_path / "new"], "diff": [EMBEDDED]}.get(command, [])
    code, out, err = run(command, EMBEDDED, *more, "--require-signature", keys / "own.pub")
    assert (code, out) == (2 if command == "diff" else 1, "") and "not signed" in err
    assert list(tmp_path.iterdir()) == []


def test_unpack(run: Run, files: Files, keys: Path, tmp_path: Path) -> None:
    path = packed(signed(files, keys / "own.key"), tmp_path / "a.edgeocr")
    for target in ("new/folder", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        code, out, _ = run("unpack", path, "-o", tmp_path / target)
        assert code == 0 and "8 files" in out
        opened = Bundle.open(tmp_path / target, require_signature=keys / "own.pub")
        assert opened.files() == Bundle.open(path).files()
        assert run("diff", path, tmp_path / target)[0] == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.edgeocr", "empty", "new"]


def test_unpacking_into_a_folder_that_is_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "linked"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("linked")
    monkeypatch.chdir(tmp_path / "here")
    for target in (".", tmp_path / "link"):
        code, _, err = run("unpack", EMBEDDED, "-o", target)
        assert code == 0, err
        assert run("diff", EMBEDDED, target)[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["here", "link", "linked"]


def test_unpacking_leaves_what_is_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("nowhere")
    for target in (tmp_path, tmp_path / "photo.jpg", tmp_path / "link"):
        code, _, err = run("unpack", EMBEDDED, "-o", target)
        assert code == 1 and "exists and is not empty" in err
    write = Path.write_bytes

    def full_disk(path: Path, content: bytes) -> int:
        if path.name == "recognition.onnx":
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    code, _, err = run("unpack", EMBEDDED, "-o", tmp_path / "new")
    assert code == 1 and "No space left" in err
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "photo.jpg"]
    assert (tmp_path / "photo.jpg").read_bytes() == b"precious"


def test_diff_of_the_same(run: Run, embedded_files: Files, tmp_path: Path) -> None:
    again = folder(embedded_files, tmp_path / "folder")
    code, out, _ = run("diff", EMBEDDED, again)
    assert (code, out) == (0, f"the same bundle, sha256 {Bundle.default().digest}\n")
    code, out, _ = run("diff", EMBEDDED, again, "--json")
    data = json.loads(out)
    assert code == 0 and data["same"] and data["paths"] == [str(EMBEDDED), str(again)]
    assert not (data["manifest"] or data["files"] or data["characters_added"])


def test_diff(
    run: Run, files: Files, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    charset = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    characters = files[charset].decode().removesuffix("\n").split("\n")
    kept = [*characters[60:], "\N{FIGURE SPACE}"]
    assert "\N{FIGURE SPACE}" not in characters
    inside = files | {charset: ("\n".join(kept) + "\n").encode(), "graphs/detection.onnx": b"new"}
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

    before = packed(signed(files, keys / "own.key"), Path("a.edgeocr"))
    after = packed(sealed(changed(inside, change)), Path("b.edgeocr"))
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
        "  ~ graphs/detection.onnx, 72 B → 3 B",
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
    assert {"name": "graphs/detection.onnx", "before": 72, "after": 3} in data["files"]
    paths = [field["path"] for field in data["manifest"]]
    assert len(paths) == len(set(paths)) == 6
    assert {file["name"] for file in data["files"]} == {
        *(charset, "graphs/detection.onnx", "licences/Apache-2.0.txt", "licences/More.txt"),
    }


def test_diff_of_what_only_looks_the_same(
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

        return changed(files, change)

    written = files | {MANIFEST: files[MANIFEST].replace(b"{", b"{ ", 1)}
    assert "the same fields in another notation" in differs(files, written)
    assert "threshold: 1 → 1.0\n" in differs(threshold(1), threshold(1.0)) + "\n"
    charset = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    moved = files[charset].decode().removesuffix("\n").split("\n")[::-1]
    other = sealed(files | {charset: ("\n".join(moved) + "\n").encode()})
    assert "the same characters in another order" in differs(files, other)
    own = signed(files, keys / "own.key")
    fingerprint = json.loads(own[SIGNATURE])["key"]
    assert f"signature\n  none → by {fingerprint}" in differs(files, own)
    both = differs(own, signed(files, keys / "other.key"))
    assert f"signature\n      by {fingerprint}\n    → by " in both
    wrong = signature.Signature("Ed25519", fingerprint, "A" * 86 + "==").content
    assert "another one by the same key" in differs(own, files | {SIGNATURE: wrong})


def test_an_error_is_no_difference(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"words")
    for pair in ((EMBEDDED, tmp_path / "none"), (tmp_path / "text", EMBEDDED)):
        code, out, err = run("diff", *pair)
        assert (code, out) == (2, "") and err.startswith("edgeocr: error: ")


def test_keygen(run: Run, tmp_path: Path, files: Files) -> None:
    code, out, _ = run("keygen", tmp_path / "mine")
    assert code == 0 and sorted(p.name for p in tmp_path.iterdir()) == ["mine.key", "mine.pub"]
    made = packed(signed(files, tmp_path / "mine.key"), tmp_path / "a.edgeocr")
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
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bundle", *arguments])
    assert caught.value.code == 2


def test_no_graph_is_loaded_for_it() -> None:
    """Looking into a bundle is quick: none of the runtime's libraries is imported."""
    code = (
        "import sys; from edgeocr.cli.main import main\n"
        "main(['bundle', 'verify'])\nprint(*sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"onnxruntime", "cv2", "numpy", "cryptography", "zipfile"} & set(out.stdout.split())
