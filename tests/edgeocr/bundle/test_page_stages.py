"""Stages for whole pages in a manifest: what is accepted, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeocr import BundleError
from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.description import describe
from edgeocr.bundle.parse import parse
from edgeocr.resize import limited_stages
from tests.support.packing import Files
from tests.support.page_stages import ORIENTATION, UNWARPING, mark_reader, with_page_stages


@pytest.fixture
def data(files: Files) -> dict[str, Any]:
    """A manifest with both stages, whose graphs are those of other stages."""
    manifest = json.loads(files[MANIFEST]) | {"schema": 5, "requires": "0.3.0"}
    graph = manifest["stages"]["detection"]["graph"]
    manifest["stages"] |= {
        "page_orientation": {"graph": graph, **ORIENTATION},
        "unwarping": {"graph": graph, **UNWARPING},
    }
    return manifest


def test_a_page_meets_them_before_the_others(data: dict[str, Any]) -> None:
    stages = parse(data).stages
    assert list(stages.present) == [
        *("page_orientation", "unwarping", "detection", "orientation", "recognition")
    ]
    assert limited_stages(stages, 2048).unwarping == stages.unwarping


@pytest.mark.parametrize(
    ("stage", "changes", "said"),
    [
        ("page_orientation", {"degrees": [0, 45]}, "multiples of 90"),
        ("page_orientation", {"degrees": [0]}, "two or more"),
        ("page_orientation", {"short_side": 63}, "short_side must be at least 64"),
        ("page_orientation", {"threshold": 1.5}, "threshold"),
        ("page_orientation", {"algorithm": "CLS"}, "PageCLS"),
        ("unwarping", {"height": 0}, "height"),
        ("unwarping", {"height": 32767, "width": 32767}, "more than 134217728 pixels"),
        ("unwarping", {"degrees": [0, 180]}, "unknown field"),
    ],
)
def test_invalid_fields_are_refused(
    data: dict[str, Any], stage: str, changes: dict[str, Any], said: str
) -> None:
    data["stages"][stage] |= changes
    with pytest.raises(BundleError, match=said):
        parse(data)


def test_they_make_no_bundle_alone(data: dict[str, Any]) -> None:
    data["provenance"] = []
    for stage in ("detection", "recognition"):
        del data["stages"][stage]
    with pytest.raises(BundleError, match="neither detection nor recognition nor spotting"):
        parse(data)


def test_a_description_says_what_they_see(embedded_files: Files) -> None:
    settings = {**ORIENTATION, "short_side": 80}
    stages = {
        "page_orientation": (mark_reader(), settings),
        "unwarping": (mark_reader(), UNWARPING),
    }
    said = " ".join(describe(with_page_stages(embedded_files, stages)).split())
    assert "page_orientation: mark" in said and "unwarping: wave" in said
    assert "64 × 64, cut from the middle, short side 80" in said
    assert "turned by 0 or 90 or 180 or 270 degrees from a probability of 0.8" in said
    assert "64 × 64, stretched" in said
