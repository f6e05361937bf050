"""The operators of an inference.yml as dataclasses, with PaddleOCR's names, fields and defaults.

`inference_yml` parses a file into them. PaddleClas's operators are here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from ..catalog.entries import Algorithm


@dataclass(frozen=True)
class DecodeImage:
    """How a picture is decoded: the order of its channels."""

    img_mode: Literal["BGR", "RGB", "GRAY"] = "RGB"
    channel_first: Literal[False] = False


@dataclass(frozen=True)
class NormalizeImage:
    """How pixels are normalized: (pixel * scale - mean) / std for each channel."""

    mean: list[float] = field(default_factory=lambda: [0.485, 0.456, 0.406])
    std: list[float] = field(default_factory=lambda: [0.229, 0.224, 0.225])
    scale: Any = "1./255."
    order: Literal["hwc", "chw", ""] = "chw"
    channel_num: Literal[3] = 3


@dataclass(frozen=True)
class DetResizeForTest:
    """How a detector's input is resized; lengths in pixels."""

    limit_side_len: int | None = None
    limit_type: Literal["min", "max"] = "min"
    resize_long: int | None = None


@dataclass(frozen=True)
class E2EResizeForTest:
    """How PGNet's input is resized; lengths in pixels."""

    max_side_len: int
    valid_set: Literal["totaltext"] = "totaltext"


@dataclass(frozen=True)
class RecResizeImg:
    """How a recognition or orientation network's input is resized."""

    image_shape: list[int]
    """Channels, height and width."""
    infer_mode: bool = False
    eval_mode: bool = False
    character_dict_path: str | None = None
    padding: Literal[True] = True
    num_heads: int = 8
    max_text_length: int = 25


@dataclass(frozen=True)
class ResizeImage:
    """How PaddleClas resizes a classifier's input."""

    size: list[int]
    """Width and height in pixels."""


@dataclass(frozen=True)
class DBPostProcess:
    """How DB's map becomes regions."""

    thresh: float = 0.3
    box_thresh: float = 0.7
    max_candidates: int = 1000
    unclip_ratio: float = 2.0
    use_dilation: bool = False
    score_mode: Literal["fast", "slow"] = "fast"
    box_type: Literal["quad", "poly"] = "quad"


@dataclass(frozen=True)
class EASTPostProcess:
    """How EAST's maps become regions."""

    score_thresh: float = 0.8
    cover_thresh: float = 0.1
    nms_thresh: float = 0.2


@dataclass(frozen=True)
class SASTPostProcess:
    """How SAST's maps become regions."""

    score_thresh: float = 0.5
    nms_thresh: float = 0.2
    sample_pts_num: int = 2
    shrink_ratio_of_width: float = 0.3
    expand_scale: float = 1.0
    tcl_map_thresh: float = 0.5


@dataclass(frozen=True)
class PGPostProcess:
    """How PGNet's maps become lines of text."""

    score_thresh: float = 0.5
    mode: Literal["fast", "slow"] = "fast"
    point_gather_mode: Literal["align"] | None = None
    character_dict: list[str] | None = None


@dataclass(frozen=True)
class LabelDecode:
    """How the outputs of CTC, attention and SRN become text."""

    character_dict: list[str] | None = None
    use_space_char: bool | None = None
    max_text_length: int = 25


@dataclass(frozen=True)
class Labels:
    """How a classifier's classes are named."""

    label_list: list[str] = field(default_factory=lambda: ["0", "180"])
    topk: int = 1


OPERATORS: dict[str, type[Any]] = {
    "DecodeImage": DecodeImage,
    "NormalizeImage": NormalizeImage,
    "DetResizeForTest": DetResizeForTest,
    "E2EResizeForTest": E2EResizeForTest,
    "RecResizeImg": RecResizeImg,
    "ClsResizeImg": RecResizeImg,
    "SRNRecResizeImg": RecResizeImg,
    "ResizeImage": ResizeImage,
}
# Operators that set the memory layout or encode training labels don't matter to a conversion.
WITHOUT_EFFECT = re.compile(r"ToCHWImage|KeepKeys|\w*LabelEncode\w*")
POST_PROCESSES: dict[str, tuple[Algorithm, type[Any]]] = {
    "DBPostProcess": ("DB", DBPostProcess),
    "EASTPostProcess": ("EAST", EASTPostProcess),
    "SASTPostProcess": ("SAST", SASTPostProcess),
    "PGPostProcess": ("PGNet", PGPostProcess),
    "CTCLabelDecode": ("CTC", LabelDecode),
    "AttnLabelDecode": ("Attention", LabelDecode),
    "SRNLabelDecode": ("SRN", LabelDecode),
    "ClsPostProcess": ("CLS", Labels),
    "Topk": ("CLS", Labels),
}
