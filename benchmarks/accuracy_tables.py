"""Tables of accuracy in Markdown, in the form in which PaddleOCR's pages publish them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converters.accuracy.labels import LabelledPages, LabelledWords
from converters.accuracy.protocols.dtrb import DtrbScore
from converters.accuracy.protocols.icdar import IcdarScore
from edgeocr import Bundle


def detection(pages: LabelledPages, scores: Mapping[str, tuple[Bundle, IcdarScore]]) -> str:
    """Return the table of a set: precision, recall and Hmean by ICDAR 2015's protocol.

    Args:
        pages: The set.
        scores: Each bundle and its score, by the name to show.
    """
    rows = [
        ["Bundle", "Network", "precision", "recall", "Hmean"],
        ["---", "---", "--:", "--:", "--:"],
    ]
    for name, (bundle, score) in scores.items():
        figures = score.figures()
        shares = [_percent(figures[key]) for key in ("precision", "recall", "hmean")]
        rows.append([name, _network(bundle, "detection"), *shares])
    regions = next(iter(scores.values()))[1].labelled
    title = f"{pages.name}, {len(pages.pictures)} pictures with {regions} regions, IoU over 0.5:"
    return f"{title}\n\n{_table(rows)}"


def recognition(
    sets: Sequence[LabelledWords], scores: Mapping[str, tuple[Bundle, Sequence[DtrbScore]]]
) -> str:
    """Return the table of several sets: the accuracy by DTRB's protocol, one column for each.

    Args:
        sets: The sets.
        scores: Each bundle and its score on each set, by the name to show.
    """
    columns = [*(each.name for each in sets), "Average"]
    rows = [["Bundle", "Network", *columns], ["---", "---", *("--:" for _ in columns)]]
    for name, (bundle, each) in scores.items():
        accuracies = [score.figures()["accuracy"] for score in (*each, DtrbScore.total(each))]
        rows.append([name, _network(bundle, "recognition"), *map(_percent, accuracies)])
    words = sum(len(each.words) for each in sets)
    return f"{words} words, 36 characters, whatever their case:\n\n{_table(rows)}"


def _network(bundle: Bundle, stage: str) -> str:
    """Return the name of a bundle's network of a stage, or of the one that does everything."""
    stages = bundle.manifest.stages.present
    present = stages.get(stage) or stages.get("spotting")
    return present.model if present else ""


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table; a bar within a cell would end the cell."""
    cells = ((cell.replace("|", "\\|") for cell in row) for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
