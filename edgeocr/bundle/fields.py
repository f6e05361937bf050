"""Make dataclasses from decoded JSON or TOML, and check them field by field.

The names of fields and their annotations are the schema, so that a format is declared once.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import reprlib
import types
import typing
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

Kind = TypeVar("Kind")


# Shortens values for messages, without first writing out all of a large or deeply nested one.
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 80
_BRIEF.maxlevel = 3


class FieldError(ValueError):
    """A field is missing, unknown or invalid; the message names it by its path."""


@dataclasses.dataclass(frozen=True)
class Range:
    """The range of a number, both ends included, as in `Annotated[int, Range(1, 10)]`.

    Attributes:
        low: The least value.
        high: The greatest value.
    """

    low: float
    high: float = math.inf


Positive: TypeAlias = Annotated[int, Range(1)]
Natural: TypeAlias = Annotated[int, Range(0)]
Share: TypeAlias = Annotated[float, Range(0, 1)]


def parse(kind: type[Kind], value: object, where: str = "") -> Kind:
    """Make a dataclass from plain values.

    The types of its fields may be nested dataclasses, list[T], dict[str, T], Literal, T | None,
    int, float, str, bool, Any, `Annotated` with a `Range`, and unions of dataclasses that their
    field `algorithm` tells apart. A field that is absent takes its default; an unknown field is
    refused.

    Args:
        kind: The dataclass to make.
        value: Decoded JSON or TOML.
        where: The path of the value, with which the paths in messages begin.

    Raises:
        FieldError: The value doesn't fit, for example "stages.detection.resize.multiple must be an
            integer, not 1.5".
    """
    result: Kind = _parse(kind, value, where)
    return result


def _parse(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin is Annotated:
        number, limits = _parse(arguments[0], value, where), arguments[1]
        fits = limits.low <= number <= limits.high
        _expect(fits, where, _words(limits), value)
        return number
    if origin is Literal:
        known = ", ".join(map(repr, arguments))
        # True and 1.0 are equal to 1.
        fits = any(type(value) is type(each) and value == each for each in arguments)
        _expect(fits, where, f"one of {known} in this version", value)
        return value
    if origin in (types.UnionType, typing.Union):  # typing.Union: T | None of an Annotated T
        if value is None and type(None) in arguments:
            return None
        kinds = [each for each in arguments if each is not type(None)]
        only = kinds[0] if len(kinds) == 1 else _kind_by_algorithm(kinds, value, where)
        return _parse(only, value, where)
    if origin is list:
        _expect(isinstance(value, list), where, "a list", value)
        return [_parse(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if origin is dict:
        _expect(isinstance(value, dict), where, "an object", value)
        return {key: _parse(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return _parse_dataclass(kind, value, where)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float:
        _expect(is_number, where, "a number", value)
        try:
            number = float(value)
        except OverflowError:
            raise FieldError(f"{where} must be a number that fits into 64 bits") from None
        _expect(math.isfinite(number), where, "a finite number", value)
        return number
    if kind is int:
        _expect(is_number and isinstance(value, int), where, "an integer", value)
        return value
    _expect(isinstance(value, kind), where, {str: "a string", bool: "true or false"}[kind], value)
    return value


def _parse_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), where or "the whole", "an object", value)
    prefix = f"{where}." if where else ""
    hints = _hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise FieldError(f"unknown field {prefix}{unknown[0]}")
    values = {}
    for field in dataclasses.fields(kind):
        if field.name in value:
            path = f"{prefix}{field.name}"
            values[field.name] = _parse(hints[field.name], value[field.name], path)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise FieldError(f"field {prefix}{field.name} is missing")
    return kind(**values)


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields, which are compiled from text."""
    return typing.get_type_hints(kind, include_extras=True)


def _kind_by_algorithm(kinds: list[Any], value: Any, where: str) -> Any:
    """Choose the dataclass whose `algorithm` is the value's."""
    _expect(isinstance(value, dict), where, "an object", value)
    by_name = {name: kind for kind in kinds for name in typing.get_args(_hints(kind)["algorithm"])}
    if "algorithm" not in value:
        raise FieldError(f"field {where}.algorithm is missing")
    _parse(Literal[tuple(by_name)], value["algorithm"], f"{where}.algorithm")
    return by_name[value["algorithm"]]


def _words(limits: Range) -> str:
    if limits.high == math.inf:
        return f"at least {limits.low}"
    return f"from {limits.low} to {limits.high}"


def _expect(fulfilled: bool, where: str, what: str, value: object) -> None:
    if not fulfilled:
        raise FieldError(f"{where} must be {what}, not {_BRIEF.repr(value):.80}")
