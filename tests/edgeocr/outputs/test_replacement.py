"""Files are replaced when they are complete, or stay as they were."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from edgeocr.errors import OutputError
from edgeocr.outputs import devices, replacement
from edgeocr.outputs.replacement import GrowingFile, Replacement, write_file

needs_modes = pytest.mark.skipif(os.name != "posix", reason="needs the modes of POSIX")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file with the content "old", in a folder of its own."""
    path = tmp_path / "page.txt"
    path.write_bytes(b"old")
    return path


def fill_the_disk(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let writing fail as on a full disk once so many bytes have been written."""
    write = os.write
    left = [after]

    def limited(descriptor: int, content: bytes | memoryview) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, content[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(os, "write", limited)


def test_old_file_stays_until_the_new_one_is_complete(old: Path) -> None:
    new = Replacement(old)
    new.write(b"new")
    assert old.read_bytes() == b"old"
    new.write(b"er")
    new.commit()
    assert old.read_bytes() == b"newer"
    assert list(old.parent.iterdir()) == [old]


def test_discarded_file_leaves_nothing(old: Path) -> None:
    new = Replacement(old)
    new.write(b"new")
    new.discard()
    assert old.read_bytes() == b"old" and list(old.parent.iterdir()) == [old]


def test_full_disk_leaves_the_old_file_alone(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_disk(monkeypatch, after=2)
    with pytest.raises(OutputError, match=r"page\.txt: can't be written: No space left"):
        write_file(old, b"new")
    assert old.read_bytes() == b"old" and list(old.parent.iterdir()) == [old]


def test_signal_while_the_file_is_created_leaves_nothing(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = os.open

    def interrupted(path: Path, flags: int, mode: int = 0o777) -> int:
        os.close(create(path, flags, mode))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Replacement(old)
    assert list(old.parent.iterdir()) == [old]


@needs_modes
def test_mode_is_the_old_file_s_or_what_the_umask_leaves(old: Path, tmp_path: Path) -> None:
    old.chmod(0o640)
    write_file(old, b"new")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "fresh.txt", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "fresh.txt").stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_owner_is_the_old_file_s(old: Path) -> None:
    os.chown(old, 1234, 4321)
    old.chmod(0o4755)
    write_file(old, b"new")
    status = old.stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)
    assert stat.S_IMODE(status.st_mode) == 0o4755


def test_symbolic_link_stays_and_its_target_is_replaced(old: Path, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    link = folder / "link.txt"
    link.symlink_to(old)
    write_file(link, b"new")
    assert link.is_symlink() and old.read_bytes() == b"new"
    old.unlink()
    write_file(link, b"again")  # the link leads to nothing yet
    assert link.is_symlink() and old.read_bytes() == b"again"


def test_file_that_is_mounted_by_itself_is_written_in_place(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "replace", busy)
    write_file(old, b"new")
    assert old.read_bytes() == b"new" and list(old.parent.iterdir()) == [old]


def test_content_reaches_the_disk_before_the_old_file_goes(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(old.read_bytes()))
    write_file(old, b"new")
    assert seen == [b"old"] and old.read_bytes() == b"new"
    write_file(old, b"newer", durable=False)
    assert seen == [b"old"]


def test_missing_folder_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"page\.txt: can't be written: No such file") as caught:
        Replacement(tmp_path / "no" / "page.txt")
    assert caught.value.path == str(tmp_path / "no" / "page.txt")
    with pytest.raises(OutputError, match="null"):
        Replacement(tmp_path / "a\0b")


def test_growing_file_replaces_the_old_one_with_its_first_line(old: Path) -> None:
    lines = GrowingFile(old)
    assert old.read_bytes() == b"old"
    lines.write(b"1\n")
    assert old.read_bytes() == b"1\n"
    lines.write(b"2\n")
    assert old.read_bytes() == b"1\n2\n"
    lines.commit()
    assert old.read_bytes() == b"1\n2\n" and list(old.parent.iterdir()) == [old]


def test_growing_file_without_a_line_leaves_the_old_one(old: Path) -> None:
    GrowingFile(old).commit()
    assert old.read_bytes() == b"old" and list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize(("room", "kept"), [(2, b"old"), (7, b"first\n"), (6, b"first\n")])
def test_growing_file_has_whole_lines_on_a_full_disk(
    old: Path, monkeypatch: pytest.MonkeyPatch, room: int, kept: bytes
) -> None:
    fill_the_disk(monkeypatch, after=room)
    lines = GrowingFile(old)
    with pytest.raises(OutputError, match="No space left"):
        for line in (b"first\n", b"second\n"):
            lines.write(line)
    lines.discard()
    assert old.read_bytes() == kept and list(old.parent.iterdir()) == [old]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")
def test_devices_and_open_descriptors_are_written_to_as_they_are(tmp_path: Path) -> None:
    target = tmp_path / "log.txt"
    target.write_bytes(b"before\n")
    with target.open("ab") as file:
        name = Path(f"/dev/fd/{file.fileno()}")
        link = tmp_path / "link"
        link.symlink_to(name)
        assert devices.is_device(name) and devices.is_device(link)
        inode = target.stat().st_ino
        write_file(name, b"one\n")
        write_file(link, b"two\n")
    assert target.read_bytes() == b"before\none\ntwo\n" and target.stat().st_ino == inode
    assert devices.is_device(Path(os.devnull))
    write_file(Path(os.devnull), b"nothing")
    assert not any(map(devices.is_device, (target, tmp_path, tmp_path / "none", Path("a\0b"))))
    assert replacement.PREFIX not in " ".join(path.name for path in tmp_path.iterdir())
