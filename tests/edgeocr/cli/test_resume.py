"""Going on where a command ended: what is kept, what is read, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgeocr.cli.main import main
from tests.support import framed
from tests.support.paths import IMAGES

BADGE, POSTER = IMAGES / "badge.jpg", IMAGES / "poster.jpg"


def run(*arguments: str | Path) -> int:
    return main([*map(str, arguments), "--resume"])


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in path.read_text("utf-8").splitlines()]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.tif"
    pages = [Image.new("L", (40, 30), grey) for grey in (10, 90, 200)]
    path.write_bytes(framed.encode(pages, "TIFF raw"))
    return path


def test_first_run_writes_everything_and_the_second_nothing(tmp_path: Path, scan: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert run("detect", BADGE, scan, "--output", output) == 0
    names = [str(BADGE), *(f"{scan}#{i}" for i in (1, 2, 3))]
    assert [record["source"] for record in records(output)] == names
    before = output.stat()
    assert run("detect", BADGE, scan, "--output", output) == 0
    assert (output.stat().st_ino, output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_half_a_line_is_cut_off_and_the_rest_is_read(tmp_path: Path, scan: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert run("detect", BADGE, scan, POSTER, "--output", output) == 0
    rows = output.read_bytes().splitlines(keepends=True)
    for kept, half in ((rows[:2], rows[2][:20]), ([], rows[0][:90]), (rows[:4], b"")):
        output.write_bytes(b"".join(kept) + half)
        assert run("detect", BADGE, scan, POSTER, "--output", output) == 0
        again = output.read_bytes().splitlines(keepends=True)
        assert again[: len(kept)] == kept, "what was read before is kept as it was"
        sources = [json.loads(row)["source"] for row in again]
        assert sources == [json.loads(row)["source"] for row in rows]


def test_sources_that_failed_are_read_again(tmp_path: Path) -> None:
    picture, output = tmp_path / "late.jpg", tmp_path / "out.jsonl"
    assert run("detect", picture, BADGE, "--output", output) == 1
    shutil.copy(BADGE, picture)
    assert run("detect", picture, BADGE, "--output", output) == 0
    assert ["error" in record for record in records(output)] == [True, False, False]
    assert records(output)[2]["source"] == str(picture)
    assert run("detect", picture, BADGE, "--output", output) == 0
    assert len(records(output)) == 3


def test_file_that_can_not_be_written_stays_as_it_was(tmp_path: Path) -> None:
    output = tmp_path / "none" / "out.jsonl"
    assert run("detect", BADGE, "--output", output) == 1
    assert not output.parent.exists()


def test_overlays_of_sources_with_the_same_name_stay(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
    first, second = tmp_path / "a" / "x.jpg", tmp_path / "b" / "x.jpg"
    shutil.copy(BADGE, first)
    output, drawn = tmp_path / "out.jsonl", tmp_path / "drawn"
    arguments = ("detect", first, second, "--output", output, "--overlay", drawn)
    assert run(*arguments) == 1
    before = (drawn / "x.jpg").read_bytes()
    shutil.copy(POSTER, second)
    assert run(*arguments) == 0
    assert (drawn / "x.jpg").read_bytes() == before
    assert (drawn / "x-2.jpg").read_bytes() != before


def test_only_json_lines_in_a_file_can_be_continued(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for arguments in (
        (),
        ("--format", "jsonl"),
        ("--output", tmp_path / "out.json"),
        ("--output", tmp_path / "out.jsonl", "--format", "text"),
    ):
        with pytest.raises(SystemExit) as caught:
            run("read", BADGE, *arguments)
        assert caught.value.code == 2
        assert "--resume needs --output with a file of JSON lines" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        '{"source": "a.jpg", "width": 1, "regions": []}',
        '{"source": "a.jpg", "width": 1}',
        '{"source": 1, "error": "x"}',
        "[1]",
        "text",
    ],
)
def test_file_with_other_things_is_refused_and_stays(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str
) -> None:
    output = tmp_path / "out.jsonl"
    good = '{"source": "b.jpg", "width": 1, "height": 1, "lines": []}\n'
    output.write_text(f"{good}{line}\n{good}")
    before = output.read_bytes()
    assert run("read", BADGE, "--output", output, "--overwrite") == 1
    assert "line 2 is no result of edgeocr read" in capsys.readouterr().err
    assert output.read_bytes() == before
