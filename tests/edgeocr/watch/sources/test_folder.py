"""A folder that fills up with pictures."""

from __future__ import annotations

import os
import shutil
import threading
import time

import cv2
import PIL.Image
import pytest

from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import backoff, folder, open_source
from edgeocr.watch.sources.folder import Folder, Memory
from tests.support.videos import jpeg, number_of, picture


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch):
    monkeypatch.setattr(folder, "LOOK", 0.02)
    monkeypatch.setattr(backoff, "FIRST", 0.02)


def put(place, name, number, modified=None):
    path = place / name
    hidden = place / f".{name}"
    hidden.write_bytes(jpeg(number))
    if modified is not None:
        os.utime(hidden, (modified, modified))
    hidden.rename(path)
    return path


def take(frames, count):
    return [number_of(next(frames).image) for _ in range(count)]


def test_pictures_that_are_there_then_each_new_one(tmp_path):
    put(tmp_path, "a.jpg", 3, modified=3000)
    put(tmp_path, "b.jpg", 1, modified=1000)
    put(tmp_path, "d.JPG", 2, modified=2000)
    put(tmp_path, "c.jpg", 9, modified=2000)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "sub.jpg").mkdir()
    with open_source(tmp_path, WatchOptions()) as frames:
        # By the time of their change, then by name; upper case is before lower case.
        assert take(frames, 4) == [1, 9, 2, 3]
        put(tmp_path, "0.jpg", 4, modified=500)  # older by its time, but new here
        assert take(frames, 1) == [4]
        cv2.imwrite(str(tmp_path / "e.png"), picture(5))
        assert take(frames, 1) == [5]
        put(tmp_path, "a.jpg", 6)  # a picture that is written again is a new one
        assert take(frames, 1) == [6]


@pytest.mark.stress
def test_newest_leaves_out_what_waits(tmp_path):
    for number in range(6):
        put(tmp_path, f"{number}.jpg", number, modified=1000 + number)
    with open_source(tmp_path, WatchOptions(pace="newest")) as frames:
        time.sleep(0.2)
        assert take(frames, 1) == [5]


def test_pages_and_steps_are_frames(tmp_path):
    pages = [PIL.Image.fromarray(picture(number)) for number in (3, 4, 5)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    with open_source(tmp_path, WatchOptions()) as frames:
        assert take(frames, 3) == [3, 4, 5]


def test_a_file_that_is_being_written_is_waited_for(tmp_path, caplog):
    whole = jpeg(7)
    with open_source(tmp_path, WatchOptions()) as frames:

        def write() -> None:
            with (tmp_path / "slow.jpg").open("wb", buffering=0) as file:
                for i in range(0, len(whole), len(whole) // 20):
                    file.write(whole[i : i + len(whole) // 20])
                    time.sleep(0.005)

        thread = threading.Thread(target=write)
        thread.start()
        assert take(frames, 1) == [7]
        thread.join()
        put(tmp_path, "next.jpg", 8)
        assert take(frames, 1) == [8]


def test_a_broken_file_is_told_once_and_read_when_it_is_whole(tmp_path, caplog):
    broken = tmp_path / "a.jpg"
    broken.write_bytes(jpeg(1)[:300])
    with open_source(tmp_path, WatchOptions()) as frames:
        time.sleep(0.2)
        put(tmp_path, "b.jpg", 2)
        assert take(frames, 1) == [2]
        broken.write_bytes(jpeg(1))
        assert take(frames, 1) == [1]
    (record,) = caplog.records
    assert f"{tmp_path}: a damaged picture was left out: {broken}: " in record.message


def test_files_that_vanish_dont_matter(tmp_path, caplog):
    for number in range(4):
        put(tmp_path, f"{number}.jpg", number, modified=1000 + number)
    with open_source(tmp_path, WatchOptions()) as frames:
        assert take(frames, 1) == [0]
        for path in tmp_path.iterdir():
            path.unlink()
        put(tmp_path, "9.jpg", 9)
        # What was decoded before it vanished may be given first.
        assert 9 in (number_of(next(frames).image) for _ in range(4))
    assert caplog.records == []


@pytest.mark.stress
def test_a_folder_without_pictures_is_no_fault(tmp_path):
    options = WatchOptions(open_timeout=0.1, give_up=0.1)
    with open_source(tmp_path, options) as frames:
        timer = threading.Timer(0.4, put, (tmp_path, "a.jpg", 4))
        timer.start()
        assert take(frames, 1) == [4]
        timer.join()


def test_a_folder_that_is_deleted_and_made_again(tmp_path, caplog):
    place = tmp_path / "in"
    place.mkdir()
    with open_source(place, WatchOptions()) as frames:
        put(place, "a.jpg", 1)
        assert take(frames, 1) == [1]
        shutil.rmtree(place)
        deadline = time.monotonic() + 10
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.01)
        place.mkdir()
        put(place, "b.jpg", 2)
        frame = next(frames)
    assert number_of(frame.image) == 2 and frame.opening == 1
    messages = [record.message for record in caplog.records]
    assert "has dropped: the folder can't be listed: No such file or directory" in messages[0]
    assert "is back after" in messages[-1]


@pytest.mark.stress
def test_pictures_are_not_read_again_after_the_folder_was_away(tmp_path, caplog):
    place, away = tmp_path / "mount", tmp_path / "away"
    place.mkdir()
    with open_source(place, WatchOptions()) as frames:
        put(place, "a.jpg", 1)
        assert take(frames, 1) == [1]
        # What unmounting does: an empty folder is in its place, then the other one is back.
        place.rename(away)
        place.mkdir()
        time.sleep(0.1)
        place.rmdir()
        away.rename(place)
        time.sleep(0.1)
        put(place, "b.jpg", 2)
        assert take(frames, 1) == [2]


@pytest.mark.stress
def test_what_is_remembered_goes_with_the_folder_not_with_its_history(tmp_path):
    memory, stopped = Memory(), threading.Event()
    opened = Folder(str(tmp_path), "folder", memory, stopped)
    for turn in range(8):
        path = put(tmp_path, f"{turn}.jpg", turn)
        arrival = opened.take()
        assert arrival is not None and number_of(arrival.decode()) == turn
        assert len(memory.taken) <= 2
        path.unlink()


def test_a_large_folder_is_looked_at_less_often(tmp_path, monkeypatch):
    opened = Folder(str(tmp_path), "folder", Memory(), threading.Event())

    def slow_files(_):
        time.sleep(0.05)
        yield from ()

    monkeypatch.setattr(Folder, "_files", slow_files)
    opened._look()
    assert opened._pause >= 0.5
