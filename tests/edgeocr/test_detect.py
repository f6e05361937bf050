"""Detection: regions are found where the labels are, as quads or polygons."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import OCR, Bundle, RuntimeOptions
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.bundle.manifest import DBDetection, Resize, SASTDetection
from edgeocr.bundle.postprocess_settings import SASTSettings
from edgeocr.detect import Detector, with_shape
from edgeocr.images import load
from edgeocr.postprocess.geometry import signed_areas
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.threads import ThreadPool
from tests.support.overlap import iou, pairs

NAMES = ["sample.jpg", "receipt.jpg", "poster.jpg"]


@pytest.fixture(scope="module")
def stage(bundle: Bundle) -> DBDetection:
    """The settings of the embedded bundle's detection."""
    detection = bundle.manifest.stages.detection
    assert isinstance(detection, DBDetection)
    return detection


@pytest.fixture(scope="module")
def detector(bundle: Bundle, stage: DBDetection) -> Detector:
    return Detector(stage, bundle.read(stage.graph), placement=Placement("cpu"), pool=ThreadPool(2))


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_region_for_each_label(
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
        assert signed_areas(region.quad[None])[0] > 0, "not clockwise"
        assert 0 < region.score <= 1 and type(region.score) is float


def test_polygons_are_found_when_the_bundle_says_so(
    bundle: Bundle,
    stage: DBDetection,
    pictures: Path,
    labels: dict[str, list[LabelledLine]],
) -> None:
    curved = dataclasses.replace(
        stage, postprocess=dataclasses.replace(stage.postprocess, shape="polygon")
    )
    detector = Detector(
        curved, bundle.read(stage.graph), placement=Placement("cpu"), pool=ThreadPool(2)
    )
    regions = detector.detect(load(pictures / "poster.jpg"))
    expected = [line.polygon for line in labels["poster.jpg"]]
    polygons = [region.polygon for region in regions if region.polygon is not None]
    assert len(polygons) == len(regions)
    matched = pairs(polygons, expected)
    assert len(matched) == len(expected)
    (bend,) = [j for j, polygon in enumerate(expected) if len(polygon) > 4]
    region = regions[next(i for i, j in matched.items() if j == bend)]
    assert region.polygon is not None and len(region.polygon) > 8
    assert iou(region.polygon, expected[bend]) > iou(region.quad, expected[bend])
    for region in regions:
        assert region.polygon is not None and region.polygon.dtype == np.float32
        assert iou(region.quad, cv2.boxPoints(cv2.minAreaRect(region.polygon))) > 0.9


def test_regions_are_in_reading_order(ocr: OCR, pictures: Path) -> None:
    page = ocr.read(pictures / "receipt.jpg")
    regions = ocr.detect(pictures / "receipt.jpg")
    assert [region.quad.tolist() for region in regions] == [
        line.quad.tolist() for line in page.lines
    ]


@pytest.mark.parametrize("fixed_shapes", [None, True])
def test_limit_of_pixels_is_kept(
    bundle: Bundle, stage: DBDetection, pictures: Path, fixed_shapes: bool | None
) -> None:
    limited = Detector(
        stage,
        bundle.read(stage.graph),
        placement=Placement("cpu", RuntimeOptions(fixed_shapes=fixed_shapes)),
        pool=ThreadPool(2),
    )
    usual = limited.max_pixels
    assert limited.limit_pixels(usual) is None and limited.max_pixels == usual
    assert limited.limit_pixels(400_000) == "a run of detection sees 400000 pixels at most"
    assert limited.max_pixels == 400_000
    shapes: list[tuple[int, ...]] = []
    limited.session.observer = lambda batch: shapes.append(batch.shape)
    assert limited.detect(load(pictures / "sample.jpg"))
    assert shapes[0][1] * shapes[0][2] > 200_000
    assert all(height * width <= 400_000 for _, height, width, _ in shapes)
    assert all(shape[1] * shape[2] <= 400_000 for shape in limited.session.shapes)


def test_blank_picture_has_no_regions(detector: Detector) -> None:
    assert detector.detect(np.full((200, 300, 3), 255, np.uint8)) == []


def test_sast_that_finds_quads_finds_polygons_of_more_points_on_request() -> None:
    rule = Resize("long", 512, 900_000, 128)
    settings = SASTSettings(0.5, 0.2, 2, 1.0, 0.3, "quad")
    quads = SASTDetection(
        algorithm="SAST", graph="g.onnx", model="sast", resize=rule, postprocess=settings
    )
    bent = with_shape(quads, "polygon").postprocess
    assert isinstance(bent, SASTSettings)
    assert (bent.shape, bent.sample_points) == ("polygon", 6)
    assert with_shape(quads, "quad") == quads
