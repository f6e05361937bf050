"""Bundles with stages that prepare pages: their graphs are built by hand, so the truth is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from edgeocr import Bundle
from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.bundle import InMemory
from edgeocr.bundle.manifest import SCHEMA
from tests.support.constant_graphs import graph as constant_graph
from tests.support.packing import Files, sealed

# The side of the page orientation network's input, and of the red mark in the page's top left
# corner, as a share of the page's sides.
SIDE, MARK = 64, 1 / 16
# How far the pages below are bent, as a share of their height, and the size of the grid that makes
# them flat.
BEND, GRID = 0.03, (45, 31)
ORIENTATION: dict[str, Any] = {
    "algorithm": "PageCLS",
    "model": "mark",
    "height": SIDE,
    "width": SIDE,
    "degrees": [0, 90, 180, 270],
    "threshold": 0.8,
}
UNWARPING: dict[str, Any] = {"algorithm": "UVDoc", "model": "wave", "height": 64, "width": 64}


def with_page_stages(files: Files, stages: Mapping[str, tuple[bytes, Mapping[str, Any]]]) -> Bundle:
    """Add stages to the files of a bundle, and return it opened in memory.

    Args:
        files: The bundle's files.
        stages: The graph and the settings of each stage.
    """
    manifest = json.loads(files[MANIFEST])
    manifest |= {"schema": SCHEMA, "requires": "0.3.0"}
    graphs = {}
    for name, (content, settings) in stages.items():
        graphs[f"graphs/{name}.onnx"] = content
        manifest["stages"][name] = {"graph": f"graphs/{name}.onnx", **settings}
    changed = sealed({**files, **graphs, MANIFEST: json.dumps(manifest).encode()})
    return Bundle(Path("pages.edgeocr"), InMemory(changed))


def mark_reader() -> bytes:
    """Return a graph that finds the corner of a page with a red mark.

    It takes `image` uint8 [N, SIDE, SIDE, 3] and gives `probability` [N, 4] of the corners, from
    the top left clockwise: where the page's own top left corner is if it is turned clockwise by 0,
    90, 180 and 270 degrees. Without a mark all are as probable.
    """
    # How much redder than green and blue each quarter is at most.
    red = np.array([-0.5, -0.5, 1], np.float32).reshape(1, 3, 1, 1) / 255
    clockwise = np.array([0, 1, 3, 2], np.int64)
    flat, scale = np.array([0, 4], np.int64), np.array(10, np.float32)
    values: dict[str, np.ndarray] = {
        "red": red,
        "clockwise": clockwise,
        "flat": flat,
        "scale": scale,
    }
    half = [SIDE // 2] * 2
    nodes = [
        helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["pixels", "red"], ["redness"]),
        helper.make_node("MaxPool", ["redness"], ["quarters"], kernel_shape=half, strides=half),
        helper.make_node("Reshape", ["quarters", "flat"], ["rows"]),
        helper.make_node("Gather", ["rows", "clockwise"], ["corners"], axis=1),
        helper.make_node("Mul", ["corners", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
    ]
    made = helper.make_graph(
        nodes,
        "mark",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(made, opset_imports=[opset], ir_version=8).SerializeToString()


def marked(page: np.ndarray) -> np.ndarray:
    """Return a page, uint8 [H, W, 3], with a red mark in its top left corner."""
    found = page.copy()
    height, width = (round(MARK * side) for side in page.shape[:2])
    found[:height, :width] = (0, 0, 255)
    return found


def lowered(x: Any, height: int, width: int) -> Any:
    """Return by how many pixels the points at some x are lower in the bent page."""
    return BEND * height * np.sin(2 * np.pi * np.asarray(x) / width)


def bent(page: np.ndarray) -> np.ndarray:
    """Return a flat page, uint8 [H, W, 3], as it looks bent like a wave."""
    height, width = page.shape[:2]
    y, x = np.indices((height, width), np.float32)
    above = (y - lowered(x, height, width)).astype(np.float32)
    return cv2.remap(page, x, above, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def wave_reader() -> bytes:
    """Return a graph that gives the `grid` of a page that `bent` has bent, whatever it sees."""
    rows, columns = GRID
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    y = y + 2 * lowered((x + 1) / 2, 1, 1)
    return constant_graph({"grid": np.stack([x, y])[None].astype(np.float32)}, "image")
