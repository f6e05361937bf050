"""The tables of the HTML report: the matrix of all cells, and the times of each picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import median

from .metrics import known_metrics, three_digits
from .result import BenchResult
from .rows import LEGEND, Row, detailed


def matrix(rows: Sequence[Row]) -> str:
    """Return the table with a row for each measured cell, grouped by devices."""
    metrics = known_metrics(rows)
    heads = ["", "Bundle", "Provider", "Precision", "Threads"]
    lines = [
        [
            f'<span title="{escape(row.verdict.reason)}">{row.mark}</span>',
            *map(escape, row.settings),
            *(metric.of(row) for metric in metrics),
            three_digits(row.verdict.ratio),
        ]
        for row in rows
    ]
    heads += [metric.title for metric in metrics]
    return (
        "<h2>Cells</h2><p>Each row is a bundle, run on a provider with graphs of a precision and a "
        "number of threads. The cold start is the time from starting a process to the text of its "
        "first picture; the warm-up follows. Pages are read one after the other, and then again as "
        "a stream. A <em>hot</em> page is one after the heat-up of a sustained load. <em>Same "
        "lines</em> are those that fp32 graphs on the CPU read as well; a cell is refused if more "
        "than 1 % are not.</p>"
        f"<p>{LEGEND}</p>"
        f"{table([*heads, 'Time ÷ best'], lines, rows, words=5, kind='matrix')}"
    )


def pictures(rows: Sequence[Row], results: Sequence[BenchResult]) -> str:
    """Return the table with the median time of each picture, for the cells shown in detail."""
    shown = detailed(rows)
    sizes = {
        picture.name: f"{picture.width} × {picture.height}"
        for result in results
        for picture in result.images
    }
    medians = [_medians(row, results[row.device]) for row in shown]
    lines = [
        [
            f"{escape(name)}<small>{size}</small>",
            *(three_digits(own.get(name)) for own in medians),
        ]
        for name, size in sizes.items()
    ]
    several = len(results) > 1
    heads = [f"{row.device_name}: {row.name}" if several else row.name for row in shown]
    return (
        "<h2>Pictures</h2><p>The median of each picture in milliseconds.</p>"
        f"{table(['Picture', *heads], lines)}"
    )


def table(
    heads: Sequence[str],
    lines: Sequence[Sequence[str]],
    rows: Sequence[Row] = (),
    *,
    words: int = 1,
    kind: str = "",
) -> str:
    """Return a table that can be scrolled sideways.

    Args:
        heads: The heads of the columns, as text.
        lines: The cells of each line, as HTML.
        rows: The row that each line is of, by which lines are marked and grouped; none if there is
            nothing to mark.
        words: The number of columns, from the left, that hold words.
        kind: The class of the table in the style sheet.
    """
    several = len({row.device for row in rows}) > 1
    head = "".join(_cell("th", escape(title), j < words) for j, title in enumerate(heads))
    body = []
    for i, line in enumerate(lines):
        verdict = ""
        if rows:
            row = rows[i]
            verdict = f' class="{row.verdict.kind.replace(" ", "-")}"'
            if several and (i == 0 or rows[i - 1].device != row.device):
                name = f'<span class="device">{escape(row.device_name)}</span>'
                body.append(f'<tr><th colspan="{len(heads)}">{name}</th></tr>')
        first, *others = line
        cells = [_cell("th", first, True)]
        cells += [_cell("td", each, j < words) for j, each in enumerate(others, 1)]
        body.append(f"<tr{verdict}>{''.join(cells)}</tr>")
    of_class = f' class="{kind}"' if kind else ""
    return (
        f'<div class="scroll"><table{of_class}><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(tag: str, content: str, words: bool) -> str:
    return f'<{tag} class="words">{content}</{tag}>' if words else f"<{tag}>{content}</{tag}>"


def _medians(row: Row, result: BenchResult) -> dict[str, float]:
    reads = zip(result.images, row.measured.times_ms, strict=True)
    return {picture.name: median(times) for picture, times in reads if times}
