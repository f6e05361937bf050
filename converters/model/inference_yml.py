"""Read the inference.yml that PaddleOCR and PaddleClas export beside a network.

The file lists the operators that prepare a picture, and the post-processing with its numbers.
Numbers that it leaves out are PaddleOCR's defaults. Settings that it can't express (the size of the
largest input, the score below which a reading is dropped) are the same for all models here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from edgeocr.bundle import fields as typed
from edgeocr.postprocess import bidi

from ..catalog.entries import READING, SETTINGS, TASKS, Algorithm, CharsetSource, Normalize, Task
from ..errors import ModelFormatError
from .inference_operators import OPERATORS, POST_PROCESSES, WITHOUT_EFFECT, DecodeImage, Labels

# What an inference.yml can't express. The largest input of a detector, in pixels:
MAX_PIXELS = 3200000
# The widest input of a recognition network, in pixels.
MAX_WIDTH = 3200
# PaddleOCR's drop_score, the score below which a reading is dropped.
MINIMUM_SCORE = 0.5
# PaddleOCR's cls_thresh, the score from which a crop is turned.
TURN_THRESHOLD = 0.9
# PaddleOCR pads with zeros after normalizing; 127 is the grey that (pixel / 255 - 0.5) / 0.5
# brings closest to zero.
PADDING = 127
# The most bytes, values and levels of nesting of an inference.yml. The largest published one, whose
# dictionary has 18 000 characters, has 150 KB.
MAX_BYTES = 16 << 20
MAX_VALUES = 1_000_000
MAX_DEPTH = 50
# The characters of PaddleOCR's recognizers if no dictionary is given.
ALPHANUMERIC = list("0123456789abcdefghijklmnopqrstuvwxyz")
HALVES = [0.5, 0.5, 0.5]

Stage: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class ModelSettings:
    """The contents of an inference.yml in the terms of models.toml."""

    model: str | None
    """The model's name, if the file states one."""
    task: Task
    algorithm: Algorithm
    normalize: Normalize
    stage: Stage
    charset: CharsetSource | None
    characters: list[str] | None
    """The characters that the file lists, if any: without special classes, and without the space
    that `charset.space` adds.
    """


def read(path: Path) -> ModelSettings:
    """Parse an inference.yml.

    Raises:
        ModelFormatError: If it can't be used; the message names the file and the field.
    """
    try:
        return _settings(_load(path))
    except typed.FieldError as error:
        raise ModelFormatError(f"{path}: {error}") from None


def characters(path: Path) -> list[str]:
    """Read the `character_dict` of an inference.yml.

    Raises:
        ModelFormatError: If it has none; the message names the file.
    """
    try:
        post = _post_process(_load(path))
        _, kind = POST_PROCESSES[post["name"]]
        listed = getattr(typed.parse(kind, _fields(post), "PostProcess"), "character_dict", None)
    except typed.FieldError as error:
        raise ModelFormatError(f"{path}: {error}") from None
    if not listed:
        raise ModelFormatError(f"{path}: PostProcess.character_dict is missing")
    return list(listed)


def _load(path: Path) -> Any:
    import yaml

    # The loader in C is ten times as fast, but not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if path.stat().st_size > MAX_BYTES:
        raise typed.FieldError(f"larger than {MAX_BYTES >> 20} MiB, which no inference.yml is")
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), loader)
    # PyYAML's own errors, and what Python raises for a tag with a value that doesn't fit, such as
    # `!!bool x` or the date 2001-99-99.
    except (
        yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
        RecursionError,
    ) as error:  # fmt: skip
        raise typed.FieldError(f"not valid YAML: {type(error).__name__}: {error!s:.300}") from error
    _check_size(data)
    if isinstance(data, dict):
        _check_keys([data.get("PreProcess"), data.get("PostProcess")])
    return data


def _check_size(data: Any) -> None:
    """Refuse what JSON couldn't express in a reasonable length.

    References can make a few lines of YAML stand for a table of any size, or one that contains
    itself.
    """
    left, values = [(data, 0)], 0
    while left:
        value, depth = left.pop()
        values += 1
        if values > MAX_VALUES or depth > MAX_DEPTH:
            raise typed.FieldError(f"more than {MAX_VALUES} values, or {MAX_DEPTH} levels of them")
        if isinstance(value, dict):
            left += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            left += [(item, depth + 1) for item in value]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise typed.FieldError("an integer has more than 64 bits")


def _check_keys(value: Any) -> None:
    """Refuse tables with keys that JSON couldn't have, where settings are read."""
    if isinstance(value, dict):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise typed.FieldError(f"the key {wrong[0]!r:.80} must be a text")
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_keys(item)


def _settings(data: Any) -> ModelSettings:
    fields = _post_process(data)
    algorithm, kind = POST_PROCESSES[fields["name"]]
    post = typed.parse(kind, _fields(fields), "PostProcess")
    operators = _operators(data)
    task = TASKS[algorithm]
    stage: Stage
    if task == "recognition":
        stage = _recognition(algorithm, operators)
    elif task == "orientation":
        stage = _orientation(operators, post)
    else:
        stage = _detection(algorithm, operators, post)
    listed: list[str] | None = getattr(post, "character_dict", None)
    space = getattr(post, "use_space_char", False)
    if space is None:  # PaddleX adds the space to the characters of every CTC network
        space = algorithm == "CTC" and listed is not None
    if task in READING:
        stage["charset"] = _charset(algorithm, len(listed or ALPHANUMERIC) + space)
    # CTC writes characters in the order in which they stand in the picture, from left to right.
    if algorithm == "CTC" and bidi.is_right_to_left("".join(listed or ())):
        stage["visual_order"] = True
    return ModelSettings(
        _model(data),
        task,
        algorithm,
        _normalize(algorithm, operators),
        stage,
        CharsetSource(SETTINGS, space) if listed is not None else None,
        listed,
    )


def _model(data: dict[str, Any]) -> str | None:
    """Return the model's name, which must also work as a file name: bundles use it as one."""
    model = data["Global"].get("model_name") if isinstance(data.get("Global"), dict) else None
    if model and not re.fullmatch(r"\w[\w.+-]*", str(model)):
        raise typed.FieldError(
            f"Global.model_name must consist of letters, digits, _, ., + and -, not {model!r:.80}"
        )
    return str(model) if model else None


def _post_process(data: Any) -> dict[str, Any]:
    """Return PostProcess as one table with a `name`; PaddleClas writes {name: fields} instead."""
    post = data.get("PostProcess") if isinstance(data, dict) else None
    if not isinstance(post, dict):
        raise typed.FieldError("PostProcess is missing")
    if "name" not in post and len(post) == 1:
        ((name, fields),) = post.items()
        if fields is not None and not isinstance(fields, dict):
            raise typed.FieldError(f"PostProcess.{name} must be a table, not {fields!r:.80}")
        post = {**(fields or {}), "name": name}
    if not isinstance(post.get("name"), str) or post["name"] not in POST_PROCESSES:
        raise typed.FieldError(
            f"PostProcess.name must be one of {', '.join(POST_PROCESSES)}, "
            f"not {post.get('name')!r:.80}"
        )
    return post


def _operators(data: dict[str, Any]) -> dict[str, Any]:
    """Parse the operators that have an effect, by name."""
    where = "PreProcess.transform_ops"
    listed = data.get("PreProcess")
    listed = listed.get("transform_ops") if isinstance(listed, dict) else None
    if not isinstance(listed, list):
        raise typed.FieldError(f"{where} must be a list, not {listed!r:.80}")
    found = {}
    for i, item in enumerate(listed):
        if not isinstance(item, dict) or len(item) != 1:
            raise typed.FieldError(f"{where}[{i}] must be one operator, not {item!r:.80}")
        ((name, fields),) = item.items()
        if WITHOUT_EFFECT.fullmatch(str(name)):
            continue
        if name not in OPERATORS:
            raise typed.FieldError(f"{where}[{i}]: the operator {name!r} is not supported")
        kind = OPERATORS[name]
        found[name] = typed.parse(
            kind, fields if fields is not None else {}, f"{where}[{i}].{name}"
        )
    return found


def _normalize(algorithm: Algorithm, operators: dict[str, Any]) -> Normalize:
    if algorithm == "SRN":  # SRNRecResizeImg passes on plain grey values
        return Normalize("GREY", [0.0], [1.0], 1.0)
    decode = operators.get("DecodeImage", DecodeImage())
    if decode.img_mode == "GRAY":
        raise typed.FieldError(
            f"DecodeImage.img_mode: {algorithm} networks don't take grey pictures"
        )
    if "NormalizeImage" not in operators:  # RecResizeImg and ClsResizeImg normalize too
        return Normalize(decode.img_mode, HALVES, HALVES)
    given = operators["NormalizeImage"]
    if len(given.mean) != 3 or len(given.std) != 3:
        raise typed.FieldError("NormalizeImage: mean and std must have three values")
    return Normalize(decode.img_mode, given.mean, given.std, _scale(given.scale))


def _scale(value: Any) -> float:
    """Convert a number, or a quotient such as PaddleOCR's "1./255."."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    found = re.fullmatch(r"\s*(\d+\.?\d*)\s*(?:/\s*(\d*[1-9]\d*\.?\d*))?\s*", str(value))
    if not found:
        raise typed.FieldError(f"NormalizeImage.scale must be a number, not {value!r:.80}")
    return float(found[1]) / float(found[2] or 1)


def _detection(algorithm: Algorithm, operators: dict[str, Any], post: Any) -> Stage:
    if algorithm == "DB":
        numbers = {
            "threshold": post.thresh,
            "box_threshold": post.box_thresh,
            "unclip_ratio": post.unclip_ratio,
            "max_candidates": post.max_candidates,
            "dilation": post.use_dilation,
            "score": {"fast": "box", "slow": "polygon"}[post.score_mode],
            "shape": {"quad": "quad", "poly": "polygon"}[post.box_type],
        }
    elif algorithm == "EAST":
        numbers = {
            "score_threshold": post.score_thresh,
            "cover_threshold": post.cover_thresh,
            "nms_threshold": post.nms_thresh,
        }
    elif algorithm == "SAST":
        numbers = {
            "score_threshold": post.tcl_map_thresh,  # score_thresh has no effect in PaddleOCR
            "nms_threshold": post.nms_thresh,
            "sample_points": post.sample_pts_num,
            "expand_scale": post.expand_scale,
            "shrink_ratio_of_width": post.shrink_ratio_of_width,
            "shape": "quad" if post.sample_pts_num == 2 else "polygon",
        }
    else:
        numbers = {
            "score_threshold": post.score_thresh,
            "expand_scale": 1.2,
            "shrink_ratio_of_width": 0.2,
            "minimum_points": 6,
            "minimum_characters": 2,
            "gather": post.point_gather_mode or "points",
        }
    return {"resize": _resize(algorithm, operators), "postprocess": numbers}


def _resize(algorithm: Algorithm, operators: dict[str, Any]) -> Stage:
    if algorithm == "PGNet":
        rule = _needed(operators, "E2EResizeForTest")
        limit = {"limit": "height", "limit_side": rule.max_side_len, "enlarge": 1.25}
        return {**limit, "max_pixels": MAX_PIXELS, "multiple": 128, "rounding": "up"}
    rule = _needed(operators, "DetResizeForTest")
    if algorithm == "SAST":
        limit = {"limit": "long", "limit_side": rule.resize_long or 960}
        return {**limit, "max_pixels": MAX_PIXELS, "multiple": 128, "rounding": "up"}
    if rule.limit_side_len is None and rule.resize_long is not None:
        # PaddleX, which made these exports, treats `resize_long` as an upper limit.
        limit = {"limit": "max", "limit_side": rule.resize_long}
    else:
        limit = {"limit": rule.limit_type, "limit_side": rule.limit_side_len or 736}
    return {**limit, "max_pixels": MAX_PIXELS, "multiple": 32}


def _recognition(algorithm: Algorithm, operators: dict[str, Any]) -> Stage:
    name = "SRNRecResizeImg" if algorithm == "SRN" else "RecResizeImg"
    _, height, width = _shape(operators, name)
    stage: Stage = {"height": height, "min_width": width, "max_width": MAX_WIDTH}
    stage |= {"margin": 0, "padding": PADDING, "multiple": 8, "minimum_score": MINIMUM_SCORE}
    if algorithm != "CTC":
        stage |= {"width": width, "max_width": width, "multiple": 4}
    if algorithm == "SRN":
        stage |= {"stretch_widths": [height, 2 * height, 3 * height, width], "padding": 0}
    return stage


def _charset(algorithm: Algorithm, number: int) -> Stage:
    """Number the special classes the way PaddleOCR 2 and 3 do."""
    if algorithm == "Attention":
        return {"classes": number + 2, "begin": 0, "end": number + 1}
    if algorithm == "SRN":
        return {"classes": number + 2, "begin": number, "end": number + 1}
    return {"classes": number + 1, "blank": number if algorithm == "PGNet" else 0}


def _orientation(operators: dict[str, Any], post: Labels) -> Stage:
    if "ResizeImage" in operators:
        size = operators["ResizeImage"].size
        if len(size) != 2:
            raise typed.FieldError(f"ResizeImage.size must be width and height, not {size!r:.80}")
        width, height = size
    else:
        name = "ClsResizeImg" if "ClsResizeImg" in operators else "RecResizeImg"
        _, height, width = _shape(operators, name)
    turns = [re.fullmatch(r"(\d+)(?:_degree)?", label) for label in post.label_list]
    if not all(turns):
        raise typed.FieldError(f"PostProcess.label_list must be degrees, not {post.label_list!r}")
    degrees = [int(turn[1]) for turn in turns if turn]
    stage: Stage = {"height": height, "width": width, "padding": PADDING}
    if "ResizeImage" in operators:
        stage["stretch"] = True
    return {**stage, "degrees": degrees, "threshold": TURN_THRESHOLD}


def _shape(operators: dict[str, Any], name: str) -> list[int]:
    shape: list[int] = _needed(operators, name).image_shape
    if len(shape) != 3 or min(shape) < 1:
        raise typed.FieldError(
            f"{name}.image_shape must be channels, height and width, not {shape!r}"
        )
    return shape


def _needed(operators: dict[str, Any], name: str) -> Any:
    if name not in operators:
        raise typed.FieldError(f"PreProcess.transform_ops lacks {name}")
    return operators[name]


def _fields(post: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in post.items() if name != "name"}
