"""Protocol buffers' text format, in which Triton reads the configuration of a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, Union


class Symbol(str):
    """The name of an enumeration's value, which is written without quotes."""


Value: TypeAlias = Union[  # a recursive type can't be written otherwise
    str, int, bool, "Mapping[str, Value]", "Sequence[Value]"
]


def text_of(message: Mapping[str, Value]) -> str:
    """Return a message as text.

    Args:
        message: Its fields. Sequences are repeated fields, mappings are messages.
    """
    return "".join(f"{line}\n" for line in _lines(message))


def _lines(message: Mapping[str, Value]) -> Iterator[str]:
    for name, value in message.items():
        repeated = [value] if isinstance(value, (str, int, Mapping)) else value
        for each in repeated:
            if isinstance(each, Mapping):
                yield f"{name} {{"
                yield from (f"  {line}" for line in _lines(each))
                yield "}"
            else:
                yield f"{name}: {_scalar(each)}"


def _scalar(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not isinstance(value, Symbol):
        return json.dumps(value)  # with the escapes that the text format has, too
    return str(value)
