"""Wheels in pieces: they are joined to what they were, and damage is found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import wheels
from benchmarks.wheels import JOINED, WheelsError, accepted, download_command, join, split

CONTENTS = {"a-1-py3-none-any.whl": b"abc", "big_one-2-py3-none-any.whl": bytes(range(256)) * 10}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Return a folder with pieces of at most 1000 bytes."""
    source = tmp_path / "source"
    source.mkdir()
    for name, content in CONTENTS.items():
        (source / name).write_bytes(content)
    split(sorted(source.iterdir()), tmp_path / "pieces", 1000)
    return tmp_path / "pieces"


def test_joined_files_are_what_was_packed(packed: Path) -> None:
    sizes = [path.stat().st_size for path in sorted(packed.glob("big_one*.part*"))]
    assert sizes == [1000, 1000, 560]
    assert join(packed) == list(CONTENTS)
    assert {path.name: path.read_bytes() for path in (packed / JOINED).iterdir()} == CONTENTS
    assert join(packed) == list(CONTENTS)  # again, over what is there


def test_an_empty_file_is_one_piece(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    split([tmp_path / "empty"], tmp_path / "pieces", 10)
    assert join(tmp_path / "pieces") == ["empty"]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_checksums_are_those_of_sha256sum(packed: Path) -> None:
    subprocess.run(["sha256sum", "-c", wheels.PIECES_SUMS], cwd=packed, check=True)
    parts = sorted(path.name for path in packed.glob("big_one*.part*"))
    joined = b"".join((packed / part).read_bytes() for part in parts)
    (packed / "big_one-2-py3-none-any.whl").write_bytes(joined)
    subprocess.run(["sha256sum", "-c", wheels.FILES_SUMS], cwd=packed, check=True)


def test_damage_is_told_by_the_name_of_the_piece(packed: Path) -> None:
    part = packed / "big_one-2-py3-none-any.whl.part001"
    content = part.read_bytes()
    part.write_bytes(content[:-1] + b"\0")
    with pytest.raises(WheelsError, match="part001 is damaged: copy this piece again"):
        join(packed)
    part.unlink()
    with pytest.raises(WheelsError, match=r"part001 is missing"):
        join(packed)
    assert not (packed / JOINED / "big_one-2-py3-none-any.whl").exists()


def test_a_lost_checksum_is_found(packed: Path) -> None:
    sums = packed / wheels.PIECES_SUMS
    rows = sums.read_text().splitlines()
    sums.write_text("\n".join(row for row in rows if "part001" not in row) + "\n")
    with pytest.raises(WheelsError, match=r"big_one.* is not what was packed"):
        join(packed)


@pytest.mark.parametrize("row", ["../../evil", "0" * 64 + "  ../evil", "0" * 64 + "  /evil"])
def test_checksums_name_files_of_the_folder_only(packed: Path, row: str) -> None:
    (packed / wheels.FILES_SUMS).write_text(row + "\n")
    with pytest.raises(WheelsError, match="line 1: not a checksum"):
        join(packed)


def test_only_a_new_folder_is_filled(packed: Path) -> None:
    with pytest.raises(WheelsError, match="is not empty"):
        split([], packed, 10)


def test_wheels_are_downloaded_for_the_other_machine(tmp_path: Path) -> None:
    command = download_command(["numpy"], "3.10", ["manylinux_2_28_aarch64"], tmp_path)
    assert command[-1] == "numpy" and "cp310" in command and "3.10" in command
    assert "manylinux_2_17_aarch64" in command and "manylinux_2_29_aarch64" not in command
    assert accepted("win_amd64") == ["win_amd64"]
    with pytest.raises(WheelsError, match="--python must be like"):
        download_command(["numpy"], "3", [], tmp_path)
