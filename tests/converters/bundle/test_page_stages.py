"""Bundles with networks for whole pages, frozen from their exports and read with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry
from edgeocr import OCR
from edgeocr.bundle.archive import MANIFEST
from edgeocr.images import load
from tests.support.frozen import frozen
from tests.zoo.names import EXPORTS

PAGES = str(EXPORTS / "PP-LCNet_x1_0_doc_ori" / "pir")
LINES = str(EXPORTS / "PP-LCNet_x0_25_textline_ori" / "pir")
UNWARPING = str(EXPORTS / "UVDoc" / "pir")
DETECTION = str(EXPORTS / "PP-OCRv6_tiny_det" / "pir")


@pytest.mark.stress
def test_page_stages_are_frozen_and_used(tmp_path: Path, pictures: Path) -> None:
    bundle = frozen(
        tmp_path / "bundle",
        page_orientation=PAGES,
        unwarping=UNWARPING,
        detection=DETECTION,
        orientation=LINES,
        recognition=str(EXPORTS / "PP-OCRv6_tiny_rec" / "pir"),
    )
    manifest = json.loads((tmp_path / "bundle" / MANIFEST).read_text("utf-8"))
    assert (manifest["schema"], manifest["requires"]) == (5, "0.3.0")
    assert manifest["stages"]["page_orientation"]["short_side"] == 256
    assert manifest["stages"]["orientation"]["stretch"]
    stages = bundle.manifest.stages.present
    assert all(stage.activation_bytes > 0 for stage in stages.values())
    assert [origin.stage for origin in bundle.manifest.provenance] == list(stages)
    page = OCR(bundle, provider="cpu", threads=2).read(load(pictures / "badge.jpg"))
    assert {"page_orientation", "unwarping"} <= page.milliseconds.keys()
    # Random weights read nothing. What they do find lies in the picture.
    assert all(np.isfinite(line.quad).all() for line in page)


def test_a_bundle_without_them_keeps_its_schema(tmp_path: Path) -> None:
    bundle = frozen(tmp_path / "bundle", detection=DETECTION)
    assert bundle.manifest.schema == 2


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        ({"page_orientation": "a", "unwarping": "b"}, "needs a model for detection"),
        ({"spotting": "a", "detection": "b", "unwarping": "c"}, "leave out detection"),
        ({"spotting": "a", "page_orientation": "b", "unwarping": "c"}, None),
        ({"detection": "a", "unwarping": "b"}, None),
    ],
)
def test_what_they_may_stand_beside(models: dict[str, str], problem: str | None) -> None:
    found = BundleEntry("b", "", **models).problem
    assert found is None if problem is None else found is not None and problem in found


def test_the_catalog_has_them_in_the_order_of_a_page() -> None:
    assert catalog.STAGES[:2] == ("page_orientation", "unwarping")
    assert {
        entry.name for entry in catalog.load().models.values() if entry.task == "unwarping"
    } == {"UVDoc"}
