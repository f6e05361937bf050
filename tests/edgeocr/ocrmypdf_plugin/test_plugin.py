"""The plugin in the hands of the real ocrmypdf, as users run it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeocr import OCR
from tests.support import pdfs
from tests.support.paths import IMAGES, ROOT
from tests.support.pdf_pages import opened, page_of, pdf_of, rendered, texts

pytestmark = pytest.mark.documents

RECEIPT = IMAGES / "receipt.jpg"
# What ocrmypdf exits with: wrong arguments; there is text already; a program failed.
BAD_ARGUMENTS, HAS_TEXT, PROGRAM_FAILED = 1, 6, 7


def scan(path: Path, degrees: Sequence[float]) -> Path:
    """Write a PDF with a receipt on each page, turned counter-clockwise, and without text."""
    pages = []
    for angle in degrees:
        with Image.open(RECEIPT) as picture:
            turned = picture.rotate(angle, expand=True, fillcolor="white", resample=3)
        stream = io.BytesIO()
        turned.save(stream, "JPEG", quality=92, dpi=(150, 150))
        pages.append((page_of(turned.size), stream.getvalue()))
    path.write_bytes(pdf_of(*pages))
    return path


def run(*arguments: str | Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ocrmypdf", "--plugin", "edgeocr.ocrmypdf_plugin", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(
        [*command, *map(str, arguments)], env=environment, capture_output=True, text=True
    )


def read_by(*arguments: str | Path, path: str | None = None) -> list[str]:
    """Run ocrmypdf, and return the text of each page that it wrote."""
    done = run(*arguments, path=path)
    assert done.returncode == 0, done.stderr
    return texts(Path(arguments[-1]).read_bytes())


@pytest.fixture(scope="module")
def expected(ocr: OCR) -> list[str]:
    return ocr.read(RECEIPT).text.split()


def share_of(expected: list[str], text: str) -> float:
    """Return which share of the expected words a text has."""
    found = text.split()
    return sum(word in found for word in expected) / len(expected)


def test_a_scan_becomes_searchable_by_two_processes(tmp_path: Path, expected: list[str]) -> None:
    source, sidecar = scan(tmp_path / "in.pdf", [0, 0, 0]), tmp_path / "text.txt"
    arguments: list[str | Path] = ["--jobs", "2", "--output-type", "pdf", "--sidecar", sidecar]
    found = read_by(*arguments, source, tmp_path / "out.pdf")
    assert len(found) == 3
    # ocrmypdf draws the page once more, so that a few characters are read otherwise.
    assert all(share_of(expected, each) > 0.95 for each in found)
    assert "街角便利店" in sidecar.read_text("utf-8")
    before, after = source.read_bytes(), (tmp_path / "out.pdf").read_bytes()
    assert np.array_equal(rendered(before, (600, 900)), rendered(after, (600, 900)))


def test_neither_tesseract_nor_ghostscript_is_needed(tmp_path: Path, expected: list[str]) -> None:
    empty = tmp_path / "programs"
    empty.mkdir()
    source = scan(tmp_path / "in.pdf", [0])
    (text,) = read_by(source, tmp_path / "out.pdf", path=str(empty))
    assert share_of(expected, text) > 0.95
    assert b"pdfaid" in (tmp_path / "out.pdf").read_bytes()  # PDF/A, as it is by default
    asked = run("--ocr-engine", "tesseract", source, tmp_path / "no.pdf", path=str(empty))
    assert asked.returncode and "tesseract" in asked.stderr


def test_turned_pages_are_turned_upright(tmp_path: Path, expected: list[str]) -> None:
    source, target = scan(tmp_path / "in.pdf", [0, 90, 180, 270]), tmp_path / "out.pdf"
    found = read_by("--rotate-pages", "--jobs", "2", "--output-type", "pdf", source, target)
    assert all(share_of(expected, each) > 0.9 for each in found)
    with opened(target.read_bytes()) as document:
        assert [page.get_rotation() for page in document] == [0, 90, 180, 270]


@pytest.mark.parametrize("degrees", [4.0, -3.0])
def test_a_slanting_page_is_levelled(tmp_path: Path, ocr: OCR, degrees: float) -> None:
    target = tmp_path / "out.pdf"
    read_by("--deskew", "--output-type", "pdf", scan(tmp_path / "in.pdf", [degrees]), target)

    def slant(picture: np.ndarray) -> float:
        across = np.concatenate([box[1:2] - box[0:1] for box in ocr.detect(picture).boxes])
        return float(np.median(np.degrees(np.arctan2(across[:, 1], across[:, 0]))))

    upright = slant(np.asarray(Image.open(RECEIPT))[..., ::-1].copy())
    # The lines of the receipt slant by 3 degrees themselves.
    assert abs(upright) > 1.5
    assert abs(slant(rendered(target.read_bytes(), (900, 1200)))) < 0.5


def test_pages_with_text_are_refused_skipped_or_read_again(
    tmp_path: Path, expected: list[str]
) -> None:
    source, first = scan(tmp_path / "in.pdf", [0]), tmp_path / "first.pdf"
    read_by("--output-type", "pdf", source, first)
    with_text = tmp_path / "text.pdf"
    with_text.write_bytes(pdfs.document([pdfs.PdfPage(pdfs.text("Typed text"))]))
    assert run(first, tmp_path / "no.pdf").returncode == HAS_TEXT
    target = tmp_path / "out.pdf"
    assert read_by("--skip-text", "--output-type", "pdf", with_text, target)[0].split() == [
        "Typed",
        "text",
    ]
    for option in ("--force-ocr", "--redo-ocr"):
        (text,) = read_by(option, "--output-type", "pdf", first, target)
        assert share_of(expected, text) > 0.9 and text.count("街角便利店") == 1
    (text,) = read_by("--force-ocr", "--output-type", "pdf", with_text, target)
    assert text.split() == ["Typed", "text"]


def test_options_reach_the_workers(tmp_path: Path) -> None:
    source, target = scan(tmp_path / "in.pdf", [0]), tmp_path / "out.pdf"
    bundle = shutil.copy(ROOT / "edgeocr/bundles/tiny.edgeocr", tmp_path / "own.edgeocr")
    options = ["--edgeocr-bundle", bundle, "--edgeocr-provider", "cpu", "--edgeocr-threads", "1"]
    renderer = ["--pdf-renderer", "fpdf2", "--output-type", "pdf", "--use-threads"]
    (text,) = read_by(*options, *renderer, source, target)
    assert "街角便利店" in text.replace(" ", "")


@pytest.mark.parametrize(
    ("option", "value", "message", "code"),
    [
        ("--edgeocr-bundle", "missing.edgeocr", "no such bundle", BAD_ARGUMENTS),
        ("--edgeocr-provider", "abacus", "unknown provider 'abacus'", BAD_ARGUMENTS),
        ("--edgeocr-threads", "0", "must be at least 1", BAD_ARGUMENTS),
        ("--edgeocr-provider", "cuda", "provider 'cuda'", PROGRAM_FAILED),
    ],
)
def test_wrong_options_are_clear_errors(
    tmp_path: Path, option: str, value: str, message: str, code: int
) -> None:
    source = scan(tmp_path / "in.pdf", [0])
    done = run(option, value, source, tmp_path / "out.pdf")
    assert done.returncode == code and message in done.stderr
    assert not (tmp_path / "out.pdf").exists()
