"""Bundles whose graphs return the same arrays whatever they see, to feed stages wrong outputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from edgeocr import Bundle
from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.bundle import InMemory
from edgeocr.bundle.manifest import SCHEMA
from tests.support.ideal import curved

Outputs = Mapping[str, np.ndarray]

# The side of the input of the stages for pictures, and of maps at a quarter of it.
SIDE, QUARTER = 64, 16
# The classes of the stages that read: the blank, or begin and end, and characters.
CLASSES = 6
HEIGHT, WIDTH, STEPS = 16, 64, 8

_PICTURE: dict[str, Any] = {
    "resize": {"limit": "max", "limit_side": SIDE, "max_pixels": SIDE**2, "multiple": SIDE}
}
_CROP: dict[str, Any] = {"height": HEIGHT, "width": WIDTH, "padding": 0}
_READING = {"min_width": 1, "max_width": WIDTH, "margin": 0, "multiple": 1, "minimum_score": 0}
_CURVED = {"score_threshold": 0.5, "expand_scale": 1.2, "shrink_ratio_of_width": 0.3}
_DB = {"threshold": 0.3, "box_threshold": 0.5, "unclip_ratio": 1.5, "max_candidates": 100}
_BLANK: dict[str, Any] = {"file": "charset.txt", "classes": CLASSES, "blank": 0}
_ENDS = {"file": "charset.txt", "classes": CLASSES, "begin": 0, "end": 5}
# Each algorithm's stage and its settings in the manifest.
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "DB": (
        "detection",
        {**_PICTURE, "postprocess": _DB | {"dilation": False, "score": "box", "shape": "quad"}},
    ),
    "EAST": (
        "detection",
        {
            **_PICTURE,
            "postprocess": {"score_threshold": 0.5, "cover_threshold": 0.1, "nms_threshold": 0.2},
        },
    ),
    "SAST": (
        "detection",
        {
            **_PICTURE,
            "postprocess": {**_CURVED, "nms_threshold": 0.2, "sample_points": 2, "shape": "quad"},
        },
    ),
    "PSE": (
        "detection",
        {
            **_PICTURE,
            "postprocess": {"threshold": 0, "box_threshold": 0.5, "minimum_area": 4, "scale": 1}
            | {"shape": "quad"},
        },
    ),
    "FCE": (
        "detection",
        {
            **_PICTURE,
            "postprocess": {"score_threshold": 0.3, "nms_threshold": 0.1, "shape": "quad"}
            | {"region_power": 1, "center_power": 1},
        },
    ),
    "CT": (
        "detection",
        {
            **_PICTURE,
            "postprocess": {"score_threshold": 0.5, "minimum_area": 4, "shape": "quad"},
        },
    ),
    "PGNet": (
        "spotting",
        {
            **_PICTURE,
            "charset": _BLANK,
            "postprocess": {**_CURVED, "minimum_points": 4, "minimum_characters": 1},
        },
    ),
    "CLS": ("orientation", {**_CROP, "degrees": [0, 180], "threshold": 0.9}),
    "CTC": ("recognition", {**_CROP, **_READING, "charset": _BLANK}),
    "Attention": ("recognition", {**_CROP, **_READING, "charset": _ENDS}),
    "SRN": ("recognition", {**_CROP, **_READING, "charset": _ENDS}),
}


def sound_outputs(algorithm: str) -> dict[str, np.ndarray]:
    """Return outputs of the right names, shapes and types, which show one line of text."""
    if algorithm == "CLS":
        return {"probability": np.array([[0.2, 0.8]], np.float32)}
    if SETTINGS[algorithm][0] == "recognition":
        indices = np.array([[1, 1, 2, 3, 3, 4, 5, 5]], np.int32)
        return {"indices": indices, "scores": np.full(indices.shape, 0.9, np.float32)}
    if algorithm == "DB":
        probability = np.zeros((1, SIDE, SIDE), np.float32)
        probability[:, 24:40, 8:56] = 0.9
        return {"probability": probability}
    quad = np.array([[[8, 20], [52, 20], [52, 44], [8, 44]]], np.float32)
    if algorithm == "PSE":
        return {"kernels": curved.pse(quad, SIDE, SIDE)[None]}
    if algorithm == "FCE":
        levels = zip((8, 16, 32), curved.fce(quad, SIDE, SIDE), strict=True)
        return {f"level_{stride}": level[None] for stride, level in levels}
    if algorithm == "CT":
        return {"kernel_and_offsets": curved.ct(quad, SIDE, SIDE)[None]}
    score = np.zeros((1, QUARTER, QUARTER), np.float32)
    score[:, 8, 3:13] = 0.9

    def filled(*channels: float) -> np.ndarray:
        maps = np.array(channels, np.float32)[:, None, None]
        return np.ascontiguousarray(np.broadcast_to(maps, (len(channels), QUARTER, QUARTER)))[None]

    y, x = np.indices((QUARTER, QUARTER), np.float32)
    corners = [(2, 5), (13, 5), (13, 11), (2, 11)]  # x and y of the text's quad, in map pixels
    offsets = np.stack([each for cx, cy in corners for each in (x - cx, y - cy)])[None]
    border = filled(-3, 0, 3, 0)
    if algorithm == "EAST":
        return {"score": score, "geometry": 4 * offsets}
    if algorithm == "SAST":
        center = np.stack([x - 7.5, y - 8])[None]
        return {"tcl": score, "border": border, "tvo": offsets, "tco": center}
    characters = filled(*[9.0 if number == 2 else 0.0 for number in range(CLASSES)])
    return {
        "tcl": score,
        "border": border,
        "direction": filled(1, 0),
        "characters": characters,
    }


def graph(outputs: Outputs, name: str) -> bytes:
    """Return a graph with one uint8 [N, H, W, 3] input, which it ignores, and these outputs."""
    values = [numpy_helper.from_array(each, f"{key}_value") for key, each in outputs.items()]
    made = helper.make_graph(
        [helper.make_node("Identity", [f"{key}_value"], [key]) for key in outputs],
        "constant",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", "H", "W", 3])],
        [
            helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(each.dtype), None)
            for key, each in outputs.items()
        ],
        values,
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(made, opset_imports=[opset], ir_version=8).SerializeToString()


def bundle(**stages: Outputs) -> Bundle:
    """Return a bundle in memory.

    Args:
        stages: The outputs of the graph of each algorithm, such as `DB`.
    """
    files = {"charset.txt": "\n".join("abcde"[: CLASSES - 1]).encode()}
    described = {}
    for algorithm, outputs in stages.items():
        stage, settings = SETTINGS[algorithm]
        if "begin" in settings.get("charset", {}):
            files["charset.txt"] = b"a\nb\nc\nd"
        name = f"graphs/{stage}.onnx"
        files[name] = graph(outputs, "image" if "resize" in settings else "crops")
        described[stage] = {"algorithm": algorithm, "graph": name, "model": "m", **settings}
    manifest = {
        "schema": SCHEMA,
        "name": "constant",
        "description": "",
        "stages": described,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in files.items()
        },
        "made_by": {},
        "provenance": [],
    }
    files[MANIFEST] = json.dumps(manifest).encode()
    return Bundle(Path("constant.edgeocr"), InMemory(files))
