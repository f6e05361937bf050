"""Draw the result of `benchmarks.scaling` as SVG: points, and the straight lines that fit them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

# The size of a chart with its labels, and the part of it that the axes enclose, in pixels.
WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 40, 44
COLOURS = {"time": "#1f6feb", "memory": "#b35900"}
UNITS = {"time": "ms", "memory": "MiB"}


def svg(result: Mapping[str, Any]) -> str:
    """Return the charts of a result: for each series the times above and the memory below.

    Args:
        result: What `benchmarks.scaling` writes as JSON.
    """
    charts = []
    for column, series in enumerate(result["series"].values()):
        x = [case["x"] for case in series["cases"]]
        for row, (kind, key) in enumerate((("time", "ms"), ("memory", "peak_mib"))):
            y = [case[key] for case in series["cases"]]
            if None not in y:
                lines = [line[kind] for line in series["fits"]]
                chart = _chart(series["title"], series["unit"], x, y, lines, kind)
                at = f"translate({column * WIDTH} {row * HEIGHT})"
                charts.append(f'<g transform="{at}">\n{chart}\n</g>')
    width, height = WIDTH * len(result["series"]), 2 * HEIGHT + 30
    described = result["machine"]
    caption = (
        f"{result['bundle']}, {result['threads']} threads, best of {result['rounds']} rounds, "
        f"{described['cpu']}, {described['cpus']} CPUs"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(charts)
        + f'\n<text x="{LEFT}" y="{height - 10}" fill="#555555">{escape(caption)}</text>\n</svg>\n'
    )


def _chart(
    title: str,
    unit: str,
    x: Sequence[float],
    y: Sequence[float],
    lines: Sequence[Mapping[str, float]],
    kind: str,
) -> str:
    """Return one chart; both of its axes are linear and begin at 0.

    Args:
        title: What stands above it.
        unit: What x counts.
        x: Where the points are.
        y: Their values.
        lines: The straight lines through the points, or through parts of them.
        kind: "time" or "memory".
    """
    right, top_of_x = _ticks(max(x)), _ticks(max(y))
    y_unit, colour = UNITS[kind], COLOURS[kind]
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(at: float, value: float) -> tuple[float, float]:
        return (
            round(LEFT + wide * at / right[-1], 1),
            round(TOP + high * (1 - value / top_of_x[-1]), 1),
        )

    parts = [f'<text x="{LEFT}" y="18" font-size="13" fill="#222222">{escape(title)}</text>']
    label = " · ".join(
        f"{line['slope']:.3g} {y_unit} per {unit.removesuffix('s')}, R² {line['r2']:.3f}"
        for line in lines
    )
    parts.append(f'<text x="{LEFT}" y="33" fill="{colour}">{escape(label)}</text>')
    for tick in top_of_x:
        _, at = place(0, tick)
        parts.append(
            f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{at}" y2="{at}" stroke="#dddddd"/>'
            f'<text x="{LEFT - 6}" y="{at + 4}" text-anchor="end" fill="#555555">{tick:g}</text>'
        )
    for tick in right:
        at, bottom = place(tick, 0)
        parts.append(
            f'<text x="{at}" y="{bottom + 16}" text-anchor="middle" fill="#555555">{tick:g}</text>'
        )
    parts.append(
        f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 12}" text-anchor="middle" fill="#555555">'
        f"{escape(unit)}</text>"
        f'<text x="{LEFT - 6}" y="{TOP - 8}" text-anchor="end" fill="#555555">{y_unit}</text>'
    )
    for line in lines:
        ends = (line["first"], line["last"])
        (x1, y1), (x2, y2) = (place(at, line["slope"] * at + line["intercept"]) for at in ends)
        parts.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" opacity="0.5"/>'
        )
    for at, value in zip(x, y, strict=True):
        cx, cy = place(at, value)
        parts.append(f'<circle cx="{cx}" cy="{cy}" r="3.5" fill="{colour}"/>')
    return "\n".join(parts)


def _ticks(largest: float) -> tuple[float, ...]:
    """Return round marks from 0 to at least a value."""
    step = 10.0 ** math.floor(math.log10(largest))
    step = next(step * part for part in (0.2, 0.5, 1, 2) if largest <= 6 * step * part)
    return tuple(step * number for number in range(math.ceil(largest / step) + 1))
