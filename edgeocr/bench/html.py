"""Results of `edgeocr bench` as one HTML document without scripts or other files.

Charts are SVG that stretches to the available width. All words stand outside of them, in HTML, so
that they keep their size on a phone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from .facts import facts
from .html_charts import COLOURS, beside, latencies, stages
from .html_sustained import sustained_loads
from .html_tables import matrix, pictures
from .notes import notes
from .result import BenchResult, device_names
from .rows import Row, measured_rows, rows_of

TITLE = "<title>edgeocr bench: "
STYLE = Path(__file__).with_name("report.css")


def report(results: Sequence[BenchResult], warnings: Sequence[str] = ()) -> str:
    """Return one or more results side by side as an HTML document.

    Args:
        results: At least one result.
        warnings: Sentences that say why the results can't be compared.
    """
    devices = device_names(results)
    rows = rows_of(results)
    measured = measured_rows(rows)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"{TITLE}{escape(', '.join(devices))}</title>",
        f"<style>{_style()}</style></head><body>",
        "<h1>edgeocr bench</h1>",
        f'<ul class="warnings">{_items(warnings)}</ul>' if warnings else "",
        '<div class="cards">',
        *(_card(name, result) for name, result in zip(devices, results, strict=True)),
        "</div>",
        *_best(rows, several=len(results) > 1),
    ]
    if measured:
        parts += [matrix(measured), beside(measured), stages(measured), latencies(measured)]
        parts += [sustained_loads(measured), pictures(rows, results)]
    remarks = [
        f"{name}: {note}" if len(results) > 1 else note
        for name, result in zip(devices, results, strict=True)
        for note in notes(result)
    ]
    if remarks:
        parts.append(f"<h2>Notes</h2><ul>{_items(remarks)}</ul>")
    return "\n".join([*filter(None, parts), "</body></html>"]) + "\n"


def is_report(start: bytes) -> bool:
    """Tell whether a file is a report that `report` made.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return start.startswith(b"<!DOCTYPE html>") and TITLE.encode() in start


def _style() -> str:
    """Return the style sheet, with the stages' colours as variables of both colour schemes."""
    light = "".join(f"--{stage}: {colour};" for stage, (colour, _) in COLOURS.items())
    dark = "".join(f"--{stage}: {colour};" for stage, (_, colour) in COLOURS.items())
    style = STYLE.read_text(encoding="utf-8")
    return style.replace("/* light */", light).replace("/* dark */", dark)


def _items(sentences: Sequence[str]) -> str:
    return "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)


def _card(name: str, result: BenchResult) -> str:
    """Return the facts about a device and its measurement."""
    found = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(words)}</dd>" for key, words in facts(result).items()
    )
    return f'<div class="card"><h2>{escape(name)}</h2><dl>{found}</dl></div>'


def _best(rows: Sequence[Row], *, several: bool) -> Iterator[str]:
    """Yield which cell of each device is the best one, unless the device has only one."""
    for row in rows:
        if row.verdict.kind == "best" and sum(each.device == row.device for each in rows) > 1:
            where = f"{escape(row.device_name)}: " if several else ""
            load = row.measured.sustained
            page = row.measured.page_ms.p50 if load is None else load.page_ms
            after = "" if load is None else " after the heat-up"
            yield (
                f'<p class="best">★ {where}<strong>{escape(row.name)}</strong> is the best: '
                f"{page:.1f} ms a page{after}, {escape(row.verdict.reason)}.</p>"
            )
