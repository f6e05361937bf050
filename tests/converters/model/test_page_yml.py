"""The inference.yml of networks for whole pages, as PaddleX writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from converters.catalog import entries as catalog
from converters.catalog.entries import Normalize
from converters.errors import ModelFormatError
from converters.model import inference_yml
from converters.model.inference_yml import ModelSettings
from tests.support.paths import ZOO_EXPORTS

Read = Callable[[dict[str, Any]], ModelSettings]
PAGES, LINES = "PP-LCNet_x1_0_doc_ori", "PP-LCNet_x0_25_textline_ori"
IMAGENET_RGB = Normalize("RGB", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def settings_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(
        (ZOO_EXPORTS / name / "pir" / "inference.yml").read_text("utf-8")
    )
    return found


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(settings: dict[str, Any]) -> ModelSettings:
        path = tmp_path / "inference.yml"
        path.write_text(yaml.safe_dump(settings), "utf-8")
        return inference_yml.read(path)

    return of


def test_a_classifier_of_pages_sees_their_middle(read: Read) -> None:
    found = read(settings_of(PAGES))
    assert (found.model, found.task, found.algorithm) == (PAGES, "page_orientation", "PageCLS")
    assert found.normalize.mean == IMAGENET_RGB.mean and found.normalize.colour == "RGB"
    expected = catalog.load().model(PAGES)
    assert found.stage == expected.stage
    assert expected.normalize is not None and expected.normalize.std == found.normalize.std


def test_a_classifier_of_lines_stretches_them(read: Read) -> None:
    found = read(settings_of(LINES))
    assert (found.task, found.algorithm) == ("orientation", "CLS")
    assert found.stage["stretch"] and found.stage["degrees"] == [0, 180]
    assert (found.stage["height"], found.stage["width"]) == (80, 160)


def test_quarter_turns_are_those_of_pages(read: Read) -> None:
    """A classifier that was fine-tuned to see whole pages stretched."""
    settings = settings_of(LINES)
    settings["PostProcess"]["Topk"]["label_list"] = ["0_degree", "90_degree"]
    found = read(settings)
    assert found.task == "page_orientation"
    assert found.stage == {"height": 80, "width": 160, "degrees": [0, 90], "threshold": 0.7}


@pytest.mark.parametrize(
    ("operators", "said"),
    [
        ([{"ResizeImage": {"resize_short": 256}}], "resize_short without CropImage"),
        ([{"CropImage": {"size": 224}}], "lacks ResizeImage"),
        ([{"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 0}}], "CropImage.size"),
        ([{"ResizeImage": {"resize_short": 9}}, {"CropImage": {"size": "a"}}], "CropImage.size"),
        ([{"ResizeImage": {"size": [1, 2, 3]}}, {"CropImage": {"size": 9}}], "ResizeImage.size"),
    ],
)
def test_operators_that_say_no_size_are_refused(
    read: Read, operators: list[dict[str, Any]], said: str
) -> None:
    settings = settings_of(PAGES)
    settings["PreProcess"]["transform_ops"][:2] = operators
    with pytest.raises(ModelFormatError, match=said):
        read(settings)


def test_labels_must_be_degrees(read: Read) -> None:
    settings = settings_of(PAGES)
    settings["PostProcess"]["Topk"]["label_list"] = ["cat", "dog"]
    with pytest.raises(ModelFormatError, match="label_list must be degrees"):
        read(settings)


@pytest.mark.parametrize(
    "post", [None, {"DocTrPostProcess": None}, {"name": "DocTrPostProcess", "scale": 255.0}]
)
def test_uvdoc_needs_no_operators(read: Read, post: dict[str, Any] | None) -> None:
    settings = settings_of("UVDoc")
    if post is not None:
        settings["PostProcess"] = post
    found = read(settings)
    assert (found.model, found.task, found.algorithm) == ("UVDoc", "unwarping", "UVDoc")
    assert found.normalize == Normalize("BGR", [0.0] * 3, [1.0] * 3)
    assert found.stage == catalog.load().model("UVDoc").stage == {"height": 712, "width": 488}


def test_a_file_with_another_name_and_no_post_process_says_nothing(read: Read) -> None:
    with pytest.raises(ModelFormatError, match="PostProcess is missing"):
        read({"Global": {"model_name": "DewarpNet"}})
