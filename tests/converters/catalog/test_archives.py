"""Test that unpacking writes a model's files, and nothing outside its folder."""

import io
import random
import shutil
import tarfile
from pathlib import Path
from typing import Literal

import pytest

from converters.catalog import archives
from converters.errors import FetchError
from tests.support import mutants


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
    with pytest.raises(FetchError, match=r"net\.tar: it can't be read as an archive"):
        archives.unpack(tmp_path / "net.tar", tmp_path / "net")
    whole = pack(tmp_path / "cut.tar", {"net/model": bytes(100000)}, "w:gz")
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(FetchError, match=r"cut\.tar: it can't be read as an archive"):
        archives.unpack(whole, tmp_path / "net")
    assert not (tmp_path / "net").exists() or contents(tmp_path / "net") == {}


def member(name: str, size: int = 0, **pax: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.pax_headers = size, pax
    return info


def write(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "net/params"}


@pytest.mark.parametrize(
    "pax",
    [
        {**SPARSE, "GNU.sparse.realsize": "9"},
        {**SPARSE, "GNU.sparse.realsize": "x"},
        {"GNU.sparse.map": "0,x", "GNU.sparse.size": "9"},
        {"GNU.sparse.size": "x"},
    ],
)
def test_bad_maps_of_sparse_files_are_refused(tmp_path, pax):
    archive = write(
        tmp_path / "net.tar",
        (member("net/model", 1), b"m"),
        (member("net/params", 512, **pax), b"no number\n".ljust(512, b"\0")),
    )
    with pytest.raises(FetchError, match=r"net\.tar: "):
        archives.unpack(archive, tmp_path / "net")
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["net/model", "net/model/part"], "'model' both as a file and as a folder"),
        (["net/a/b/c", "net/a"], "'a' both as a file and as a folder"),
        (["net/Model", "net/model"], "differ only in upper and lower case"),
        (["net/model", "net/dictionary.txt/x"], "the name of another file of the model"),
        (["net/model", "net/Dictionary.TXT"], "the name of another file of the model"),
        (["net/model", "net/" + "x" * 250], "can't be the name of a model's file"),
        (["."], "can't be the name of a model's file"),
    ],
)
def test_names_that_clash_leave_no_files(tmp_path, names, message):
    archive = pack(tmp_path / "net.tar", dict.fromkeys(names, b"x"))
    with pytest.raises(FetchError, match=message):
        archives.unpack(archive, tmp_path / "net", reserved=["dictionary.txt"])
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(("in_the_way", "is_folder"), [("params", True), ("sub", False)])
def test_folder_with_something_in_the_way_is_left_as_it_is(tmp_path, in_the_way, is_folder):
    archive = pack(tmp_path / "net.tar", {"net/model": b"m", "net/params": b"p", "net/sub/x": b"x"})
    place = tmp_path / "net" / in_the_way
    if is_folder:
        place.mkdir(parents=True)
    else:
        place.parent.mkdir()
        place.touch()
    with pytest.raises(FetchError, match=rf"{in_the_way} is in the way of .*; remove it"):
        archives.unpack(archive, tmp_path / "net")
    assert [path.name for path in (tmp_path / "net").iterdir()] == [in_the_way]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_archive_that_ends_too_early_changes_no_file(tmp_path, mode):
    content = random.Random(0).randbytes(200_000)
    files = [(member(f"net/{name}", len(content)), content) for name in ("model", "params")]
    archive = write(tmp_path / "net.tar", *files, mode=mode)
    whole = archive.read_bytes()
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model").write_bytes(b"old")
    for share in (0.05, 0.5, 0.7, 0.9):
        archive.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FetchError, match=r"net\.tar: it can't be read as an archive"):
            archives.unpack(archive, tmp_path / "net")
        assert contents(tmp_path / "net") == {"model": b"old"}


def test_full_disk_changes_no_file(tmp_path, monkeypatch):
    """The file system is full when the second file is written."""
    blocks = archives._blocks

    def full(tar: tarfile.TarFile, info: tarfile.TarInfo):
        if info.name == "net/params":
            raise OSError(28, "No space left on device")
        return blocks(tar, info)

    monkeypatch.setattr(archives, "_blocks", full)
    archive = pack(tmp_path / "net.tar", {"net/model": b"m", "net/params": b"p"})
    with pytest.raises(OSError, match="No space left"):
        archives.unpack(archive, tmp_path / "net")
    assert contents(tmp_path / "net") == {}


def test_headers_that_would_fill_the_memory_are_refused(tmp_path):
    bomb = write(tmp_path / "net.tar", (member("net/model", 1, comment="x" * (2 << 20)), b"m"))
    with pytest.raises(FetchError, match="a header of 2097664 bytes is too large"):
        archives.unpack(bomb, tmp_path / "net")


def test_headers_that_follow_each_other_without_end_are_refused(tmp_path):
    info = member("x" * 200)
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 5
    block = info.tobuf(tarfile.GNU_FORMAT)[-512:] + b"name\0".ljust(512, b"\0")
    (tmp_path / "net.tar").write_bytes(block * 5000)
    with pytest.raises(FetchError, match=r"it can't be read as an archive"):
        archives.unpack(tmp_path / "net.tar", tmp_path / "net")


def test_archives_of_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    with pytest.raises(FetchError, match="more than 3 files"):
        archives.unpack(pack(tmp_path / "net.tar", dict.fromkeys("abcd", b"")), tmp_path / "net")


def test_size_that_a_header_states_is_checked_before_it_is_unpacked(tmp_path):
    info = member("net/model", archives.MAX_BYTES + 1)
    (tmp_path / "net.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(FetchError, match="more than 4 GiB"):
        archives.unpack(tmp_path / "net.tar", tmp_path / "net")


def test_mutants_are_unpacked_or_refused_and_nothing_else_is_written(tmp_path):
    files = {"net/model": b"m" * 600, "net/sub/params": b"p" * 300, "net/._hidden": b"h"}
    sources = [
        pack(tmp_path / "a", files).read_bytes(),
        pack(tmp_path / "b", files, "w:gz").read_bytes(),
    ]
    sources.append(
        write(
            tmp_path / "c", (member("net/params", 9, **SPARSE), b"1\n0\n9\n" + b"x" * 9)
        ).read_bytes()
    )
    target = tmp_path / "deep" / "net"
    refused = 0
    for seed in range(300):
        chance = random.Random(seed)
        (tmp_path / "net.tar").write_bytes(mutants.of_bytes(chance.choice(sources), chance))
        try:
            archives.unpack(tmp_path / "net.tar", target)
        except FetchError:
            refused += 1
        assert {path.name for path in tmp_path.iterdir()} <= {"a", "b", "c", "net.tar", "deep"}
        assert not list(target.rglob("*.part"))
        shutil.rmtree(tmp_path / "deep", ignore_errors=True)
    assert 100 < refused < 290
