"""A proof for people: one HTML page that needs no other file, and the same in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from .record import Cell, Outcome, Proof, Table, Verdict

STYLE = Path(__file__).with_name("page.css")
# How outcomes are called in words.
WORDS: dict[Outcome, str] = {
    "holds": "holds",
    "fails": "fails",
    "not tried": "could not be tried",
}


def html(proof: Proof) -> str:
    """Return a proof as an HTML document without scripts or other files."""
    title = f"edgeocr on GPUs: {proof.machine.name}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body>",
        "<h1>edgeocr on GPUs: a verdict for each claim</h1>",
        *(f'<p class="remark">{escape(each)}</p>' for each in remarks(proof)),
        f"<dl>{''.join(_fact(*each) for each in facts(proof))}</dl>",
        '<table class="verdicts"><thead>',
        "<tr><th>Claim</th><th>Verdict</th><th>Why</th></tr>",
        f"</thead><tbody>{''.join(map(_verdict_row, proof.verdicts))}</tbody></table>",
        *map(_section, proof.verdicts),
    ]
    return "\n".join([*parts, "</body></html>"]) + "\n"


def markdown(proof: Proof) -> str:
    """Return a proof as Markdown."""
    parts = ["# edgeocr on GPUs: a verdict for each claim", *remarks(proof)]
    parts.append("\n".join(f"- {_plain(name)}: {_plain(value)}" for name, value in facts(proof)))
    verdicts = [[f"{each.says}", WORDS[each.outcome], each.reason] for each in proof.verdicts]
    parts.append(_markdown_table(["Claim", "Verdict", "Why"], verdicts))
    for verdict in proof.verdicts:
        tables = [table for table in verdict.tables if table.rows]
        if tables:
            parts.append(f"## {_plain(verdict.claim.capitalize())}: {WORDS[verdict.outcome]}")
        for table in tables:
            parts += [_plain(table.title) + ":", _markdown_table(table.columns, _shown(table))]
    return "\n\n".join(parts) + "\n"


def remarks(proof: Proof) -> list[str]:
    """Return what a reader must know before the verdicts."""
    found = []
    if proof.stand_in is not None:
        found.append(
            f"This is a rehearsal: the provider {proof.stand_in!r} stood in for the GPU. It shows "
            "that every part of the proof works, and nothing about GPUs."
        )
    if proof.interrupted:
        found.append("The run was interrupted, so some claims were not tried.")
    return found


def facts(proof: Proof) -> list[tuple[str, str]]:
    """Return what the proof ran on, as names and values."""
    machine, bundle = proof.machine, proof.bundle
    known: list[tuple[str, str | None]] = [
        ("processor", f"{machine.cpu}, {machine.cpus_available} of {machine.cpus} CPUs"),
        ("board", machine.board),
        ("JetPack", machine.jetpack),
        ("power mode", machine.power_mode),
        ("GPU", ", ".join(_gpu(each.name, each.compute, each.memory) for each in machine.gpus)),
        ("driver", machine.driver),
        ("libraries", ", ".join(f"{name} {each}" for name, each in machine.libraries.items())),
        ("system", f"{machine.os}, {machine.architecture}, Python {machine.python}"),
        ("packages", ", ".join(f"{name} {each}" for name, each in proof.packages.items())),
        ("edgeocr", " ".join(filter(None, [proof.edgeocr, proof.commit and f"({proof.commit})"]))),
        ("bundle", _bundle(bundle.name, bundle.sha256, bundle.variants)),
        ("pictures", f"{len(proof.pictures)}: {', '.join(proof.pictures)}"),
        ("when", proof.when.replace("T", " ").replace("+00:00", " UTC")),
        ("time", f"{proof.seconds:.0f} s of {proof.minutes:g} minutes"),
    ]
    return [(name, value) for name, value in known if value]


def _bundle(name: str, sha256: str, variants: list[str]) -> str:
    graphs = f", graphs in {', '.join(variants)}" if variants else ""
    return f"{name}, sha256 {sha256[:12]}…{graphs}"


def _gpu(name: str, compute: str | None, memory: int | None) -> str:
    size = None if memory is None else f"{memory / (1 << 30):.1f} GiB"
    more = [compute and f"compute capability {compute}", size]
    return ", ".join([name, *filter(None, more)])


def _fact(name: str, value: str) -> str:
    return f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"


def _outcome(outcome: Outcome) -> str:
    return f'<span class="{outcome.replace(" ", "-")}">{WORDS[outcome]}</span>'


def _verdict_row(verdict: Verdict) -> str:
    return (
        f'<tr><td><a href="#{_anchor(verdict)}">{escape(verdict.says)}</a></td>'
        f"<td>{_outcome(verdict.outcome)}</td><td>{escape(verdict.reason)}</td></tr>"
    )


def _anchor(verdict: Verdict) -> str:
    return "".join(char if char.isalnum() else "-" for char in verdict.claim)


def _section(verdict: Verdict) -> str:
    tables = "".join(
        f"<h3>{escape(table.title)}</h3>{_html_table(table)}"
        for table in verdict.tables
        if table.rows
    )
    return (
        f'<h2 id="{_anchor(verdict)}">{escape(verdict.claim.capitalize())}: '
        f"{_outcome(verdict.outcome)}</h2><p>{escape(verdict.says)} "
        f"{WORDS[verdict.outcome].capitalize()}: {escape(verdict.reason)} "
        f"({verdict.seconds:.0f} s)</p>{tables}"
    )


def _html_table(table: Table) -> str:
    numbers = [
        all(cell is None or type(cell) in (int, float) for cell in column)
        for column in zip(*table.rows, strict=True)
    ]
    head = "".join(
        f"<th{' class=number' * number}>{escape(name)}</th>"
        for name, number in zip(table.columns, numbers, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=number' * number}>{escape(cell)}</td>"
            for cell, number in zip(row, numbers, strict=True)
        )
        + "</tr>"
        for row in _shown(table)
    )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _shown(table: Table) -> list[list[str]]:
    return [[shown(cell) for cell in row] for row in table.rows]


def shown(cell: Cell) -> str:
    """Return a cell in words: a float has four digits, and what is unknown a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _markdown_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = [_plain(name) for name in columns]
    lines = [names, ["---"] * len(names), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return a text in which Markdown finds no markup, and a table no border."""
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        text = text.replace(mark, f"\\{mark}")
    return text
