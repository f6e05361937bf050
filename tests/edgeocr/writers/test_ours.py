"""Files that edgeocr wrote are told from others by how they begin."""

from __future__ import annotations

import io
import json as standard_json

import cv2
import numpy as np
import pytest
from PIL import Image

from edgeocr.writers import jpeg, json
from tests.support.paths import IMAGES

PAGE = {"source": 'a "b\\" [1].png', "width": 3, "height": 4, "lines": []}


@pytest.mark.parametrize(
    "written",
    [
        json.document(PAGE),
        json.document([PAGE, PAGE]),
        json.line(PAGE),
        json.document({"source": "a", "error": "b"}),
        json.line({"source": "\udcff", "text": "A", "score": 1.0}),
    ],
)
def test_what_is_written_is_ours(written: str) -> None:
    assert json.is_ours(written.encode("utf-8", "backslashreplace"))


@pytest.mark.parametrize(
    "other", ["", "[]", "{}", '{"source": "a"}', '{"source": 1, "width": 2}', '[{"width": 1}]']
)
def test_other_json_is_not_ours(other: str) -> None:
    assert not json.is_ours(other.encode())
    assert not json.is_ours(standard_json.dumps({"name": "edgeocr", "source": "a"}).encode())


def test_overlay_says_in_a_comment_who_drew_it() -> None:
    picture = np.full((40, 60, 3), 200, np.uint8)
    content = jpeg.encode(picture)
    assert jpeg.is_ours(content) and jpeg.is_ours(content[:512])
    assert Image.open(io.BytesIO(content)).info["comment"] == jpeg.WORDS
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None and np.abs(decoded.astype(int) - picture).max() < 3


def test_other_pictures_are_no_overlays() -> None:
    assert not jpeg.is_ours((IMAGES / "sample.jpg").read_bytes())
    assert not jpeg.is_ours(b"GIF89a" + jpeg.COMMENT)
