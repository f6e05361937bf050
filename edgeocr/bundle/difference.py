"""Compare two bundles: fields of the manifest, files, characters, signature."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import printable
from .bundle import Bundle
from .description import COLUMNS, size

# The most characters of a charset that are listed, and the most characters of a printed value.
SHOWN = 40
LONGEST = 90
# The stand-in for the value of a field that a manifest lacks.
ABSENT = object()


@dataclass(frozen=True)
class FieldChange:
    """A field of the manifest that differs.

    Attributes:
        path: Where the field is, such as "stages.detection.resize.multiple".
        before: Its value in the first bundle; `ABSENT` where it lacks the field.
        after: Its value in the second bundle; `ABSENT` where it lacks the field.
    """

    path: str
    before: Any = ABSENT
    after: Any = ABSENT

    def to_dict(self) -> dict[str, Any]:
        """Return the change for JSON, without the value of a field that is absent."""
        values = {"path": self.path, "before": self.before, "after": self.after}
        return {name: value for name, value in values.items() if value is not ABSENT}


@dataclass(frozen=True)
class FileChange:
    """A file whose content differs, or that only one of the bundles has.

    Attributes:
        name: Name of the file.
        before: Its size in bytes in the first bundle; None where it lacks the file.
        after: Its size in bytes in the second bundle; None where it lacks the file.
    """

    name: str
    before: int | None
    after: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the change for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """How two bundles differ.

    Attributes:
        same: Whether all files of both bundles are equal, including the signatures.
        paths: Where the two bundles are.
        sha256: The digests of the two bundles.
        signed_by: The fingerprints of the keys that they claim to be signed with.
        manifest: Fields that differ, except those that describe files. The stage's name
            stands for the index in the list of origins, the precision in a list of variants, and
            the device's folder in the list of engines.
        files: Files that differ.
        characters_added: Characters of the second charset only, in its order.
        characters_removed: Characters of the first charset only, in its order.
        characters_moved: Whether both charsets have the same characters in another order.
    """

    same: bool
    paths: list[str]
    sha256: list[str]
    signed_by: list[str | None]
    manifest: list[FieldChange]
    files: list[FileChange]
    characters_added: list[str]
    characters_removed: list[str]
    characters_moved: bool

    def to_dict(self) -> dict[str, Any]:
        """Return what `edgeocr bundle diff --json` prints."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "manifest": [change.to_dict() for change in self.manifest],
            "files": [change.to_dict() for change in self.files],
        }


def compare(before: Bundle, after: Bundle) -> Difference:
    """List the differences between two opened bundles.

    Args:
        before: The first bundle, whose values are called "before".
        after: The second bundle, whose values are called "after".
    """
    old, new = (dict.fromkeys(filter(None, each.characters)) for each in (before, after))
    added = [char for char in new if char not in old]
    removed = [char for char in old if char not in new]
    return Difference(
        same=before.files() == after.files(),
        paths=[str(before.path), str(after.path)],
        sha256=[before.digest, after.digest],
        signed_by=[before.signed_by, after.signed_by],
        manifest=list(_fields(_comparable(before), _comparable(after), "")),
        files=list(_files(before, after)),
        characters_added=added,
        characters_removed=removed,
        characters_moved=not added and not removed and list(old) != list(new),
    )


def describe(difference: Difference) -> str:
    """Describe the differences for people, in lines of up to `COLUMNS` characters.

    Args:
        difference: The result of `compare`.

    Returns:
        The lines. Control characters, which names in a bundle may contain, are replaced.
    """
    if difference.same:
        return f"the same bundle, digest {difference.sha256[0]}"
    rows = [f"{mark} {path}" for mark, path in zip("-+", difference.paths, strict=True)]
    if changes := difference.manifest:
        rows += ["", "manifest"]
        for change in changes:
            rows += _change(f"{change.path}: ", *_values(change))
    elif difference.sha256[0] != difference.sha256[1] and not difference.files:
        rows += ["", "manifest", "  the same fields, written differently"]
    if files := difference.files:
        rows += ["", "files", *map(_file, files)]
    rows += _characters(difference)
    if difference.signed_by[0] != difference.signed_by[1]:
        one, other = (f"by {key}" if key else "none" for key in difference.signed_by)
        rows += ["", "signature", *_change("", one, other)]
    elif difference.sha256[0] == difference.sha256[1]:
        words = "  different signatures by the same key, so one of them must be wrong"
        rows += ["", "signature", words]
    return "\n".join(map(printable, rows))


def _comparable(bundle: Bundle) -> dict[str, Any]:
    """Return the manifest's fields except `files`, which `_files` compares.

    The origins are a dictionary by stage, unless a stage has several of them, the variants of a
    stage a dictionary by precision, and the engines a dictionary by the folders of their devices.
    """
    data: dict[str, Any] = json.loads(bundle.manifest_text)
    del data["files"]
    origins = data["provenance"]
    by_stage = {origin["stage"]: origin for origin in origins}
    if len(by_stage) == len(origins):
        data["provenance"] = by_stage
    for stage in data["stages"].values():
        if stage and stage.get("variants"):
            stage["variants"] = {each["precision"]: each for each in stage["variants"]}
    if devices := bundle.manifest.engines:
        data["engines"] = {key.name: str(key) for key in devices}
    return data


def _fields(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{path}.{name}" if path else name
            if name not in after:
                yield FieldChange(inner, before=before[name])
            elif name not in before:
                yield FieldChange(inner, after=after[name])
            else:
                yield from _fields(before[name], after[name], inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from _fields(*pair, f"{path}[{number}]")
    elif _json(before) != _json(after):  # 1, 1.0 and true are equal in Python
        yield FieldChange(path, before, after)


def _files(before: Bundle, after: Bundle) -> Iterator[FileChange]:
    old, new = before.manifest.files, after.manifest.files
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if one != other:
            yield FileChange(
                name,
                None if one is None else one.size,
                None if other is None else other.size,
            )


def _file(file: FileChange) -> str:
    one, other = file.before, file.after
    if one is None or other is None:
        return f"  {'+' if one is None else '-'} {file.name}, {size((one or 0) + (other or 0))}"
    change = size(one) if one == other else f"{size(one)} → {size(other)}"
    return f"  ~ {file.name}, {change}"


def _characters(difference: Difference) -> Iterator[str]:
    added, removed = difference.characters_added, difference.characters_removed
    if added or removed or difference.characters_moved:
        yield from ("", "charset")
    for mark, characters in (("+", added), ("-", removed)):
        if characters:
            more = " …" if len(characters) > SHOWN else ""
            noun = "character" if len(characters) == 1 else "characters"
            shown = " ".join(map(_character, characters[:SHOWN]))
            # Half the width: Chinese characters are two columns wide.
            yield from textwrap.wrap(
                f"  {mark} {len(characters)} {noun}: {shown}{more}",
                COLUMNS // 2,
                subsequent_indent=" " * 6,
            )
    if difference.characters_moved:
        yield "  the same characters in another order"


def _character(text: str) -> str:
    """Return a character that can be seen, or the code points of one that can't."""
    if text.isprintable() and not text.isspace():
        return text
    return "+".join(f"U+{ord(char):04X}" for char in text)


def _values(change: FieldChange) -> tuple[str, str]:
    """Return both values as JSON; long ones lose the beginning that they share."""
    one = "none" if change.before is ABSENT else _json(change.before)
    other = "none" if change.after is ABSENT else _json(change.after)
    if max(len(one), len(other)) > LONGEST:
        common = os.path.commonprefix([one, other])  # noqa: RUF071 - compares characters, not paths
        same = max(0, len(common) - SHOWN // 2)
        one, other = (f"{'…' if same else ''}{text[same:]}" for text in (one, other))
    return one, other


def _change(label: str, one: str, other: str) -> list[str]:
    row = f"  {label}{one} → {other}"
    if len(row) <= COLUMNS:
        return [row]
    cut = [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in (one, other)]
    return [*([f"  {label.rstrip()}"] if label else []), f"      {cut[0]}", f"    → {cut[1]}"]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
