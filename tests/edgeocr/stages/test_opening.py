"""Bundles that only find, only read, or do both with one network; made of tests/zoo."""

from __future__ import annotations

import copy
import dataclasses

import cv2
import numpy as np
import pytest

from edgeocr import OCR, Bundle, EdgeOCRError, StageMissingError
from edgeocr.cli.main import main
from edgeocr.detect import with_shape
from tests.support import frozen, systems
from tests.support.systems import picture


@pytest.fixture(scope="module")
def finder(bundle: Bundle) -> OCR:
    """Open the embedded bundle without its recognition stage."""
    manifest = bundle.manifest
    finding = copy.copy(bundle)
    stages = dataclasses.replace(manifest.stages, orientation=None, recognition=None)
    finding.manifest = dataclasses.replace(manifest, stages=stages)
    return OCR(finding, provider="cpu")


@pytest.fixture(scope="module")
def reader() -> OCR:
    return OCR(systems.bundle("CRNN"), provider="cpu")


@pytest.fixture(scope="module")
def spotter() -> OCR:
    return OCR(systems.bundle("PGNet"), provider="cpu")


def test_what_only_finds_says_so_when_it_has_to_read(finder: OCR, pictures) -> None:
    assert len(finder.detect(pictures / "sample.jpg")) > 10
    with pytest.raises(StageMissingError, match="'tiny' has no recognition stage, only detection"):
        finder.read(pictures / "sample.jpg")
    with pytest.raises(StageMissingError, match="no recognition stage"):
        finder.recognize([picture("part")])
    (error,) = finder.read_many([picture("part")])
    assert isinstance(error, StageMissingError) and error.source == "<ndarray>"


def test_what_only_reads_says_so_when_it_has_to_find(reader: OCR) -> None:
    assert len(reader.recognize([picture("part")])) == 1
    for call in (reader.read, reader.detect):
        with pytest.raises(StageMissingError, match="has no detection stage, only recognition"):
            call(picture("part"))


def test_a_spotter_finds_what_it_reads(spotter: OCR) -> None:
    page = spotter.read(picture("part"))
    regions = spotter.detect(picture("part"))
    assert page.providers == {"spotting": "cpu"} and list(page.milliseconds) == [
        "load",
        "resize",
        "spotting",
        "postprocess",
    ]
    assert len(page.lines) == len(regions) > 0
    for line, region in zip(page.lines, regions, strict=True):
        assert line.polygon is not None and line.polygon.shape == (12, 2)
        assert np.array_equal(line.polygon, region.polygon)
        assert cv2.contourArea(line.quad) >= cv2.contourArea(line.polygon) * 0.9
        inside = (line.polygon >= 0) & (line.polygon <= np.array([255, 159]))
        assert inside.all()
    with pytest.raises(StageMissingError, match="has no recognition stage, only spotting"):
        spotter.recognize([picture("part")])


def test_shapes_that_an_algorithm_does_not_have() -> None:
    with pytest.raises(EdgeOCRError, match="EAST finds quads only"):
        OCR(systems.bundle("EAST, STAR-Net"), provider="cpu", shape="polygon")
    assert OCR(systems.bundle("EAST, STAR-Net"), provider="cpu", shape="quad").providers
    with pytest.raises(EdgeOCRError, match="PGNet finds polygons only"):
        OCR(systems.bundle("PGNet"), provider="cpu", shape="quad")
    assert OCR(systems.bundle("PGNet"), provider="cpu", shape="polygon").providers


def test_a_sast_bundle_for_quads_finds_polygons_that_can_bend() -> None:
    detection = systems.bundle("SAST, SRN").manifest.stages.detection
    assert detection is not None and detection.algorithm == "SAST"
    assert (detection.postprocess.shape, detection.postprocess.sample_points) == ("quad", 2)
    bent = with_shape(detection, "polygon").postprocess
    assert (bent.shape, bent.sample_points) == ("polygon", 6)
    assert with_shape(detection, "quad") == detection


def test_the_command_line_says_what_is_missing(
    tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen.stored(systems.bundle("CRNN"), tmp_path / "reader.edgeocr")
    cv2.imwrite(str(tmp_path / "part.png"), picture("part"))
    arguments = [str(tmp_path / "part.png"), "--bundle", str(tmp_path / "reader.edgeocr")]
    assert main(["read", *arguments]) == 1
    assert "has no detection stage, only recognition" in capsys.readouterr().err
    assert main(["recognize", *arguments]) == 0
    assert main(["bundle", "show", str(tmp_path / "reader.edgeocr")]) == 0
    assert "algorithm   CTC" in capsys.readouterr().out
