"""Detection with PSE, FCE and CT in a manifest: what is accepted, what is refused, the schema."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from edgeocr import Bundle, BundleError
from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.bundle import InMemory
from edgeocr.bundle.description import describe
from edgeocr.bundle.manifest import Resize
from edgeocr.bundle.parse import parse
from tests.support.packing import Files, with_manifest

NUMBERS: dict[str, dict[str, Any]] = {
    "PSE": {
        **{"threshold": 0.0, "box_threshold": 0.85, "minimum_area": 16},
        **{"scale": 1, "shape": "quad"},
    },
    "FCE": {
        **{"score_threshold": 0.3, "nms_threshold": 0.1, "region_power": 1.0},
        **{"center_power": 1.0, "shape": "polygon"},
    },
    "CT": {"score_threshold": 0.88, "minimum_area": 16, "shape": "polygon"},
}


def with_algorithm(files: Files, algorithm: str, **changes: object) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(files[MANIFEST]) | {"schema": 5, "requires": "0.3.0"}
    postprocess = copy.deepcopy(NUMBERS[algorithm]) | changes
    manifest["stages"]["detection"] |= {"algorithm": algorithm, "postprocess": postprocess}
    return manifest


@pytest.mark.parametrize("algorithm", NUMBERS)
def test_numbers_are_those_of_the_manifest(files: Files, algorithm: str) -> None:
    stage = parse(with_algorithm(files, algorithm)).stages.detection
    assert stage is not None and stage.algorithm == algorithm
    assert vars(stage.postprocess) == NUMBERS[algorithm]
    assert stage.schema == 5


def test_only_the_rule_short_needs_the_newest_schema_with_db(files: Files) -> None:
    manifest = json.loads(files[MANIFEST])
    for limit, schema in (("min", 2), ("max", 2), ("long", 2), ("height", 2), ("short", 5)):
        manifest["stages"]["detection"]["resize"]["limit"] = limit
        stage = parse(manifest).stages.detection
        assert stage is not None and stage.schema == schema


@pytest.mark.parametrize(
    ("algorithm", "name", "value", "said"),
    [
        # JSON's true and 1.0 are equal to 1 in Python.
        ("PSE", "scale", True, "one of 1, 2, 4"),
        ("PSE", "scale", 1.0, "one of 1, 2, 4"),
        ("PSE", "scale", 3, "one of 1, 2, 4"),
        ("PSE", "minimum_area", -1, "at least 0"),
        ("FCE", "region_power", 11, "0 to 10"),
        ("FCE", "strides", [8, 16, 32], "unknown field"),
        ("CT", "shape", "circle", "one of 'quad', 'polygon'"),
        ("CT", "score_threshold", 1.5, "0 to 1"),
    ],
)
def test_other_numbers_are_refused(
    files: Files, algorithm: str, name: str, value: object, said: str
) -> None:
    with pytest.raises(BundleError, match=rf"stages\.detection\.postprocess\.{name}") as caught:
        parse(with_algorithm(files, algorithm, **{name: value}))
    assert said in str(caught.value)


@pytest.mark.parametrize("limit", get_args(get_type_hints(Resize)["limit"]))
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_a_description_says_how_pictures_and_lines_are_resized(
    files: Files, limit: str, interpolation: str
) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest |= {"schema": 5, "requires": "0.3.0"}
        manifest["stages"]["detection"]["resize"] |= {"limit": limit, "limit_side": 777}
        manifest["stages"]["recognition"]["interpolation"] = interpolation

    bundle = Bundle(Path("a.edgeocr"), InMemory(with_manifest(files, change)))
    said = " ".join(describe(bundle).split())
    assert " 777; at most" in said
    assert ("resized by cubic interpolation" in said) is (interpolation == "cubic")
