"""Commands whose standard streams are closed, full, broken, or of another encoding."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest

from edgeocr.cli.main import main
from tests.support import command
from tests.support.command import shell
from tests.support.paths import IMAGES
from tests.support.pipes import feed

BADGE = IMAGES / "badge.jpg"
SHOW = ["bundle", "show"]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
FULL = "edgeocr: error: standard output: can't be written: No space left on device\n"


def test_command_without_standard_output_fails_with_an_error() -> None:
    done = shell(">&-", SHOW)
    assert done.returncode == 1
    assert done.stderr == b"edgeocr: error: standard output: can't be written: it is closed\n"


def test_pdf_without_standard_output_fails_with_an_error() -> None:
    done = shell(">&-", ["read", str(BADGE), "--format", "pdf"])
    assert done.returncode == 1
    assert done.stderr == b"edgeocr: error: standard output: can't be written: it is closed\n"


def test_pdf_for_a_text_stream_in_place_of_standard_output_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert main(["read", str(BADGE), "--format", "pdf"]) == 1
    assert "standard output: can't be written: it takes text only" in capsys.readouterr().err


def test_command_without_any_standard_stream_writes_its_file(tmp_path: Path) -> None:
    output = tmp_path / "a.json"
    done = shell("<&- >&- 2>&-", ["detect", "-", BADGE, "--output", output])
    # The exit code is that of the source that failed.
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    failed, found = json.loads(output.read_text(encoding="utf-8"))
    assert failed == {"source": "-", "error": "-: standard input is closed"}
    assert found["regions"]
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""},
    ],
)
def test_output_is_utf_8_where_the_locale_is_ascii(variables: dict[str, str]) -> None:
    done = shell("", SHOW, **variables)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "×" in done.stdout.decode("utf-8")


@needs_full
@pytest.mark.parametrize("words", [SHOW, [*SHOW, "--json"], ["--help"]])
def test_full_standard_output_is_an_error(words: list[str]) -> None:
    done = shell(">/dev/full", words)
    assert (done.returncode, done.stderr.decode()) == (1, FULL)


@pytest.mark.slow
@needs_full
@pytest.mark.parametrize("format_", ["text", "json", "jsonl"])
def test_full_standard_output_is_an_error_of_reading(format_: str) -> None:
    done = shell(">/dev/full", ["detect", BADGE, BADGE, "--format", format_])
    assert (done.returncode, done.stderr.decode()) == (1, FULL)


@needs_full
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_standard_error_that_can_t_be_written_changes_nothing(redirection: str) -> None:
    done = shell(redirection, ["bundle", "verify", "missing"])
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize("words", [[*SHOW, "--json"], SHOW, ["bundle", "verify", "missing"]])
def test_reader_of_both_streams_may_end_early(words: list[str], tmp_path: Path) -> None:
    broken, kept = os.pipe(), tmp_path / "kept"
    os.close(broken[0])
    with kept.open("wb") as file, os.fdopen(broken[1], "wb") as pipe:
        # The process keeps a copy of standard error, in which Python's own complaints would be.
        process = command.start(*words, stdout=pipe, stderr=file)
        assert process.wait(command.PATIENCE) == 1
    assert b"Traceback" not in kept.read_bytes() and b"Exception" not in kept.read_bytes()
    broken = os.pipe()
    os.close(broken[0])
    with os.fdopen(broken[1], "wb") as pipe:
        assert command.start(*words, stdout=pipe, stderr=pipe).wait(command.PATIENCE) == 1


def test_pipes_and_standard_input_are_read_once_within_a_memory_limit(tmp_path: Path) -> None:
    fifo = tmp_path / "badge.fifo"
    content = BADGE.read_bytes()
    # As `<(cat badge.jpg)` of a shell names it.
    reading, writing = os.pipe()
    words: list[str | Path] = [fifo, f"/dev/fd/{reading}", "-", "-"]
    limit = ["--memory-limit", "600MB"] if sys.platform == "linux" else []
    feed(fifo, content)
    with BADGE.open("rb") as file:
        process = command.start(
            *["detect", *words, *limit, "--format", "jsonl", "--overlay", tmp_path / "drawn"],
            stdin=file,
            pass_fds=[reading],
        )
    os.close(reading)

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)

    threading.Thread(target=write, daemon=True).start()
    out, err = process.communicate(timeout=command.PATIENCE)
    records = [json.loads(row) for row in out.splitlines()]
    assert [record["source"] for record in records] == list(map(str, words))
    assert records[0]["regions"]
    assert records[0]["regions"] == records[1]["regions"] == records[2]["regions"]
    assert "has been read already" in records[3]["error"] and process.returncode == 1
    listed = "edgeocr: 1 of 4 failed:\n  -\n"
    assert err == f"edgeocr: error: {records[3]['error']}\n{listed}"
    assert len(list((tmp_path / "drawn").iterdir())) == 3


@pytest.mark.parametrize("output", ["photo.jpg", "/dev/stdin"])
def test_standard_input_that_is_a_file_is_never_replaced(tmp_path: Path, output: str) -> None:
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(BADGE.read_bytes())
    words: list[str | Path] = ["detect", "-", "--output", tmp_path / output, "--overwrite"]
    finished = command.shell(f"< '{picture}'", words)
    assert b"is one of the sources: --output would overwrite it" in finished.stderr
    assert finished.returncode == 1 and picture.read_bytes() == BADGE.read_bytes()


def test_pipe_may_hold_several_pages(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pages: bytes
) -> None:
    fifo = tmp_path / "scan.fifo"
    feed(fifo, pages)
    assert main(["detect", str(fifo), "--format", "json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["source"] for record in records] == [f"{fifo}#1", f"{fifo}#2"]


@pytest.fixture
def pages(tmp_path: Path) -> bytes:
    """A TIFF file with two pages."""
    import io

    from PIL import Image

    stream = io.BytesIO()
    picture = Image.open(BADGE)
    picture.save(stream, "TIFF", save_all=True, append_images=[picture.rotate(5)])
    return stream.getvalue()
