"""`edgeocr watch`: its arguments and outputs, with frames and events that the tests make up."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr.cli import watch
from edgeocr.cli.main import main
from edgeocr.cli.signals import Terminated
from edgeocr.errors import VideoError
from edgeocr.watch import Event, Frame, WatchOptions
from tests.support.events import MOMENT, event, quad
from tests.support.paths import IMAGES

IMAGE = np.full((60, 120, 3), 200, np.uint8)
Script = Iterable[Event | BaseException | Callable[[], object]]


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A file that may be a video: no test opens it."""
    path = tmp_path / "source.mp4"
    path.write_bytes(b"video")
    return str(path)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A camera before which happens what the test writes down under "script".

    Each event takes a frame a second; an exception is raised, and a function called, in its turn.
    What the command asked for is found under "source" and "options".
    """
    notes: dict[str, Any] = {"script": []}

    @contextmanager
    def open_source(source: object, options: WatchOptions) -> Iterator[Iterator[Frame]]:
        notes.update(source=source, options=options)
        yield (Frame(IMAGE, i, float(i), MOMENT + i) for i in range(1000))

    def events_of(frames: Iterator[Frame], ocr: object, options: WatchOptions) -> Iterator[Event]:
        for step in notes["script"]:
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, Event):
                next(frames)
                yield step
            else:
                step()

    monkeypatch.setattr("edgeocr.watch.events_of", events_of)
    monkeypatch.setattr("edgeocr.watch.sources.open_source", open_source)
    monkeypatch.setattr(watch, "open_ocr", lambda options: nullcontext())
    return notes


APPEARED = event("appeared", "OPEN", 0, image=IMAGE)
CHANGED = event("changed", "CLOSED", 1, previous="OPEN", image=IMAGE)
GONE = event("gone", "CLOSED", 2, image=IMAGE)


def kinds(text: str) -> list[str]:
    return [json.loads(line)["event"] for line in text.splitlines()]


def test_each_event_is_a_line_that_is_there_before_the_next_one(
    told: dict[str, Any], source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    told["script"] = [APPEARED, lambda: seen.append(capsys.readouterr().out), CHANGED, GONE]
    assert main(["watch", source]) == 0
    captured = capsys.readouterr()
    assert kinds(seen[0]) == ["appeared"] and kinds(captured.out) == ["changed", "gone"]
    assert "snapshot" not in seen[0]
    assert captured.err == "edgeocr: the source has ended: 3 frames looked at, 3 events\n"
    assert told["source"] == source and told["options"] == WatchOptions()


def test_the_start_says_what_is_watched_and_how(
    told: dict[str, Any], source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told["script"] = [APPEARED, CHANGED]
    words = ["--every", "0.5", "--region", "10, 20,300,40", "--match", r"\d+", "--until", "2"]
    more = ["--min-score", "0.9", "--patience", "2", "--pace", "newest", "--give-up", "9"]
    assert main(["watch", source, *words, *more, "--open-timeout", "3", "--format", "text"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"edgeocr: watching {source}, the newest frame each time, at least 0.5 s apart, only "
        "the 300 × 40 pixels at (10, 20), texts that match \\d+, until event 2; events go to "
        "standard output as text; press Ctrl+C to end",
        "edgeocr: event 2 was reported: 2 frames looked at, 2 events",
    ]
    chosen = told["options"]
    assert (chosen.every, chosen.region, chosen.until) == (0.5, (10, 20, 300, 40), 2)
    assert (chosen.min_score, chosen.patience, chosen.pace) == (0.9, 2.0, "newest")
    assert (chosen.give_up, chosen.open_timeout, chosen.match.pattern) == (9.0, 3.0, r"\d+")


def test_passwords_of_the_source_are_not_shown(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", "rtsp://me:secret@127.0.0.1/stream"]) == 0
    errors = capsys.readouterr().err
    assert "watching rtsp://me:***@127.0.0.1/stream, the newest frame" in errors
    assert "secret" not in errors and told["source"] == "rtsp://me:secret@127.0.0.1/stream"


@pytest.mark.parametrize("ending", ["jsonl", "log"])
def test_lines_are_added_to_the_file_of_an_earlier_watch(
    told: dict[str, Any], source: str, tmp_path: Path, ending: str
) -> None:
    output = tmp_path / f"events.{ending}"
    told["script"] = [APPEARED, CHANGED]
    words = ["watch", source, "--output", str(output)]
    assert main(words) == main(words) == 0
    lines = output.read_text("utf-8").splitlines()
    assert len(lines) == 4 and lines[:2] == lines[2:]
    assert main([*words, "--overwrite"]) == 0
    assert output.read_text("utf-8").splitlines() == lines[:2]


def test_files_that_hold_something_else_are_not_touched(
    told: dict[str, Any], source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("diary.txt", "mine.jsonl", "subtitles.srt"):
        output = tmp_path / name
        output.write_text("mine\n")
        assert main(["watch", source, "--output", str(output)]) == 1
        assert "nothing in it shows that edgeocr wrote it" in capsys.readouterr().err
        assert output.read_text() == "mine\n"
    for words in (["--output", source], ["--output", source, "--overwrite"]):
        assert main(["watch", source, *words]) == 1
        assert "is one of the sources: --output would overwrite it" in capsys.readouterr().err
    assert main(["watch", str(tmp_path), "--snapshot", str(tmp_path / "events")]) == 1
    assert "in one of the sources: --snapshot would overwrite it" in capsys.readouterr().err


@pytest.mark.parametrize("signal", [KeyboardInterrupt(), Terminated(15)])
def test_a_signal_ends_it_with_code_0_and_complete_subtitles(
    told: dict[str, Any],
    source: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    signal: BaseException,
) -> None:
    told["script"] = [APPEARED, CHANGED, event("appeared", "other", 2, track=2), signal]
    output = tmp_path / "film.srt"
    assert main(["watch", source, "--output", str(output)]) == 0
    assert output.read_text("utf-8") == (
        "1\n00:00:00,000 --> 00:00:01,000\nOPEN\n\n2\n00:00:01,000 --> 00:00:02,000\nCLOSED\n\n"
    )
    assert "a signal has ended the watch: 3 frames looked at, 3 events" in capsys.readouterr().err


def test_a_source_that_fails_for_good_leaves_complete_outputs_and_code_1(
    told: dict[str, Any], source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told["script"] = [APPEARED, event("changed", "x", 1, track=9), VideoError("cut off")]
    output = tmp_path / "film.srt"
    assert main(["watch", source, "--output", str(output)]) == 1
    assert output.read_text("utf-8") == "1\n00:00:00,000 --> 00:00:01,000\nOPEN\n\n"
    errors = capsys.readouterr().err.splitlines()
    assert errors[1:] == [
        "edgeocr: an error ended the watch: 2 frames looked at, 2 events",
        "edgeocr: error: cut off",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("format_", ["jsonl", "text", "srt"])
def test_a_full_disk_is_an_error(
    told: dict[str, Any], source: str, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    told["script"] = [APPEARED, CHANGED, event("changed", "late", 100), GONE]
    assert main(["watch", source, "--output", "/dev/full", "--format", format_]) == 1
    errors = capsys.readouterr().err
    assert "edgeocr: error: /dev/full: can't be written: No space left on device\n" in errors


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_a_reader_that_has_ended_is_no_error_to_talk_about(
    told: dict[str, Any], source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    told["script"] = [APPEARED, lambda: os.close(reader), CHANGED, GONE]
    assert main(["watch", source, "--output", str(fifo)]) == 1
    assert "error:" not in capsys.readouterr().err


def test_events_name_their_pictures_and_go_on_without_them(
    told: dict[str, Any], source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"

    def block() -> None:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()

    told["script"] = [APPEARED, CHANGED, GONE, block, APPEARED, CHANGED]
    words = ["watch", source, "--snapshot", str(folder), "--snapshots-kept", "2"]
    told["script"].insert(3, lambda: kept.extend(path.name for path in folder.iterdir()))
    kept: list[str] = []
    assert main(words) == 0
    captured = capsys.readouterr()
    names = [json.loads(line)["snapshot"] for line in captured.out.splitlines()]
    assert names[0] == str(folder / "20261129T083000.000Z-1-appeared.jpg")
    assert sorted(kept) == [Path(name).name for name in names[1:3]]
    assert names[3:] == [None, None]
    problem = f"pictures of events can't be written to {folder}: No such file or directory"
    assert captured.err.count(problem) == 1


class Published:
    """What is published instead of by the real `Publisher`, which other tests try."""

    made: list[Published]

    def __init__(self, broker: object) -> None:
        self.broker, self.added, self.closed = broker, list[tuple[Event, object]](), False
        self.made.append(self)

    def add(self, event: Event, more: object) -> None:
        self.added.append((event, more))

    def close(self) -> None:
        self.closed = True


def test_events_are_published_and_the_publisher_is_closed_whatever_happens(
    told: dict[str, Any],
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Published.made = []
    monkeypatch.setattr("edgeocr.watch.outputs.mqtt.Publisher", Published)
    (tmp_path / "password").write_text("secret\n")
    told["script"] = [APPEARED, VideoError("cut off")]
    words = ["--mqtt", "mqtts://me@host/plant", "--mqtt-ca", "ca.pem"]
    password = ["--mqtt-password-file", str(tmp_path / "password")]
    assert main(["watch", source, *words, *password]) == 1
    (publisher,) = Published.made
    assert publisher.added == [(APPEARED, {})] and publisher.closed
    broker: Any = publisher.broker
    assert (broker.user, broker.password, broker.authorities) == ("me", "secret", Path("ca.pem"))
    errors = capsys.readouterr().err
    assert (
        "as JSON lines, mqtts://host:8883/plant; press Ctrl+C" in errors and "secret" not in errors
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--match", "a(b"], "--match: 'a(b' is not a regular expression: missing ), "
         "unterminated subpattern at character 2"),
        (["--region", "1,2,3"], "--region: must be left, top, width and height in pixels"),
        (["--region", "1,2,3,-4"], "--region: must be left, top, width and height in pixels"),
        (["--region", "1,2,0,4"], "region must be left, top, width and height in pixels"),
        (["--every", "soon"], "--every: must be a number of seconds, not soon"),
        (["--every", "-1"], "every must be 0 seconds or more, not -1.0"),
        (["--every", "nan"], "every must be 0 seconds or more, not nan"),
        (["--open-timeout", "0"], "open_timeout must be more than 0 seconds"),
        (["--min-score", "2"], "min_score must be from 0 to 1, not 2.0"),
        (["--min-score", "high"], "--min-score: must be from 0 to 1, not high"),
        (["--until", "0"], "--until: must be a whole number from 1"),
        (["--format", "xml"], "--format: invalid choice: 'xml'"),
        (["--snapshots-kept", "3"], "--snapshots-kept needs --snapshot"),
        (["--mqtt", "http://host/a"], "--mqtt: must be written like mqtt://user@host:1883/topic"),
        (["--mqtt", "mqtt://a:b@host/a"], "--mqtt: must not contain the password"),
        (["--mqtt-ca", "ca.pem"], "--mqtt-ca needs --mqtt"),
        (["--mqtt-password-file", "password"], "--mqtt-password-file needs --mqtt"),
    ],
)  # fmt: skip
def test_wrong_arguments_end_with_code_2_and_the_reason(
    source: str, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", source, *words])
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_sources_that_are_not_there_are_told_before_anything_is_opened(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = tmp_path / "events.jsonl"
    assert main(["watch", str(tmp_path / "missing.mp4"), "--output", str(output)]) == 1
    missing = tmp_path / "missing.mp4"
    assert (
        capsys.readouterr().err == f"edgeocr: error: {missing}: there is no such file or folder\n"
    )
    assert not output.exists()
    with pytest.raises(SystemExit) as ended:
        main(["watch", ""])
    assert ended.value.code == 2 and "the source is an empty text" in capsys.readouterr().err


def test_subtitles_wait_for_events_that_come_as_late_as_the_options_allow(
    told: dict[str, Any], source: str, tmp_path: Path
) -> None:
    told["script"] = [
        event("appeared", "one", 1),
        event("appeared", "two", 12, track=2, quad=quad(10, 100)),
        event("appeared", "three", 18, track=3, quad=quad(10, 200)),
        event("gone", "one", 10, delay=20),
    ]
    output = tmp_path / "film.srt"
    assert main(["watch", source, "--output", str(output), "--patience", "20"]) == 0
    assert output.read_text("utf-8").startswith("1\n00:00:01,000 --> 00:00:10,000\none\n")


def test_a_region_outside_the_frames_is_a_wrong_argument(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", str(IMAGES / "meter.mp4"), "--region", "0,0,900,100"])
    assert ended.value.code == 2
    errors = capsys.readouterr().err
    assert "the region 0,0,900,100 does not lie in the frames, which have 480 × 270" in errors
