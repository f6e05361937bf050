"""Outputs of commands never destroy what the user has."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from edgeocr import OCR
from edgeocr.cli.main import main
from edgeocr.writers import jpeg
from tests.support.paths import EMBEDDED_BUNDLE, IMAGES

BADGE = IMAGES / "badge.jpg"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return Path(shutil.copy(BADGE, tmp_path / "photo.png"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run `edgeocr detect`, which must fail; return its error."""
    assert main(["detect", *map(str, arguments)]) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_sources_bundle_and_key_are_never_replaced(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, picture: Path, overwrite: list[str]
) -> None:
    bundle = Path(shutil.copy(EMBEDDED_BUNDLE, tmp_path / "own.edgeocr"))
    key = tmp_path / "own.pub"
    key.write_bytes(b"key")
    names = {"one of the sources": picture, "the bundle": bundle, "the key": key}
    kept = {path: path.read_bytes() for path in names.values()}
    given: list[str | Path] = [picture, "--bundle", bundle, "--require-signature", key, *overwrite]
    for number, (what, path) in enumerate(names.items()):
        hard = tmp_path / f"hard-{number}"
        hard.hardlink_to(path)
        for output in (path, hard):
            error = refused(capsys, *given, "--output", output)
            assert f"{output} is {what}: --output would overwrite it" in error
    assert {path: path.read_bytes() for path in kept} == kept
    error = refused(capsys, picture, "--output", EMBEDDED_BUNDLE, *overwrite)
    assert "is the bundle: --output would overwrite it" in error


def test_output_replaces_json_of_edgeocr_and_nothing_else_unless_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, picture: Path
) -> None:
    for name, theirs in (("a.json", '{"mine": 1}'), ("a.txt", "mine")):
        output = tmp_path / name
        given = ["detect", str(picture), "--output", str(output)]
        output.write_text(theirs)
        assert "or replace it with --overwrite" in refused(capsys, picture, "--output", output)
        assert output.read_text() == theirs
        assert main([*given, "--overwrite"]) == 0
        first = output.read_text()
        # Text does not show who wrote it.
        assert main(given) == (1 if name == "a.txt" else 0)
        assert len(output.read_text()) == pytest.approx(len(first), abs=20)
        capsys.readouterr()


def test_overlays_replace_overlays_and_nothing_else_unless_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, picture: Path
) -> None:
    unrelated = tmp_path / "photo.jpg"
    shutil.copy(IMAGES / "sample.jpg", unrelated)
    kept = unrelated.read_bytes()
    error = refused(capsys, picture, "--overlay", tmp_path)
    assert "photo.jpg exists, and nothing in it shows that edgeocr wrote it" in error
    assert unrelated.read_bytes() == kept
    given = ["detect", str(picture), "--overlay", str(tmp_path)]
    assert main([*given, "--overwrite"]) == 0
    assert jpeg.is_ours(unrelated.read_bytes())
    assert main(given) == 0
    error = refused(capsys, picture, unrelated, "--overlay", tmp_path, "--overwrite")
    assert "photo.jpg is one of the sources: the overlay would overwrite it" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "photo-2.jpg",
        "photo.jpg",
        "photo.png",
    ]


def test_overlays_that_differ_in_capital_letters_have_different_names(
    tmp_path: Path, picture: Path
) -> None:
    capital = shutil.copy(picture, tmp_path / "Photo.jpeg")
    folder = tmp_path / "drawn"
    assert main(["detect", str(picture), str(capital), "--overlay", str(folder)]) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["Photo-2.jpg", "photo.jpg"]


@pytest.mark.parametrize("name", ["a.txt", "a.json", "a.jsonl"])
def test_old_output_stays_until_something_has_been_read(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    picture: Path,
    name: str,
) -> None:
    output = tmp_path / name
    output.write_text("old")
    seen: list[str] = []

    def interrupted(self: OCR, source: str) -> None:
        seen.append(output.read_text())
        raise KeyboardInterrupt

    monkeypatch.setattr(OCR, "detect", interrupted)
    assert main(["detect", str(picture), "--output", str(output), "--overwrite"]) == 130
    assert seen == ["old"] and output.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == sorted([output, picture])


@pytest.mark.parametrize("name", ["a.txt", "a.json", "a.jsonl"])
def test_what_was_read_before_an_interruption_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, picture: Path, name: str
) -> None:
    detect, output, seen = OCR.detect, tmp_path / name, []

    def interrupted(self: OCR, source: str) -> object:
        if source == "second":
            seen.append(output.exists())
            raise KeyboardInterrupt
        return detect(self, source)

    monkeypatch.setattr(OCR, "detect", interrupted)
    assert main(["detect", str(picture), "second", "--output", str(output)]) == 130
    assert str(picture) in output.read_text()
    # Only JSON lines can be followed while the command runs.
    assert seen == [name == "a.jsonl"]
    assert sorted(tmp_path.iterdir()) == sorted([output, picture])


def test_names_that_are_not_utf_8_are_escaped_in_every_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    odd = os.fsdecode(os.fsencode(str(tmp_path)) + b"/odd\xff.jpg")
    shutil.copy(BADGE, odd)
    output = tmp_path / "a.json"
    assert main(["detect", odd, "--output", str(output)]) == 0
    assert json.loads(output.read_bytes())["source"] == odd
    assert main(["detect", odd, odd]) == 0
    assert rf"==> {tmp_path}/odd\udcff.jpg <==" in capsys.readouterr().out


def test_bench_replaces_its_own_files_only(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("mine")
    for option in ("--json", "--html"):
        assert main(["bench", option, str(theirs)]) == 1
        captured = capsys.readouterr()
        assert "theirs exists" in captured.err and captured.out == ""  # nothing was measured
    source = shutil.copy(BADGE, tmp_path / "a.jpg")
    arguments = ["bench", "--images", str(source), "--html", str(source), "--overwrite"]
    assert main(arguments) == 1
    assert "a.jpg is one of the sources: --html would overwrite it" in capsys.readouterr().err
