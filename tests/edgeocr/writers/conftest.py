"""What the tests of writers share."""

from __future__ import annotations

import pytest

from edgeocr import OCR, Page
from tests.support.paths import IMAGES


@pytest.fixture(scope="session")
def sample(ocr: OCR) -> Page:
    """The sample picture, read with words and characters."""
    return ocr.read(IMAGES / "sample.jpg", words=True, characters=True)
