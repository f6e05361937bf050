"""The section of the HTML report about sustained loads: what changed while a device got hot."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from .charts import BAR
from .metrics import three_digits
from .rows import Row
from .sustained import HEAT_UP, Sample, Sustained
from .table import change

# The height of a line's drawing in units of its own; the browser stretches it.
HEIGHT = 100
# The share of the height that stays free above and below a line.
MARGIN = 0.08


def sustained_loads(rows: Sequence[Row]) -> str:
    """Return the charts of all cells with a sustained load; "" if there are none."""
    loads = [(row, row.measured.sustained) for row in rows]
    several = len({row.device for row in rows}) > 1
    charts = [
        _chart(row, load, f"{row.device_name}: {row.name}" if several else row.name)
        for row, load in loads
        if load is not None
    ]
    if not charts:
        return ""
    return (
        "<h2>Sustained load</h2><p>The median page of each interval, the fastest clock, the "
        "temperature and the power over the time; coloured where the device said that it slowed "
        "itself down. The figures to quote are those after the heat-up, of the last third of the "
        f"time, which is shaded.</p>{''.join(charts)}"
    )


def _chart(row: Row, load: Sustained, name: str) -> str:
    """Return a cell's lines over the same time, one below the other."""
    samples = load.samples
    series: list[tuple[str, list[float | None], str]] = [
        ("page, ms", [sample.page_ms for sample in samples], "page"),
        ("clock, MHz", [sample.clock_mhz for sample in samples], "clock"),
        ("temperature, °C", [sample.temperature_c for sample in samples], "temperature"),
        ("power, W", [sample.watts for sample in samples], "power"),
    ]
    drawings = "".join(
        f'<div class="name">{title}</div>{_line(title, values, kind, load)}'
        f'<div class="value">{_range(values)}</div>'
        for title, values, kind in series
        if any(value is not None for value in values)
    )
    causes = dict.fromkeys(cause for sample in samples for cause in sample.throttling or ())
    slowed = f"; the device was slowed down ({', '.join(causes)})" if causes else ""
    end = samples[-1].seconds
    ticks = "".join(
        f'<span style="left:{100 * share:.0f}%">{_time(end * share)}</span>'
        for share in (0, 0.5, 1)
    )
    return (
        f"<h3>{escape(f'{row.mark} {name}'.strip())}</h3>"
        f'<p><strong class="quoted">{three_digits(load.page_ms)} ms</strong> a page and '
        f"<strong>{three_digits(load.pages_per_second)}</strong> pages per second after the "
        f"heat-up; the first interval had {three_digits(samples[0].page_ms)} ms a page "
        f"({change(load)}){escape(slowed)}.</p>"
        f'<div class="chart lines">{drawings}<div class="axis">{ticks}</div></div>'
    )


def _line(title: str, values: Sequence[float | None], kind: str, load: Sustained) -> str:
    """Return the drawing of one figure over the time."""
    end = load.samples[-1].seconds
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    parts: list[list[str]] = [[]]
    begin = 0.0
    for sample, value in zip(load.samples, values, strict=True):
        if value is None:
            parts.append([])
        else:
            share = 0.5 if high == low else (value - low) / (high - low)
            y = HEIGHT * (1 - MARGIN - (1 - 2 * MARGIN) * share)
            # A line begins with its first interval, so that it is seen even if it has no other.
            ends = [sample.seconds] if parts[-1] else [begin, sample.seconds]
            parts[-1] += [f"{BAR * seconds / end:.1f},{y:.1f}" for seconds in ends]
        begin = sample.seconds
    lines = "".join(f'<polyline points="{" ".join(part)}"/>' for part in parts if part)
    hot = BAR * HEAT_UP
    return (
        f'<svg class="{kind}" viewBox="0 0 {BAR} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{title}: {_range(values)}">'
        f'<rect class="hot" x="{hot:.1f}" y="0" width="{BAR - hot:.1f}" height="{HEIGHT}"/>'
        f"{_throttled(load.samples)}{lines}</svg>"
    )


def _throttled(samples: Sequence[Sample]) -> str:
    """Return a band for each interval in which the device said that it slowed itself down."""
    end = samples[-1].seconds
    ends = [0.0, *(sample.seconds for sample in samples)]
    return "".join(
        f'<rect class="throttled" x="{BAR * begin / end:.1f}" y="0" '
        f'width="{BAR * (until - begin) / end:.1f}" height="{HEIGHT}">'
        f"<title>{escape(', '.join(sample.throttling))}</title></rect>"
        for (begin, until), sample in zip(pairwise(ends), samples, strict=True)
        if sample.throttling
    )


def _range(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    low, high = three_digits(min(known)), three_digits(max(known))
    return low if low == high else f"{low} – {high}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.3g} min"
