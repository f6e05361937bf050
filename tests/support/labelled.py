"""Compare what an OCR reads in a labelled picture with the labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeocr import OCR
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.score import normalized


def labelled_texts_read(ocr: OCR, picture: Path, lines: Sequence[LabelledLine]) -> set[str]:
    """Return those texts of the labels that the OCR reads somewhere in the picture."""
    labelled = {normalized(line.text) for line in lines if line.care}
    return {normalized(line.text) for line in ocr.read(picture).lines} & labelled
