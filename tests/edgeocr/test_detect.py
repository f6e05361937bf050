"""Detection: sizes for the network, and regions where the labels are."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from converters.accuracy.labels import LabelledLine
from edgeocr import OCR, Bundle
from edgeocr.detect import Detector
from edgeocr.images import load
from edgeocr.runtime.placement import Placement
from tests.support.overlap import iou, pairs

NAMES = ["sample.jpg", "receipt.jpg", "poster.jpg"]


@pytest.fixture(scope="module")
def detector(bundle: Bundle) -> Detector:
    stage = bundle.manifest.stages.detection
    return Detector(stage, bundle.read(stage.graph), placement=Placement("cpu"), threads=2)


@pytest.mark.parametrize("name", NAMES)
def test_a_region_for_each_label(
    detector: Detector, pictures: Path, labels: dict[str, list[LabelledLine]], name: str
) -> None:
    picture = load(pictures / name)
    height, width = picture.shape[:2]
    regions = detector.detect(picture)
    quads = [region.quad for region in regions]
    expected = [line.polygon for line in labels[name]]
    assert len(pairs(quads, expected, least=0.5)) == len(expected)
    assert len(regions) == len(expected)
    for region in regions:
        assert region.quad.dtype == np.float32 and region.polygon is None
        assert (region.quad >= 0).all() and (region.quad <= [width - 1, height - 1]).all()
        x, y = region.quad.T
        assert (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0, "not clockwise"
        assert 0 < region.score <= 1 and type(region.score) is float


def test_polygons_when_the_bundle_asks_for_them(
    bundle: Bundle, pictures: Path, labels: dict[str, list[LabelledLine]]
) -> None:
    stage = bundle.manifest.stages.detection
    curved = dataclasses.replace(
        stage, postprocess=dataclasses.replace(stage.postprocess, shape="polygon")
    )
    detector = Detector(curved, bundle.read(stage.graph), placement=Placement("cpu"), threads=2)
    regions = detector.detect(load(pictures / "poster.jpg"))
    expected = [line.polygon for line in labels["poster.jpg"]]
    matched = pairs([region.polygon for region in regions], expected)
    assert len(matched) == len(expected)
    (bend,) = [j for j, polygon in enumerate(expected) if len(polygon) > 4]
    region = regions[next(i for i, j in matched.items() if j == bend)]
    assert region.polygon is not None and len(region.polygon) > 8
    assert iou(region.polygon, expected[bend]) > iou(region.quad, expected[bend])
    for region in regions:
        assert region.polygon is not None and region.polygon.dtype == np.float32
        assert iou(region.quad, cv2.boxPoints(cv2.minAreaRect(region.polygon))) > 0.9


def test_regions_in_reading_order(ocr: OCR, pictures: Path) -> None:
    page = ocr.read(pictures / "receipt.jpg")
    regions = ocr.detect(pictures / "receipt.jpg")
    assert [region.quad.tolist() for region in regions] == [
        line.quad.tolist() for line in page.lines
    ]


def test_nothing_on_a_blank_picture(detector: Detector) -> None:
    assert detector.detect(np.full((200, 300, 3), 255, np.uint8)) == []
