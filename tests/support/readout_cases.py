"""Outputs of recognition networks that spell known texts, in the forms that PaddleOCR exports."""

from __future__ import annotations

import string
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.catalog.entries import Algorithm

CHARACTERS = string.digits + string.ascii_lowercase
# Doubled letters, which CTC would join; nothing; and a text without an end.
TEXTS = ("book", "aa11bbb", "", "x", "zoo2020", "abcdefghijklmnopqrstuvwxy", "000", "hello")
# Positions after the end hold these letters instead of the end in the last row of each case.
REST = "qqzz"
# Algorithm → the number of positions, the class of the first character, the class of the end.
FORMS: dict[Algorithm, tuple[int, int, int]] = {
    "ViTSTR": (26, 2, 1),
    "ABINet": (26, 1, 0),
    "PARSeq": (26, 1, 0),
    "CPPD": (26, 1, 0),
    "VisionLAN": (26, 1, 0),
    "RFL": (25, 1, 37),
    "SPIN": (26, 2, 1),
    "PREN": (25, 3, 1),
    "NRTR": (26, 4, 3),
    "SAR": (30, 0, 37),
    "SATRN": (26, 0, 37),
    "RobustScanner": (40, 0, 37),
}
CLASSES = {
    "ViTSTR": 38,
    "RFL": 38,
    "SPIN": 38,
    "PREN": 39,
    "NRTR": 41,
    "SAR": 38,
    "SATRN": 38,
    "RobustScanner": 38,
}


def outputs(algorithm: Algorithm) -> list[NDArray[Any]]:
    """Return what a network gives for a batch of lines that read `TEXTS`, before any softmax.

    NRTR gives the classes that it chooses, and probabilities.
    """
    random = np.random.RandomState(zlib.crc32(algorithm.encode()))
    steps, first, end = FORMS[algorithm]
    classes = CLASSES.get(algorithm, 37)
    chosen = np.full((len(TEXTS), steps), end)
    for row, text in zip(chosen, TEXTS, strict=True):
        row[: len(text)] = [first + CHARACTERS.index(letter) for letter in text]
    # RFL's and SPIN's decoders in PaddleOCR read what follows the end.
    if algorithm not in ("RFL", "SPIN"):
        begin = len(TEXTS[-1]) + 1
        chosen[-1, begin : begin + 4] = [first + CHARACTERS.index(letter) for letter in REST]
    scores = np.round(random.normal(0, 1, (*chosen.shape, classes)), 3).astype(np.float32)
    best = np.round(random.uniform(5, 9, chosen.shape), 3).astype(np.float32)
    np.put_along_axis(scores, chosen[..., None], best[..., None], axis=2)
    if algorithm == "NRTR":  # the first position is the start
        start = np.full((len(TEXTS), 1), 2)
        probability = np.round(random.uniform(0.3, 1, chosen.shape), 3)
        chosen = np.concatenate([start, chosen], axis=1)
        probability = np.concatenate([np.ones((len(TEXTS), 1)), probability], axis=1)
        return [chosen.astype(np.int64), probability.astype(np.float32)]
    if algorithm == "ViTSTR":  # the first position belongs to the start
        start = random.normal(0, 1, (len(TEXTS), 1, classes)).astype(np.float32)
        return [np.concatenate([start, scores], axis=1)]
    if algorithm == "VisionLAN":
        features = random.normal(0, 1, (len(TEXTS), 6, 4)).astype(np.float32)
        return [np.ascontiguousarray(scores.transpose(1, 0, 2)), features]
    if algorithm == "RFL":
        counts = random.uniform(0, 3, (len(TEXTS), classes)).astype(np.float32)
        return [counts, scores]
    return [scores]


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    """Return the probabilities of classes along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
