"""Opening bundles, folders and files, and every kind of damage that must be refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeocr import OCR, Bundle, BundleError
from edgeocr.bundle.manifest import OLDEST_SCHEMA, REQUIRES
from tests.support.packing import Files, folder, packed, sealed, with_manifest, zipped
from tests.support.paths import BUNDLES
from tests.trained import words

MANIFEST = "manifest.json"
GRAPH = "graphs/detection.onnx"
Change = Callable[[Files], None]


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


def test_read_returns_the_content_that_was_checked_on_opening(files: Files, tmp_path: Path) -> None:
    bundle = Bundle.open(folder(files, tmp_path / "b"))
    (tmp_path / "b" / GRAPH).write_bytes(b"changed after opening")
    assert bundle.read(GRAPH) == files[GRAPH]


def test_read_refuses_a_name_that_the_bundle_lacks(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"graphs/other\.onnx"):
        bundle.read("graphs/other.onnx")


def test_the_blank_class_stands_for_no_character(bundle: Bundle) -> None:
    assert bundle.manifest.stages.recognition is not None
    charset = bundle.manifest.stages.recognition.charset
    assert charset.blank is not None
    characters = bundle.characters
    assert len(characters) == charset.classes
    assert characters[charset.blank] == ""
    assert characters.count("") == 1
    assert {"A", "z", "0", "店", "¥"} <= set(characters)


def without_a_graph(files: Files) -> None:
    del files[GRAPH]


def with_a_changed_graph(files: Files) -> None:
    files[GRAPH] = files[GRAPH][:-1] + b"!"


def with_a_longer_graph(files: Files) -> None:
    files[GRAPH] += b"!"


def with_an_extra_file(files: Files) -> None:
    files["graphs/extra.onnx"] = b""


def without_a_manifest(files: Files) -> None:
    del files[MANIFEST]


def cut_manifest(files: Files) -> None:
    files[MANIFEST] = files[MANIFEST][:-20]


def manifest_not_in_utf8(files: Files) -> None:
    files[MANIFEST] = b'"\xff"'


def manifest_is_a_list(files: Files) -> None:
    files[MANIFEST] = b"[1]"


def empty_manifest(files: Files) -> None:
    files[MANIFEST] = b""


def nested_too_deep(files: Files) -> None:
    files[MANIFEST] = b"[" * 200_000


@pytest.mark.parametrize("pack", [folder, packed])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without_a_graph, f"{GRAPH} is listed in the manifest but missing"),
        (with_a_changed_graph, f"{GRAPH} is not the file"),
        (with_a_longer_graph, f"{GRAPH} is not the file"),
        (with_an_extra_file, r"graphs/extra\.onnx is in the bundle but not listed in its manifest"),
        (without_a_manifest, f"no {MANIFEST}"),
        (cut_manifest, f"{MANIFEST} is not valid JSON"),
        (manifest_not_in_utf8, f"{MANIFEST} is not valid JSON"),
        (manifest_is_a_list, f"{MANIFEST} has no schema"),
        (empty_manifest, f"{MANIFEST} is not valid JSON"),
        (nested_too_deep, f"{MANIFEST} is not valid JSON"),
    ],
)
def test_damage_is_refused_and_the_damaged_file_is_named(
    files: Files, tmp_path: Path, pack: Any, damage: Change, words: str
) -> None:
    Bundle.open(pack(files, tmp_path / "sound"))
    damage(files)
    path = pack(files, tmp_path / "damaged")
    with pytest.raises(BundleError, match=words) as caught:
        Bundle.open(path)
    assert str(path) in str(caught.value)


def test_paths_without_a_bundle_are_refused(tmp_path: Path) -> None:
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
def test_an_archive_with_an_invalid_file_name_is_refused(
    files: Files, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "a.edgeocr"
    zipped([*sealed(files | {name: b"?"}).items()], path)
    with pytest.raises(BundleError, match="not a valid file name in a bundle"):
        Bundle.open(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
@pytest.mark.parametrize("name", ["a\\x", "C:x"])
def test_a_folder_with_an_invalid_file_name_is_refused(
    files: Files, tmp_path: Path, name: str
) -> None:
    with pytest.raises(BundleError, match="not a valid file name in a bundle"):
        Bundle.open(folder(sealed(files | {name: b"?"}), tmp_path / "b"))


@pytest.mark.parametrize("target", ["../outside.onnx", "detection.onnx"])
def test_a_folder_with_a_symbolic_link_is_refused(
    files: Files, tmp_path: Path, target: str
) -> None:
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
def test_a_folder_with_a_named_pipe_is_refused(files: Files, tmp_path: Path) -> None:
    path = folder(files, tmp_path / "b")
    os.mkfifo(path / "pipe")
    with pytest.raises(BundleError, match="pipe is neither"):
        Bundle.open(path)


def test_truncated_bundles_are_refused(files: Files, tmp_path: Path) -> None:
    content = packed(files, tmp_path / "a.edgeocr").read_bytes()
    path = tmp_path / "truncated.edgeocr"
    for length in [*range(1, len(content), len(content) // 50), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(BundleError):
            Bundle.open(path)


@pytest.mark.stress
@pytest.mark.parametrize("start", [0, 50])
def test_every_97th_changed_byte_is_refused(files: Files, tmp_path: Path, start: int) -> None:
    content = packed(files, tmp_path / "a.edgeocr").read_bytes()
    path = tmp_path / "changed.edgeocr"
    for place in range(start, len(content), 97):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(BundleError):
            Bundle.open(path)


def with_an_extra_character(charset: str) -> str:
    return charset + "x\n"


def without_the_first_character(charset: str) -> str:
    return charset.split("\n", 1)[1]


@pytest.mark.parametrize("change", [with_an_extra_character, without_the_first_character])
def test_a_charset_with_the_wrong_number_of_characters_is_refused(
    files: Files, tmp_path: Path, change: Callable[[str], str]
) -> None:
    name = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    files[name] = change(files[name].decode()).encode()
    path = packed(sealed(files), tmp_path / "a.edgeocr")
    with pytest.raises(BundleError, match=rf"{name}: \d+ characters and 1 special classes don't"):
        Bundle.open(path)


def test_a_charset_in_another_encoding_is_refused(files: Files, tmp_path: Path) -> None:
    name = json.loads(files[MANIFEST])["stages"]["recognition"]["charset"]["file"]
    files[name] = files[name].decode().encode("gb18030")
    with pytest.raises(BundleError, match=name):
        Bundle.open(packed(sealed(files), tmp_path / "a.edgeocr"))


def test_a_graph_outside_the_bundle_is_refused(files: Files, tmp_path: Path) -> None:
    def elsewhere(manifest: dict[str, Any]) -> None:
        manifest["stages"]["detection"]["graph"] = "../detection.onnx"

    path = packed(with_manifest(files, elsewhere), tmp_path / "a.edgeocr")
    with pytest.raises(BundleError, match=r"\.\./detection\.onnx"):
        Bundle.open(path)


def test_an_archive_packed_by_another_program_is_refused(files: Files, tmp_path: Path) -> None:
    """Pack an entry for a folder too, as `zip -0 -r` does; test_archive.py has further forms."""
    path = tmp_path / "a.edgeocr"
    zipped([*files.items(), ("graphs/", b"")], path)
    with pytest.raises(BundleError, match=r"'graphs/' is not a valid file name in a bundle"):
        Bundle.open(path)


def test_a_manifest_in_another_encoding_is_refused(files: Files, tmp_path: Path) -> None:
    files[MANIFEST] = files[MANIFEST].decode().encode("utf-16")
    with pytest.raises(BundleError, match="is not valid JSON"):
        Bundle.open(packed(files, tmp_path / "a.edgeocr"))


def test_a_folder_without_a_manifest_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(BundleError, match=f"no {MANIFEST} inside"):
        Bundle.open(tmp_path)


@pytest.mark.parametrize("schema", range(OLDEST_SCHEMA, min(REQUIRES)))
def test_a_bundle_with_a_schema_that_is_no_longer_written_reads(schema: int) -> None:
    bundle = Bundle.open(BUNDLES / f"schema-{schema}.edgeocr")
    assert bundle.manifest.schema == schema and not bundle.manifest.requires
    given = words.clean(20, 5)
    readings = OCR(bundle, provider="cpu", threads=1).recognize([word.crop for word in given])
    assert [reading.text for reading in readings] == [word.text for word in given]
