"""Read the inference.yml that PaddleOCR and PaddleClas export beside a network.

The file lists the operators that prepare a picture, and the post-processing with its numbers.
Numbers that it leaves out get PaddleOCR's defaults. Settings that it can't express (the size of the
largest input, the score below which a reading is dropped) are the same for all models here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from edgeocr.bundle import fields as typed
from edgeocr.postprocess import bidi

from ..catalog.entries import (
    IMPOSSIBLE,
    READING,
    SETTINGS,
    TASKS,
    Algorithm,
    CharsetSource,
    Normalize,
    Task,
)
from ..errors import ModelFormatError
from . import detector_settings, line_resizing, page_yml, stages
from .families import FAMILIES, HALF
from .inference_operators import OPERATORS, POST_PROCESSES, WITHOUT_EFFECT, DecodeImage, Labels

# PaddleOCR's cls_thresh, the score from which a crop is turned.
TURN_THRESHOLD = 0.9
# The most bytes, values and levels of nesting of an inference.yml. The largest published one, whose
# dictionary has 18 000 characters, has 150 KB.
MAX_BYTES = 16 << 20
MAX_VALUES = 1_000_000
MAX_DEPTH = 50
# The characters of PaddleOCR's recognizers if no dictionary is given.
ALPHANUMERIC = list("0123456789abcdefghijklmnopqrstuvwxyz")

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
    space_stated: bool | None = None
    """What the file says about a class for the space; None if it says nothing."""


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
        algorithm, kind = POST_PROCESSES[post["name"]]
        listed = getattr(typed.parse(kind, _fields(post), "PostProcess"), "character_dict", None)
    except typed.FieldError as error:
        raise ModelFormatError(f"{path}: {error}") from None
    if not listed and TASKS[algorithm] != "recognition":
        raise ModelFormatError(f"{path}: PostProcess.character_dict is missing")
    return list(listed or ALPHANUMERIC)


def _load(path: Path) -> Any:
    import yaml

    # The loader in C is ten times as fast, but not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise typed.FieldError(f"can't be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise typed.FieldError(f"larger than {MAX_BYTES >> 20} MiB, which no inference.yml is")
    try:
        data = yaml.load(content.decode(), loader)
    # PyYAML's own errors, and what Python raises for a tag with a value that doesn't fit, such as
    # `!!bool x` or the date 2001-99-99.
    except (
        yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
        RecursionError,
    ) as error:  # fmt: skip
        raise typed.FieldError(f"not valid YAML: {_yaml_fault(error)}") from error
    _check_size(data)
    if isinstance(data, dict):
        _check_keys([data.get("PreProcess"), data.get("PostProcess")])
    return data


def _yaml_fault(error: Exception) -> str:
    """Say in a line what is wrong with a file that PyYAML can't read."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} isn't UTF-8"
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "a value doesn't fit its tag"
    return f"{problem}{'' if mark is None else f', in line {mark.line + 1}'}"


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
            raise typed.FieldError(
                f"more than {MAX_VALUES} values, or more than {MAX_DEPTH} levels of nesting"
            )
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
    if page_yml.is_for_unwarping(data):
        return ModelSettings(
            _model(data), "unwarping", "UVDoc", page_yml.SCALED, page_yml.UNWARPING, None, None
        )
    fields = _post_process(data)
    algorithm, kind = POST_PROCESSES[fields["name"]]
    post = typed.parse(kind, _fields(fields), "PostProcess")
    operators = _operators(data)
    for other, family in FAMILIES.items():
        if family.post_process == fields["name"] and family.resize in operators:
            algorithm = other
    if fields["name"] == "Topk" and page_yml.is_for_pages(operators, post):
        algorithm = "PageCLS"
    task = TASKS[algorithm]
    stage: Stage
    if task == "page_orientation":
        stage = page_yml.page_orientation(operators, post)
    elif task == "recognition":
        stage = line_resizing.stage(algorithm, operators)
    elif task == "orientation":
        stage = _orientation(operators, post)
    else:
        resize = _needed(operators, detector_settings.RESIZE.get(algorithm, "DetResizeForTest"))
        stage = detector_settings.stage(algorithm, resize, post)
    listed: list[str] | None = getattr(post, "character_dict", None)
    space = getattr(post, "use_space_char", False)
    if space is None:  # PaddleX adds the space to the characters of every CTC network
        space = algorithm == "CTC" and listed is not None
    if task in READING:
        stage["charset"] = FAMILIES[algorithm].charset(len(listed or ALPHANUMERIC) + space)
    stage |= visual_order(algorithm, listed or ())
    try:
        stages.checked(task, "model", algorithm, stage)
    except typed.FieldError as error:
        raise typed.FieldError(f"no bundle can have these settings: {error}") from None
    return ModelSettings(
        _model(data),
        task,
        algorithm,
        _normalize(algorithm, operators),
        stage,
        CharsetSource(SETTINGS, space) if listed is not None else None,
        listed,
        getattr(post, "use_space_char", None),
    )


def visual_order(algorithm: Algorithm, listed: Iterable[str]) -> Stage:
    """Return the field `visual_order` for a network that writes right-to-left texts as drawn.

    CTC writes characters in the order in which they stand in the picture, from left to right.

    Args:
        algorithm: The network's algorithm.
        listed: The characters that the network reads.

    Returns:
        `visual_order`, or nothing where texts come out in logical order.
    """
    drawn = algorithm == "CTC" and bidi.is_right_to_left("".join(listed))
    return {"visual_order": True} if drawn else {}


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
        for algorithm, why in IMPOSSIBLE.items():
            if str(post.get("name")).startswith(algorithm):
                raise typed.FieldError(f"PostProcess.name is {post['name']!r:.80}: {why}")
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
    if TASKS[algorithm] == "recognition" and "NormalizeImage" not in operators:
        return line_resizing.normalization(algorithm, operators)
    decode = operators.get("DecodeImage", DecodeImage())
    if decode.img_mode == "GRAY":
        raise typed.FieldError(
            f"DecodeImage.img_mode: {algorithm} networks don't take grey pictures"
        )
    if "NormalizeImage" not in operators:  # ClsResizeImg normalizes too
        return Normalize(decode.img_mode, HALF.mean, HALF.std)
    given = operators["NormalizeImage"]
    if len(given.mean) != 3 or len(given.std) != 3:
        raise typed.FieldError("NormalizeImage: mean and std must have three values")
    return Normalize(decode.img_mode, given.mean, given.std, _scale(given.scale))


def _scale(value: Any) -> float:
    """Convert a number, or a quotient such as PaddleOCR's "1./255."."""
    number: Any = value
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+\.?\d*)\s*(?:/\s*(\d*[1-9]\d*\.?\d*))?\s*", value)
        number = float(found[1]) / float(found[2] or 1) if found else None
    if type(number) not in (int, float) or not 0 < number < math.inf:
        raise typed.FieldError(f"NormalizeImage.scale must be a positive number, not {value!r:.80}")
    return float(number)


def _orientation(operators: dict[str, Any], post: Labels) -> Stage:
    if "ResizeImage" in operators:
        width, height = page_yml.size_of("ResizeImage", operators["ResizeImage"].size)
    else:
        name = "ClsResizeImg" if "ClsResizeImg" in operators else "RecResizeImg"
        _, height, width = line_resizing.shape(operators, name)
    stage: Stage = {"height": height, "width": width, "padding": line_resizing.PADDING}
    if "ResizeImage" in operators:
        stage["stretch"] = True
    return {**stage, "degrees": page_yml.degrees(post), "threshold": TURN_THRESHOLD}


def _needed(operators: dict[str, Any], name: str) -> Any:
    if name not in operators:
        raise typed.FieldError(f"PreProcess.transform_ops lacks {name}")
    return operators[name]


def _fields(post: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in post.items() if name != "name"}
