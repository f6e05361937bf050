"""`--format` and `--output`: every format of documents, from several sources."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgeocr import OCR, Page
from edgeocr.cli import read
from edgeocr.cli.main import main
from edgeocr.outputs import replacement
from edgeocr.writers import formats, hocr
from tests.support.paths import IMAGES

BADGE, SAMPLE = str(IMAGES / "badge.jpg"), str(IMAGES / "sample.jpg")
# The formats that need no extra.
ENDINGS = {
    "text": "txt",
    "json": "json",
    "jsonl": "jsonl",
    "tsv": "tsv",
    "hocr": "hocr",
    "alto": "xml",
    "paddle": "txt",
    "markdown": "md",
}


def output_name(format_: str) -> str:
    return "Label.txt" if format_ == "paddle" else f"a.{ENDINGS[format_]}"


@pytest.fixture(scope="module")
def page(ocr: OCR) -> Page:
    return ocr.read(BADGE, words=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, ocr: OCR, page: Page) -> None:
    """Let every picture be read as the badge, at once, until one is called "stop"."""

    def read_many(self: OCR, sources: object, **options: object) -> object:
        for source in sources:  # type: ignore[attr-defined]
            if source == "stop":
                raise KeyboardInterrupt
            yield page

    monkeypatch.setattr(OCR, "read_many", read_many)
    monkeypatch.setattr(read, "open_ocr", lambda *_, **__: nullcontext(ocr))


def test_ending_and_option_write_the_same(
    quick: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for format_ in ENDINGS:
        output = tmp_path / output_name(format_)
        assert main(["read", BADGE, SAMPLE, "--output", str(output)]) == 0
        assert main(["read", BADGE, SAMPLE, "--format", format_]) == 0
        printed = capsys.readouterr().out
        assert output.read_bytes() == printed.encode() != b""


def test_document_is_what_python_writes(
    quick: None, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for format_ in ENDINGS:
        output = output_name(format_)
        assert main(["read", BADGE, "--output", output]) == 0
        by_command = Path(output).read_bytes()
        page.save(output)
        assert Path(output).read_bytes() == by_command


def test_formats_with_words_ask_for_words(tmp_path: Path, page: Page) -> None:
    output = tmp_path / "a.xml"
    assert main(["read", BADGE, "--output", str(output)]) == 0
    places = [e.get("HPOS") for e in ElementTree.parse(output).iter() if e.get("WC")]
    assert places == [str(int(word.quad[:, 0].min())) for line in page for word in line.words]


@pytest.mark.parametrize("format_", ENDINGS)
def test_failures_are_in_records_and_on_standard_error(
    quick: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, format_: str
) -> None:
    output, missing = tmp_path / output_name(format_), tmp_path / "none"
    missing.mkdir()
    assert main(["read", BADGE, str(missing), SAMPLE, "--output", str(output)]) == 1
    assert "none: no pictures in this folder" in capsys.readouterr().err
    content = output.read_text("utf-8")  # JSON has words, since the page was read with them
    assert ("no pictures" in content) == formats.FORMATS[format_].holds_failures
    assert content.count("OPEN") == (4 if format_.startswith("json") else 2)


@pytest.mark.parametrize("format_", ENDINGS)
def test_old_file_stays_if_nothing_could_be_read(quick: None, tmp_path: Path, format_: str) -> None:
    output = tmp_path / output_name(format_)
    output.write_text("old")
    arguments = ["read", "stop", "--output", str(output), "--overwrite"]
    assert main(arguments) == 130
    assert output.read_text() == "old"
    if not formats.FORMATS[format_].holds_failures:
        empty = tmp_path / "empty"
        empty.mkdir()
        assert main(["read", str(empty), *arguments[2:]]) == 1
        assert output.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} <= {output.name, "empty"}


@pytest.mark.parametrize("format_", ENDINGS)
def test_document_is_complete_after_an_interruption(
    quick: None, tmp_path: Path, format_: str
) -> None:
    whole, output = tmp_path / "whole", tmp_path / output_name(format_)
    assert main(["read", BADGE, BADGE, "--output", str(whole), "--format", format_]) == 0
    assert main(["read", BADGE, BADGE, "stop", "--output", str(output)]) == 130
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")
@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("moment", ["add", "close"])
def test_signal_while_a_page_is_written_leaves_it_whole(
    quick: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moment: str
) -> None:
    original, output = getattr(hocr.Writer, moment), tmp_path / "a.hocr"

    def interrupted(self: hocr.Writer, *arguments: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        original(self, *arguments)

    monkeypatch.setattr(hocr.Writer, moment, interrupted)
    assert main(["read", BADGE, SAMPLE, "--output", str(output)]) == 143
    pages = [e for e in ElementTree.parse(output).iter() if e.get("class") == "ocr_page"]
    assert len(pages) == (1 if moment == "add" else 2)
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("format_", [each for each in ENDINGS if each != "jsonl"])
@pytest.mark.parametrize("room", range(2))
def test_old_file_stays_if_the_disk_is_full(
    quick: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    format_: str,
    room: int,
) -> None:
    output = tmp_path / output_name(format_)
    output.write_text("old")
    written: list[bytes] = []

    def write_all(descriptor: int, content: bytes) -> None:
        if len(written) >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(content)

    monkeypatch.setattr(replacement, "write_all", write_all)
    assert main(["read", BADGE, SAMPLE, "--output", str(output), "--overwrite"]) == 1
    assert "can't be written: No space left on device" in capsys.readouterr().err
    assert output.read_text() == "old" and len(written) == room
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("format_", ENDINGS)
def test_only_documents_that_say_who_wrote_them_are_replaced(
    quick: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, format_: str
) -> None:
    output = tmp_path / output_name(format_)
    assert main(["read", BADGE, "--output", str(output)]) == 0
    replaced = format_ in ("json", "jsonl", "hocr", "alto")
    assert main(["read", BADGE, "--output", str(output)]) == (0 if replaced else 1)
    assert main(["read", BADGE, "--output", str(output), "--overwrite"]) == 0
    output.write_text("<html>mine</html>")
    assert main(["read", BADGE, "--output", str(output)]) == 1
    assert "or replace it with --overwrite" in capsys.readouterr().err


def usage_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("command", ["detect", "recognize"])
def test_other_commands_name_the_formats_that_they_have(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    error = usage_error(capsys, command, BADGE, "--format", "hocr")
    assert "'text', 'json', 'jsonl'" in error or "text, json, jsonl" in error
    error = usage_error(capsys, command, BADGE, "--output", str(tmp_path / "a.xml"))
    assert f"{command} can't write ALTO to" in error
    assert "one of text, json, jsonl with --format" in error
    assert not any(tmp_path.iterdir())


def test_binary_document_is_not_written_to_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    error = usage_error(capsys, "read", BADGE, "--format", "pdf")
    assert "a terminal can't show PDF: name a file with --output" in error


def test_json_of_several_pictures_is_one_list(
    quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", BADGE, SAMPLE, "--format", "json"]) == 0
    assert [each["source"] for each in json.loads(capsys.readouterr().out)] == [BADGE, SAMPLE]
