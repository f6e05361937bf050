"""inference.yml as PaddleOCR and PaddleClas export it."""

import random
from pathlib import Path

import pytest
import yaml

from converters.catalog.entries import CharsetSource, Normalize
from converters.errors import ModelFormatError
from converters.model import inference_yml
from tests.support import mutants

IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
HALVES = [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]
NORMALIZE = """
  - NormalizeImage:
      mean: [0.485, 0.456, 0.406]
      order: hwc
      scale: 1./255.
      std: [0.229, 0.224, 0.225]
  - ToCHWImage: null"""
# PP-OCRv6_tiny_det's own, without the shapes for TensorRT.
DETECTION = f"""\
Global:
  model_name: PP-OCRv6_tiny_det
Hpi:
  backend_configs:
    paddle_infer:
      trt_dynamic_shapes: &id001
        x: [[1, 3, 32, 32], [1, 3, 736, 736], [1, 3, 4000, 4000]]
    tensorrt:
      dynamic_shapes: *id001
PostProcess:
  box_thresh: 0.4
  max_candidates: 3000
  name: DBPostProcess
  thresh: 0.2
  unclip_ratio: 1.4
PreProcess:
  transform_ops:
  - DecodeImage:
      channel_first: false
      img_mode: BGR
  - DetLabelEncode: null
  - DetResizeForTest: null{NORMALIZE}
  - KeepKeys:
      keep_keys: [image, shape, polys, ignore_tags]
"""
# PP-OCRv6_tiny_rec's own, with three characters.
RECOGNITION = """\
Global:
  model_name: PP-OCRv6_tiny_rec
PreProcess:
  transform_ops:
  - DecodeImage:
      channel_first: false
      img_mode: BGR
  - MultiLabelEncode:
      gtc_encode: NRTRLabelEncode
  - RecResizeImg:
      image_shape: [3, 48, 320]
  - KeepKeys:
      keep_keys: [image, label_ctc, label_gtc, length, valid_ratio]
PostProcess:
  name: CTCLabelDecode
  character_dict: ['!', '"', 年]
"""
# PP-LCNet_x1_0_textline_ori's own.
ORIENTATION = """\
Global:
  model_name: PP-LCNet_x1_0_textline_ori
PreProcess:
  transform_ops:
  - ResizeImage:
      size: [160, 80]
  - NormalizeImage:
      channel_num: 3
      mean: [0.485, 0.456, 0.406]
      order: ''
      scale: 0.00392156862745098
      std: [0.229, 0.224, 0.225]
  - ToCHWImage: null
PostProcess:
  Topk:
    topk: 1
    label_list: [0_degree, 180_degree]
"""
# Each list holds the one before ten times.
LAUGHS = "b0: &b0 [x]\n" + "".join(
    f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 10)}]\n" for i in range(1, 10)
)


@pytest.fixture
def read(tmp_path: Path):
    def of(text: str) -> inference_yml.ModelSettings:
        (tmp_path / "inference.yml").write_text(text, encoding="utf-8")
        return inference_yml.read(tmp_path / "inference.yml")

    return of


def test_settings_of_a_detector_are_read(read):
    settings = read(DETECTION)
    assert (settings.model, settings.task, settings.algorithm) == (
        "PP-OCRv6_tiny_det",
        "detection",
        "DB",
    )
    assert settings.normalize == Normalize("BGR", *IMAGENET)
    assert settings.charset is None and settings.characters is None
    assert settings.stage == {
        "resize": {"limit": "min", "limit_side": 736, "max_pixels": 3200000, "multiple": 32},
        "postprocess": {
            "threshold": 0.2,
            "box_threshold": 0.4,
            "unclip_ratio": 1.4,
            "max_candidates": 3000,
            "dilation": False,
            "score": "box",
            "shape": "quad",
        },
    }


@pytest.mark.parametrize(
    ("rule", "limit", "side"),
    [
        ("{limit_side_len: 960, limit_type: max}", "max", 960),
        ("{limit_side_len: 640}", "min", 640),
        ("{resize_long: 960}", "max", 960),
    ],
)
def test_rules_for_the_size_of_pictures_are_read(read, rule, limit, side):
    text = DETECTION.replace("DetResizeForTest: null", f"DetResizeForTest: {rule}")
    resize = read(text).stage["resize"]
    assert (resize["limit"], resize["limit_side"]) == (limit, side)


def test_choices_of_post_processing_are_read(read):
    given = "thresh: 1\n  score_mode: slow\n  box_type: poly\n  use_dilation: true"
    numbers = read(DETECTION.replace("thresh: 0.2", given)).stage["postprocess"]
    assert (numbers["score"], numbers["shape"], numbers["dilation"]) == ("polygon", "polygon", True)
    assert numbers["threshold"] == 1.0


def test_settings_of_a_recognizer_are_read(read):
    settings = read(RECOGNITION)
    assert (settings.task, settings.algorithm) == ("recognition", "CTC")
    assert settings.normalize == Normalize("BGR", *HALVES)
    assert settings.charset == CharsetSource("inference.yml", space=True)
    assert settings.characters == ["!", '"', "年"]
    assert settings.stage == {
        "height": 48,
        "min_width": 320,
        "max_width": 3200,
        "margin": 0,
        "padding": 127,
        "multiple": 8,
        "minimum_score": 0.5,
        "charset": {"classes": 5, "blank": 0},
    }


def test_recognition_without_a_dictionary_reads_letters_and_digits(read):
    text = RECOGNITION[: RECOGNITION.index("  character_dict")]
    settings = read(text)
    assert settings.charset is None
    assert settings.stage["charset"] == {"classes": 37, "blank": 0}
    attention = read(text.replace("CTCLabelDecode", "AttnLabelDecode"))
    assert attention.algorithm == "Attention"
    assert attention.stage["charset"] == {"classes": 38, "begin": 0, "end": 37}
    assert (attention.stage["width"], attention.stage["max_width"]) == (320, 320)


def test_ctc_network_with_right_to_left_letters_reads_in_visual_order(read):
    arabic = RECOGNITION.replace("年", "س")
    assert "visual_order" not in read(RECOGNITION).stage
    assert read(arabic).stage["visual_order"] is True
    # What writes one character after the other may begin at the right.
    attention = read(arabic.replace("CTCLabelDecode", "AttnLabelDecode"))
    assert "visual_order" not in attention.stage


def test_settings_of_srn_are_read(read):
    text = RECOGNITION.replace("CTCLabelDecode", "SRNLabelDecode").replace("Rec", "SRNRec")
    settings = read(text.replace("[3, 48, 320]", "[1, 64, 256]"))
    assert settings.normalize == Normalize("GREY", [0.0], [1.0], 1.0)
    assert settings.stage["charset"] == {"classes": 5, "begin": 3, "end": 4}
    assert settings.stage["stretch_widths"] == [64, 128, 192, 256]


def test_settings_of_a_classifier_are_read(read):
    settings = read(ORIENTATION)
    assert (settings.task, settings.algorithm) == ("orientation", "CLS")
    assert settings.normalize == Normalize("RGB", *IMAGENET)
    assert (settings.stage["height"], settings.stage["width"]) == (80, 160)
    assert settings.stage["degrees"] == [0, 180]


def test_settings_of_east_and_sast_are_read(read):
    numbers = "  thresh: 0.2\n  unclip_ratio: 1.4\n  max_candidates: 3000\n  box_thresh: 0.4\n"
    text = DETECTION
    for line in numbers.splitlines(keepends=True):
        text = text.replace(line, "")
    east = read(text.replace("DBPost", "EASTPost"))
    assert east.stage["postprocess"] == {
        "score_threshold": 0.8,
        "cover_threshold": 0.1,
        "nms_threshold": 0.2,
    }
    sast = read(
        text.replace("DBPostProcess", "SASTPostProcess\n  sample_pts_num: 6").replace(
            "DetResizeForTest: null", "DetResizeForTest: {resize_long: 1536}"
        )
    )
    assert sast.stage["resize"]["limit"] == "long"
    assert (sast.stage["resize"]["limit_side"], sast.stage["resize"]["multiple"]) == (1536, 128)
    assert sast.stage["postprocess"]["sample_points"] == 6


def test_settings_of_pgnet_are_read(read):
    text = f"""\
PreProcess:
  transform_ops:
  - DecodeImage: {{img_mode: RGB}}
  - E2ELabelEncode: null
  - E2EResizeForTest: {{max_side_len: 768}}{NORMALIZE}
PostProcess: {{name: PGPostProcess, score_thresh: 0.5, mode: fast, character_dict: [a, b]}}
"""
    settings = read(text)
    assert (settings.task, settings.normalize.colour) == ("spotting", "RGB")
    assert settings.stage["resize"]["limit_side"] == 768
    assert settings.stage["charset"] == {"classes": 3, "blank": 2}
    assert settings.charset == CharsetSource("inference.yml", space=False)


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (DETECTION, "thresh: 0.2", "thresh: high", r"PostProcess\.thresh must be a number"),
        (DETECTION, "thresh: 0.2", "tresh: 0.2", r"unknown field PostProcess\.tresh"),
        (DETECTION, "DBPostProcess", "PANPostProcess", r"PostProcess\.name must be one of DBPost"),
        (DETECTION, "PostProcess:", "Post:", "PostProcess is missing"),
        (DETECTION, "PreProcess:", "Pre:", r"PreProcess\.transform_ops must be a list"),
        (
            DETECTION,
            "DetResizeForTest",
            "Resize",
            r"ops\[2\]: the operator 'Resize' is not supported",
        ),
        (DETECTION, "- DetResizeForTest: null", "- 3", r"ops\[2\] must be one operator"),
        (DETECTION, "  - DetResizeForTest: null\n", "", "lacks DetResizeForTest"),
        (DETECTION, "Test: null", "Test: {image_shape: [3, 1, 2]}", r"Test\.image_shape must be"),
        (DETECTION, "Test: null", "Test: {keep_ratio: true}", r"Test\.keep_ratio"),
        (DETECTION, "img_mode: BGR", "img_mode: LAB", r"DecodeImage\.img_mode must be one of"),
        (DETECTION, "img_mode: BGR", "img_mode: GRAY", "DB networks don't take grey"),
        (DETECTION, "scale: 1./255.", "scale: exit()", r"must be a positive number, not 'exit"),
        (DETECTION, "scale: 1./255.", "scale: 1/0", "scale must be a positive number"),
        (DETECTION, "scale: 1./255.", "scale: .inf", "scale must be a positive number, not inf"),
        (DETECTION, "scale: 1./255.", "scale: 0", "scale must be a positive number, not 0"),
        (DETECTION, "scale: 1./255.", "scale: true", "scale must be a positive number, not True"),
        (DETECTION, "std: [0.229", "std: [0.0", r"std\[0\] must be from 1e-06 to 1000000.0, not 0"),
        (DETECTION, "std: [0.229, ", "std: [", "mean and std must have three values"),
        (DETECTION, "mean: [0.485, ", "mean: [.nan, ", "must be a finite number"),
        (RECOGNITION, "[3, 48, 320]", "[48, 320]", r"image_shape must be channels, height"),
        (RECOGNITION, "['!', '\"', 年]", "['!', 3]", r"character_dict\[1\] must be a string"),
        (ORIENTATION, "[160, 80]", "[80]", r"size must be width and height"),
        (ORIENTATION, "180_degree", "upside_down", "label_list must be degrees"),
        (ORIENTATION, "180_degree", "0_degree", "label_list must be degrees, each once"),
        (ORIENTATION, "PostProcess:", "PostProcess: [", "not valid YAML"),
    ],
)
def test_error_names_the_wrong_or_unknown_field(read, text, old, new, message):
    assert old in text
    with pytest.raises(ModelFormatError, match=message) as caught:
        read(text.replace(old, new, 1))
    assert "inference.yml: " in str(caught.value)


@pytest.mark.parametrize("text", ["", "3", "[1]", "PostProcess: 3"])
def test_other_yaml_is_refused(read, text):
    with pytest.raises(ModelFormatError, match="PostProcess is missing"):
        read(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 5000, "not valid YAML"),
        ("a: !!bool x", "not valid YAML: a value doesn't fit its tag"),
        ("a: !!timestamp x", "not valid YAML: a value doesn't fit its tag"),
        ("a: 2001-99-99", "not valid YAML: a value doesn't fit its tag"),
        ("a: &a [*a]", "1000000 values, or more than 50 levels"),
        (LAUGHS, "1000000 values"),
        (f"PostProcess: {10**30}", "more than 64 bits"),
        ("PostProcess: {name: DBPostProcess, 3: 1, x: 2}", "the key 3 must be a text"),
        ("PostProcess: {name: [DBPostProcess]}", "PostProcess.name must be one of"),
        (f"PostProcess: {{name: DBPostProcess, thresh: {'9' * 400}}}", "more than 64 bits"),
    ],
)
def test_yaml_that_no_exporter_writes_is_refused(read, content, message):
    with pytest.raises(ModelFormatError, match=rf"inference\.yml: .*{message}"):
        read(content)


def test_file_that_is_too_large_is_refused(read, monkeypatch):
    monkeypatch.setattr(inference_yml, "MAX_BYTES", 10)
    with pytest.raises(ModelFormatError, match="larger than"):
        read(DETECTION)


def test_mutants_are_read_or_refused(tmp_path):
    path = tmp_path / "inference.yml"
    refused = 0
    for seed in range(120):
        chance = random.Random(seed)
        text = chance.choice((DETECTION, RECOGNITION))
        tree = mutants.of_json(yaml.safe_load(text), chance)
        written = (
            mutants.dumped(tree),
            yaml.dump(tree).encode(),
            mutants.of_bytes(text.encode(), chance),
        )
        path.write_bytes(chance.choice(written))
        for read_it in (inference_yml.read, inference_yml.characters):
            try:
                read_it(path)
            except ModelFormatError as error:
                refused += 1
                assert "inference.yml" in str(error) and len(str(error)) < 1500
    assert refused > 50
