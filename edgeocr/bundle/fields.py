"""Decoded JSON or TOML → frozen dataclasses, checked field by field."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Annotated, Any, Literal, TypeVar

Kind = TypeVar("Kind")


class FieldError(ValueError):
    """A field is missing, unknown, or of the wrong type; the message names it by its path."""


@dataclasses.dataclass(frozen=True)
class Range:
    """In `Annotated[T, Range(low, high)]`: a number between these, both included."""

    low: float
    high: float = math.inf


def parse(kind: type[Kind], value: object, where: str = "") -> Kind:
    """Make a `kind`, a dataclass with typed fields, of plain values.

    Understands nested dataclasses, list[T], dict[str, T], Literal, T | None, int, float, str,
    bool, Annotated with a `Range`, Any, and unions of dataclasses whose field `algorithm` says
    which one it is. An absent field takes its default, an unknown one is refused.
    Raises `FieldError`, for example "stages.detection.resize.multiple must be an integer".
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
        _expect(fits, where, f"from {limits.low} to {limits.high}", value)
        return number
    if origin is Literal:
        known = ", ".join(map(repr, arguments))
        _expect(value in arguments, where, f"one of {known} for this version", value)
        return value
    if origin in (types.UnionType, typing.Union):  # the second where T is Annotated
        if value is None and type(None) in arguments:
            return None
        kinds = [each for each in arguments if each is not type(None)]
        return _parse(
            kinds[0] if len(kinds) == 1 else _of_algorithm(kinds, value, where), value, where
        )
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
        return float(value)
    if kind is int:
        _expect(is_number and isinstance(value, int), where, "an integer", value)
        return value
    _expect(isinstance(value, kind), where, {str: "a string", bool: "true or false"}[kind], value)
    return value


def _parse_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), where or "all of it", "an object", value)
    prefix = f"{where}." if where else ""
    hints = typing.get_type_hints(kind, include_extras=True)
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


def _of_algorithm(kinds: list[Any], value: Any, where: str) -> Any:
    """The dataclass whose `algorithm` is the value's."""
    _expect(isinstance(value, dict), where, "an object", value)
    by_name = {
        name: kind
        for kind in kinds
        for name in typing.get_args(typing.get_type_hints(kind)["algorithm"])
    }
    if "algorithm" not in value:
        raise FieldError(f"field {where}.algorithm is missing")
    _parse(Literal[tuple(by_name)], value["algorithm"], f"{where}.algorithm")
    return by_name[value["algorithm"]]


def _expect(fulfilled: bool, where: str, what: str, value: object) -> None:
    if not fulfilled:
        raise FieldError(f"{where} must be {what}, it is {value!r:.80}")
