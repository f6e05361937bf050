"""Commands that a signal ends."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgeocr.cli.main import main
from edgeocr.cli.signals import Terminated, exit_code, signals_deferred, signals_raised
from tests.support import command
from tests.support.paths import IMAGES

BADGE = IMAGES / "badge.jpg"

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX"),
    pytest.mark.usefixtures("default_signals"),
]


class Case:
    """A process that reads a picture, a missing one, and then waits for a pipe without a writer."""

    def __init__(self, folder: Path, ending: str, *words: str) -> None:
        folder.mkdir()
        self._fifo, self.output = folder / "waiting.fifo", folder / f"out.{ending}"
        os.mkfifo(self._fifo)
        self.missing = folder / "missing.png"
        sources = [BADGE, self.missing, self._fifo]
        self._process = command.start(*words, *sources, "--output", self.output)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal once the first two sources are done; return the exit code and errors."""
        assert self._process.stderr is not None
        try:
            assert "missing.png: can't be read" in self._process.stderr.readline()
            self._process.send_signal(number)
            _, errors = self._process.communicate(timeout=command.PATIENCE)
        finally:
            self._process.kill()
        return self._process.returncode, errors

    def files(self) -> list[str]:
        """Return the names of the files that the process left."""
        return [path.name for path in self._fifo.parent.iterdir() if path != self._fifo]


def test_sigterm_and_sighup_keep_what_was_read(tmp_path: Path) -> None:
    text = Case(tmp_path / "text", "txt", "read")
    lines = Case(tmp_path / "lines", "jsonl", "read", "--memory-limit", "600MB")
    assert text.end(signal.SIGTERM) == (143, "")
    assert text.output.read_text(encoding="utf-8").startswith(f"==> {BADGE} <==\n")
    assert text.files() == ["out.txt"]
    assert lines.end(signal.SIGHUP) == (129, "")
    assert len(lines.output.read_text(encoding="utf-8").splitlines()) == 2
    assert lines.files() == ["out.jsonl"]


@pytest.mark.slow
def test_ctrl_c_keeps_the_pages_and_sigkill_the_lines_that_were_read(tmp_path: Path) -> None:
    pages = Case(tmp_path / "pages", "json", "detect")
    document = Case(tmp_path / "document", "xml", "read")
    lines = Case(tmp_path / "lines", "jsonl", "detect")
    assert pages.end(signal.SIGINT) == (130, "")
    found = json.loads(pages.output.read_text(encoding="utf-8"))
    assert [each["source"] for each in found] == [str(BADGE), str(pages.missing)]
    assert pages.files() == ["out.json"]
    assert document.end(signal.SIGTERM) == (143, "")
    names = [each.tag.rpartition("}")[2] for each in ElementTree.parse(document.output).iter()]
    assert names.count("Page") == 1 and names.count("TextLine") == 2
    assert document.files() == ["out.xml"]
    assert lines.end(signal.SIGKILL)[0] == -signal.SIGKILL
    rows = [json.loads(row) for row in lines.output.read_text(encoding="utf-8").splitlines()]
    assert [row["source"] for row in rows] == [str(BADGE), str(lines.missing)]


@pytest.mark.slow
@pytest.mark.parametrize("words", [["read"], ["detect"], ["read", "--memory-limit", "600MB"]])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_pipe_without_a_writer_can_be_interrupted_at_once(
    tmp_path: Path, words: list[str], number: signal.Signals
) -> None:
    fifo, output = tmp_path / "waiting.fifo", tmp_path / "out.txt"
    os.mkfifo(fifo)
    output.write_text("old")
    process = command.start(*words, fifo, "--output", output, "--overwrite", "--verbose")
    assert process.stderr is not None
    process.stderr.readline()  # the bundle is open, and reading begins
    process.send_signal(number)
    process.communicate(timeout=command.PATIENCE)
    assert process.returncode == 128 + number
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.txt", "waiting.fifo"]


def test_signals_are_exceptions_in_the_block_and_as_before_after_it() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        before = signal.getsignal(number)
        with pytest.raises(Terminated) as caught, signals_raised():
            signal.raise_signal(number)
        assert exit_code(caught.value) == 128 + number
        assert signal.getsignal(number) is before is signal.SIG_DFL
    assert exit_code(KeyboardInterrupt()) == 130


def test_signal_that_is_deferred_takes_effect_after_the_block() -> None:
    done = []
    with pytest.raises(Terminated) as caught, signals_raised(), signals_deferred():
        signal.raise_signal(signal.SIGTERM)
        done.append("the rest of the block")
    assert done and caught.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ignored_signals_and_handlers_of_others_stay() -> None:
    def own(*_: object) -> None: ...

    for handler in (signal.SIG_IGN, own):
        before = signal.signal(signal.SIGHUP, handler)
        try:
            with signals_raised():
                assert signal.getsignal(signal.SIGHUP) is handler
            assert signal.getsignal(signal.SIGHUP) is handler
        finally:
            signal.signal(signal.SIGHUP, before)


def test_command_can_run_outside_the_main_thread(capsys: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["bundle", "verify"])))
    thread.start()
    thread.join()
    assert codes == [0] and "intact" in capsys.readouterr().out


def test_second_ctrl_c_of_a_program_that_calls_main_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeocr.cli.main._run", interrupted)
    before = signal.getsignal(signal.SIGINT)
    assert main(["bundle", "verify"]) == 130
    assert signal.getsignal(signal.SIGINT) is before
    try:
        assert main() == 130  # as the command itself does
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
