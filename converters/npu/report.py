"""The report of `python -m converters npu` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeocr.doctor.report import Rows, listing, section

from .export import Export, Refusal


def report(made: Export) -> str:
    """Return what was made, what the documentation says about it, and what comes next."""
    target = made.target
    graph: Rows = {
        "inputs": _sizes(made.inputs),
        "outputs": _sizes(made.outputs),
        "opset": made.opset,
        "operators": ", ".join(f"{number} {name}" for name, number in made.operators.items()),
        "rewritten": ", ".join(f"{number} {name}" for name, number in made.rewrites.items()),
        "difference": f"{made.difference:.1e} of the largest value, caused by the rewrites",
    }
    picture: Rows = {
        "channels": made.colour,
        "mean": ", ".join(f"{value:g}" for value in made.mean),
        "std": ", ".join(f"{value:g}" for value in made.std),
    }
    blocks = [
        section(f"{target.title}: npu.onnx", graph),
        section("Pixels from 0 to 255 become the input: (pixel - mean) / std", picture),
        section("Documentation", {"source": target.source}),
        listing("Not in its list of operators", _lines(made.refused)),
        listing("With a restriction", _lines(made.restricted)),
        listing("Further notes", made.others),
        f"Next: {target.next}. Listed operators can be slow or inexact: compare on the device.",
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _sizes(given: Mapping[str, Sequence[int]]) -> str:
    return ", ".join(f"{name} {' x '.join(map(str, sizes))}" for name, sizes in given.items())


def _lines(refusals: Sequence[Refusal]) -> list[str]:
    return [
        f"{each.operator}, {each.number} x, such as {', '.join(each.nodes)}"
        + (f": {each.restriction}" if each.restriction else "")
        for each in refusals
    ]
