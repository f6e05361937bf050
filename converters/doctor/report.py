"""The report of `python -m converters doctor` for people."""

from __future__ import annotations

from collections.abc import Iterable

from edgeocr.doctor.report import Rows, listing, section

from .examination import Examination
from .facts import UNCHANGED, Attempt, Facts, Listed, Pictures

# How many readings a report shows, misread ones first.
SHOWN = 12


def report(examination: Examination) -> str:
    """Return the problems, the hints and the facts as text."""
    facts = examination.facts
    blocks = [
        listing("Problems", examination.problems) or "No problems found.",
        listing("Hints", examination.hints),
        section("Folder", _folder(facts)),
        section("Network", _network(facts)),
        section("Characters", _characters(facts)),
        section("Input", _input(facts)),
        section("Parity", {each.what: each.words for each in facts.compared}),
        *(_pictures(facts.pictures) if facts.pictures is not None else ()),
    ]
    return "\n\n".join(filter(None, blocks))


def _folder(facts: Facts) -> Rows:
    folder = facts.folder
    if folder is None:
        return {}
    sizes = (f"{name} ({size / 1e6:.2f} MB)" for name, size in folder.files.items())
    return {
        "path": folder.path,
        "format": folder.format,
        "files": ", ".join(sizes),
        "written by": folder.written_by,
        "operators": f"{sum(folder.operators.values())} of {len(folder.operators)} kinds"
        if folder.operators
        else None,
    }


def _network(facts: Facts) -> Rows:
    kind = facts.kind
    if kind is None:
        return {}
    rows: Rows = {
        "name": kind.name,
        "task": kind.task,
        "algorithm": kind.algorithm,
        "known by": kind.known_by,
        "classes": kind.classes,
    }
    return {**rows, "published with as many": ", ".join(facts.same_classes[:3])}


def _characters(facts: Facts) -> Rows:
    listed = facts.listed
    if listed is None:
        return {}
    special = ", ".join(f"{name} {number}" for name, number in listed.special.items())
    return {
        "listed in": listed.source,
        "characters": listed.characters,
        "space": _space(listed),
        "special": special,
        "classes": listed.classes,
        "letters": ", ".join(f"{number} {name}" for name, number in listed.scripts.items()),
    }


def _space(listed: Listed) -> str:
    if not listed.space:
        return "no class of its own"
    return "a class after them" + (
        ", judging by the number of classes" if listed.space_assumed else ""
    )


def _input(facts: Facts) -> Rows:
    seen = facts.seen
    if seen is None:
        return {}
    height, width = seen.stated
    return {
        "colours": seen.colour,
        "normalized": seen.normalization,
        "known by": seen.known_by,
        "graph takes": seen.graph,
        "stated": f"{height or 'any'} x {width or 'any'}",
        "size": seen.rule,
        "multiple of": seen.multiple,
    }


def _pictures(pictures: Pictures) -> Iterable[str]:
    rows: Rows = {
        "folder": pictures.source,
        "labels": pictures.labels or "none",
        "used": f"{pictures.number}, {pictures.left_out} left out",
    }
    own = pictures.attempts[0] if pictures.attempts else None
    if own is not None and own.right is not None:
        share = 100 * own.right / max(pictures.number, 1)
        rows = {**rows, "read correctly": f"{own.right} of {pictures.number} ({share:.1f} %)"}
    yield section("Pictures", rows)
    if pictures.lines:
        ordered = sorted(
            pictures.lines,
            key=lambda line: (
                line.label in (None, line.edgeocr),
                line.paddle in (None, line.edgeocr),
            ),
        )
        yield section(
            f"Readings (label | edgeocr, score | Paddle): {min(SHOWN, len(ordered))} of "
            f"{len(ordered)}",
            {
                line.picture: " | ".join(
                    (
                        "-" if line.label is None else line.label,
                        f"{line.edgeocr}, {line.score:.2f}",
                        "not asked" if line.paddle is None else line.paddle,
                    )
                )
                for line in ordered[:SHOWN]
            },
        )
    if pictures.regions:
        yield section(
            "Regions (found by edgeocr | found by Paddle, common to both | labelled, found)",
            {
                each.picture: f"{each.edgeocr} | {_pair(each.paddle, each.common)} | "
                f"{_pair(each.labelled, each.matched)}"
                for each in pictures.regions
            },
        )
    yield section(
        "Tried",
        {
            each.change or "the folder's own settings": _result(
                each, regions=bool(pictures.regions)
            )
            for each in pictures.attempts
            if each.error != UNCHANGED
        },
    )


def _result(attempt: Attempt, *, regions: bool) -> str:
    if attempt.error is not None:
        return f"doesn't run: {attempt.error}"
    if regions:
        return f"Hmean {attempt.score:.3f}"
    if attempt.right is None:
        return f"mean score {attempt.score:.2f}"
    return (
        f"{attempt.right} right, {attempt.gained} gained, {attempt.lost} lost, mean score "
        f"{attempt.score:.2f}"
    )


def _pair(one: int | None, other: int | None) -> str:
    return "-" if one is None else f"{one}, {other}"
