"""The inference.yml that PaddleOCR exports beside PSE, FCE, CT and DB++ become stages."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from converters.errors import ModelFormatError
from converters.model import inference_yml
from converters.model.inference_yml import ModelSettings
from converters.model.stages import stage_of
from edgeocr.bundle.manifest import CTDetection, DBDetection, FCEDetection, PSEDetection
from edgeocr.bundle.postprocess_settings import (
    CTSettings,
    DBSettings,
    FCESettings,
    PSESettings,
)
from edgeocr.resize import network_size
from tests.support.paths import ZOO_EXPORTS

MIN_736 = {"limit": "min", "limit_side": 736}
EXPECTED: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "det_r50_vd_pse": (PSEDetection, PSESettings(0, 0.85, 16, 1, "quad"), MIN_736, "BGR"),
    "det_r50_vd_dcn_fce_ctw": (
        FCEDetection, FCESettings(0.3, 0.1, 1, 1, "polygon"), MIN_736, "BGR",
    ),
    "det_r18_vd_ct": (
        CTDetection,
        CTSettings(0.88, 16, "polygon"),
        {"limit": "short", "limit_side": 640, "rounding": "up"},
        "RGB",
    ),
    "det_r50_db++_icdar15": (
        DBDetection,
        DBSettings(0.3, 0.6, 1.5, 1000, False, "box", "quad"),
        {"limit": "min", "limit_side": 1152, "max_pixels": 1152 * 2048},
        "BGR",
    ),
}  # fmt: skip


def settings_of(name: str) -> ModelSettings:
    return inference_yml.read(ZOO_EXPORTS / name / "pir" / "inference.yml")


@pytest.mark.parametrize("name", EXPECTED)
def test_settings_of_detectors_are_read(name: str) -> None:
    settings = settings_of(name)
    kind, numbers, resize, colour = EXPECTED[name]
    stage: Any = stage_of("detection", name, settings.algorithm, settings.stage)
    assert isinstance(stage, kind)
    assert stage.postprocess == numbers
    assert resize.items() <= vars(stage.resize).items() and stage.resize.multiple == 32
    assert settings.normalize.colour == colour
    assert stage.schema == (2 if isinstance(stage, DBDetection) else 5)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (None, MIN_736),
        ({"limit_side_len": 960, "limit_type": "max"}, {"limit": "max", "limit_side": 960}),
        ({"limit_side_len": 640}, {"limit": "min", "limit_side": 640}),
        ({"resize_long": 960}, {"limit": "max", "limit_side": 960}),
        ({"limit_type": "max"}, MIN_736),  # PaddleOCR ignores it without a length
    ],
)
def test_lengths_are_those_of_paddleocr(fields: Any, expected: dict[str, Any], tmp_path) -> None:
    source = ZOO_EXPORTS / "det_r50_vd_pse" / "pir" / "inference.yml"
    content = yaml.safe_load(source.read_text("utf-8"))
    operators = content["PreProcess"]["transform_ops"]
    next(each for each in operators if "DetResizeForTest" in each)["DetResizeForTest"] = fields
    path = tmp_path / "inference.yml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    assert expected.items() <= inference_yml.read(path).stage["resize"].items()


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("det_r18_vd_ct", (300, 500), (640, 1088)),  # ScaleAlignedShort: 640 x 1066.7, rounded up
        ("det_r18_vd_ct", (1280, 1280), (640, 640)),
        ("det_r18_vd_ct", (1673, 1671), (672, 640)),  # 640.8 x 640: 641 is rounded up
        ("det_r18_vd_ct", (1671, 1672), (640, 640)),  # 640 x 640.4
        ("det_r50_db++_icdar15", (720, 1280), (1152, 2048)),
        ("det_r50_db++_icdar15", (2160, 3840), (1152, 2048)),
        # Not stretched to that size, which would halve the letters' height.
        ("det_r50_db++_icdar15", (1280, 720), (2048, 1152)),
    ],
)
def test_pictures_are_seen_at_the_size_of_the_configuration(
    name: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    stage: Any = stage_of("detection", name, settings_of(name).algorithm, settings_of(name).stage)
    assert network_size(*size, stage.resize) == expected


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("det_r50_vd_dcn_fce_ctw", "  - 32", "  - 16", r"scales must be \[8, 16, 32\]"),
        ("det_r50_vd_dcn_fce_ctw", "degree: 5", "degree: 7", "fourier_degree must be one of 5"),
        ("det_r50_vd_pse", "scale: 1\n", "scale: 3\n", "scale must be one of 1, 2, 4"),
        ("det_r50_vd_pse", "scale: 1\n", "scale: true\n", "scale must be one of 1, 2, 4"),
        ("det_r18_vd_ct", "box_type: poly", "box_type: quad", "must be one of 'rect', 'poly'"),
        ("det_r18_vd_ct", "ScaleAlignedShort: null", "Pad: null", "lacks ScaleAlignedShort"),
        ("det_r50_db++_icdar15", "    - 1152", "    - 0", r"image_shape\[0\] must be from 1"),
    ],
)
def test_settings_that_cannot_be_kept_to_are_refused(
    name: str, old: str, new: str, problem: str, tmp_path: Any
) -> None:
    text = (ZOO_EXPORTS / name / "pir" / "inference.yml").read_text("utf-8")
    changed = text.replace(old, new)
    assert changed != text
    (tmp_path / "inference.yml").write_text(changed, "utf-8")
    with pytest.raises(ModelFormatError, match=problem):
        inference_yml.read(tmp_path / "inference.yml")
