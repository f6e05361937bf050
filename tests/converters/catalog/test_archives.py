"""Test that unpacking writes a model's files, and nothing outside its folder."""

import io
import tarfile
from pathlib import Path
from typing import Literal

import pytest

from converters.catalog import archives
from converters.errors import FetchError


def pack(
    path: Path, files: dict[str, bytes], mode: Literal["w", "w:gz"] = "w", **special: bytes
) -> Path:
    """Write an archive; `special` maps the names of special members to their types."""
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            tar.addfile(member, io.BytesIO(content))
        for name, kind in special.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_folders_around_all_files_are_left_out(tmp_path, mode):
    files = {"./net_infer/": b"", "./net_infer/model": b"m", "./net_infer/params": b"p"}
    made = archives.unpack(pack(tmp_path / "net.tar", files, mode), tmp_path / "net")
    assert contents(tmp_path / "net") == {"model": b"m", "params": b"p"}
    assert made == [tmp_path / "net" / "model", tmp_path / "net" / "params"]


def test_inner_folders_are_kept(tmp_path):
    archives.unpack(pack(tmp_path / "net.tar", {"a/b/x": b"1", "a/c/y": b"2"}), tmp_path / "net")
    assert contents(tmp_path / "net") == {"b/x": b"1", "c/y": b"2"}


def test_hidden_files_of_macos_are_left_out(tmp_path):
    files = {"._net": b"junk", "net/._model": b"junk", "net/model": b"m", ".DS_Store": b"junk"}
    archives.unpack(pack(tmp_path / "net.tar", files), tmp_path / "net")
    assert contents(tmp_path / "net") == {"model": b"m"}


def test_changed_files_are_written_again_and_others_stay(tmp_path):
    archive = pack(tmp_path / "net.tar", {"n/model": b"mm", "n/params": b"pp"})
    model, params = archives.unpack(archive, tmp_path / "net")
    model.write_bytes(b"xx")
    (tmp_path / "net" / "other").write_bytes(b"o")
    before = params.stat().st_mtime_ns, params.stat().st_ino
    archives.unpack(archive, tmp_path / "net")
    assert contents(tmp_path / "net") == {"model": b"mm", "params": b"pp", "other": b"o"}
    assert (params.stat().st_mtime_ns, params.stat().st_ino) == before


@pytest.mark.parametrize(
    "name", ["../evil", "net/../../evil", "/tmp/evil", "net/..\\evil", "C:evil", ".hidden/../evil"]
)
def test_names_that_lead_out_are_refused(tmp_path, name):
    archive = pack(tmp_path / "net.tar", {"net/model": b"m", name: b"evil"})
    with pytest.raises(FetchError, match=r"net\.tar: .*evil' would be written outside"):
        archives.unpack(archive, tmp_path / "deep" / "net")
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = pack(tmp_path / "net.tar", {"net/model": b"m"}, params=kind)
    with pytest.raises(FetchError, match="'params' is neither a regular file nor a folder"):
        archives.unpack(archive, tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_file_is_not_written_through_a_link_in_the_folder(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model").symlink_to(tmp_path / "precious")
    archives.unpack(pack(tmp_path / "net.tar", {"net/model": b"m"}), tmp_path / "net")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert contents(tmp_path / "net") == {"model": b"m"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "it holds no files"),
        ({"net/": b""}, "it holds no files"),
        (
            {"net/dictionary.txt": b"d"},
            r"dictionary\.txt, which is the name of another",
        ),
    ],
)
def test_empty_archives_and_reserved_names_are_refused(tmp_path, files, message):
    with pytest.raises(FetchError, match=message):
        archives.unpack(
            pack(tmp_path / "net.tar", files), tmp_path / "net", reserved=["dictionary.txt"]
        )


def test_archive_with_the_same_name_twice_is_refused(tmp_path):
    archive = pack(tmp_path / "net.tar", {"net/model": b"1", "./net/model": b"2"})
    with pytest.raises(FetchError, match=r"holds './net/model' twice"):
        archives.unpack(archive, tmp_path / "net")


def test_archives_that_are_too_large_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 3)
    with pytest.raises(FetchError, match="more than"):
        archives.unpack(pack(tmp_path / "net.tar", {"a": b"12", "b": b"34"}), tmp_path / "net")


def test_unreadable_archives_are_refused(tmp_path):
    (tmp_path / "net.tar").write_bytes(b"<html>404</html>")
    with pytest.raises(FetchError, match=r"net\.tar can't be read as an archive"):
        archives.unpack(tmp_path / "net.tar", tmp_path / "net")
    whole = pack(tmp_path / "cut.tar", {"net/model": bytes(100000)}, "w:gz")
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(FetchError, match=r"cut\.tar can't be read as an archive"):
        archives.unpack(whole, tmp_path / "net")
    assert not (tmp_path / "net").exists() or contents(tmp_path / "net") == {}
