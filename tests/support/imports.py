"""Find the imports between the modules of a package, and which of them break the rules.

`python -m tests.support.imports` prints what tests/test_architecture.py checks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support.paths import ROOT

# Each row is a level, whose modules may import those in the rows below it. A name is a module at
# the top of the package, or a package there with everything in it.
EDGEOCR = (
    ("__main__",),
    ("ray",),
    ("cli",),
    ("ocrmypdf_plugin",),
    ("__init__",),
    ("serve", "watch"),
    ("batch",),
    ("tuning",),
    ("bench", "doctor", "probe"),
    ("ocr",),
    ("memory",),
    ("stages",),
    ("page_stages", "detect", "spot", "orient", "recognize"),
    ("layout", "crops", "resize"),
    ("tiling",),
    ("page",),
    ("writers",),
    ("results",),
    ("images",),
    ("documents",),
    ("decoding",),
    ("variants",),
    ("tuned",),
    ("bundle",),
    ("graphs",),
    ("runtime",),
    ("postprocess", "accuracy"),
    ("device",),
    ("outputs",),
    ("errors", "version"),
)
CONVERTERS = (
    ("__main__",),
    ("doctor",),
    ("arguments",),
    ("freeze", "verify", "listing", "triton", "output", "npu"),
    ("report", "precision"),
    ("bundle",),
    ("convert", "charset", "accuracy"),
    ("parity",),
    ("fixed_shapes",),
    ("optimize", "edge_graph"),
    ("edge_nodes",),
    ("translate",),
    ("model",),
    ("paddle", "graph"),
    ("catalog",),
    ("atomic", "child_process", "exact"),
    ("errors", "__init__"),
)
LEVELS: Mapping[str, Sequence[Sequence[str]]] = {"edgeocr": EDGEOCR, "converters": CONVERTERS}

Arrows = dict[str, set[str]]


def modules(package: str) -> dict[str, Path]:
    """Return the file of each module of a package, by its dotted name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(package: str) -> Arrows:
    """Return which modules of the same package each module imports, wherever in its code."""
    known = modules(package)
    return {
        name: {target for target in _imported(name, path, known) if target != name}
        for name, path in known.items()
    }


def upward(package: str, found: Arrows) -> Iterator[str]:
    """Yield each import that points to the importing module's own level or above."""
    rank = {name: i for i, names in enumerate(LEVELS[package]) for name in names}
    for module, targets in found.items():
        for target in sorted(targets):
            one, other = room(module), room(target)
            if one not in rank or other not in rank:
                yield f"{one if one not in rank else other} has no level"
            elif one != other and rank[other] <= rank[one]:
                yield f"{module} imports {target}"


def circles(found: Arrows) -> list[str]:
    """Return a circle of imports as a list of modules, which is empty if there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room(module: str) -> str:
    """Return the module at the top of the package, or the package below it."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def _imported(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from _known((alias.name for alias in node.names), known)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                source = ".".join([*parts, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield from _known([inner if inner in known else source], known)


def _known(names: Iterable[str], known: Mapping[str, Path]) -> Iterator[str]:
    return (name for name in names if name in known)


def report(package: str) -> str:
    """Describe a package: its files, levels, imports and circles."""
    found, files = arrows(package), modules(package)
    top = [path for path in files.values() if path.parent == ROOT / package]
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in files.values()}
    longest = max(lengths, key=lambda path: lengths[path])
    text = "".join(path.read_text("utf-8") for path in files.values())
    rows = {
        "files": f"{len(files)}, of which {len(top)} at the top",
        "levels": str(len(LEVELS[package])),
        "imports": str(sum(map(len, found.values()))),
        "upward": str(len(list(upward(package, found)))),
        "circles": " → ".join(circles(found)) or "none",
        "longest file": f"{longest.relative_to(ROOT)}, {lengths[longest]} lines",
        "dict[str, Any]": str(text.count("dict[str, Any]")),
    }
    return "\n".join([package, *(f"  {name:15} {value}" for name, value in rows.items())])


if __name__ == "__main__":
    for each in LEVELS:
        print(report(each))
        for row in upward(each, arrows(each)):
            print("    up:", row)
