"""Parsing manifests: every field gets its type, and every wrong field is named."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from edgeocr import BundleError
from edgeocr.bundle.manifest import SCHEMA, DBDetection, EASTDetection, Recognition
from edgeocr.bundle.parse import parse
from edgeocr.bundle.postprocess_settings import EASTSettings


@pytest.fixture
def data(embedded_files: dict[str, bytes]) -> dict[str, Any]:
    return json.loads(embedded_files["manifest.json"])


def put(data: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        data = data[parent]
    data[last] = value


def take(data: dict[str, Any], path: str) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        data = data[parent]
    del data[last]


def recognition(data: dict[str, Any]) -> Recognition:
    stage = parse(data).stages.recognition
    assert stage is not None
    return stage


def leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key in value for leaf in leaves(value[key], f"{path}.{key}".lstrip("."))]


def test_parse_returns_every_field_of_the_embedded_manifest(data: dict[str, Any]) -> None:
    manifest = parse(data)
    for path, value in leaves(data["stages"]):
        parsed: Any = manifest.stages
        for name in path.split("."):
            parsed = getattr(parsed, name)
        assert parsed == value, path
    assert manifest.schema == data["schema"] <= SCHEMA
    assert manifest.files.keys() == data["files"].keys()
    for origin, given in zip(manifest.provenance, data["provenance"], strict=True):
        assert [vars(file) for file in origin.files] == given["files"]
        assert {name: check.status for name, check in origin.parity.items()} == {
            name: check["status"] for name, check in given["parity"].items()
        }
        for name in given.keys() - {"files", "parity"}:
            assert getattr(origin, name) == given[name]


def test_a_bundle_may_come_without_orientation(data: dict[str, Any]) -> None:
    take(data, "stages.orientation")
    with pytest.raises(BundleError, match="provenance names the stage orientation"):
        parse(data)
    data["provenance"] = [o for o in data["provenance"] if o["stage"] != "orientation"]
    assert parse(data).stages.orientation is None


def test_a_blank_outside_the_classes_is_refused(data: dict[str, Any]) -> None:
    charset = data["stages"]["recognition"]["charset"]
    charset["blank"] = charset["classes"]
    with pytest.raises(BundleError, match=r"charset\.blank"):
        parse(data)


def test_a_newer_schema_is_refused_with_the_version_that_it_needs(data: dict[str, Any]) -> None:
    newer = {"schema": SCHEMA + 1, "requires": "7.1.0", "stages": {"smelling": 1}}
    with pytest.raises(BundleError, match=rf"schema {SCHEMA + 1}.*needs edgeocr 7\.1\.0 or newer"):
        parse(newer)
    with pytest.raises(BundleError, match="needs a newer edgeocr: upgrade"):
        parse({"schema": SCHEMA + 1})


def test_a_schema_below_the_oldest_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match=r"schema 0.*freeze the bundle again"):
        parse(data | {"schema": 0})


@pytest.mark.parametrize("schema", [str(SCHEMA), None, [SCHEMA], True, float(SCHEMA)])
def test_a_schema_that_is_not_an_integer_is_refused(data: dict[str, Any], schema: object) -> None:
    with pytest.raises(BundleError, match="schema"):
        parse(data | {"schema": schema})


@pytest.mark.parametrize("value", [None, [], "manifest", 1, {}])
def test_values_that_are_not_a_manifest_are_refused(value: object) -> None:
    with pytest.raises(BundleError, match="not an edgeocr bundle"):
        parse(value)


@pytest.mark.parametrize("stage", ["detection", "orientation", "recognition"])
def test_an_unknown_algorithm_is_refused_with_the_list_of_known_ones(
    data: dict[str, Any], stage: str
) -> None:
    known = data["stages"][stage]["algorithm"]
    put(data, f"stages.{stage}.algorithm", "DRRG")
    with pytest.raises(BundleError, match=rf"stages\.{stage}\.algorithm .*'{known}'.*'DRRG'"):
        parse(data)


def test_a_missing_field_of_a_stage_is_refused(data: dict[str, Any]) -> None:
    """Take out each field, except the sets of fixed shapes and the memory, which are optional."""
    paths = [
        path
        for path, _ in leaves(data["stages"])
        if path.rpartition(".")[2] not in ("sizes", "widths", "batches", "activation_bytes")
    ]
    assert len(paths) > 20
    for path in paths:
        without = copy.deepcopy(data)
        take(without, f"stages.{path}")
        with pytest.raises(BundleError, match=f"stages.{path} is missing"):
            parse(without)


def test_a_field_of_a_stage_with_a_wrong_type_is_refused(data: dict[str, Any]) -> None:
    for path, value in leaves(data["stages"]):
        wrong_values: tuple[object, ...] = (None, {}, ["x"], "no such")
        for wrong in (*wrong_values, 1 if isinstance(value, str) else "1"):
            if isinstance(value, str) and isinstance(wrong, str):
                continue
            changed = copy.deepcopy(data)
            put(changed, f"stages.{path}", wrong)
            # A field that only some algorithms have may be null, which means that it is absent.
            optional = wrong is None and path.endswith(".blank")
            problem = "is missing" if optional else "must be"
            with pytest.raises(BundleError, match=f"stages.{path}.* {problem}"):
                parse(changed)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("stages.detection.resize.multiple", 32.5, "an integer"),
        ("stages.detection.resize.multiple", True, "an integer"),
        ("stages.detection.postprocess.threshold", True, "a number"),
        ("stages.detection.postprocess.dilation", 1, "true or false"),
        ("stages.orientation.degrees", [0, "180"], r"degrees\[1\] must be an integer"),
        ("stages.detection.resize.limit", ["min"], "one of"),
        ("files", [], "an object"),
        ("provenance", {}, "a list"),
        ("made_by", {"onnx": 1}, r"made_by\.onnx must be a string"),
    ],
)
def test_a_wrong_type_is_refused_with_the_path_and_the_right_type(
    data: dict[str, Any], path: str, value: object, words: str
) -> None:
    put(data, path, value)
    with pytest.raises(BundleError, match=words) as caught:
        parse(data)
    assert path in str(caught.value)


def test_an_integer_is_accepted_where_a_number_is_expected(data: dict[str, Any]) -> None:
    put(data, "stages.detection.postprocess.unclip_ratio", 2)
    detection = parse(data).stages.detection
    assert isinstance(detection, DBDetection)
    ratio = detection.postprocess.unclip_ratio
    assert ratio == 2 and isinstance(ratio, float)


@pytest.mark.parametrize(
    "path", ["surprise", "stages.layout", "stages.detection.surprise", "stages.detection.resize.x"]
)
def test_unknown_fields_are_refused(data: dict[str, Any], path: str) -> None:
    put(data, path, 1)
    with pytest.raises(BundleError, match=f"unknown field {path}"):
        parse(data)


@pytest.mark.parametrize(
    "path",
    [
        "stages.detection.graph",
        "stages.orientation.graph",
        "stages.recognition.graph",
        "stages.recognition.charset.file",
    ],
)
def test_a_stage_that_names_an_unlisted_file_is_refused(data: dict[str, Any], path: str) -> None:
    put(data, path, "other.onnx")
    with pytest.raises(BundleError, match=r"other\.onnx"):
        parse(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("stages.detection.resize.multiple", 0),
        ("stages.detection.resize.max_pixels", -1),
        ("stages.recognition.height", 0),
        ("stages.recognition.multiple", 0),
        ("stages.recognition.charset.blank", -1),
        ("stages.orientation.width", 0),
        ("stages.orientation.degrees", [0]),
        ("stages.detection.postprocess.threshold", float("nan")),
    ],
)
def test_numbers_outside_their_range_are_refused(
    data: dict[str, Any], path: str, value: object
) -> None:
    put(data, path, value)
    with pytest.raises(BundleError, match=path):
        parse(data)


def test_texts_are_in_logical_order_unless_the_manifest_says_otherwise(
    data: dict[str, Any],
) -> None:
    assert recognition(data).visual_order is False
    put(data, "stages.recognition.visual_order", True)
    assert recognition(data).visual_order is True


@pytest.mark.parametrize("width", [None, 1, 100])
def test_recognition_may_have_a_single_width(data: dict[str, Any], width: int | None) -> None:
    assert recognition(data).width is None
    put(data, "stages.recognition.width", width)
    if width is not None:
        put(data, "stages.recognition.widths", [width])
    assert recognition(data).width == width


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (0, "from 1 to 32767, not 0"),
        (-100, "from 1 to 32767"),
        (100.0, "an integer"),
        ("100", "an integer"),
        (True, "an integer"),
        ([100], "an integer"),
        (float("nan"), "an integer"),
    ],
)
def test_an_invalid_width_is_refused(data: dict[str, Any], width: object, words: str) -> None:
    put(data, "stages.recognition.width", width)
    with pytest.raises(BundleError, match=rf"stages\.recognition\.width must be {words}"):
        parse(data)


def test_only_recognition_has_an_optional_width(data: dict[str, Any]) -> None:
    without = copy.deepcopy(data)
    put(without, "stages.orientation.width", None)
    with pytest.raises(BundleError, match=r"stages\.orientation\.width must be an integer"):
        parse(without)
    put(data, "stages.detection.width", 100)
    with pytest.raises(BundleError, match=r"unknown field stages\.detection\.width"):
        parse(data)


EAST = {
    "algorithm": "EAST",
    "graph": "graphs/detection.onnx",
    "model": "det_mv3_east",
    "resize": {"limit": "max", "limit_side": 960, "max_pixels": 3200000, "multiple": 32},
    "postprocess": {"score_threshold": 0.8, "cover_threshold": 0.1, "nms_threshold": 0.2},
}


def test_the_algorithm_decides_which_fields_detection_has(data: dict[str, Any]) -> None:
    put(data, "stages.detection", copy.deepcopy(EAST))
    detection = parse(data).stages.detection
    assert isinstance(detection, EASTDetection)
    assert detection.postprocess == EASTSettings(0.8, 0.1, 0.2)
    assert (detection.resize.rounding, detection.resize.enlarge) == ("nearest", 1.0)
    put(data, "stages.detection.postprocess.unclip_ratio", 1.5)
    with pytest.raises(BundleError, match=r"unknown field stages\.detection\.postprocess\.unclip"):
        parse(data)
    take(data, "stages.detection.algorithm")
    with pytest.raises(BundleError, match=r"field stages\.detection\.algorithm is missing"):
        parse(data)
    put(data, "stages.detection", "EAST")
    with pytest.raises(BundleError, match=r"stages\.detection must be an object"):
        parse(data)


@pytest.mark.parametrize("algorithm", ["Attention", "SRN"])
def test_attention_and_srn_have_begin_and_end_instead_of_a_blank(
    data: dict[str, Any], algorithm: str
) -> None:
    put(data, "stages.recognition.algorithm", algorithm)
    charset = data["stages"]["recognition"]["charset"]
    with pytest.raises(BundleError, match=rf"charset\.\w+ is missing; {algorithm} needs it"):
        parse(data)
    charset |= {"begin": 0, "end": 1}
    with pytest.raises(BundleError, match=rf"charset\.blank is given, but {algorithm} has no"):
        parse(data)
    del charset["blank"]
    reading = parse(data).stages.reading
    assert reading is not None and reading.charset.special == [0, 1]
    put(data, "stages.recognition.spaces", "found")
    with pytest.raises(BundleError, match=r"spaces can be .found. only with CTC"):
        parse(data)
    put(data, "stages.recognition.spaces", "read")
    charset["end"] = charset["classes"]
    with pytest.raises(BundleError, match=r"charset\.end must be below the number of classes"):
        parse(data)
    charset["end"] = 0
    with pytest.raises(BundleError, match=r"two of the special classes \[0, 0\] are the same"):
        parse(data)


@pytest.mark.parametrize("widths", [[], [64, 64], [128, 64], [64, 320]])
def test_stretch_widths_that_do_not_ascend_to_the_width_are_refused(
    data: dict[str, Any], widths: list[int]
) -> None:
    put(data, "stages.recognition.width", 256)
    put(data, "stages.recognition.widths", [256])
    put(data, "stages.recognition.stretch_widths", [64, 256])
    assert parse(data).stages.recognition is not None
    put(data, "stages.recognition.stretch_widths", widths)
    with pytest.raises(BundleError, match="stretch_widths must ascend to the stage's width 256"):
        parse(data)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("detection.resize.sizes", [[544, 544], [544, 545]], "multiples of 32, not"),
        ("detection.resize.sizes", [[544]], r"\[height, width\]"),
        ("detection.resize.sizes", [[544, 544], [544, 544]], "the same size twice"),
        ("recognition.widths", [320, 240, 3216], "must ascend"),
        ("recognition.widths", [240, 320], "must reach 3216"),
        ("recognition.widths", [240, 3217], "multiples of 8"),
        ("recognition.widths", [], "batches without widths"),
        ("recognition.batches", [], "widths without batches"),
        ("recognition.batches", [4, 1], "must ascend"),
        ("recognition.min_width", 4000, "must reach 4000"),
        ("recognition.width", 320, r"must be \[320\]"),
        ("orientation.batches", [1, 1], "must ascend"),
        ("orientation.providers", ["cudda"], "'cudda', which is none of cpu, cuda"),
        ("detection.providers", ["auto"], "'auto', which is none of"),
    ],
)
def test_invalid_sets_of_shapes_and_providers_are_refused(
    data: dict[str, Any], path: str, value: object, said: str
) -> None:
    put(data, f"stages.{path}", value)
    with pytest.raises(BundleError, match=said):
        parse(data)


def test_sets_of_shapes_may_be_empty_and_providers_keep_their_order(data: dict[str, Any]) -> None:
    put(data, "stages.detection.resize.sizes", [])
    put(data, "stages.recognition.widths", [])
    put(data, "stages.recognition.batches", [])
    put(data, "stages.recognition.providers", ["openvino", "cpu"])
    stage = recognition(data)
    assert stage.widths == [] and stage.providers == ["openvino", "cpu"]


def test_a_bundle_with_orientation_alone_is_refused(data: dict[str, Any]) -> None:
    data["provenance"] = []
    data["stages"] = {"orientation": data["stages"]["orientation"]}
    with pytest.raises(BundleError, match="neither detection nor recognition nor spotting"):
        parse(data)


def test_spotting_beside_other_stages_is_refused(data: dict[str, Any]) -> None:
    given = data["stages"]["recognition"]
    data["stages"]["spotting"] = {
        "algorithm": "PGNet",
        "graph": given["graph"],
        "model": "e2e_r50_vd_pg",
        "resize": EAST["resize"],
        "postprocess": {
            "score_threshold": 0.5,
            "expand_scale": 1.2,
            "shrink_ratio_of_width": 0.2,
            "minimum_points": 6,
            "minimum_characters": 2,
        },
        "charset": given["charset"],
    }
    with pytest.raises(
        BundleError, match="detection, orientation, recognition beside spotting, which finds and"
    ):
        parse(data)
    data["provenance"] = []
    data["stages"] = {"spotting": data["stages"]["spotting"]}
    assert parse(data).stages.reading == parse(data).stages.spotting
    put(data, "stages.spotting.postprocess.minimum_points", 1)
    with pytest.raises(BundleError, match=r"minimum_points must be from 2 to 1000"):
        parse(data)
