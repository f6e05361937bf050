"""Turn what an inference.yml says about a detector or PGNet into settings of a bundle's stage."""

from __future__ import annotations

from typing import Any

from edgeocr.bundle import fields as typed

from ..catalog.entries import Algorithm

# The operator that resizes pictures; the other algorithms have DetResizeForTest.
RESIZE: dict[Algorithm, str] = {"PGNet": "E2EResizeForTest", "CT": "ScaleAlignedShort"}
# The largest input, in pixels, which an inference.yml can't express.
MAX_PIXELS = 3200000
SHAPES = {"quad": "quad", "rect": "quad", "poly": "polygon"}


def stage(algorithm: Algorithm, resize: Any, post: Any) -> dict[str, Any]:
    """Return the fields `resize` and `postprocess` of the stage.

    Args:
        algorithm: The network's algorithm.
        resize: The operator that resizes pictures, one of `inference_operators`.
        post: The post-processing, one of `inference_operators`.

    Raises:
        FieldError: No stage of a bundle can do what the settings say.
    """
    return {"resize": _resize(algorithm, resize), "postprocess": _postprocess(algorithm, post)}


def _postprocess(algorithm: Algorithm, post: Any) -> dict[str, Any]:
    if algorithm == "DB":
        return {
            "threshold": post.thresh,
            "box_threshold": post.box_thresh,
            "unclip_ratio": post.unclip_ratio,
            "max_candidates": post.max_candidates,
            "dilation": post.use_dilation,
            "score": {"fast": "box", "slow": "polygon"}[post.score_mode],
            "shape": SHAPES[post.box_type],
        }
    if algorithm == "EAST":
        return {
            "score_threshold": post.score_thresh,
            "cover_threshold": post.cover_thresh,
            "nms_threshold": post.nms_thresh,
        }
    if algorithm == "SAST":
        return {
            "score_threshold": post.tcl_map_thresh,  # score_thresh has no effect in PaddleOCR
            "nms_threshold": post.nms_thresh,
            "sample_points": post.sample_pts_num,
            "expand_scale": post.expand_scale,
            "shrink_ratio_of_width": post.shrink_ratio_of_width,
            "shape": "quad" if post.sample_pts_num == 2 else "polygon",
        }
    if algorithm == "PSE":
        return {
            "threshold": post.thresh,
            "box_threshold": post.box_thresh,
            "minimum_area": post.min_area,
            "scale": post.scale,
            "shape": SHAPES[post.box_type],
        }
    if algorithm == "FCE":
        if post.scales != [8, 16, 32]:
            raise typed.FieldError(f"PostProcess.scales must be [8, 16, 32], not {post.scales}")
        return {
            "score_threshold": post.score_thr,
            "nms_threshold": post.nms_thr,
            "region_power": post.alpha,
            "center_power": post.beta,
            "shape": SHAPES[post.box_type],
        }
    if algorithm == "CT":
        return {
            "score_threshold": post.min_score,
            "minimum_area": post.min_area,
            "shape": SHAPES[post.box_type],
        }
    return {
        "score_threshold": post.score_thresh,
        "expand_scale": 1.2,
        "shrink_ratio_of_width": 0.2,
        "minimum_points": 6,
        "minimum_characters": 2,
        "gather": post.point_gather_mode or "points",
    }


def _resize(algorithm: Algorithm, rule: Any) -> dict[str, Any]:
    limit: dict[str, Any]
    if algorithm == "PGNet":
        limit = {"limit": "height", "limit_side": rule.max_side_len, "enlarge": 1.25}
        return {**limit, "max_pixels": MAX_PIXELS, "multiple": 128, "rounding": "up"}
    if algorithm == "CT":
        limit = {"limit": "short", "limit_side": rule.short_size}
        return {**limit, "max_pixels": MAX_PIXELS, "multiple": 32, "rounding": "up"}
    if algorithm == "SAST":
        limit = {"limit": "long", "limit_side": rule.resize_long or 960}
        return {**limit, "max_pixels": MAX_PIXELS, "multiple": 128, "rounding": "up"}
    if rule.image_shape is not None:
        return _within(rule.image_shape)
    if rule.limit_side_len is not None:
        limit = {"limit": rule.limit_type, "limit_side": rule.limit_side_len}
    elif rule.resize_long is not None:
        # PaddleX, which made these exports, treats `resize_long` as an upper limit.
        limit = {"limit": "max", "limit_side": rule.resize_long}
    else:  # without a length, PaddleOCR ignores limit_type
        limit = {"limit": "min", "limit_side": 736}
    return {**limit, "max_pixels": MAX_PIXELS, "multiple": 32}


def _within(shape: list[int]) -> dict[str, Any]:
    """Return a rule for a network that was evaluated on pictures stretched to one size.

    A picture of these proportions gets this size. Others are not stretched, which would distort the
    text; they get as many pixels.
    """
    if len(shape) != 2:
        raise typed.FieldError(
            f"DetResizeForTest.image_shape must be height and width, not {shape!r:.80}"
        )
    pixels = shape[0] * shape[1]
    return {"limit": "min", "limit_side": min(shape), "max_pixels": pixels, "multiple": 32}
