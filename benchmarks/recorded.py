"""Records of what a version cost, kept as JSON files that later versions are compared with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Cost:
    """What something costs now, beside what it cost in the baseline.

    Attributes:
        now: Instructions, or a time as a multiple of the baseline's.
        before: The same of the baseline.
        margin: How much more is acceptable, as a share of `before`.
    """

    now: float
    before: float
    margin: float

    @property
    def ratio(self) -> float:
        """The cost now divided by the baseline's."""
        return self.now / self.before

    @property
    def worse(self) -> bool:
        """Whether the cost exceeds the margin."""
        return self.ratio > 1 + self.margin

    @property
    def better(self) -> bool:
        """Whether the cost fell so far that the baseline would hide a later increase."""
        return self.ratio < 1 - self.margin

    @property
    def judgement(self) -> str:
        """The comparison in words."""
        if self.worse:
            return f"worse than the margin of {self.margin:g}"
        if self.better:
            return "better: record a new baseline with --update"
        return "within the margin"


def load(
    kind: type[Kind],
    path: Path,
    error: type[Exception],
    valid: Callable[[Kind], Mapping[str, object]],
) -> Kind:
    """Load a record that `write` wrote.

    Args:
        kind: The record's dataclass, which has the fields `job`, `commit`, `texts` and others.
        path: The file.
        error: What is raised if the file can't be read, or is no such record.
        valid: Tells of each further field whether its value is valid.
    """
    try:
        read: Any = kind(**json.loads(path.read_text(encoding="utf-8")))
    except OSError as failure:
        raise error(f"{path}: {failure.strerror}; record a new baseline with --update") from None
    except (ValueError, TypeError) as failure:  # TypeError: other fields, or not an object
        raise error(f"{path} is not a baseline: {failure}") from None
    fields = {
        "job": isinstance(read.job, str),
        # The commit becomes an argument of git, so it must not be anything else, such as an option.
        "commit": isinstance(read.commit, str) and re.fullmatch("[0-9a-f]{40,64}", read.commit),
        "texts": isinstance(read.texts, list),
        **valid(read),
    }
    if invalid := [field for field, is_valid in fields.items() if not is_valid]:
        raise error(f"{path} is not a baseline: invalid {', '.join(invalid)}")
    found: Kind = read
    return found


def write(record: Any, path: Path, error: type[Exception]) -> None:
    """Write a record as JSON; `error` is raised if the file can't be written."""
    text = json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as failure:
        raise error(f"{path}: {failure.strerror}") from None


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """List in words which conditions have changed."""
    return [
        f"{name} is {now.get(name, 'unknown')}, was {before.get(name, 'unknown')}"
        for name in dict.fromkeys([*now, *before])
        if now.get(name) != before.get(name)
    ]
