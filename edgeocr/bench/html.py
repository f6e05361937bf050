"""Results of `edgeocr bench` as one HTML document without scripts or other files.

Charts are SVG that stretches to the available width. All words stand outside of them, in HTML, so
that they keep their size on a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from ..device.machine import ClockPolicy
from .html_sections import COLOURS, Column, latencies, pictures, stages, summary
from .notes import notes
from .result import BenchResult, Nvidia, device_names

TITLE = "<title>edgeocr bench: "
STYLE = Path(__file__).with_name("report.css")


def report(results: Sequence[BenchResult]) -> str:
    """Return one or more results side by side as an HTML document."""
    devices = device_names(results)
    columns = [
        Column(number, name, measured, result.speedup(name))
        for number, result in enumerate(results)
        for name, measured in result.working.items()
    ]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"{TITLE}{escape(', '.join(devices))}</title>",
        f"<style>{_style()}</style></head><body>",
        "<h1>edgeocr bench</h1>",
        '<div class="cards">',
        *(_card(name, result) for name, result in zip(devices, results, strict=True)),
        "</div>",
    ]
    if columns:
        parts += [summary(columns, devices), stages(columns, devices)]
        parts += [latencies(columns, devices), pictures(columns, devices, results)]
    remarks = [
        f"{name}: {note}" if len(results) > 1 else note
        for name, result in zip(devices, results, strict=True)
        for note in notes(result)
    ]
    if remarks:
        rows = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
        parts.append(f"<h2>Notes</h2><ul>{rows}</ul>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


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


def _card(name: str, result: BenchResult) -> str:
    """Return the facts about a device and its measurement."""
    device, bundle = result.device, result.bundle
    memory = device.memory_limit_bytes or device.memory_bytes
    versions = {"edgeocr": result.edgeocr, "Python": device.python, **result.packages}
    settings = result.settings.to_dict()
    facts = {
        "processor": _listed(device.architecture, f"{device.cpus} CPUs"),
        "clocks": _clocks(result.clocks),
        "power mode": result.power_mode,
        "memory": f"{memory / (1 << 30):.1f} GiB" if memory else None,
        "system": _listed(device.os, device.kernel),
        "NVIDIA": _nvidia(result.nvidia),
        "JetPack": device.jetpack,
        "Jetson Linux": device.l4t,
        "bundle": f"{bundle.name}, sha256 {bundle.sha256[:12]}…",
        "models": _listed(*dict.fromkeys(bundle.models.values())),
        "versions": _listed(*(f"{key} {value}" for key, value in versions.items() if value)),
        "threads": str(result.threads),
        "settings": _listed(*(f"{key} {value}" for key, value in settings.items())),
        "pictures": f"{len(result.images)}, each read {result.repeat} times",
        "measured": result.when.replace("T", " ").replace("+00:00", " UTC"),
    }
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(words)}</dd>" for key, words in facts.items() if words
    )
    return f'<div class="card"><h2>{escape(name)}</h2><dl>{rows}</dl></div>'


def _nvidia(nvidia: Nvidia) -> str:
    if not nvidia.gpus:
        return ""
    return _listed(
        *(f"{gpu.name}, {gpu.memory / (1 << 30):.1f} GiB" for gpu in nvidia.gpus),
        nvidia.driver and f"driver {nvidia.driver}",
        *(f"{name} {version}" for name, version in nvidia.libraries.items()),
    )


def _listed(*words: str | None) -> str:
    return ", ".join(word for word in words if word)


def _clocks(policies: Mapping[str, ClockPolicy]) -> str:
    """Return the clocks: how many CPUs share each, its speed now and at most, its governor."""
    return "; ".join(
        f"{len(policy.cpus)} CPUs at {policy.current or '?'} of {policy.max or '?'} MHz "
        f"({policy.governor or 'unknown governor'})"
        for policy in policies.values()
    )
