"""The settings of networks for whole pages in an inference.yml of PaddleX."""

from __future__ import annotations

import re
from typing import Any

from edgeocr.bundle import fields as typed
from edgeocr.bundle.limits import SIDE

from ..catalog.entries import Normalize
from ..graph.warping import SEEN
from .inference_operators import Labels

# The probability from which a page's orientation is believed. PaddleX takes the most probable class
# whatever its probability. PP-LCNet_x1_0_doc_ori was trained with smoothed labels: it gives 0.92 or
# 0.93 to the class of a clear page, and no more.
SURE = 0.7
# PaddleX divides pixels by 255 before UVDoc sees them, and does nothing else.
SCALED = Normalize("BGR", [0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
UNWARPING = {"height": SEEN[0], "width": SEEN[1]}


def is_for_unwarping(data: Any) -> bool:
    """Tell whether an inference.yml is UVDoc's.

    PaddleX prepares UVDoc's input without reading operators. A file without a post-process has
    nothing but the model's name.
    """
    if not isinstance(data, dict):
        return False
    post, general = data.get("PostProcess"), data.get("Global")
    if isinstance(post, dict):
        return "DocTrPostProcess" in (post.get("name"), *post)
    return post is None and isinstance(general, dict) and general.get("model_name") == "UVDoc"


def is_for_pages(operators: dict[str, Any], labels: Labels) -> bool:
    """Tell whether a classifier is for pages and not for lines of text.

    A classifier for lines stretches them to its input and knows no quarter turns. One for pages
    sees the middle of a page only, or tells quarter turns apart.
    """
    resize = operators.get("ResizeImage")
    shortened = resize is not None and resize.resize_short is not None
    return shortened or "CropImage" in operators or any(each % 180 for each in degrees(labels))


def page_orientation(operators: dict[str, Any], labels: Labels) -> dict[str, Any]:
    """Return the stage of a classifier for pages."""
    resize = operators.get("ResizeImage")
    if resize is None:
        raise typed.FieldError("PreProcess.transform_ops lacks ResizeImage")
    if resize.resize_short is None:
        width, height = size_of("ResizeImage", resize.size)
        stage = {"height": height, "width": width}
    else:
        crop = operators.get("CropImage")
        if crop is None:
            raise typed.FieldError("PreProcess.transform_ops has resize_short without CropImage")
        width, height = size_of("CropImage", crop.size)
        stage = {"height": height, "width": width, "short_side": resize.resize_short}
    return {**stage, "degrees": degrees(labels), "threshold": SURE}


def degrees(labels: Labels) -> list[int]:
    """Return the degrees that a classifier's labels state, such as "180" or "180_degree"."""
    turns = [re.fullmatch(r"(\d{1,3})(?:_degree)?", label) for label in labels.label_list]
    if not all(turns) or len(set(labels.label_list)) < len(turns):
        raise typed.FieldError(
            f"PostProcess.label_list must be degrees, each once, not {labels.label_list!r:.80}"
        )
    return [int(turn[1]) for turn in turns if turn]


def size_of(operator: str, size: Any) -> list[int]:
    """Return width and height in pixels as PaddleClas writes them: both, or one for a square."""
    sides = size if isinstance(size, list) else [size, size]
    if len(sides) != 2 or not all(type(side) is int and 1 <= side <= SIDE for side in sides):
        raise typed.FieldError(f"{operator}.size must be width and height, not {size!r:.80}")
    return sides
