"""`edgeocr read --output NAME.pdf`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from edgeocr.cli import results
from edgeocr.cli.main import main
from tests.support import pdfs
from tests.support.paths import IMAGES
from tests.support.pdf_pages import opened, texts

BADGE = IMAGES / "badge.jpg"


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """A PDF file with two pages of typed text."""
    path = tmp_path / "typed.pdf"
    pages = [pdfs.PdfPage(pdfs.text(each)) for each in ("first page", "second page")]
    path.write_bytes(pdfs.document(pages))
    return path


def test_pictures_and_documents_become_one_pdf(
    tmp_path: Path, typed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.pdf"
    sources = [str(BADGE), str(tmp_path / "missing.jpg"), str(typed)]
    for _ in range(2):  # the second run may replace what the first one has written
        assert main(["read", *sources, "--pdf-text", "only", "--output", str(target)]) == 1
        assert "missing.jpg" in capsys.readouterr().err
    content = target.read_bytes()
    assert BADGE.read_bytes() in content
    picture, *rest = texts(content)
    assert "OPEN" in picture and rest == ["first page", "second page"]


def test_chosen_pages_are_kept(tmp_path: Path, typed: Path) -> None:
    target = tmp_path / "out.pdf"
    options = ["--pages", "2", "--pdf-text", "only", "--output", str(target)]
    assert main(["read", str(typed), *options]) == 0
    assert texts(target.read_bytes()) == ["second page"]


def test_a_pdf_goes_to_standard_output(
    typed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    stream = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["read", str(typed), "--pdf-text", "only", "--format", "pdf"]) == 0
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    assert texts(stream.buffer.getvalue()) == ["first page", "second page"]
    monkeypatch.setattr(sys, "stdout", Terminal(io.BytesIO()))
    with pytest.raises(SystemExit):
        main(["read", str(typed), "--format", "pdf"])


def test_a_large_pdf_is_written_in_parts(
    tmp_path: Path, typed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "MOST_PENDING", 100)
    target = tmp_path / "out.pdf"
    assert main(["read", str(typed), "--pdf-text", "only", "--output", str(target)]) == 0
    with opened(target.read_bytes()) as document:
        assert len(document) == 2


def test_what_edgeocr_did_not_write_stays(
    tmp_path: Path, typed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.pdf"
    other.write_bytes(typed.read_bytes())
    for target, reason in ((other, "nothing in it shows"), (typed, "one of the sources")):
        assert main(["read", str(typed), "--output", str(target)]) == 1
        assert reason in capsys.readouterr().err
    assert typed.read_bytes() == other.read_bytes()


def test_without_pikepdf_nothing_is_read(
    tmp_path: Path, typed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pikepdf", None)
    target = tmp_path / "out.pdf"
    assert main(["read", str(typed), "--output", str(target)]) == 1
    assert 'pip install "edgeocr[pdf]"' in capsys.readouterr().err
    assert not target.exists()
