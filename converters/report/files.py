"""Write and read a report: report.json for programs, report.md for people."""

from __future__ import annotations

import json
import math
import types
import typing
from pathlib import Path
from typing import Any

from edgeocr.bundle import fields as typed
from edgeocr.outputs.replacement import write_file

from ..catalog.conversions import REPORT
from ..errors import ConverterError
from ..model.network import Network
from . import markdown
from .content import Report

JSON, MARKDOWN = REPORT, "report.md"


def contents(report: Report) -> dict[str, bytes]:
    """Return both forms of a report by their file names; NaN and infinity become null in JSON."""
    text = json.dumps(_finite(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return {JSON: text.encode(), MARKDOWN: markdown.page(report).encode()}


def write(report: Report, folder: Path) -> None:
    """Write both forms of a report into a folder."""
    for name, content in contents(report).items():
        write_file(folder / name, content)


def read(folder: Path) -> tuple[Report, Network]:
    """Return the report in a folder and the network that it describes.

    Raises:
        ConverterError: The folder has no report, or it is damaged.
    """
    path = folder / JSON
    try:
        data = json.loads(path.read_bytes())
        _check(Report, data, "")
        report: Report = data
        return report, _network(report)
    except NotADirectoryError:
        raise ConverterError(f"{folder} is a file; name the folder that convert wrote") from None
    except FileNotFoundError:
        raise ConverterError(
            f"{folder}: there is no {JSON} here; "
            f"`python -m converters convert DIR -o {folder}` writes it"
        ) from None
    except typed.FieldError as error:
        raise _no_report(path, str(error)) from None
    except json.JSONDecodeError as error:
        raise _no_report(path, f"{error.msg} in line {error.lineno}") from None
    except UnicodeDecodeError:
        raise _no_report(path, "it isn't text") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; lists in lists in lists
        raise _no_report(path, "it has a value that no report has") from None


def _no_report(path: Path, why: str) -> ConverterError:
    return ConverterError(
        f"{path}: this is not a conversion's report: {why}; convert the model again"
    )


def _network(report: Report) -> Network:
    """Return the network that a report describes.

    Raises:
        FieldError: The description is incomplete or contradicts itself.
    """
    network = typed.parse(Network, report["network"], "network")
    normalize = network.normalize
    channels = 1 if normalize.colour == "GREY" else 3
    if {len(normalize.mean), len(normalize.std)} != {channels}:
        raise typed.FieldError(f"network.normalize: {normalize.colour} has {channels} channels")
    return network


def _check(kind: Any, value: Any, where: str) -> None:
    """Check decoded JSON against the annotations of a `TypedDict`.

    Args:
        kind: The type: a `TypedDict`, a list or dict of such, or what `fields.parse` takes.
        value: The value.
        where: The path of the value, with which the paths in messages begin.

    Raises:
        FieldError: The value doesn't fit.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if typing.is_typeddict(kind):
        typed.parse(dict[str, Any], value, where or "the whole")
        prefix = f"{where}." if where else ""
        if missing := sorted(kind.__required_keys__ - value.keys()):
            raise typed.FieldError(f"field {prefix}{missing[0]} is missing")
        for name, field in typing.get_type_hints(kind).items():
            if name in value:
                _check(field, value[name], f"{prefix}{name}")
    elif origin is list:
        for i, item in enumerate(typed.parse(list[Any], value, where)):
            _check(arguments[0], item, f"{where}[{i}]")
    elif origin is dict:
        for name, item in typed.parse(dict[str, Any], value, where).items():
            _check(arguments[1], item, f"{where}.{name}")
    elif origin in (types.UnionType, typing.Union):
        others = [each for each in arguments if each not in (str, types.NoneType)]
        if not (value is None and types.NoneType in arguments) and not (
            isinstance(value, str) and str in arguments
        ):
            _check(others[0] if others else str, value, where)
    else:
        typed.parse(kind, value, where)


def _finite(value: Any) -> Any:
    """Return plain data with None in place of NaN and infinity, which JSON can't express."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
