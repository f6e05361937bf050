"""Change files a little at random, to see that whoever reads them refuses what is wrong."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

# What takes the place of a value: other types, and numbers at and beyond the limits of integers.
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 7, 2**31, -(2**31) - 1, 2**63, 10**30, 10**400, 0.5, -1e300,
    float("nan"), float("inf"), "", "x", "inf", "é" * 20, "\ud800", "../x", [], [[]], [0], ["x"],
    {}, {"x": 1}, {"%": 1}, {"#": "0.a_i32", "D": "x"}, {"#": "p"},
)  # fmt: skip
# The first bytes of values in files: zeros, ones, and the largest and smallest integers.
STRANGE_BYTES = (b"\0" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7, b"\x01")


def of_json(tree: Any, chance: random.Random) -> Any:
    """Return a copy of decoded JSON with one to three places changed."""
    changed = [copy.deepcopy(tree)]
    for _ in range(chance.randint(1, 3)):
        places = _places(changed)
        # Half of the places are chosen from above, so that a long list doesn't hide all else.
        holder, key = chance.choice(places) if chance.random() < 0.5 else _below(changed, chance)
        other, other_key = chance.choice(places)
        what = chance.randrange(6)
        if what == 0 and holder is not changed:
            del holder[key]
        elif what == 1:
            holder[key] = copy.deepcopy(other[other_key])
        elif what == 2 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(other[other_key]))
        elif what == 3 and isinstance(holder[key], (int, str)):
            holder[key] = _near(holder[key], chance)
        else:
            holder[key] = copy.deepcopy(chance.choice(STRANGE))
    return changed[0]


def of_bytes(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one to four places changed, cut, doubled or left out."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        size = chance.choice((1, 1, 2, 4, 8, 64))
        what = chance.randrange(7)
        if what == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif what == 1 and at < len(changed):
            changed[at] = chance.randrange(256)
        elif what == 2:
            del changed[at : at + size]
        elif what == 3:
            changed[at:at] = changed[at : at + size]
        elif what == 4:
            value = chance.choice(STRANGE_BYTES)
            changed[at : at + len(value)] = value
        elif what == 5:
            start = chance.randrange(len(changed) + 1)
            changed[at:at] = changed[start : start + size]
        elif chance.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def dumped(tree: Any) -> bytes:
    """Write JSON as a hostile writer could: with NaN, infinity and lone surrogates."""
    return json.dumps(tree).encode()


def _near(value: Any, chance: random.Random) -> Any:
    if isinstance(value, int):
        return int(value) + chance.choice((-1000, -2, -1, 1, 2, 1000))
    at = chance.randrange(len(value) + 1)
    return value[:at] + chance.choice(("", "x", "\0", "_")) + value[at + 1 :]


def _below(tree: list[Any], chance: random.Random) -> tuple[Any, Any]:
    """Choose a place by going down from the top."""
    holder: Any = tree
    while True:
        key = chance.choice(range(len(holder)) if isinstance(holder, list) else list(holder))
        inner = holder[key]
        if not isinstance(inner, (list, dict)) or not inner or chance.random() < 0.15:
            return holder, key
        holder = inner


def _places(tree: list[Any]) -> list[tuple[Any, Any]]:
    """Return each place in a tree as its list or table and its index or key."""
    found: list[tuple[Any, Any]] = []
    left: list[Any] = [tree]
    while left:
        holder = left.pop()
        keys = range(len(holder)) if isinstance(holder, list) else list(holder)
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], (list, dict)):
                left.append(holder[key])
    return found
