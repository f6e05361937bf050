"""Measure what a bundle reads of labelled pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeocr import OCR, Bundle, images
from edgeocr.accuracy import label_file
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon
from edgeocr.accuracy.score import Score
from edgeocr.bundle.provenance import Accuracy
from edgeocr.crops import Crop, crop_region
from edgeocr.postprocess.geometry import enclosing
from edgeocr.results.lines import Region

# Figures are rounded to a hundredth of a point.
DIGITS = 4


def measure(bundle: Bundle, folder: Path, *, threads: int | None = None) -> Accuracy:
    """Read all pictures of a folder's Label.txt on the CPU.

    A bundle that doesn't read is scored by what it finds: its Hmean is detection's and its CER 0. A
    bundle that only reads is given the labelled lines, cut out of the pictures.

    Args:
        bundle: The bundle.
        folder: The folder with Label.txt and the pictures.
        threads: CPU threads; None for the bundle's number.

    Raises:
        DatasetError: There is no Label.txt, or no line of it counts, or a picture is missing.
        EdgeOCRError: A picture can't be read.
    """
    pictures = label_file.read(folder / label_file.LABELS)
    return accuracy_of(bundle, folder, scores(bundle, pictures, threads=threads))


def scores(
    bundle: Bundle,
    pictures: Mapping[Path, list[LabelledLine]],
    *,
    threads: int | None = None,
) -> dict[Path, Score]:
    """Read labelled pictures on the CPU; return the score of each.

    Args:
        bundle: The bundle.
        pictures: The labelled lines of each picture.
        threads: CPU threads; None for the bundle's number.

    Raises:
        EdgeOCRError: A picture can't be read.
    """
    ocr = OCR(bundle, provider="cpu", threads=threads)
    result = {}
    for path, lines in pictures.items():
        result[path] = Score()
        result[path].add(lines, found(ocr, bundle, path, lines))
    return result


def accuracy_of(bundle: Bundle, folder: Path, pictures: Mapping[Path, Score]) -> Accuracy:
    """Return the accuracy over all pictures of a folder.

    Args:
        bundle: The bundle that read the pictures.
        folder: The folder with Label.txt and the pictures.
        pictures: The score of each picture.
    """
    score = Score.total(pictures.values())
    figures = {name: round(value, DIGITS) for name, value in score.figures().items()}
    reads = bundle.manifest.stages.reading is not None
    return Accuracy(
        data=folder.resolve().name,
        sha256=digest([folder / label_file.LABELS, *pictures]),
        pictures=len(pictures),
        lines=score.labelled,
        detection_hmean=figures["detection_hmean"],
        hmean=figures["hmean" if reads else "detection_hmean"],
        cer=figures["cer"] if reads else 0.0,
    )


def crops(path: Path, lines: list[LabelledLine]) -> list[Crop]:
    """Return the labelled lines of a picture, cut out and upright."""
    image = images.load(path)
    polygons = [np.asarray(line.polygon, np.float32) for line in lines]
    regions = [
        Region(quad, 1.0, polygon)
        for quad, polygon in zip(enclosing(polygons), polygons, strict=True)
    ]
    return [crop_region(image, region) for region in regions]


def digest(paths: list[Path]) -> str:
    """Return the SHA-256 over files and their names, in the order of the names."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        whole.update(f"{sha256(path)}  {path.name}\n".encode())
    return whole.hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def found(
    ocr: OCR, bundle: Bundle, path: Path, lines: list[LabelledLine]
) -> list[tuple[Polygon, str]]:
    """Run a bundle on a labelled picture; return the outline and text of each line that it finds.

    Args:
        ocr: The bundle, opened.
        bundle: The bundle.
        path: The picture.
        lines: The picture's labelled lines. A bundle without detection reads these.
    """
    stages = bundle.manifest.stages
    if stages.recognition is not None and stages.detection is None:
        readings = ocr.recognize([crop.pixels for crop in crops(path, lines)])
        pairs = zip(lines, readings, strict=True)
        return [(line.polygon, reading.text) for line, reading in pairs]
    if stages.reading is None:
        regions = ocr.detect(path)
        return [(_outline(region.quad, region.polygon), "") for region in regions]
    return [(_outline(line.quad, line.polygon), line.text) for line in ocr.read(path).lines]


def _outline(quad: np.ndarray, polygon: np.ndarray | None) -> Polygon:
    return np.asarray(quad if polygon is None else polygon, float)
