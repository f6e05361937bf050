"""Pictures of events."""

from __future__ import annotations

import errno
import logging
import os
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr.errors import OutputError
from edgeocr.outputs import devices, replacement
from edgeocr.watch import Snapshots
from tests.support.events import event, quad
from tests.support.paths import IMAGES

PLACE = quad(60, 80, 200, 60)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    picture = cv2.imread(str(IMAGES / "badge.jpg"))
    assert picture is not None
    return picture


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_frame_with_the_outline_under_a_name_that_tells_the_event(
    image: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "folder"
    snapshots = Snapshots(folder)
    before = image.copy()
    path = snapshots.write(event("appeared", "text", 0.125, quad=PLACE, track=7, image=image))
    assert path == str(folder / "20261129T083000.125Z-7-appeared.jpg")
    assert names(folder) == [Path(path).name] and (image == before).all()
    drawn = cv2.imread(path)
    assert drawn is not None and drawn.shape == image.shape
    changed = np.abs(drawn.astype(int) - image).max(2) > 100
    rows, columns = np.nonzero(changed)
    assert changed.any()
    assert (columns.min() >= 55, columns.max() <= 265) == (True, True)
    assert (rows.min() >= 75, rows.max() <= 145) == (True, True)


def test_names_sort_by_time_and_are_never_used_twice(image: np.ndarray, tmp_path: Path) -> None:
    made = [event("gone", "text", at, image=image) for at in (0, 0.5, 10, 10)]
    paths = [Snapshots(tmp_path).write(each) for each in (made[0], *made)]
    assert len(set(paths)) == 5 and None not in paths
    assert names(tmp_path) == [
        "20261129T083000.000Z-1-gone-2.jpg",
        "20261129T083000.000Z-1-gone.jpg",
        "20261129T083000.500Z-1-gone.jpg",
        "20261129T083010.000Z-1-gone-2.jpg",
        "20261129T083010.000Z-1-gone.jpg",
    ]


def test_an_event_without_a_picture_has_none(tmp_path: Path) -> None:
    assert Snapshots(tmp_path).write(event("gone")) is None
    assert names(tmp_path) == []


def test_only_the_newest_are_kept_and_only_own_files_are_removed(
    image: np.ndarray, tmp_path: Path
) -> None:
    strange = {
        "20200101T000000.000Z-1-gone.jpg": b"\xff\xd8\xff\xe0 a picture of the user's",
        "holiday.jpg": b"mine",
        "0.txt": b"mine",
    }
    for name, content in strange.items():
        (tmp_path / name).write_bytes(content)
    first = Snapshots(tmp_path)
    for at in range(4):
        first.write(event("appeared", "text", at, image=image))
    assert len(names(tmp_path)) == 4 + len(strange)
    second = Snapshots(tmp_path, keep=3)
    assert len(names(tmp_path)) == 3 + len(strange)
    second.write(event("appeared", "text", 4, image=image))
    # A clock that was set back doesn't make the newest picture the oldest one.
    newest = second.write(event("appeared", "text", -1000, image=image))
    assert newest is not None
    kept = [name for name in names(tmp_path) if name not in strange]
    assert kept == [
        Path(newest).name,
        *(f"20261129T08300{at}.000Z-1-appeared.jpg" for at in (3, 4)),
    ]
    assert {name: (tmp_path / name).read_bytes() for name in strange} == strange
    with pytest.raises(ValueError, match="at least 1 picture, not 0"):
        Snapshots(tmp_path, keep=0)


def test_a_full_disk_is_told_once_until_pictures_can_be_written_again(
    image: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "edgeocr")
    snapshots = Snapshots(tmp_path)
    whole = devices.write_all

    def fail(code: int, descriptor: int, content: bytes) -> None:
        whole(descriptor, content[:100])
        raise OSError(code, os.strerror(code))

    for code in (errno.ENOSPC, errno.EIO):
        monkeypatch.setattr(replacement, "write_all", partial(fail, code))
        for at in range(3):
            assert snapshots.write(event("appeared", "text", at, image=image)) is None
        assert names(tmp_path) == []
    monkeypatch.setattr(replacement, "write_all", whole)
    assert snapshots.write(event("appeared", "text", 5, image=image)) is not None
    start = f"pictures of events can't be written to {tmp_path}: "
    assert [record.getMessage() for record in caplog.records] == [
        f"{start}No space left on device; the watch goes on",
        f"{start}Input/output error; the watch goes on",
        f"pictures of events are written to {tmp_path} again",
    ]


def test_a_folder_that_cannot_be_made_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file/folder: can't be written: Not a directory"):
        Snapshots(tmp_path / "file" / "folder")
