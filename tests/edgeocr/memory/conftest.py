"""Fixtures of the memory tests: a bundle that states its memory, and large pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from converters.graph.activation_memory import bytes_per_pixel
from edgeocr import Bundle, images
from tests.support.frozen import stored
from tests.support.paths import IMAGES


@pytest.fixture(scope="session")
def memory_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the embedded bundle with the memory that each stage takes in its manifest."""
    bundle = Bundle.default()
    manifest = json.loads(bundle.manifest_text)
    for task, stage in manifest["stages"].items():
        stage["activation_bytes"] = bytes_per_pixel(bundle.read(stage["graph"]), task)
    target = tmp_path_factory.mktemp("bundle") / "known.edgeocr"
    stored(bundle, target, json.dumps(manifest))
    return target


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths of pictures that need more than a small limit, by name: two pages and a strip."""
    folder = tmp_path_factory.mktemp("large")
    receipt = images.load(IMAGES / "receipt.jpg")
    page = cv2.resize(receipt, (4800, 6400), interpolation=cv2.INTER_LINEAR)
    strip = np.full((200, 20000, 3), 255, np.uint8)
    for x in range(0, 19000, 700):
        cv2.putText(strip, f"EDGE {x}", (x + 20, 140), 0, 4, (0, 0, 0), 8)
    made = {"page.jpg": page, "page.png": page, "strip.png": strip}
    for name, picture in made.items():
        cv2.imwrite(str(folder / name), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return {name: str(folder / name) for name in made}
