"""Bundles as folder and as file, and every damage that must be refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeocr import OCR, Bundle, BundleError
from edgeocr.bundle.manifest import OLDEST_SCHEMA, SCHEMA
from tests.support.packing import Files, folder, packed, sealed, zipped
from tests.support.paths import BUNDLES
from tests.trained import words

MANIFEST = "manifest.json"
GRAPH = "graphs/detection.onnx"
Change = Callable[[Files], None]


def change_manifest(files: Files, change: Callable[[dict[str, Any]], object]) -> Files:
    manifest = json.loads(files[MANIFEST])
    change(manifest)
    return files | {MANIFEST: json.dumps(manifest).encode()}


def test_folder_and_file_are_the_same_bundle(embedded_files: Files, tmp_path: Path) -> None:
    opened = [
        Bundle.open(folder(embedded_files, tmp_path / "folder")),
        Bundle.open(str(packed(embedded_files, tmp_path / "a.edgeocr"))),
        Bundle.default(),
    ]
    digest = hashlib.sha256(embedded_files[MANIFEST]).hexdigest()
    for bundle in opened:
        assert bundle.digest == digest
        assert bundle.manifest == opened[0].manifest
        assert bundle.characters == opened[0].characters
        for name in embedded_files.keys() - {MANIFEST}:
            assert bundle.read(name) == embedded_files[name]
    assert opened[0].path == tmp_path / "folder"


def test_what_was_checked_is_what_is_read(files: Files, tmp_path: Path) -> None:
    bundle = Bundle.open(folder(files, tmp_path / "b"))
    (tmp_path / "b" / GRAPH).write_bytes(b"changed after opening")
    assert bundle.read(GRAPH) == files[GRAPH]


def test_reading_a_file_that_is_not_there(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"graphs/other\.onnx"):
        bundle.read("graphs/other.onnx")


def test_characters_have_the_blank_in_its_class(bundle: Bundle) -> None:
    charset = bundle.manifest.stages.recognition.charset
    characters = bundle.characters
    assert len(characters) == charset.classes
    assert characters[charset.blank] == ""
    assert characters.count("") == 1
    assert {"A", "z", "0", "店", "¥"} <= set(characters)


def missing(files: Files) -> None:
    del files[GRAPH]


def changed(files: Files) -> None:
    files[GRAPH] = files[GRAPH][:-1] + b"!"


def longer(files: Files) -> None:
    files[GRAPH] += b"!"


def extra(files: Files) -> None:
    files["graphs/extra.onnx"] = b""


def no_manifest(files: Files) -> None:
    del files[MANIFEST]


def no_json(files: Files) -> None:
    files[MANIFEST] = files[MANIFEST][:-20]


def no_utf8(files: Files) -> None:
    files[MANIFEST] = b'"\xff"'


def no_object(files: Files) -> None:
    files[MANIFEST] = b"[1]"


def empty_manifest(files: Files) -> None:
    files[MANIFEST] = b""


def nested_too_deep(files: Files) -> None:
    files[MANIFEST] = b"[" * 200_000


@pytest.mark.parametrize("pack", [folder, packed])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (missing, f"{GRAPH} is listed in the manifest but missing"),
        (changed, f"{GRAPH} is not the file"),
        (longer, f"{GRAPH} is not the file"),
        (extra, r"graphs/extra\.onnx is in the bundle but not listed in its manifest"),
        (no_manifest, f"no {MANIFEST}"),
        (no_json, f"{MANIFEST} is not valid JSON"),
        (no_utf8, f"{MANIFEST} is not valid JSON"),
        (no_object, f"{MANIFEST} has no schema"),
        (empty_manifest, f"{MANIFEST} is not valid JSON"),
        (nested_too_deep, f"{MANIFEST} is not valid JSON"),
    ],
)
def test_damage_is_refused_by_name(
    files: Files, tmp_path: Path, pack: Any, damage: Change, words: str
) -> None:
    Bundle.open(pack(files, tmp_path / "sound"))
    damage(files)
    path = pack(files, tmp_path / "damaged")
    with pytest.raises(BundleError, match=words) as caught:
        Bundle.open(path)
    assert str(path) in str(caught.value)


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such bundle"):
        Bundle.open(tmp_path / "none.edgeocr")
    with pytest.raises(BundleError, match=f"no {MANIFEST}"):
        Bundle.open(tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"words")
    for name in ("empty", "text"):
        with pytest.raises(BundleError, match="damaged, or not a bundle"):
            Bundle.open(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a\\x", "..\\x", "C:x", "C:/x", "./x", "a//x", "../evil/"]
)
def test_a_path_that_leaves_the_archive(files: Files, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.edgeocr"
    zipped([*sealed(files | {name: b"?"}).items()], path)
    with pytest.raises(BundleError, match="not a valid file name in a bundle"):
        Bundle.open(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
@pytest.mark.parametrize("name", ["a\\x", "C:x"])
def test_a_path_that_leaves_the_folder(files: Files, tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="not a valid file name in a bundle"):
        Bundle.open(folder(sealed(files | {name: b"?"}), tmp_path / "b"))


@pytest.mark.parametrize("target", ["../outside.onnx", "detection.onnx"])
def test_a_link_in_a_folder(files: Files, tmp_path: Path, target: str) -> None:
    path = folder(files, tmp_path / "b")
    (path / "outside.onnx").write_bytes(files[GRAPH])
    (path / "graphs" / "orientation.onnx").unlink()
    try:
        (path / "graphs" / "orientation.onnx").symlink_to(target)
    except OSError:
        pytest.skip("no right to make links")
    with pytest.raises(BundleError, match=r"graphs/orientation\.onnx is a symbolic link"):
        Bundle.open(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_in_a_folder(files: Files, tmp_path: Path) -> None:
    path = folder(files, tmp_path / "b")
    os.mkfifo(path / "pipe")
    with pytest.raises(BundleError, match="pipe is neither"):
        Bundle.open(path)


def test_a_truncated_archive(files: Files, tmp_path: Path) -> None:
    content = packed(files, tmp_path / "a.edgeocr").read_bytes()
    path = tmp_path / "truncated.edgeocr"
    for length in [*range(1, len(content), len(content) // 50), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(BundleError):
            Bundle.open(path)


@pytest.mark.parametrize("start", [0, 50])
def test_changed_bytes_are_refused(files: Files, tmp_path: Path, start: int) -> None:
    content = packed(files, tmp_path / "a.edgeocr").read_bytes()
    path = tmp_path / "changed.edgeocr"
    for place in range(start, len(content), 97):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(BundleError):
            Bundle.open(path)


def names_twice(charset: str) -> str:
    return charset + "x\n"


def one_less(charset: str) -> str:
    return charset.split("\n", 1)[1]


@pytest.mark.parametrize("change", [names_twice, one_less])
def test_a_charset_that_does_not_fit_the_classes(
    files: Files, tmp_path: Path, change: Callable[[str], str]
) -> None:
    name = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    files[name] = change(files[name].decode()).encode()
    path = packed(sealed(files), tmp_path / "a.edgeocr")
    with pytest.raises(BundleError, match=f"{name}: .* characters and 1 special classes don't make"):
        Bundle.open(path)


def test_a_charset_that_is_no_utf8(files: Files, tmp_path: Path) -> None:
    name = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    files[name] = files[name].decode().encode("gb18030")
    with pytest.raises(BundleError, match=name):
        Bundle.open(packed(sealed(files), tmp_path / "a.edgeocr"))


def test_a_stage_that_names_a_file_of_no_bundle(files: Files, tmp_path: Path) -> None:
    def elsewhere(manifest: dict[str, Any]) -> None:
        manifest["stages"]["detection"]["graph"] = "../detection.onnx"

    path = packed(change_manifest(files, elsewhere), tmp_path / "a.edgeocr")
    with pytest.raises(BundleError, match=r"\.\./detection\.onnx"):
        Bundle.open(path)


def test_an_archive_of_another_program(files: Files, tmp_path: Path) -> None:
    """As `zip -0 -r` makes it, with entries for folders; tests/test_archive.py has more."""
    path = tmp_path / "a.edgeocr"
    zipped([*files.items(), ("graphs/", b"")], path)
    with pytest.raises(BundleError, match=r"'graphs/' is not a valid file name in a bundle"):
        Bundle.open(path)


def test_a_manifest_in_another_encoding(files: Files, tmp_path: Path) -> None:
    files[MANIFEST] = files[MANIFEST].decode().encode("utf-16")
    with pytest.raises(BundleError, match="is not valid JSON"):
        Bundle.open(packed(files, tmp_path / "a.edgeocr"))


def test_a_folder_that_is_no_bundle_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(BundleError, match=f"no {MANIFEST} inside"):
        Bundle.open(tmp_path)


@pytest.mark.parametrize("schema", range(OLDEST_SCHEMA, SCHEMA))
def test_a_bundle_of_an_older_schema_reads(schema: int) -> None:
    bundle = Bundle.open(BUNDLES / f"schema-{schema}.edgeocr")
    assert bundle.manifest.schema == schema and not bundle.manifest.requires
    given = words.clean(20, 5)
    readings = OCR(bundle, provider="cpu", threads=1).recognize([word.crop for word in given])
    assert [reading.text for reading in readings] == [word.text for word in given]
