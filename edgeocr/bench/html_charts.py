"""The charts of the HTML report that have a row for each cell: bars and histograms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ..accuracy.agreement import MOST_DIFFERENT
from .cell import Measured
from .charts import BAR, BINS, axis_over, histogram, segments
from .html_tables import table
from .metrics import four_decimals, stages_of, three_digits
from .rows import Row

# Parts of a bar that are narrower than this, in units of `BAR`, are drawn without a border, which
# would cover them.
BORDERLESS_WIDTH = 8

# The colour of each of `STAGES` on a light and on a dark ground, after Paul Tol's colour schemes
# (https://personal.sron.nl/~pault/): colour-blind people can tell them apart. Spotting has the
# colour of detection, because no bundle has both. Unknown stages have the colour of "rest".
COLOURS = {
    "load": ("#8c8c8c", "#8a919c"),
    "page_orientation": ("#ee8866", "#f4a582"),
    "unwarping": ("#882255", "#b5557f"),
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
class Panel:
    """A figure that is drawn as a bar for each cell; the shorter, the better.

    Attributes:
        title: What it is called.
        value: Returns the figure; None where it is unknown.
        text: Writes the figure.
        least: What the whole width stands for at least.
        limit: The figure from which a cell is refused; None without such a limit.
    """

    title: str
    value: Callable[[Measured], float | None]
    text: Callable[[float | None], str] = three_digits
    least: float = 0.001
    limit: float | None = None


PANELS = (
    Panel("Page p50, ms", lambda it: it.page_ms.p50),
    Panel(
        "Page after the heat-up, ms",
        lambda it: None if it.sustained is None else it.sustained.page_ms,
    ),
    Panel(
        "Lines that differ from fp32 on the CPU, %",
        lambda it: None if it.agreement is None else 100 * (1 - it.agreement.share),
        least=200 * MOST_DIFFERENT,
        limit=100 * MOST_DIFFERENT,
    ),
    Panel(
        "1 − Hmean",
        lambda it: None if it.accuracy is None else 1 - it.accuracy.hmean,
        four_decimals,
    ),
    Panel("CER", lambda it: None if it.accuracy is None else it.accuracy.cer, four_decimals),
)


def beside(rows: Sequence[Row]) -> str:
    """Return the chart with each cell's time beside what it reads differently or wrongly."""
    panels = [
        panel for panel in PANELS if any(panel.value(row.measured) is not None for row in rows)
    ]
    heads = "".join(f'<div class="head">{escape(panel.title)}</div>' for panel in panels)
    most = [max(panel.least, *(panel.value(row.measured) or 0 for row in rows)) for panel in panels]
    chart = [f"<div></div>{heads}"]
    for i, row in enumerate(rows):
        kind = row.verdict.kind.replace(" ", "-")
        chart.append(f'{_device(rows, i)}<div class="name {kind}">{_name(row)}</div>')
        for panel, whole in zip(panels, most, strict=True):
            value = panel.value(row.measured)
            width = BAR * (value or 0) / whole
            limit = BAR * (panel.limit or 0) / whole
            line = f'<line x1="{limit:.1f}" x2="{limit:.1f}" y1="0" y2="10"/>' * (limit > 0)
            chart.append(
                f'<div class="figure {kind}"><svg viewBox="0 0 {BAR} 10" '
                f'preserveAspectRatio="none" role="img" aria-label="{escape(row.name)}, '
                f'{escape(panel.title)}: {panel.text(value)}"><rect x="0" y="0" '
                f'width="{width:.3f}" height="10"/>{line}</svg>'
                f"<span>{panel.text(value)}</span></div>"
            )
    return (
        "<h2>Time beside accuracy</h2><p>In all columns, shorter is better. The dashed line is the "
        "share of lines from which a cell is refused.</p>"
        f'<div class="scroll"><div class="beside" style="--panels:{len(panels)}">'
        f"{''.join(chart)}</div></div>"
    )


def stages(rows: Sequence[Row]) -> str:
    """Return a bar for each cell, and a table, with the medians of the stages."""
    ran = stages_of(row.measured for row in rows)
    totals = [_total_median(row.measured) for row in rows]
    longest = max(*totals, 0.001)
    chart = []
    for i, (row, total) in enumerate(zip(rows, totals, strict=True)):
        rects = "".join(
            f'<rect x="{part.start:.3f}" y="0" width="{part.width:.3f}" height="10" '
            f'style="fill:{_colour(part.stage)}{";stroke:none" * (part.width < BORDERLESS_WIDTH)}">'
            f"<title>{escape(part.stage)}: {three_digits(part.width / BAR * longest)} ms</title>"
            "</rect>"
            for part in segments(row.measured, ran, longest)
            if part.width >= 0.0005
        )
        drawing = f'<svg viewBox="0 0 {BAR} 10" preserveAspectRatio="none" role="img" '
        drawing += f'aria-label="{escape(row.name)}, {three_digits(total)} ms">{rects}</svg>'
        chart.append(_chart_row(rows, i, drawing, total))
    swatches = "".join(
        f'<span><span class="swatch" style="background:{_colour(stage)}"></span>{escape(stage)}'
        "</span>"
        for stage in ran
    )
    lines = [
        [_name(row), *(_spread(row.measured, stage) for stage in ran), three_digits(total)]
        for row, total in zip(rows, totals, strict=True)
    ]
    return (
        "<h2>Time per stage</h2><p>The median of each stage in milliseconds, over all pages. Below "
        "it in the table stand the minimum and the 99th percentile. The sum of the medians is "
        "close to the median page but not equal to it: a page that is slow in one stage "
        f'may be fast in another.</p><div class="legend">{swatches}</div>'
        f'<div class="chart bar">{"".join(chart)}</div>'
        f"{table(['Cell', *ran, 'Sum'], lines, rows)}"
    )


def latencies(rows: Sequence[Row]) -> str:
    """Return a histogram of the pages' times for each cell, all on the same axis."""
    times = [[ms for reads in row.measured.times_ms for ms in reads] for row in rows]
    axis = axis_over([ms for own in times for ms in own])
    chart = []
    for i, (row, own) in enumerate(zip(rows, times, strict=True)):
        counts = histogram(own, axis)
        tallest = max(counts)
        rects = "".join(
            f'<rect x="{bin_ + 0.05}" y="{20 - 19 * count / tallest:.3f}" width="0.9" '
            f'height="{19 * count / tallest:.3f}"><title>pages: {count}</title></rect>'
            for bin_, count in enumerate(counts)
            if count
        )
        middle = row.measured.page_ms.p50
        x = f"{axis.position(max(middle, axis.low)) * BINS:.3f}"
        drawing = f'<svg viewBox="0 0 {BINS} 20" preserveAspectRatio="none" role="img" '
        drawing += f'aria-label="{escape(row.name)}, median {three_digits(middle)} ms">'
        drawing += f'{rects}<line x1="{x}" x2="{x}" y1="0" y2="20"/></svg>'
        chart.append(_chart_row(rows, i, drawing, middle))
    ticks = "".join(
        f'<span style="left:{100 * axis.position(tick):.2f}%">{tick:g}</span>'
        for tick in axis.ticks
    )
    kind = ", on a logarithmic axis" if axis.logarithmic else ""
    return (
        f"<h2>Time per page</h2><p>The number of pages by the milliseconds that they took{kind}. "
        "The tallest bar of each cell has the full height; the dashed line is the median.</p>"
        f'<div class="chart histogram">{"".join(chart)}<div class="axis">{ticks}</div></div>'
    )


def _colour(stage: str) -> str:
    return f"var(--{stage if stage in COLOURS else 'rest'})"


def _total_median(measured: Measured) -> float:
    return sum(spread.p50 for spread in measured.stages_ms.values())


def _spread(measured: Measured, stage: str) -> str:
    """Return a cell with a stage's median and, below it, its minimum and 99th percentile."""
    spread = measured.stages_ms.get(stage)
    if spread is None:
        return f"{three_digits(0.0)}<small></small>"
    around = f"{three_digits(spread.min)} – {three_digits(spread.p99)}"
    return f"{three_digits(spread.p50)}<small>{around}</small>"


def _name(row: Row) -> str:
    return escape(f"{row.mark} {row.name}".strip())


def _device(rows: Sequence[Row], i: int) -> str:
    """Return the heading that stands above the rows of a device if there are several devices."""
    if len({row.device for row in rows}) > 1 and (i == 0 or rows[i - 1].device != rows[i].device):
        return f"<h3>{escape(rows[i].device_name)}</h3>"
    return ""


def _chart_row(rows: Sequence[Row], i: int, drawing: str, value: float) -> str:
    """Return a cell's drawing between its name and its value."""
    return (
        f'{_device(rows, i)}<div class="name">{_name(rows[i])}</div>{drawing}'
        f'<div class="value">{three_digits(value)} ms</div>'
    )
