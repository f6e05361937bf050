"""What a command must not write to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeocr.errors import OutputError
from edgeocr.outputs.guard import OutputGuard


def ours(start: bytes) -> bool:
    return start.startswith(b"ours")


def check(guard: OutputGuard, path: Path) -> None:
    guard.check(path, ours, "--output")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(b"picture")
    return path


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_read_is_protected_under_all_its_names(
    tmp_path: Path, picture: Path, overwrite: bool
) -> None:
    guard = OutputGuard(overwrite=overwrite)
    guard.protect(picture, "one of the sources")
    hard, soft, folder = tmp_path / "hard", tmp_path / "soft", tmp_path / "folder"
    hard.hardlink_to(picture)
    soft.symlink_to(picture)
    folder.symlink_to(tmp_path)
    relative = Path(os.path.relpath(picture))
    for path in (picture, hard, soft, folder / picture.name, relative):
        with pytest.raises(OutputError, match="is one of the sources: --output would overwrite"):
            check(guard, path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_protected_folder_includes_all_in_it(tmp_path: Path, overwrite: bool) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "graphs").mkdir(parents=True)
    (bundle / "graphs" / "a.onnx").write_bytes(b"graph")
    (tmp_path / "hard").hardlink_to(bundle / "graphs" / "a.onnx")
    guard = OutputGuard(overwrite=overwrite)
    guard.protect(bundle, "the bundle")
    for path in (bundle / "graphs" / "a.onnx", bundle / "new.json", tmp_path / "hard"):
        with pytest.raises(OutputError, match="is in the bundle: --output would overwrite it"):
            check(guard, path)
    check(guard, tmp_path / "bundle.json")


def test_only_our_files_and_empty_ones_are_replaced_unless_all_may_be(tmp_path: Path) -> None:
    theirs, own, empty = tmp_path / "theirs", tmp_path / "own", tmp_path / "empty"
    theirs.write_bytes(b"theirs")
    own.write_bytes(b"ours")
    empty.touch()
    for path in (own, empty, tmp_path / "new", Path(os.devnull)):
        check(OutputGuard(), path)
    with pytest.raises(OutputError, match=r"theirs exists, .*or replace it with --overwrite"):
        check(OutputGuard(), theirs)
    check(OutputGuard(overwrite=True), theirs)


def test_folders_and_impossible_names_are_errors_before_anything_is_read(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path, reason in (
        (tmp_path, "it is a folder"),
        (loop, "symbolic links"),
        (tmp_path / ("x" * 300), "too long"),
        (Path("a\0b"), "null"),
    ):
        with pytest.raises(OutputError, match=reason):
            check(OutputGuard(overwrite=True), path)


def test_sources_with_impossible_names_protect_nothing(tmp_path: Path) -> None:
    guard = OutputGuard()
    for name in ("a\0b", "x" * 300, "missing", "\udcff"):
        guard.protect(name, "one of the sources")
    check(guard, tmp_path / "page.json")


def test_open_files_are_protected_and_refused_like_named_ones(
    tmp_path: Path, picture: Path
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"other")
    with picture.open("rb+") as file, other.open("rb+") as allowed:
        by_descriptor, by_name = OutputGuard(overwrite=True), OutputGuard(overwrite=True)
        by_descriptor.protect(file.fileno(), "one of the sources")
        by_name.protect(picture, "one of the sources")
        for guard in (by_descriptor, by_name):
            for path in (picture, Path(f"/dev/fd/{file.fileno()}")):
                with pytest.raises(OutputError, match="is one of the sources"):
                    check(guard, path)
            check(guard, Path(f"/dev/fd/{allowed.fileno()}"))
            check(guard, Path(os.devnull))


def test_open_folder_and_closed_descriptor_protect_nothing(tmp_path: Path) -> None:
    guard = OutputGuard()
    folder = os.open(tmp_path, os.O_RDONLY)
    guard.protect(folder, "one of the sources")
    os.close(folder)
    guard.protect(folder, "one of the sources")
    check(guard, tmp_path / "page.json")
