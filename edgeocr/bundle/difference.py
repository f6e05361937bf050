"""What differs in two bundles: fields of the manifest, files, characters, signature."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from typing import Any, TypedDict

from ..errors import printable
from .bundle import Bundle
from .description import COLUMNS, size

# Characters of a charset, and of a value, that a person is shown.
SHOWN = 40
LONGEST = 90


class Field(TypedDict, total=False):
    """A field of the manifest; `before` or `after` is absent where the field is."""

    path: str
    before: Any
    after: Any


class ChangedFile(TypedDict):
    """Sizes in bytes, None where the file is not there."""

    name: str
    before: int | None
    after: int | None


class Difference(TypedDict):
    """What `edgeocr bundle diff --json` prints.

    same: whether both are the same bundle, signature included.
    paths, sha256, signed_by: of the one and the other.
    manifest: fields that differ, but for the list of files; of lists the stages' origins have the
        stage's name for their number.
    files: those with another content, or only in one.
    characters_added, characters_removed: of the charset, in their order there.
    characters_moved: both have the same characters in another order.
    """

    same: bool
    paths: list[str]
    sha256: list[str]
    signed_by: list[str | None]
    manifest: list[Field]
    files: list[ChangedFile]
    characters_added: list[str]
    characters_removed: list[str]
    characters_moved: bool


def compare(before: Bundle, after: Bundle) -> Difference:
    """Two opened bundles → what differs."""
    old, new = (dict.fromkeys(filter(None, each.characters)) for each in (before, after))
    added = [char for char in new if char not in old]
    removed = [char for char in old if char not in new]
    return {
        "same": before.files() == after.files(),
        "paths": [str(before.path), str(after.path)],
        "sha256": [before.digest, after.digest],
        "signed_by": [before.signed_by, after.signed_by],
        "manifest": list(_fields(_comparable(before), _comparable(after), "")),
        "files": list(_files(before, after)),
        "characters_added": added,
        "characters_removed": removed,
        "characters_moved": not added and not removed and list(old) != list(new),
    }


def describe(difference: Difference) -> str:
    """The difference for people, no wider than `COLUMNS`."""
    if difference["same"]:
        return f"the same bundle, sha256 {difference['sha256'][0]}"
    rows = [f"{mark} {path}" for mark, path in zip("-+", difference["paths"], strict=True)]
    if fields := difference["manifest"]:
        rows += ["", "manifest"]
        for field in fields:
            rows += _change(f"{field['path']}: ", *_values(field))
    elif difference["sha256"][0] != difference["sha256"][1] and not difference["files"]:
        rows += ["", "manifest", "  the same fields, written otherwise"]
    if files := difference["files"]:
        rows += ["", "files", *map(_file, files)]
    rows += _characters(difference)
    if difference["signed_by"][0] != difference["signed_by"][1]:
        one, other = (f"by {key}" if key else "none" for key in difference["signed_by"])
        rows += ["", "signature", *_change("", one, other)]
    elif difference["sha256"][0] == difference["sha256"][1]:
        rows += ["", "signature", "  another one by the same key, so one of them is wrong"]
    return "\n".join(map(printable, rows))


def _comparable(bundle: Bundle) -> dict[str, Any]:
    """The manifest's fields but for its files, which have a list of their own."""
    data: dict[str, Any] = json.loads(bundle.manifest_text)
    del data["files"]
    origins = data["provenance"]
    by_stage = {origin["stage"]: origin for origin in origins}
    if len(by_stage) == len(origins):
        data["provenance"] = by_stage
    return data


def _fields(before: Any, after: Any, path: str) -> Iterator[Field]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{path}.{name}" if path else name
            if name not in after:
                yield {"path": inner, "before": before[name]}
            elif name not in before:
                yield {"path": inner, "after": after[name]}
            else:
                yield from _fields(before[name], after[name], inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from _fields(*pair, f"{path}[{number}]")
    elif _json(before) != _json(after):  # 1, 1.0 and true are equal in Python
        yield {"path": path, "before": before, "after": after}


def _files(before: Bundle, after: Bundle) -> Iterator[ChangedFile]:
    old, new = before.manifest.files, after.manifest.files
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if one != other:
            yield {
                "name": name,
                "before": None if one is None else one.size,
                "after": None if other is None else other.size,
            }


def _file(file: ChangedFile) -> str:
    one, other = file["before"], file["after"]
    if one is None or other is None:
        return f"  {'+' if one is None else '-'} {file['name']}, {size((one or 0) + (other or 0))}"
    change = size(one) if one == other else f"{size(one)} → {size(other)}"
    return f"  ~ {file['name']}, {change}"


def _characters(difference: Difference) -> Iterator[str]:
    added, removed = difference["characters_added"], difference["characters_removed"]
    if added or removed or difference["characters_moved"]:
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
    if difference["characters_moved"]:
        yield "  the same characters in another order"


def _character(text: str) -> str:
    """A character as it is where it can be seen, else its code points."""
    if text.isprintable() and not text.isspace():
        return text
    return "+".join(f"U+{ord(char):04X}" for char in text)


def _values(field: Field) -> tuple[str, str]:
    """Before and after in JSON; what long ones have in common at their beginning is left out."""
    one = _json(field["before"]) if "before" in field else "none"
    other = _json(field["after"]) if "after" in field else "none"
    if max(len(one), len(other)) > LONGEST:
        common = os.path.commonprefix([one, other])  # noqa: RUF071 - it is of letters here
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
