"""What most tests share: the embedded bundle, opened once, and the labelled pictures."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchmarks.labels import LabelledLine, read
from edgeocr import OCR, Bundle

TESTS = Path(__file__).parent
EMBEDDED = TESTS.parent / "edgeocr" / "bundles" / "tiny.edgeocr"


@pytest.fixture(scope="session")
def pictures() -> Path:
    return TESTS / "images"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return TESTS / "fixtures"


@pytest.fixture(scope="session")
def labels(pictures: Path) -> dict[str, list[LabelledLine]]:
    return {path.name: lines for path, lines in read(pictures).items()}


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return Bundle.default()


@pytest.fixture(scope="session")
def embedded_files() -> dict[str, bytes]:
    """The files of the embedded bundle, unpacked by the standard library."""
    with zipfile.ZipFile(EMBEDDED) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="session")
def ocr(bundle: Bundle) -> OCR:
    return OCR(bundle, provider="cpu", threads=2)
