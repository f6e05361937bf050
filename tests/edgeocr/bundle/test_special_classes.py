"""The special classes of a charset: which an algorithm may have, and the schema that needs them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edgeocr import BundleError
from edgeocr.bundle.parse import parse


@pytest.fixture
def data(embedded_files: dict[str, bytes]) -> dict[str, Any]:
    """Return the manifest of the embedded bundle, whose recognition becomes one with Attention."""
    decoded: dict[str, Any] = json.loads(embedded_files["manifest.json"])
    decoded["stages"]["recognition"]["algorithm"] = "Attention"
    del decoded["stages"]["recognition"]["charset"]["blank"]
    return decoded


def test_attention_may_ignore_classes_and_have_no_begin(data: dict[str, Any]) -> None:
    charset = data["stages"]["recognition"]["charset"]
    charset |= {"end": 1, "ignored": [0, 4]}
    reading = parse(data).stages.reading
    assert reading is not None
    assert (reading.charset.special, reading.charset.skipped) == ([0, 1, 4], [0, 4])
    assert reading.charset.schema == 5
    assert replace(reading.charset, ignored=[]).schema == 5
    assert replace(reading.charset, ignored=[], begin=0).schema == 2
    charset["begin"] = 2
    reading = parse(data).stages.reading
    assert reading is not None and reading.charset.skipped == [2, 0, 4]
    charset["ignored"] = [4, 0]
    with pytest.raises(BundleError, match=r"charset\.ignored must ascend, but is \[4, 0\]"):
        parse(data)
    charset["ignored"] = [charset["classes"]]
    with pytest.raises(BundleError, match=r"charset\.ignored must be below the number of classes"):
        parse(data)
    charset["ignored"] = [1]
    with pytest.raises(BundleError, match=r"two of the special classes \[1, 1, 2\] are the same"):
        parse(data)
    charset["ignored"] = [0]
    data["stages"]["recognition"]["algorithm"] = "SRN"
    with pytest.raises(BundleError, match=r"charset\.ignored is given, but SRN has no such class"):
        parse(data)
