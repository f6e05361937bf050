"""Decode JSON that a stranger may have written.

Python's own decoder accepts objects that have a member twice, numbers that aren't JSON, integers of
any size and half surrogate pairs; all of these are refused here.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from ..errors import BundleError
from . import limits

# The most characters of an integer. A longer one exceeds the limit anyway, so it is refused before
# it is converted, because converting millions of digits takes long.
_DIGITS = len(str(-limits.INTEGER))


def decode(content: bytes, name: str) -> Any:
    """Decode JSON in UTF-8.

    Args:
        content: The bytes.
        name: The file that they come from, for errors.

    Returns:
        What `json.loads` returns.

    Raises:
        BundleError: The bytes are not JSON, contain an object that has a member twice, a number
            that is not finite or an integer beyond 2**53, or exceed the limits of nesting and
            strings.
    """
    try:
        decoded = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_float,
        )
    except RecursionError:
        raise BundleError(f"{name} is not valid JSON: it is nested too deeply") from None
    except ValueError as error:
        raise BundleError(f"{name} is not valid JSON: {error}") from None
    _check(decoded, name)
    return decoded


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded = dict(members)
    if len(decoded) < len(members):
        ((twice, _),) = Counter(name for name, _ in members).most_common(1)
        raise ValueError(f"an object has the member {twice!r:.80} twice")
    return decoded


def _integer(text: str) -> int:
    if len(text) > _DIGITS or abs(int(text)) > limits.INTEGER:
        raise ValueError(f"the integer {_beginning(text)} is beyond {limits.INTEGER}")
    return int(text)


def _float(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"the number {_beginning(text)} is not finite")
    return number


def _beginning(number: str) -> str:
    return number if len(number) <= 2 * _DIGITS else f"{number[:_DIGITS]}…"


def _check(decoded: Any, name: str) -> None:
    """Check the strings of a decoded value, and how deeply it is nested."""
    level = [decoded]
    for _ in range(limits.NESTING):
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_string(value, name)
            elif isinstance(value, dict):
                for member in value:
                    _check_string(member, name)
                below += value.values()
            elif isinstance(value, list):
                below += value
        if not below:
            return
        level = below
    raise BundleError(f"{name} is nested more than {limits.NESTING} levels deep")


def _check_string(text: str, name: str) -> None:
    if len(text) > limits.STRING:
        raise BundleError(
            f"{name} has a string of {len(text)} characters, {text[:40]!r}…; "
            f"{limits.STRING} are allowed"
        )
    if found := limits.STEERING.search(text):
        raise BundleError(
            f"{name} has the character U+{ord(found[0]):04X} in the string {text!r:.80}: control "
            "characters are not allowed"
        )
