"""Format a report for people."""

from __future__ import annotations

from collections.abc import Sequence

from edgeocr.bundle import fields as typed

from ..catalog.entries import Normalize
from ..model.network import Network
from .content import Compared, GraphPort, Report, Sizes


def page(report: Report) -> str:
    """Return a report as Markdown."""
    network, source = typed.parse(Network, report["network"], "network"), report["source"]
    lines = [f"# {network.name}", ""]
    lines += [
        f"{network.task.capitalize()} with {network.algorithm}, known by {network.known_by}.",
        "",
        f"Normalization: {_normalization(network.normalize)}.",
        "",
        f"From {source['format']} in `{source['folder']}`"
        f"{', the published weights' if network.published else ''}:",
        "",
        "| file | bytes | sha256 |",
        "|---|--:|---|",
        *(f"| {file['name']} | {file['size']} | `{file['sha256']}` |" for file in source["files"]),
        "",
    ]
    for note in report["notes"]:
        lines += [f"Note: {note}", ""]
    lines += ["## Translation", "", f"Translator: {report['translator']}.", ""]
    if report["changes"]:
        lines += ["| change | why | operators |", "|---|---|---|"]
        lines += [
            f"| {item['name']} | {item['why']} | {', '.join(f'`{n}`' for n in item['nodes'])} |"
            for item in report["changes"]
        ]
    else:
        lines.append("Nothing had to be changed.")
    lines += ["", "## Rewrites", ""]
    if report["rewrites"]:
        lines += ["| rewrite | why | nodes replaced |", "|---|---|--:|"]
        lines += [
            f"| {item['name']} | {item['why']} | {len(item['nodes'])} |"
            for item in report["rewrites"]
        ]
    else:
        lines.append("No rewrite applied.")
    lines += ["", "## Graphs", "", "| graph | bytes | opset | IR | inputs | outputs |"]
    lines.append("|---|--:|---|--:|---|---|")
    for name, graph in (("plain", report["graphs"]["plain"]), ("edge", report["graphs"]["edge"])):
        opset = ", ".join(f"{domain} {number}" for domain, number in graph["opset"].items())
        lines.append(
            f"| {name} | {graph['bytes']} | {opset} | {graph['ir_version']} | "
            f"{_ports(graph['inputs'])} | {_ports(graph['outputs'])} |"
        )
    lines += ["", _fixed(report["sizes"]), ""]
    if report["fixed"]:
        chosen = ", ".join(f"`{name}` {_by(sizes)}" for name, sizes in report["fixed"].items())
        lines += [
            f"--shape fixed the plain graph's inputs at {chosen}; no size is open in either graph.",
            "",
        ]
    operators = report["operators"]
    paddle, plain, edge = operators["paddle"], operators["plain"], operators["edge"]
    if paddle:
        counted = ", ".join(f"{name} {number}" for name, number in paddle.items())
        lines += [f"Paddle's operators: {counted}.", ""]
    lines += ["| operator | plain | edge |", "|---|--:|--:|"]
    ordered = sorted({*plain, *edge}, key=lambda name: (-plain.get(name, 0), name))
    lines += [f"| {name} | {plain.get(name, 0)} | {edge.get(name, 0)} |" for name in ordered]
    lines += ["", "## Parity", ""]
    parity = report["parity"]
    lines += [*_parity("Edge graph", parity["edge_graph"]), ""]
    lines += [*_parity("Plain graph", parity["paddle"]), ""]
    if "edge_to_paddle" in parity:
        lines += [*_parity("Edge graph", parity["edge_to_paddle"]), ""]
    lines += [*_times(report), ""]
    made = ", ".join(f"{name} {number}" for name, number in report["made_by"].items())
    peak = report["peak_memory_mib"]
    held = "" if peak is None else f" The converting process held {peak} MiB at most."
    return "\n".join([*lines, f"Made by {made}.{held}", ""])


def _times(report: Report) -> list[str]:
    if report["left_out"]:
        return [f"--fast left out {', '.join(report['left_out'])}."]
    lines = [
        "## Time",
        "",
        "ONNX Runtime on this machine's CPU; medians of alternating runs.",
        "",
        "| input | threads | plain ms | edge ms | edge ÷ plain |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {_by(item['input'])} | {item['threads']} | {item['plain_ms']} | {item['edge_ms']} | "
        f"{item['edge_to_plain']} |"
        for item in report["times"]
    ]
    return lines


def _parity(title: str, item: Compared | str) -> list[str]:
    if isinstance(item, str):
        return [f"{title} beside Paddle Inference: {item}."]
    said = "passed" if item["passed"] else "FAILED"
    indices = {True: " The indices are equal.", False: " The indices differ.", None: ""}
    lines = [
        f"{title} beside {item['reference']}: {said}.{indices[item['indices_equal']]} Inputs: "
        f"{', '.join(_by(sizes) for sizes in item['inputs'])}.",
        "",
        "| output | largest difference | allowed | mean difference | allowed | largest value | "
        "relative difference | rounding of the reference |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for out in item["outputs"]:
        figures = [
            *(out["max_abs"], out["allowed"], out["mean_abs"], out["allowed_mean"]),
            *(out["magnitude"], out["relative"], out["own"]),
        ]
        lines.append(f"| `{out['output']}` | {' | '.join(map(_figure, figures))} |")
    return lines


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"


def _normalization(normalize: Normalize) -> str:
    mean, std = (
        " ".join(f"{value:g}" for value in each) for each in (normalize.mean, normalize.std)
    )
    return f"{normalize.colour}, (pixel × {normalize.scale:.4g} - {mean}) / {std}"


def _fixed(found: Sizes) -> str:
    values = {"batch": found["batch"], "height": found["height"], "width": found["width"]}
    fixed = [
        f"{name} {values[name]} (by {by})"
        for name, by in found["fixed_by"].items()
        if by is not None
    ]
    varies = [name for name, by in found["fixed_by"].items() if by is None]
    parts = [f"Fixed: {', '.join(fixed)}."] if fixed else []
    return " ".join([*parts, f"May vary: {', '.join(varies) or 'nothing'}."])


def _ports(ports: list[GraphPort]) -> str:
    return ", ".join(f"`{port['name']}` {port['type']} {_by(port['shape'])}" for port in ports)


def _by(sizes: Sequence[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in sizes)
