"""How a recognition network sees a line, by the operator of an inference.yml that resizes it.

Each family of networks has its own operator in PaddleOCR: some pad a line to a width and some
stretch it, some take grey pictures, and most normalize the pixels too.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from edgeocr.bundle import fields as typed

from ..catalog.entries import Algorithm, Normalize
from .families import FAMILIES, HALF, IMAGENET
from .inference_operators import (
    DecodeImage,
    GrayRecResizeImg,
    PRENResizeImg,
    SARRecResizeImg,
    SPINRecResizeImg,
)

# PaddleOCR pads with zeros after normalizing; 127 is the grey that (pixel / 255 - 0.5) / 0.5
# brings closest to zero.
PADDING = 127
# The widest input of a recognition network, in pixels, if its width varies.
MAX_WIDTH = 3200
# PaddleOCR's drop_score, the score below which a reading is dropped.
MINIMUM_SCORE = 0.5
# The operators that resize lines. Those that always stretch a line have no setting for it, or one
# without effect.
RESIZES = (
    "RecResizeImg",
    "SRNRecResizeImg",
    "SVTRRecResizeImg",
    "GrayRecResizeImg",
    "VLRecResizeImg",
    "ABINetRecResizeImg",
    "RFLRecResizeImg",
    "SPINRecResizeImg",
    "PRENResizeImg",
    "SARRecResizeImg",
    "RobustScannerRecResizeImg",
)
STRETCHING = ("VLRecResizeImg", "ABINetRecResizeImg", "SPINRecResizeImg", "PRENResizeImg")
# Pillow's methods of resizing → those of a bundle.
PILLOW = {"BILINEAR": "linear", "BICUBIC": "cubic", "LANCZOS": "lanczos", "ANTIALIAS": "lanczos"}

Stage: TypeAlias = dict[str, Any]


def stage(algorithm: Algorithm, operators: dict[str, Any]) -> Stage:
    """Return the fields of a bundle's stage that follow from the operator that resizes lines.

    Args:
        algorithm: The network's family.
        operators: The operators of an inference.yml that have an effect, by name.

    Raises:
        FieldError: If no operator resizes lines, or it has no usable size.
    """
    name = _resize(algorithm, operators)
    _, height, width = shape(operators, name)
    fixed = algorithm != "CTC" or name != "RecResizeImg"
    fields: Stage = {
        "height": height,
        "min_width": width,
        "max_width": width if fixed else MAX_WIDTH,
        "margin": 0,
        "padding": PADDING,
        "multiple": 4 if fixed else 8,
        "minimum_score": MINIMUM_SCORE,
    }
    if fixed:
        fields["width"] = width
    if algorithm == "SRN":
        fields |= {"stretch_widths": [height, 2 * height, 3 * height, width], "padding": 0}
    elif isinstance(operators[name], SARRecResizeImg):
        fields |= {"stretch_widths": _steps(operators, name), "padding": 0}
    elif name in STRETCHING or (name != "RecResizeImg" and not operators[name].padding):
        fields["stretch_widths"] = [width]
        if (method := _interpolation(operators[name])) != "linear":
            fields["interpolation"] = method
    return fields


def normalization(algorithm: Algorithm, operators: dict[str, Any]) -> Normalize:
    """Return how the operator that resizes lines normalizes their pixels.

    Args:
        algorithm: The network's family.
        operators: The operators of an inference.yml that have an effect, by name.

    Raises:
        FieldError: As for `stage`.
    """
    name = _resize(algorithm, operators)
    if name == "SRNRecResizeImg":  # it passes on plain grey values
        return FAMILIES["SRN"].normalize
    if name == "GrayRecResizeImg":
        resize = operators[name]
        if resize.scale or resize.padding:
            return Normalize("GREY", [1.0], [1.0], 1 / 128)
        return Normalize("GREY", [0.0], [1.0])
    if name == "SPINRecResizeImg":
        resize = operators[name]
        if len(resize.mean) != 1 or len(resize.std) != 1:
            raise typed.FieldError(f"{name}: mean and std must have one value")
        return Normalize("GREY", resize.mean, resize.std, 1.0)
    mean, std = HALF.mean, HALF.std
    if name == "VLRecResizeImg":
        mean, std = [0.0] * 3, [1.0] * 3
    elif name == "ABINetRecResizeImg":
        mean, std = IMAGENET.mean, IMAGENET.std
    decode = operators.get("DecodeImage", DecodeImage())
    grey = decode.img_mode == "GRAY" or shape(operators, name)[0] == 1
    if not grey and name != "RFLRecResizeImg":
        return Normalize(decode.img_mode, mean, std)
    if name == "ABINetRecResizeImg":
        raise typed.FieldError(f"{name} normalizes three channels and takes no grey pictures")
    return Normalize("GREY", mean[:1], std[:1])


def shape(operators: dict[str, Any], name: str) -> list[int]:
    """Return channels, height and width of an operator that resizes pictures.

    Raises:
        FieldError: If the operator is missing or has no such sizes.
    """
    if name not in operators:
        raise typed.FieldError(f"PreProcess.transform_ops lacks {name}")
    sizes: list[int] = operators[name].image_shape
    if isinstance(operators[name], SARRecResizeImg) and len(sizes) == 4:
        sizes = [*sizes[:2], sizes[3]]
    if name in ("GrayRecResizeImg", "SPINRecResizeImg") and len(sizes) == 2:  # width and height
        sizes = [1, *sizes[::-1]]
    if name == "PRENResizeImg" and len(sizes) == 2:  # height and width
        sizes = [3, *sizes]
    if len(sizes) != 3:
        raise typed.FieldError(
            f"{name}.image_shape must be channels, height and width, not {sizes!r}"
        )
    return sizes


def _steps(operators: dict[str, Any], name: str) -> list[int]:
    """Return the widths to which SAR and RobustScanner stretch lines before they pad them.

    Raises:
        FieldError: The least width is larger than the largest one.
    """
    resize: SARRecResizeImg = operators[name]
    _, _, widest = shape(operators, name)
    least = resize.image_shape[-2] if len(resize.image_shape) == 4 else widest
    if least > widest:
        raise typed.FieldError(f"{name}: no line has a width from {least} to {widest}")
    step = int(1 / resize.width_downsample_ratio)  # PaddleOCR drops the fraction too
    return [*range(least, widest, step), widest]


def _interpolation(operator: Any) -> str:
    """Return the method of stretching; OpenCV's is taken for Pillow's of the same name."""
    if isinstance(operator, GrayRecResizeImg):
        if operator.resize_type == "OpenCV":
            return "linear"
        named = operator.inter_type.rpartition(".")[2]
        if named not in PILLOW:
            raise typed.FieldError(
                f"GrayRecResizeImg.inter_type must end with one of {', '.join(PILLOW)}, not "
                f"{operator.inter_type!r:.80}"
            )
        return PILLOW[named]
    if isinstance(operator, (SPINRecResizeImg, PRENResizeImg)):
        return "linear"
    return "cubic" if operator.interpolation == 2 else "linear"


def _resize(algorithm: Algorithm, operators: dict[str, Any]) -> str:
    """Return the name of the operator that resizes lines: the family's own, or another one."""
    usual = FAMILIES[algorithm].resize
    if usual in operators:
        return usual
    return next((name for name in RESIZES if name in operators), usual)
