"""Collect what the networks of a bundle are given while it reads pictures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr import OCR, Bundle, EdgeOCRError, images
from edgeocr.accuracy import label_file
from edgeocr.images import Image

from ..accuracy.measure import crops, digest, sha256
from ..errors import ConverterError

ROOT = Path(__file__).parents[2]
# The folders of pictures that are read by default.
OWN = (ROOT / "edgeocr" / "samples", ROOT / "tests" / "images")
# The most inputs of a stage that are kept; from more, evenly spaced ones are taken.
MOST = {
    "page_orientation": 60,
    "unwarping": 16,
    "detection": 16,
    "spotting": 16,
    "orientation": 120,
    "recognition": 240,
}

Batch = NDArray[np.uint8]


@dataclass(frozen=True)
class Inputs:
    """What the stages of a bundle were given.

    Attributes:
        batches: Stage → inputs, uint8 [N, H, W, 3].
        pictures: The number of pictures that were read.
        digest: The SHA-256 over the pictures.
    """

    batches: dict[str, list[Batch]]
    pictures: int
    digest: str


def pictures(folder: Path | None, without: Collection[Path] = ()) -> list[Path]:
    """Return the pictures to calibrate with, each content once.

    Args:
        folder: The folder with the pictures; None for the repository's pictures.
        without: Pictures on which the result will be judged. Pictures with the same content are
            left out.

    Raises:
        ConverterError: There are no pictures.
    """
    seen = {sha256(path) for path in without}
    paths = []
    for place in OWN if folder is None else (folder,):
        for path in sorted(place.iterdir() if place.is_dir() else ()):
            if path.suffix.lower() in images.SUFFIXES and path.is_file():
                content = sha256(path)
                if content not in seen:
                    seen.add(content)
                    paths.append(path)
    if not paths:
        more = " beside those that the loss is measured on" if without else ""
        raise ConverterError(f"{folder}: this folder contains no pictures to calibrate with{more}")
    return paths


def inputs(bundle: Bundle, folder: Path | None, without: Collection[Path] = ()) -> Inputs:
    """Return what each stage is given while a bundle reads pictures.

    A bundle that only reads lines is given the lines of the folder's Label.txt or, without one,
    each picture as a line.

    Args:
        bundle: The bundle.
        folder: The folder with the pictures. None takes the repository's pictures; these are drawn
            and clean, so each is read several times, as a camera might see it.
        without: As in `pictures`.

    Raises:
        ConverterError: There are no pictures, or a stage is given nothing.
    """
    paths = pictures(folder, without)
    # One thread, so that the batches come in the same order each time.
    ocr = OCR(bundle, provider="cpu", threads=1)
    seen: dict[str, list[Batch]] = {}
    for name, stage in ocr.stages.items():
        stage.session.observer = seen.setdefault(name, []).append
    read = 0
    for path in paths:
        try:
            lines = _lines(bundle, path)
            for image in lines or [images.load(path)]:
                for view in [image] if folder is not None else _views(image):
                    _run(ocr, bundle, view)
        except EdgeOCRError as error:
            raise ConverterError(
                f"{path}: calibrating with this picture failed: {error}"
            ) from error
        read += 1
    if empty := [name for name, batches in seen.items() if not batches]:
        raise ConverterError(
            f"stage {empty[0]} was given nothing while the pictures were read; pass pictures that "
            "contain text with --calibrate"
        )
    few = {name: thinned(batches, MOST[name]) for name, batches in seen.items()}
    return Inputs(few, read, digest(paths))


def _lines(bundle: Bundle, path: Path) -> list[Image]:
    """Return a picture's labelled lines for a bundle that only reads, else an empty list."""
    stages = bundle.manifest.stages
    if stages.recognition is None or stages.detection is not None:
        return []
    if not (file := path.parent / label_file.LABELS).is_file():
        return []
    return [crop.pixels for crop in crops(path, label_file.labels_of(file).get(path, []))]


def _run(ocr: OCR, bundle: Bundle, image: Image) -> None:
    stages = bundle.manifest.stages
    if stages.reading is None:
        ocr.detect(image)
    elif stages.spotting is not None or stages.detection is not None:
        ocr.read(image)
    else:
        ocr.recognize([image])


def _views(image: Image) -> list[Image]:
    """Return a picture as it is, dimmed, overexposed and noisy, warm, and inverted."""
    noise = np.random.default_rng(image.size).normal(0, 14, image.shape)
    whole = image.astype(np.float32)
    warm = cv2.GaussianBlur(whole, (0, 0), 1.2) * (0.6, 0.85, 1.0) + (0, 10, 20)
    pressed = cv2.imencode(".jpg", 255 - image, [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
    inverted = np.asarray(cv2.imdecode(pressed, cv2.IMREAD_COLOR))
    seen = [
        cv2.GaussianBlur(whole * 0.45 + 40, (0, 0), 1.2),
        whole * 0.6 + 100 + noise,
        warm + noise,
        inverted,
    ]
    return [image, *(np.clip(view, 0, 255).astype(np.uint8) for view in seen)]


def thinned(batches: Sequence[Batch], most: int) -> list[Batch]:
    """Return at most this many of the batches, evenly spaced."""
    chosen = np.unique(np.linspace(0, len(batches) - 1, most).round().astype(int))
    return [batches[i] for i in chosen]
