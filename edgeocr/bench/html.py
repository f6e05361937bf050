"""Results of `edgeocr bench` → one HTML page that needs nothing else, without scripts.

Pictures are SVG that stretches to the width there is; every word stands outside of them, in HTML,
so that it keeps its size on a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from .charts import BAR, BINS, axis_over, histogram, segments
from .table import (
    METRICS,
    STAGES,
    device_name,
    notes,
    number,
    speedup,
    spread_of,
    stages_of,
    working,
)

Figures = Mapping[str, Any]

# Parts of a bar that are narrower than this, in its units, have no seam, which would hide them.
SEAMLESS = 8

# After Paul Tol's colour schemes (https://personal.sron.nl/~pault/), which people who are colour
# blind can tell apart: for white, for a dark ground. In the order of `STAGES`; a spotting network
# never runs beside detection and has its colour.
COLOURS = (
    ("#8c8c8c", "#8a919c"),
    ("#88ccee", "#99ddff"),
    ("#4477aa", "#5b93cc"),
    ("#4477aa", "#5b93cc"),
    ("#44aa99", "#44bb99"),
    ("#ddcc77", "#eedd88"),
    ("#aa4499", "#c77dbb"),
    ("#cc6677", "#e07a87"),
    ("#999933", "#b3b324"),
    ("#cfcfcf", "#565c66"),
)

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2025; --soft: #59616c;
  --line: #dfe3e8; --card: #f6f7f9; LIGHT }
@media (prefers-color-scheme: dark) { :root { --ground: #15181d; --ink: #e8eaed;
  --soft: #a2a9b4; --line: #333942; --card: #1d2127; DARK } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 3rem; background: var(--ground);
  color: var(--ink); font: 0.9375rem/1.5 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
h2 { font-size: 1.0625rem; margin: 2.25rem 0 0.25rem; }
p { color: var(--soft); margin: 0 0 0.75rem; max-width: 46rem; }
.cards { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem;
  padding: 0.75rem 1rem; min-width: 0; }
.card h2 { margin: 0 0 0.5rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.125rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.3rem 0 0.3rem 1.25rem; text-align: right; border-bottom: 1px solid var(--line);
  font-weight: normal; white-space: nowrap; vertical-align: bottom; width: 6.5rem; }
thead th { color: var(--soft); }
thead th.device { text-align: center; color: var(--ink); white-space: normal; min-width: 8rem; }
th:first-child { text-align: left; padding-left: 0; position: sticky; left: 0;
  background: var(--ground); white-space: normal; min-width: 8.5rem; width: auto; }
tr.sum > * { font-weight: 600; }
tbody th, tbody td { vertical-align: baseline; }
td small { display: block; color: var(--soft); font-size: 0.75rem; }
.swatch { display: inline-block; width: 0.75rem; height: 0.75rem; border-radius: 0.125rem;
  margin-right: 0.5rem; vertical-align: -0.0625rem; }
.chart { display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content;
  gap: 0.5rem 0.75rem; align-items: center; margin-bottom: 1rem; }
.chart h3 { grid-column: 1 / -1; font-size: 0.9375rem; margin: 0.5rem 0 0;
  overflow-wrap: anywhere; }
.chart svg { display: block; width: 100%; }
.bar svg { height: 1.5rem; }
.bar rect { stroke: var(--ground); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.histogram svg { height: 3.5rem; border-bottom: 1px solid var(--soft); }
.histogram rect { fill: var(--c2); }
.histogram line { stroke: var(--ink); stroke-width: 1.5px; stroke-dasharray: 4 3;
  vector-effect: non-scaling-stroke; }
.histogram > div { align-self: end; }
.value { text-align: right; }
.axis { position: relative; height: 1.5rem; grid-column: 2; color: var(--soft);
  font-size: 0.8125rem; align-self: start !important; }
.axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
ul { margin: 0; padding-left: 1.25rem; overflow-wrap: anywhere; white-space: pre-wrap; }
"""


class Column(NamedTuple):
    """What one provider of one result measured. device: the number of the result."""

    device: int
    provider: str
    figures: Figures
    speedup: float | None


def page(results: Sequence[Figures]) -> str:
    """One or more results side by side, as an HTML document."""
    devices = device_names(results)
    columns = [
        Column(i, name, figures, speedup(result, name))
        for i, result in enumerate(results)
        for name, figures in working(result).items()
    ]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"<title>edgeocr bench: {escape(', '.join(devices))}</title>",
        f"<style>{_style()}</style></head><body>",
        "<h1>edgeocr bench</h1>",
        '<div class="cards">',
        *(_card(name, result) for name, result in zip(devices, results, strict=True)),
        "</div>",
    ]
    if columns:
        parts += [_summary(columns, devices), _stages(columns, devices)]
        parts += [_latencies(columns, devices), _pictures(columns, devices, results)]
    said = [
        f"{name}: {note}" if len(results) > 1 else note
        for name, result in zip(devices, results, strict=True)
        for note in notes(result)
    ]
    if said:
        rows = "".join(f"<li>{escape(note)}</li>" for note in said)
        parts.append(f"<h2>What to know</h2><ul>{rows}</ul>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


def device_names(results: Sequence[Figures]) -> list[str]:
    """What each result's device is called; a number tells those apart that are called alike."""
    names = [device_name(result) for result in results]
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def _style() -> str:
    light = "".join(f"--c{i}: {colour};" for i, (colour, _) in enumerate(COLOURS))
    dark = "".join(f"--c{i}: {colour};" for i, (_, colour) in enumerate(COLOURS))
    return STYLE.replace("LIGHT", light).replace("DARK", dark)


def _colour(stage: str) -> str:
    return f"var(--c{STAGES.index(stage) if stage in STAGES else len(STAGES) - 1})"


def _card(name: str, result: Figures) -> str:
    device, bundle, pictures = result["device"], result["bundle"], result["images"]
    memory = device.get("memory_limit_bytes") or device.get("memory_bytes")
    versions = {"edgeocr": result["edgeocr"], "Python": device.get("python"), **result["packages"]}
    facts = {
        "processor": _listed(device.get("architecture"), f"{device.get('cpus')} CPUs"),
        "clocks": _clocks(result["clocks"]),
        "power mode": result["power_mode"],
        "memory": f"{memory / (1 << 30):.1f} GiB" if memory else None,
        "system": _listed(device.get("os"), device.get("kernel")),
        "NVIDIA": _nvidia(**result["nvidia"]) if result["nvidia"] else None,
        "JetPack": device.get("jetpack"),
        "Jetson Linux": device.get("l4t"),
        "bundle": f"{bundle['name']}, sha256 {bundle['sha256'][:12]}…",
        "models": _listed(*dict.fromkeys(bundle["models"].values())),
        "versions": _listed(*(f"{key} {value}" for key, value in versions.items() if value)),
        "threads": str(result["threads"]),
        "settings": _listed(*(f"{key} {value}" for key, value in result["settings"].items())),
        "pictures": f"{len(pictures)}, each read {result['repeat']} times",
        "measured": result["when"].replace("T", " ").replace("+00:00", " UTC"),
    }
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(str(words))}</dd>"
        for key, words in facts.items()
        if words
    )
    return f'<div class="card"><h2>{escape(name)}</h2><dl>{rows}</dl></div>'


def _nvidia(gpus: Sequence[Figures], driver: str | None, **libraries: str) -> str:
    return _listed(
        *(f"{gpu['name']}, {gpu['memory'] / (1 << 30):.1f} GiB" for gpu in gpus),
        driver and f"driver {driver}",
        *(f"{name} {version}" for name, version in libraries.items()),
    )


def _listed(*words: str | None) -> str:
    return ", ".join(word for word in words if word)


def _clocks(policies: Mapping[str, Figures]) -> str:
    """CPUs that share a clock: how many, how fast now and at most, and what decides."""
    return "; ".join(
        f"{len(each.get('cpus') or ())} CPUs at {each.get('current') or '?'} of "
        f"{each.get('max') or '?'} MHz ({each.get('governor') or 'unknown governor'})"
        for each in policies.values()
    )


def _summary(columns: Sequence[Column], devices: Sequence[str]) -> str:
    rows = [
        (escape(metric.title), [number(metric.value(column.figures)) for column in columns])
        for metric in METRICS
    ]
    rows.append(("Pages per second ÷ CPU’s", [number(column.speedup) for column in columns]))
    shown = [(title, cells) for title, cells in rows if set(cells) != {number(None)}]
    return (
        "<h2>Summary</h2><p>Cold start: from the start of a process to the text of its first "
        "picture. Warm-up comes after that picture. Pages are read from their files, one after "
        f"the other, and then again as a stream.</p>{_table(columns, devices, shown)}"
    )


def _stages(columns: Sequence[Column], devices: Sequence[str]) -> str:
    stages = stages_of(column.figures for column in columns)
    totals = [sum(_medians(column, stages)) for column in columns]
    most = max(*totals, 0.001)
    chart = []
    for i, (column, total) in enumerate(zip(columns, totals, strict=True)):
        rects = "".join(
            f'<rect x="{start:.3f}" y="0" width="{width:.3f}" height="10" '
            f'style="fill:{_colour(stage)}{";stroke:none" * (width < SEAMLESS)}">'
            f"<title>{escape(stage)}: {number(width / BAR * most)} ms</title></rect>"
            for stage, start, width in segments(column.figures, stages, most)
            if width >= 0.0005
        )
        chart.append(
            f"{_heading(columns, i, devices)}<div>{escape(column.provider)}</div>"
            f'<svg viewBox="0 0 {BAR} 10" preserveAspectRatio="none" role="img" '
            f'aria-label="{escape(column.provider)}, {number(total)} ms">{rects}</svg>'
            f'<div class="value">{number(total)} ms</div>'
        )
    rows = [
        (
            f'<span class="swatch" style="background:{_colour(stage)}"></span>{escape(stage)}',
            [_spread(column, stage) for column in columns],
        )
        for stage in stages
    ]
    rows.append(("sum", [number(total) for total in totals]))
    return (
        "<h2>Where the time of a page goes</h2><p>Medians of the stages in milliseconds over all "
        "pages; below each in the table the least, and the 90th and 99th percentile. Their sum is "
        "near the median page, not the same: a page that is slow in one stage "
        f'may be quick in another.</p><div class="chart bar">{"".join(chart)}</div>'
        f"{_table(columns, devices, rows, total=True)}"
    )


def _spread(column: Column, stage: str) -> str:
    least, median, p90, p99 = spread_of(column.figures, stage)
    around = f"{number(least)} · {number(p90)} · {number(p99)}"
    return f"{number(median or 0.0)}<small>{around if median is not None else ''}</small>"


def _latencies(columns: Sequence[Column], devices: Sequence[str]) -> str:
    reads = [[ms for picture in column.figures["reads_ms"] for ms in picture] for column in columns]
    axis = axis_over([ms for each in reads for ms in each])
    chart = []
    for i, (column, times) in enumerate(zip(columns, reads, strict=True)):
        counts = histogram(times, axis)
        tallest = max(counts)
        rects = "".join(
            f'<rect x="{bin_ + 0.05}" y="{20 - 19 * count / tallest:.3f}" width="0.9" '
            f'height="{19 * count / tallest:.3f}"><title>pages: {count}</title></rect>'
            for bin_, count in enumerate(counts)
            if count
        )
        median = column.figures["page_ms"]["p50"]
        place = axis.place(max(median, axis.low)) * BINS
        chart.append(
            f"{_heading(columns, i, devices)}<div>{escape(column.provider)}</div>"
            f'<svg viewBox="0 0 {BINS} 20" preserveAspectRatio="none" role="img" '
            f'aria-label="{escape(column.provider)}, median {number(median)} ms">{rects}'
            f'<line x1="{place:.3f}" x2="{place:.3f}" y1="0" y2="20"/></svg>'
            f'<div class="value">{number(median)} ms</div>'
        )
    ticks = "".join(
        f'<span style="left:{100 * axis.place(tick):.2f}%">{tick:g}</span>' for tick in axis.ticks
    )
    kind = ", on a logarithmic axis" if axis.logarithmic else ""
    return (
        f"<h2>How long pages took</h2><p>Pages by the milliseconds that they took{kind}; each "
        "provider’s tallest bar has the full height, the dashed line is the median.</p>"
        f'<div class="chart histogram">{"".join(chart)}<div class="axis">{ticks}</div></div>'
    )


def _pictures(columns: Sequence[Column], devices: Sequence[str], results: Sequence[Figures]) -> str:
    sizes = {
        image["name"]: f"{image['width']} × {image['height']}"
        for result in results
        for image in result["images"]
    }
    medians = [_picture_medians(column, results[column.device]) for column in columns]
    rows = [
        (f"{escape(name)}<br/><small>{size}</small>", [number(each.get(name)) for each in medians])
        for name, size in sizes.items()
    ]
    return (
        "<h2>Pictures</h2><p>Median of each picture in milliseconds.</p>"
        f"{_table(columns, devices, rows)}"
    )


def _picture_medians(column: Column, result: Figures) -> dict[str, float]:
    from statistics import median

    reads = zip(result["images"], column.figures["reads_ms"], strict=True)
    return {image["name"]: median(times) for image, times in reads if times}


def _medians(column: Column, stages: Sequence[str]) -> list[float]:
    return [column.figures["stages_ms"].get(stage, {}).get("p50", 0.0) for stage in stages]


def _heading(columns: Sequence[Column], i: int, devices: Sequence[str]) -> str:
    """The device's name where its providers begin, when there are several devices."""
    if len(devices) < 2 or (i and columns[i - 1].device == columns[i].device):
        return ""
    return f"<h3>{escape(devices[columns[i].device])}</h3>"


def _table(
    columns: Sequence[Column],
    devices: Sequence[str],
    rows: Sequence[tuple[str, Sequence[str]]],
    *,
    total: bool = False,
) -> str:
    """Rows of a title, which is HTML, and a cell for each column. total: the last row is a sum."""
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
