"""The operators of an inference.yml as dataclasses, with PaddleOCR's names, fields and defaults.

`inference_yml` parses a file into them. PaddleClas's operators are here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from edgeocr.bundle.fields import Range
from edgeocr.bundle.stage import Side

from ..catalog.entries import Algorithm
from .families import FAMILIES

# Ranges that hold whatever a network could have been trained with, and no zero to divide by.
Mean: TypeAlias = Annotated[float, Range(-1e6, 1e6)]
Deviation: TypeAlias = Annotated[float, Range(1e-6, 1e6)]


@dataclass(frozen=True)
class DecodeImage:
    """How a picture is decoded: the order of its channels."""

    img_mode: Literal["BGR", "RGB", "GRAY"] = "RGB"
    channel_first: Literal[False] = False
    ignore_orientation: bool = False
    """Whether the orientation in a picture's metadata is ignored; without effect, because the
    runtime turns pictures upright before they are detected."""


@dataclass(frozen=True)
class NormalizeImage:
    """How pixels are normalized: (pixel * scale - mean) / std for each channel."""

    mean: list[Mean] = field(default_factory=lambda: [0.485, 0.456, 0.406])
    std: list[Deviation] = field(default_factory=lambda: [0.229, 0.224, 0.225])
    scale: Any = "1./255."
    order: Literal["hwc", "chw", ""] = "chw"
    channel_num: Literal[3] = 3


@dataclass(frozen=True)
class DetResizeForTest:
    """How a detector's input is resized; lengths in pixels."""

    limit_side_len: Side | None = None
    limit_type: Literal["min", "max"] = "min"
    resize_long: Side | None = None
    image_shape: list[Side] | None = None
    """Height and width to which every picture is stretched."""


@dataclass(frozen=True)
class ScaleAlignedShort:
    """How CT's input is resized."""

    short_size: Side = 640
    """The shorter side in pixels."""


@dataclass(frozen=True)
class E2EResizeForTest:
    """How PGNet's input is resized; lengths in pixels."""

    max_side_len: Side
    valid_set: Literal["totaltext"] = "totaltext"


@dataclass(frozen=True)
class RecResizeImg:
    """How a recognition or orientation network's input is resized."""

    image_shape: list[Side]
    """Channels, height and width."""
    infer_mode: bool = False
    eval_mode: bool = False
    character_dict_path: str | None = None
    padding: Literal[True] = True
    num_heads: int = 8
    max_text_length: int = 25


@dataclass(frozen=True)
class LineResizeImg:
    """How a network sees lines in one size; `line_resizing` says which networks pad them."""

    image_shape: list[Side]
    """Channels, height and width."""
    padding: bool = True
    """Whether a line keeps its proportions and is padded on the right, where it can be chosen."""
    interpolation: Literal[1, 2] = 1
    """OpenCV's method of stretching: linear or cubic."""
    infer_mode: bool = False
    character_dict_path: str | None = None


@dataclass(frozen=True)
class GrayRecResizeImg:
    """How NRTR and ViTSTR see a line."""

    image_shape: list[Side]
    """Width and height; channels, height and width if lines are padded."""
    resize_type: Literal["PIL", "OpenCV"] = "PIL"
    inter_type: str = "Image.Resampling.LANCZOS"
    """Pillow's method of stretching."""
    scale: bool = True
    """Whether pixels become pixel / 128 - 1; otherwise pixel / 255."""
    padding: bool = False


@dataclass(frozen=True)
class SPINRecResizeImg:
    """How SPIN sees a line: grey, and stretched."""

    image_shape: list[Side]
    """Width and height."""
    interpolation: Literal[0, 1, 2, 3] = 2
    """OpenCV's method of stretching; without effect, because PaddleOCR passes it to `cv2.resize` as
    the place of the result, so that OpenCV's default counts, linear interpolation."""
    mean: list[Mean] = field(default_factory=lambda: [127.5])
    std: list[Deviation] = field(default_factory=lambda: [127.5])


@dataclass(frozen=True)
class PRENResizeImg:
    """How PREN sees a line: stretched."""

    image_shape: list[Side]
    """Height and width."""


@dataclass(frozen=True)
class SARRecResizeImg:
    """How SAR and RobustScanner see a line."""

    image_shape: list[Side]
    """Channels, height, least and largest width."""
    width_downsample_ratio: Annotated[float, Range(0.01, 1)] = 0.25
    """The inverse of the number of pixels of which a line's width is a multiple."""
    max_text_length: int = 25


@dataclass(frozen=True)
class ResizeImage:
    """How PaddleClas resizes a classifier's input; exactly one of the two fields is given."""

    size: list[Side] | None = None
    """Width and height in pixels."""
    resize_short: Side | None = None
    """The length of the shorter side in pixels."""


@dataclass(frozen=True)
class CropImage:
    """How PaddleClas cuts a classifier's input out of the middle."""

    size: Any
    """Its side in pixels, or a list of width and height."""


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
class PSEPostProcess:
    """How PSE's maps become regions."""

    thresh: float = 0.5
    box_thresh: float = 0.85
    min_area: int = 16
    box_type: Literal["quad", "poly"] = "quad"
    scale: Literal[1, 2, 4] = 4


@dataclass(frozen=True)
class FCEPostProcess:
    """How FCE's maps become regions."""

    scales: list[Literal[8, 16, 32]]
    fourier_degree: Literal[5] = 5
    num_reconstr_points: Literal[50] = 50
    decoding_type: Literal["fcenet"] = "fcenet"
    score_thr: float = 0.3
    nms_thr: float = 0.1
    alpha: float = 1.0
    beta: float = 1.0
    box_type: Literal["quad", "poly"] = "poly"


@dataclass(frozen=True)
class CTPostProcess:
    """How CT's maps become regions."""

    min_score: float = 0.88
    min_area: int = 16
    box_type: Literal["rect", "poly"] = "poly"


@dataclass(frozen=True)
class PGPostProcess:
    """How PGNet's maps become lines of text."""

    score_thresh: float = 0.5
    mode: Literal["fast", "slow"] = "fast"
    point_gather_mode: Literal["align"] | None = None
    character_dict: list[str] | None = None


@dataclass(frozen=True)
class LabelDecode:
    """How the outputs of a recognition network become text; `families` says more."""

    character_dict: list[str] | None = None
    use_space_char: bool | None = None
    max_text_length: int = 25
    rm_symbol: bool = False
    """Whether SAR's decoder drops all but letters and digits, in lower case; without effect."""


@dataclass(frozen=True)
class Labels:
    """How a classifier's classes are named."""

    label_list: list[str] = field(default_factory=lambda: ["0", "180"])
    topk: int = 1


@dataclass(frozen=True)
class DocTrPostProcess:
    """How UVDoc's output becomes a picture of bytes, which has no settings."""


OPERATORS: dict[str, type[Any]] = {
    "DecodeImage": DecodeImage,
    "NormalizeImage": NormalizeImage,
    "DetResizeForTest": DetResizeForTest,
    "ScaleAlignedShort": ScaleAlignedShort,
    "E2EResizeForTest": E2EResizeForTest,
    "RecResizeImg": RecResizeImg,
    "ClsResizeImg": RecResizeImg,
    "SRNRecResizeImg": RecResizeImg,
    "SVTRRecResizeImg": LineResizeImg,
    "VLRecResizeImg": LineResizeImg,
    "ABINetRecResizeImg": LineResizeImg,
    "RFLRecResizeImg": LineResizeImg,
    "GrayRecResizeImg": GrayRecResizeImg,
    "SPINRecResizeImg": SPINRecResizeImg,
    "PRENResizeImg": PRENResizeImg,
    "SARRecResizeImg": SARRecResizeImg,
    "RobustScannerRecResizeImg": SARRecResizeImg,
    "ResizeImage": ResizeImage,
    "CropImage": CropImage,
}
# Operators that don't matter to a conversion: they set the memory layout, encode the labels of the
# training, or pad to a multiple of 32, which a picture's sides are already after the resize.
WITHOUT_EFFECT = re.compile(r"ToCHWImage|Pad|KeepKeys|\w*LabelEncode\w*")
POST_PROCESSES: dict[str, tuple[Algorithm, type[Any]]] = {
    "DBPostProcess": ("DB", DBPostProcess),
    "EASTPostProcess": ("EAST", EASTPostProcess),
    "SASTPostProcess": ("SAST", SASTPostProcess),
    "PSEPostProcess": ("PSE", PSEPostProcess),
    "FCEPostProcess": ("FCE", FCEPostProcess),
    "CTPostProcess": ("CT", CTPostProcess),
    "PGPostProcess": ("PGNet", PGPostProcess),
    "ClsPostProcess": ("CLS", Labels),
    # For pages, if the operators or the labels are those of pages.
    "Topk": ("CLS", Labels),
    "DocTrPostProcess": ("UVDoc", DocTrPostProcess),
    # The first of the families that share a post-process comes first here; see `Family.resize`.
    **{
        family.post_process: (algorithm, LabelDecode)
        for algorithm, family in reversed(FAMILIES.items())
        if algorithm != "PGNet"
    },
}
