"""How each family of recognition networks sees a line, as its inference.yml says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converters.catalog.entries import Normalize
from converters.errors import ModelFormatError
from converters.model import inference_yml, line_resizing
from converters.model.inference_yml import ModelSettings
from tests.zoo.networks.rec_single import settings

HALF = Normalize("BGR", [0.5] * 3, [0.5] * 3)
# Decoder, operator, its settings, colour → algorithm, height and width, stretched, normalization.
FAMILIES = [
    ("ViTSTRLabelDecode", "GrayRecResizeImg",
     {"image_shape": [224, 200], "resize_type": "PIL", "inter_type": "Image.BICUBIC",
      "scale": False}, "BGR",
     "ViTSTR", (200, 224), "cubic", Normalize("GREY", [0.0], [1.0])),
    ("ABINetLabelDecode", "ABINetRecResizeImg", {"image_shape": [3, 32, 128]}, "RGB",
     "ABINet", (32, 128), "linear",
     Normalize("RGB", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])),
    ("ParseQLabelDecode", "SVTRRecResizeImg", {"image_shape": [3, 32, 128], "padding": False},
     "BGR", "PARSeq", (32, 128), "linear", HALF),
    ("CPPDLabelDecode", "SVTRRecResizeImg", {"image_shape": [3, 32, 100], "padding": False}, "BGR",
     "CPPD", (32, 100), "linear", HALF),
    ("CPPDLabelDecode", "SVTRRecResizeImg", {"image_shape": [3, 32, 256], "padding": True}, "BGR",
     "CPPD", (32, 256), None, HALF),
    ("VLLabelDecode", "VLRecResizeImg", {"image_shape": [3, 64, 256]}, "RGB",
     "VisionLAN", (64, 256), "linear", Normalize("RGB", [0.0] * 3, [1.0] * 3)),
    ("RFLLabelDecode", "RFLRecResizeImg",
     {"image_shape": [1, 32, 100], "padding": False, "interpolation": 2}, "BGR",
     "RFL", (32, 100), "cubic", Normalize("GREY", [0.5], [0.5])),
    ("SPINLabelDecode", "SPINRecResizeImg",
     {"image_shape": [100, 32], "interpolation": 2, "mean": [120.0], "std": [60.0]}, "BGR",
     "SPIN", (32, 100), "linear", Normalize("GREY", [120.0], [60.0], 1.0)),
    ("PRENLabelDecode", "PRENResizeImg", {"image_shape": [64, 256]}, "BGR",
     "PREN", (64, 256), "linear", HALF),
    ("NRTRLabelDecode", "GrayRecResizeImg", {"image_shape": [100, 32], "resize_type": "PIL"}, "BGR",
     "NRTR", (32, 100), "lanczos", Normalize("GREY", [1.0], [1.0], 1 / 128)),
    ("SATRNLabelDecode", "SVTRRecResizeImg", {"image_shape": [3, 32, 100], "padding": False}, "BGR",
     "SATRN", (32, 100), "linear", HALF),
    ("CTCLabelDecode", "SVTRRecResizeImg", {"image_shape": [3, 64, 256], "padding": False}, "BGR",
     "CTC", (64, 256), "linear", HALF),
]  # fmt: skip


def read(
    folder: Path, decoder: str, operator: str, fields: dict[str, Any], colour: str = "BGR"
) -> ModelSettings:
    content = settings(decoder, {"LabelEncode": None}, {operator: fields}, colour=colour)
    path = folder / "inference.yml"
    path.write_text(yaml.dump(content), encoding="utf-8")
    return inference_yml.read(path)


@pytest.mark.parametrize("case", FAMILIES, ids=lambda case: f"{case[4]}-{case[5][1]}")
def test_families_are_resized_and_normalized_as_in_their_configurations(case, tmp_path):
    decoder, operator, fields, colour, algorithm, size, method, normalize = case
    found = read(tmp_path, decoder, operator, fields, colour)
    assert (found.algorithm, found.normalize) == (algorithm, normalize)
    stage = found.stage
    assert (stage["height"], stage["width"], stage["max_width"]) == (*size, size[1])
    assert stage.get("stretch_widths") == (None if method is None else [size[1]])
    assert stage.get("interpolation", "linear") == (method or "linear")


def test_ctc_reads_lines_of_any_width_unless_its_operator_has_one(tmp_path):
    found = read(tmp_path, "CTCLabelDecode", "RecResizeImg", {"image_shape": [3, 48, 320]})
    assert "width" not in found.stage
    assert found.stage["max_width"] == line_resizing.MAX_WIDTH


@pytest.mark.parametrize(
    ("operator", "fields", "colour"),
    [
        ("RecResizeImg", {"image_shape": [1, 32, 100]}, "BGR"),
        ("RecResizeImg", {"image_shape": [3, 32, 100]}, "GRAY"),
        ("SVTRRecResizeImg", {"image_shape": [1, 32, 100]}, "GRAY"),
    ],
)
def test_one_channel_is_grey(operator, fields, colour, tmp_path):
    found = read(tmp_path, "CTCLabelDecode", operator, fields, colour)
    assert found.normalize == Normalize("GREY", [0.5], [0.5])


@pytest.mark.parametrize(
    ("fields", "normalize", "method"),
    [
        ({"image_shape": [100, 32], "resize_type": "OpenCV"}, 1 / 128, "linear"),
        ({"image_shape": [100, 32], "resize_type": "PIL"}, 1 / 128, "lanczos"),
        ({"image_shape": [1, 32, 100], "resize_type": "PIL", "padding": True}, 1 / 128, None),
    ],
)
def test_grey_operator_has_several_ways(fields, normalize, method, tmp_path):
    found = read(tmp_path, "ViTSTRLabelDecode", "GrayRecResizeImg", fields)
    assert found.normalize == Normalize("GREY", [1.0], [1.0], normalize)
    assert (found.stage["height"], found.stage["width"]) == (32, 100)
    assert found.stage.get("interpolation", "linear") == (method or "linear")
    assert ("stretch_widths" in found.stage) == (method is not None)


@pytest.mark.parametrize(
    ("operator", "fields", "colour", "message"),
    [
        ("GrayRecResizeImg", {"image_shape": [9, 9], "inter_type": "Image.HAMMING"}, "BGR",
         r"inter_type must end with one of BILINEAR, .* not 'Image.HAMMING'"),
        ("GrayRecResizeImg", {"image_shape": [9]}, "BGR", "must be channels, height and width"),
        ("RFLRecResizeImg", {"image_shape": [1, 32, 100], "interpolation": 3}, "BGR",
         "interpolation must be"),
        ("ABINetRecResizeImg", {"image_shape": [1, 32, 128]}, "BGR", "takes no grey pictures"),
        ("VLRecResizeImg", {"image_shape": [3, 0, 256]}, "BGR", r"image_shape\[1\] must be from 1"),
        ("VLRecResizeImg", {"image_shape": [3, 256]}, "BGR", "must be channels, height"),
        ("SPINRecResizeImg", {"image_shape": [9, 9], "std": [1.0, 2.0]}, "BGR", "have one value"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_an_error(operator, fields, colour, message, tmp_path):
    with pytest.raises(ModelFormatError, match=message):
        read(tmp_path, "VLLabelDecode", operator, fields, colour)


def test_network_without_an_operator_that_resizes_is_an_error(tmp_path):
    with pytest.raises(ModelFormatError, match=r"transform_ops lacks VLRecResizeImg"):
        read(tmp_path, "VLLabelDecode", "ToCHWImage", {})


@pytest.mark.parametrize(
    ("operator", "algorithm"),
    [("SARRecResizeImg", "SAR"), ("RobustScannerRecResizeImg", "RobustScanner")],
)
def test_sar_and_robustscanner_are_told_apart_by_their_operators(operator, algorithm, tmp_path):
    fields = {"image_shape": [3, 48, 48, 160], "width_downsample_ratio": 0.25}
    found = read(tmp_path, "SARLabelDecode", operator, fields)
    assert (found.algorithm, found.normalize) == (algorithm, HALF)
    stage = found.stage
    assert (stage["height"], stage["width"], stage["padding"]) == (48, 160, 0)
    assert stage["stretch_widths"] == list(range(48, 161, 4))
    # Digits and letters, the unknown character and the end, which is also the start.
    assert stage["charset"] == {"classes": 38, "end": 37}


@pytest.mark.parametrize(("ratio", "step"), [(0.25, 4), (0.3, 3), (0.35, 2), (0.6, 1), (1.0, 1)])
def test_widths_of_sar_are_multiples_as_in_paddleocr(ratio, step, tmp_path):
    fields = {"image_shape": [3, 48, 48, 96], "width_downsample_ratio": ratio}
    stage = read(tmp_path, "SARLabelDecode", "SARRecResizeImg", fields).stage
    assert stage["stretch_widths"] == list(range(48, 97, step))


@pytest.mark.parametrize(
    ("shape", "ratio", "message"),
    [
        ([3, 48, 200, 160], 0.25, "SARRecResizeImg: no line has a width from 200 to 160"),
        ([3, 48, 48, 10**18], 0.25, r"image_shape\[3\] must be from 1 to 32767"),
        ([3, 48, 48, 160], 0.0, "width_downsample_ratio must be from 0.01 to 1"),
        ([3, 48, 48, 160], 1e-320, "width_downsample_ratio must be from 0.01 to 1"),
        ([3, 48, 48, 160], 2, "width_downsample_ratio must be from 0.01 to 1"),
    ],
)
def test_widths_that_sar_cannot_have_are_refused(shape, ratio, message, tmp_path):
    fields = {"image_shape": shape, "width_downsample_ratio": ratio}
    with pytest.raises(ModelFormatError, match=message):
        read(tmp_path, "SARLabelDecode", "SARRecResizeImg", fields)
