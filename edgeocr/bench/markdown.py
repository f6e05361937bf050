"""A result of `edgeocr bench` as Markdown, and the parts that other Markdown pages take from it."""

from __future__ import annotations

from collections.abc import Sequence

from ..writers.markdown import inline
from .facts import facts
from .metrics import stages_of, three_digits
from .notes import notes
from .result import BenchResult
from .rows import LEGEND, detailed, measured_rows, rows_of
from .table import matrix, sustained_loads

TITLE = "# edgeocr bench: "


def markdown(result: BenchResult) -> str:
    """Return a result as a page: the device, the matrix, the notes, sustained loads and stages."""
    rows = rows_of([result])
    parts = [
        TITLE + inline(result.device_name),
        "\n".join(f"- {name}: {inline(words)}" for name, words in facts(result).items()),
    ]
    if measured := measured_rows(rows):
        parts.append(markdown_table(matrix(measured), left=5))
        if len(measured) > 1:
            parts.append(LEGEND)
    if found := notes(result):
        parts.append(bullets(found))
    if any(row.measured.sustained is not None for row in measured):
        parts += ["## Sustained load", markdown_table(sustained_loads(measured))]
    if shown := detailed(rows):
        stages = stages_of(row.measured for row in shown)
        parts += [
            "## Stages",
            "The median of each stage in milliseconds, over all pages.",
            markdown_table(
                [
                    ["stage", *(row.name for row in shown)],
                    *(
                        [
                            stage,
                            *(
                                three_digits(spread.p50 if spread else 0.0)
                                for row in shown
                                for spread in [row.measured.stages_ms.get(stage)]
                            ),
                        ]
                        for stage in stages
                    ),
                ]
            ),
        ]
    return "\n\n".join(parts) + "\n"


def is_markdown(start: bytes) -> bool:
    """Tell whether a file is a page that `markdown` made.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return start.startswith(TITLE.encode())


def markdown_table(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a table in GitHub's dialect; all texts are escaped.

    Args:
        rows: The head and the rows.
        left: The number of columns that are flush left.
    """
    rule = "|" + "".join("---|" if i < left else "---:|" for i in range(len(rows[0])))
    head, *body = ("| " + " | ".join(map(inline, row)) + " |" for row in rows)
    return "\n".join([head, rule, *body])


def bullets(sentences: Sequence[str]) -> str:
    """Return sentences as the points of a list; all texts are escaped."""
    return "\n".join(f"- {inline(sentence)}" for sentence in sentences)
