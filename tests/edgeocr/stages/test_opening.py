"""Opening the stages of a bundle, and bundles that find only, read only or do both in one."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import OCR, Bundle, Page, SignatureError, StageMissingError
from edgeocr.bundle.manifest import Profile, Stages
from edgeocr.device.cpus import available_threads
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.threads import ThreadPool
from edgeocr.stages.opening import (
    OpenStages,
    graph_bytes,
    open_bundle,
    open_stages,
    run_sizes,
    usable_threads,
)
from edgeocr.variants.choice import OWN, Choice
from tests.support import systems
from tests.support.systems import picture


def with_stages(bundle: Bundle, stages: Stages) -> Bundle:
    """Copy a bundle with other stages in its manifest."""
    changed = copy.copy(bundle)
    changed.manifest = dataclasses.replace(bundle.manifest, stages=stages)
    return changed


@pytest.fixture(scope="module")
def finding(bundle: Bundle) -> Bundle:
    """The embedded bundle with the detection stage only."""
    return with_stages(bundle, Stages(detection=bundle.manifest.stages.detection))


@pytest.fixture(scope="module")
def finder(finding: Bundle) -> OCR:
    return OCR(finding, provider="cpu")


@pytest.fixture(scope="module")
def reader(bundle: Bundle) -> OCR:
    """An `OCR` of the embedded bundle with the recognition stage only."""
    stages = Stages(recognition=bundle.manifest.stages.recognition)
    return OCR(with_stages(bundle, stages), provider="cpu")


@pytest.fixture(scope="module")
def spotter() -> OCR:
    return OCR(systems.bundle("PGNet"), provider="cpu")


def test_bundle_without_recognition_refuses_to_read(finder: OCR) -> None:
    with pytest.raises(StageMissingError, match="'tiny' has no recognition stage, only detection"):
        finder.read(picture("part"))
    with pytest.raises(StageMissingError, match="no recognition stage"):
        finder.recognize([picture("part")])
    (error,) = finder.read_many([picture("part")])
    assert isinstance(error, StageMissingError) and error.source == "<ndarray>"


def test_bundle_without_recognition_finds_the_same_regions(
    finder: OCR, ocr: OCR, pictures: Path
) -> None:
    found = finder.detect(pictures / "badge.jpg")
    assert len(found) > 0 and found.providers == {"detection": "cpu"}
    assert np.array_equal(found.boxes, ocr.detect(pictures / "badge.jpg").boxes)


def test_bundle_without_detection_reads_crops_only(reader: OCR) -> None:
    assert len(reader.recognize([picture("part")])) == 1
    for call in (reader.read, reader.detect):
        with pytest.raises(StageMissingError, match="has no detection stage, only recognition"):
            call(picture("part"))


@pytest.mark.slow
def test_spotter_detects_the_lines_that_it_reads(spotter: OCR) -> None:
    page = spotter.read(picture("part"))
    regions = spotter.detect(picture("part"))
    assert page.providers == {"spotting": "cpu"}
    assert list(page.milliseconds) == ["load", "resize", "spotting", "postprocess", "layout"]
    assert len(page.lines) == len(regions) > 0
    for line, region in zip(page.lines, regions, strict=True):
        assert line.polygon is not None and line.polygon.shape == (12, 2)
        assert region.polygon is not None and np.array_equal(line.polygon, region.polygon)
        assert cv2.contourArea(line.quad) >= cv2.contourArea(line.polygon) * 0.9
        assert ((line.polygon >= 0) & (line.polygon <= np.array([255, 159]))).all()
    with pytest.raises(StageMissingError, match="has no recognition stage, only spotting"):
        spotter.recognize([picture("part")])


@pytest.mark.slow
def test_shapes_that_an_algorithm_cannot_find_are_refused() -> None:
    with pytest.raises(ValueError, match="EAST finds quads only"):
        OCR(systems.bundle("trained EAST, STAR-Net"), provider="cpu", shape="polygon")
    east = OCR(systems.bundle("trained EAST, STAR-Net"), provider="cpu", shape="quad")
    with pytest.raises(ValueError, match="EAST finds quads only"):
        east.detect(picture("part"), shape="polygon")
    with pytest.raises(ValueError, match="PGNet finds polygons only"):
        OCR(systems.bundle("PGNet"), provider="cpu", shape="quad")
    pgnet = OCR(systems.bundle("PGNet"), provider="cpu", shape="polygon")
    with pytest.raises(ValueError, match="PGNet finds polygons only"):
        pgnet.read(picture("part"), shape="quad")


def test_open_stages_are_listed_by_name(finder: OCR, ocr: OCR) -> None:
    assert list(finder.stages) == ["detection"]
    assert list(ocr.stages) == ["detection", "orientation", "recognition"]
    assert OpenStages("empty").by_name == {}


def test_only_the_wanted_stages_are_opened(bundle: Bundle) -> None:
    wanted = Stages(orientation=bundle.manifest.stages.orientation)
    pool = ThreadPool(1)
    opened = open_stages(bundle, wanted, placement=Placement("cpu"), pool=pool, shape=None)
    assert list(opened.by_name) == ["orientation"]
    assert opened.skipped_providers == () and opened.engine_folders == []
    pool.close()


def test_same_reason_for_a_skipped_provider_is_given_once() -> None:
    choice = Choice("fp32", OWN, skipped_providers=("cuda: no driver", "openvino: not installed"))
    opened = OpenStages("reader", choices={"detection": choice, "recognition": choice})
    assert opened.skipped_providers == ("cuda: no driver", "openvino: not installed")


def test_reasons_are_of_stages_with_something_to_choose() -> None:
    choices = {
        "detection": Choice("fp32", OWN, notable=False),
        "recognition": Choice("int8", "the CPU has asimddp"),
    }
    opened = OpenStages("reader", choices=choices, several=["recognition"])
    assert opened.variants == {"recognition": "int8"}
    assert opened.variant_reasons == {"recognition": "int8, the CPU has asimddp"}


def test_bundle_opens_from_nothing_a_path_or_an_open_bundle(bundle: Bundle) -> None:
    assert open_bundle(None, None).digest == bundle.digest
    assert open_bundle(bundle.path, None).digest == bundle.digest
    assert open_bundle(bundle, None) is bundle


def test_open_bundle_is_checked_for_the_required_signature(bundle: Bundle, keys: Path) -> None:
    for source in (bundle, bundle.path, None):
        with pytest.raises(SignatureError):
            open_bundle(source, keys / "own.pub")


def test_threads_are_those_of_the_cpus_the_profile_or_the_process() -> None:
    available = available_threads()
    assert usable_threads(None, None) == available
    assert usable_threads(None, Profile("one", 1, None)) == 1
    assert usable_threads(None, Profile("many", 1000, None)) == available
    assert usable_threads(None, Profile("any", None, None)) == available
    assert usable_threads((3, 4, 5), Profile("one", 1, None)) == 3


def test_needs_of_the_stages_are_known_before_they_are_opened(bundle: Bundle) -> None:
    stages = bundle.manifest.stages
    assert [sizes.given for sizes in run_sizes(stages)] == ["pictures", "crops", "crops"]
    files = {stage.graph for stage in vars(stages).values() if stage is not None}
    assert graph_bytes(bundle, stages) == sum(len(bundle.read(name)) for name in files)
    assert run_sizes(Stages()) == [] and graph_bytes(bundle, Stages()) == 0


def test_the_shape_is_chosen_for_each_picture(ocr: OCR, pictures: Path) -> None:
    picture = pictures / "badge.jpg"
    for found in (ocr.detect(picture), ocr.read(picture, shape="quad")):
        assert len(found) and all(each.polygon is None for each in found)
    bent = OCR(provider="cpu", threads=2, shape="polygon")
    for page in (ocr.read(picture, shape="polygon"), *ocr.read_many([picture], shape="polygon")):
        assert isinstance(page, Page)
        assert page.to_dict()["lines"] == bent.read(picture).to_dict()["lines"]
    regions = ocr.detect(picture, shape="polygon").to_dict()["regions"]
    assert regions == bent.detect(picture).to_dict()["regions"]
    with pytest.raises(ValueError, match="must be 'quad' or 'polygon', not 'circle'"):
        ocr.read(picture, shape="circle")  # type: ignore[arg-type]
