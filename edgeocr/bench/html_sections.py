"""The sections of the HTML report: summary, stages, latencies and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from .charts import BAR, BINS, axis_over, histogram, segments
from .metrics import METRICS, columns_of, stages_of, three_digits
from .provider_result import ProviderResult
from .result import BenchResult

# Parts of a bar that are narrower than this, in units of `BAR`, are drawn without a border, which
# would cover them.
BORDERLESS_WIDTH = 8

# The colour of each of `STAGES` on a light and on a dark ground, after Paul Tol's colour schemes
# (https://personal.sron.nl/~pault/), which colour-blind people can tell apart. A spotting network
# never runs beside detection and has the same colour. Unknown stages have the colour of "rest".
COLOURS = {
    "load": ("#8c8c8c", "#8a919c"),
    "resize": ("#88ccee", "#99ddff"),
    "detection": ("#4477aa", "#5b93cc"),
    "spotting": ("#4477aa", "#5b93cc"),
    "postprocess": ("#44aa99", "#44bb99"),
    "crops": ("#ddcc77", "#eedd88"),
    "orientation": ("#aa4499", "#c77dbb"),
    "recognition": ("#cc6677", "#e07a87"),
    "decoding": ("#999933", "#b3b324"),
    "layout": ("#332288", "#8a7fe0"),
    "rest": ("#cfcfcf", "#565c66"),
}


@dataclass(frozen=True)
class Column:
    """The measurement of one provider in one result.

    Attributes:
        device: The number of the result.
        provider: The provider's name.
        measured: What was measured.
        speedup: Pages per second divided by those of the same device's CPU; None if unknown.
    """

    device: int
    provider: str
    measured: ProviderResult
    speedup: float | None


def summary(columns: Sequence[Column], devices: Sequence[str]) -> str:
    """Return the table of all metrics that are known for any column."""
    rows = [
        (
            escape(metric.title),
            [three_digits(metric.value(column.measured)) for column in columns],
        )
        for metric in METRICS
    ]
    rows.append(("Pages per second ÷ CPU", [three_digits(each.speedup) for each in columns]))
    known = [(title, cells) for title, cells in rows if set(cells) != {three_digits(None)}]
    return (
        "<h2>Summary</h2><p>The cold start is the time from starting a process to the text of its "
        "first picture. The warm-up follows that picture. Pages are read from their files, one "
        f"after the other, and then again as a stream.</p>{_table(columns, devices, known)}"
    )


def stages(columns: Sequence[Column], devices: Sequence[str]) -> str:
    """Return a bar for each column, and a table, with the medians of the stages."""
    ran = stages_of(column.measured for column in columns)
    totals = [_total_median(column.measured) for column in columns]
    longest = max(*totals, 0.001)
    chart = []
    for i, (column, total) in enumerate(zip(columns, totals, strict=True)):
        rects = "".join(
            f'<rect x="{part.start:.3f}" y="0" width="{part.width:.3f}" height="10" '
            f'style="fill:{_colour(part.stage)}{";stroke:none" * (part.width < BORDERLESS_WIDTH)}">'
            f"<title>{escape(part.stage)}: {three_digits(part.width / BAR * longest)} ms</title>"
            "</rect>"
            for part in segments(column.measured, ran, longest)
            if part.width >= 0.0005
        )
        drawing = f'<svg viewBox="0 0 {BAR} 10" preserveAspectRatio="none" role="img" '
        drawing += f'aria-label="{escape(column.provider)}, {three_digits(total)} ms">{rects}</svg>'
        chart.append(_chart_row(columns, i, devices, drawing, total))
    rows = [
        (
            f'<span class="swatch" style="background:{_colour(stage)}"></span>{escape(stage)}',
            [_spread(column, stage) for column in columns],
        )
        for stage in ran
    ]
    rows.append(("sum", [three_digits(total) for total in totals]))
    return (
        "<h2>Time per stage</h2><p>The median of each stage in milliseconds, over all pages. Below "
        "it in the table stand the minimum, the 90th and the 99th percentile. The sum of the "
        "medians is close to the median page but not equal to it: a page that is slow in one stage "
        f'may be fast in another.</p><div class="chart bar">{"".join(chart)}</div>'
        f"{_table(columns, devices, rows, total=True)}"
    )


def latencies(columns: Sequence[Column], devices: Sequence[str]) -> str:
    """Return a histogram of the pages' times for each column, all on the same axis."""
    times = [[ms for reads in column.measured.reads_ms for ms in reads] for column in columns]
    axis = axis_over([ms for own in times for ms in own])
    chart = []
    for i, (column, own) in enumerate(zip(columns, times, strict=True)):
        counts = histogram(own, axis)
        tallest = max(counts)
        rects = "".join(
            f'<rect x="{bin_ + 0.05}" y="{20 - 19 * count / tallest:.3f}" width="0.9" '
            f'height="{19 * count / tallest:.3f}"><title>pages: {count}</title></rect>'
            for bin_, count in enumerate(counts)
            if count
        )
        middle = column.measured.page_ms.p50
        x = f"{axis.position(max(middle, axis.low)) * BINS:.3f}"
        drawing = f'<svg viewBox="0 0 {BINS} 20" preserveAspectRatio="none" role="img" '
        drawing += f'aria-label="{escape(column.provider)}, median {three_digits(middle)} ms">'
        drawing += f'{rects}<line x1="{x}" x2="{x}" y1="0" y2="20"/></svg>'
        chart.append(_chart_row(columns, i, devices, drawing, middle))
    ticks = "".join(
        f'<span style="left:{100 * axis.position(tick):.2f}%">{tick:g}</span>'
        for tick in axis.ticks
    )
    kind = ", on a logarithmic axis" if axis.logarithmic else ""
    return (
        f"<h2>Time per page</h2><p>The number of pages by the milliseconds that they took{kind}. "
        "The tallest bar of each provider has the full height; the dashed line is the median.</p>"
        f'<div class="chart histogram">{"".join(chart)}<div class="axis">{ticks}</div></div>'
    )


def pictures(
    columns: Sequence[Column], devices: Sequence[str], results: Sequence[BenchResult]
) -> str:
    """Return the table with the median time of each picture."""
    sizes = {
        picture.name: f"{picture.width} × {picture.height}"
        for result in results
        for picture in result.images
    }
    medians = [_picture_medians(column, results[column.device]) for column in columns]
    rows = [
        (
            f"{escape(name)}<br/><small>{size}</small>",
            [three_digits(own.get(name)) for own in medians],
        )
        for name, size in sizes.items()
    ]
    return (
        "<h2>Pictures</h2><p>The median of each picture in milliseconds.</p>"
        f"{_table(columns, devices, rows)}"
    )


def _colour(stage: str) -> str:
    return f"var(--{stage if stage in COLOURS else 'rest'})"


def _total_median(measured: ProviderResult) -> float:
    return sum(spread.p50 for spread in measured.stages_ms.values())


def _spread(column: Column, stage: str) -> str:
    """Return a cell with a stage's median and, below it, the other values of its spread."""
    least, middle, p90, p99 = columns_of(column.measured.stages_ms.get(stage))
    if middle is None:
        return f"{three_digits(0.0)}<small></small>"
    around = f"{three_digits(least)} · {three_digits(p90)} · {three_digits(p99)}"
    return f"{three_digits(middle)}<small>{around}</small>"


def _picture_medians(column: Column, result: BenchResult) -> dict[str, float]:
    reads = zip(result.images, column.measured.reads_ms, strict=True)
    return {picture.name: median(times) for picture, times in reads if times}


def _chart_row(
    columns: Sequence[Column], i: int, devices: Sequence[str], drawing: str, value: float
) -> str:
    """Return a column's drawing between its provider and its value.

    Where there are several devices, the first row of each is preceded by the device's name.
    """
    heading = ""
    if len(devices) > 1 and (i == 0 or columns[i - 1].device != columns[i].device):
        heading = f"<h3>{escape(devices[columns[i].device])}</h3>"
    return (
        f"{heading}<div>{escape(columns[i].provider)}</div>{drawing}"
        f'<div class="value">{three_digits(value)} ms</div>'
    )


def _table(
    columns: Sequence[Column],
    devices: Sequence[str],
    rows: Sequence[tuple[str, Sequence[str]]],
    *,
    total: bool = False,
) -> str:
    """Return a table with a cell for each column.

    Args:
        columns: The columns.
        devices: The names of the devices.
        rows: The title of each row and its cells, all as HTML.
        total: Whether the last row is a sum.
    """
    head = ""
    if len(devices) > 1:
        spans = [sum(column.device == i for column in columns) for i in range(len(devices))]
        head = "<tr><th></th>" + "".join(
            f'<th class="device" colspan="{span}">{escape(name)}</th>'
            for name, span in zip(devices, spans, strict=True)
            if span
        )
        head += "</tr>"
    head += "<tr><th></th>" + "".join(f"<th>{escape(c.provider)}</th>" for c in columns) + "</tr>"
    lines = [
        f'<th scope="row">{title}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}'
        for title, cells in rows
    ]
    last = '<tr class="sum">' if total else "<tr>"
    body = "".join(f"<tr>{line}</tr>" for line in lines[:-1]) + f"{last}{lines[-1]}</tr>"
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'
