"""The cells of a measurement: which combinations there are, and which of them mean something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ..bundle.manifest import Stage
from ..runtime.providers import AUTO, PROVIDERS
from .cell import Combination, Precision, Taken


@dataclass(frozen=True)
class Graphs:
    """What `RuntimeOptions` is told so that a cell runs in its precision.

    Attributes:
        variant: The graph to take in each stage, by the graph's precision; None to leave the choice
            to `OCR`.
        fp16: Whether the execution provider may compute in lower precision than its graphs.
    """

    variant: dict[str, str] | None
    fp16: bool


def combinations(
    bundles: Sequence[str],
    providers: Sequence[str],
    precisions: Sequence[Precision],
    threads: Sequence[int | None],
) -> list[Combination]:
    """List the combinations of a matrix: those of a bundle and provider stand together.

    Args:
        bundles: The names of the bundles.
        providers: The execution providers.
        precisions: The precisions.
        threads: The numbers of CPU threads; None stands for the default.
    """
    return [
        Combination(*each)
        for each in dict.fromkeys(product(bundles, providers, precisions, threads))
    ]


def planned(
    cells: Sequence[Combination],
    stages: Mapping[str, Mapping[str, Stage]],
    available: Sequence[str],
) -> list[Graphs | str]:
    """Decide for each cell which graphs it runs, or say why the combination means nothing.

    Args:
        cells: The cells.
        stages: The stages of each bundle, by the bundle's name.
        available: The execution providers of the installed ONNX Runtime.

    Returns:
        The graphs of each cell, or the reason why it need not be measured: no stage has a graph of
        the precision and the provider has no option for it, or an earlier cell runs the same.
    """
    found: list[Graphs | str] = []
    earlier: dict[tuple[object, ...], Precision] = {}
    for cell in cells:
        graphs = graphs_of(stages[cell.bundle], cell.provider, cell.precision, available)
        if isinstance(graphs, Graphs):
            chosen = None if graphs.variant is None else tuple(sorted(graphs.variant.items()))
            key = (cell.bundle, cell.provider, cell.threads, chosen, graphs.fp16)
            if key in earlier:
                graphs = f"it runs the same graphs as {earlier[key]}, which is measured"
            else:
                earlier[key] = cell.precision
        found.append(graphs)
    return found


def graphs_of(
    stages: Mapping[str, Stage], provider: str, precision: Precision, available: Sequence[str]
) -> Graphs | str:
    """Return the graphs with which a bundle runs in a precision, or why there are none.

    A stage that has no graph of the precision takes its own graph.

    Args:
        stages: The bundle's stages, by name.
        provider: The execution provider, or "auto".
        precision: The precision, or "auto".
        available: The execution providers of the installed ONNX Runtime.
    """
    if precision == "auto":
        if all(len(stage.graphs) == 1 for stage in stages.values()):
            return Graphs({name: stage.precision for name, stage in stages.items()}, fp16=False)
        return Graphs(None, fp16=False)
    candidates = available if provider == AUTO else [provider]
    fp16 = precision == "fp16" and any(PROVIDERS[name].fp16_options for name in candidates)
    if not fp16 and not any(precision in stage.graphs for stage in stages.values()):
        has = ", ".join(f"{name} has {' and '.join(each.graphs)}" for name, each in stages.items())
        option = f", and {provider} has no option for it" if precision == "fp16" else ""
        return f"no stage of the bundle has a graph in {precision}{option}: {has}"
    return Graphs(
        {
            name: precision if precision in stage.graphs else stage.precision
            for name, stage in stages.items()
        },
        fp16,
    )


def is_reference(taken: Mapping[str, Taken], stages: Mapping[str, Stage]) -> bool:
    """Tell whether a cell's reading is the one that others are compared with.

    Args:
        taken: What really runs in each stage.
        stages: The bundle's stages, by name.
    """
    wanted = reference_graphs(stages)
    return all(each == Taken("cpu", wanted[name]) for name, each in taken.items())


def reference_graphs(stages: Mapping[str, Stage]) -> dict[str, str]:
    """Return the precision of each stage's graph in the reading that others are compared with.

    It is fp32; a stage that has no graph in fp32 takes its own graph.
    """
    return {
        name: "fp32" if "fp32" in stage.graphs else stage.precision
        for name, stage in stages.items()
    }
