"""Resizing, sampling at coordinates, and channels that become pixels."""

from __future__ import annotations

import math

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value
from .layouts import channels_first, give_in_layout

# The factor of the cubic kernel that Paddle uses.
_CUBIC = -0.75


@translates("nearest_interp_v2", "bilinear_interp_v2", "bicubic_interp_v2")
def resize(call: Call) -> None:
    """Write a resizing to a size, or by factors."""
    x = channels_first(call, "data_layout", "X")
    if x.rank != 4:
        raise UnsupportedError(f"its operand has {x.rank} axes")
    scales, sizes = _target(call)
    settings = _settings(call)
    shape = [*x.shape[:2], -1, -1]
    if sizes is not None:
        if sizes.array is not None:
            shape[2:] = [int(size) for size in sizes.array]
        both = call.vector([call.size(x, 0), call.size(x, 1), sizes])
        made = call.add("Resize", x, None, None, both, shape=shape, **settings)
    else:
        for axis, factor in enumerate(scales):
            size = x.shape[2 + axis]
            # In float32, as both Paddle and ONNX Runtime compute it: 10 · 0.7 is 7 there.
            shape[2 + axis] = int(np.float32(size) * np.float32(factor)) if size >= 0 else -1
        factors = call.constant([1.0, 1.0, *scales], "float32")
        made = call.add("Resize", x, None, factors, shape=shape, **settings)
    _refuse_single_cubic(call, x, shape)
    give_in_layout(call, made, "data_layout", "Out")


def _target(call: Call) -> tuple[list[float], Value | None]:
    """Return the factors or the size, int64 [2], from the first place where Paddle looks."""
    if listed := call.operands("SizeTensor"):
        return [], call.vector(listed)
    size = call.optional("OutSize")
    if size is not None:
        return [], call.vector([size])
    factor = call.optional("Scale")
    found = call.attribute("scale", [])
    if factor is not None:
        if factor.array is None:
            raise UnsupportedError("its factor is computed from the input")
        found = factor.array
    scales = [float(each) for each in np.atleast_1d(found)]
    if scales and min(scales) > 0:
        return scales * 2 if len(scales) == 1 else scales[:2], None
    height, width = call.attribute("out_h", -1), call.attribute("out_w", -1)
    if min(height, width) < 1:
        raise UnsupportedError("it has neither a size nor a factor")
    return [], call.constant([height, width])


def _refuse_single_cubic(call: Call, x: Value, shape: list[int]) -> None:
    """Refuse a cubic resizing of several rows or columns to one.

    Paddle then interpolates half a pixel before the first one, which no mode of ONNX does.
    """
    if call.operator.type != "bicubic_interp_v2" or call.attribute("align_corners", True):
        return
    if any(new == 1 != old for old, new in zip(x.shape[2:], shape[2:], strict=True)):
        raise UnsupportedError("it makes a single row or column by cubic interpolation")


def _settings(call: Call) -> dict[str, object]:
    """Return the attributes of ONNX's Resize that make it compute as Paddle does."""
    aligned = call.attribute("align_corners", True)
    if call.operator.type == "nearest_interp_v2":
        return {
            "mode": "nearest",
            "coordinate_transformation_mode": "align_corners" if aligned else "asymmetric",
            "nearest_mode": "round_prefer_ceil" if aligned else "floor",
        }
    # Unlike half_pixel, this samples the first position, not the middle, for a side of one pixel.
    centred = "pytorch_half_pixel"
    if call.operator.type == "bicubic_interp_v2":
        mode = "align_corners" if aligned else centred
        return {
            "mode": "cubic",
            "coordinate_transformation_mode": mode,
            "cubic_coeff_a": _CUBIC,
        }
    corner = call.attribute("align_mode", 1) == 1
    mode = "align_corners" if aligned else "asymmetric" if corner else centred
    return {"mode": "linear", "coordinate_transformation_mode": mode}


@translates("grid_sampler")
def grid_sampler(call: Call) -> None:
    """Write the values of a picture at coordinates from -1 to 1."""
    x, grid = call.operand(), call.operand("Grid")
    call.require_opset(16 if x.rank == 4 else 20)  # of GridSample for pictures, and for volumes
    mode = call.attribute("mode", "bilinear")
    if mode == "bilinear" and call.opset >= 20:
        mode = "linear"
    made = call.add(
        "GridSample", x, grid,
        shape=(*x.shape[:2], *grid.shape[1:-1]),
        mode=mode,
        padding_mode=call.attribute("padding_mode", "zeros"),
        align_corners=int(call.attribute("align_corners", True)),
    )  # fmt: skip
    call.give(made, "Output")


@translates("pixel_shuffle")
def pixel_shuffle(call: Call) -> None:
    """Rearrange channels as pixels: each pixel becomes a square of `upscale_factor`² pixels."""
    x = channels_first(call, "data_format", "X")
    factor = call.attribute("upscale_factor", 1)
    batch, channels, *sides = x.shape
    shape = (batch, _times(channels, 1 / factor**2), *(_times(side, factor) for side in sides))
    made = call.add("DepthToSpace", x, blocksize=factor, mode="CRD", shape=shape)
    give_in_layout(call, made, "data_format", "Out")


def _times(size: int, factor: float) -> int:
    return math.floor(size * factor + 0.5) if size >= 0 else -1
