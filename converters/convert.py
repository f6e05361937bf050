"""One model's way: its folder → plain graph → edge graph, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgeocr.bundle.provenance import Check

from . import edge_graph
from .catalog.entries import Catalog, Entry
from .errors import ModelFormatError, ParityError
from .graph.interface import Interface, examine
from .model import inference_yml, network, settings
from .model.network import Network
from .model.paddle_model import PaddleModel, identify
from .optimize import Rewrite, optimize
from .parity import compare as parity
from .parity import paddle_reference
from .parity.compare import Comparison
from .translate import Translation, translate

Say = Callable[[str], None]


@dataclass(frozen=True)
class Conversion:
    """Both graphs of a model, how they were made, and what the checks said.

    rewrites: what was done to the edge graph to make it faster.
    paddle: the plain graph beside Paddle Inference, or why that was not run.
    """

    model: PaddleModel
    network: Network
    signature: Interface
    translation: Translation
    edge: bytes
    rewrites: list[Rewrite]
    edge_graph: Comparison
    paddle: Comparison | str
    notes: list[str] = field(default_factory=list)

    @property
    def plain(self) -> bytes:
        return self.translation.plain

    @property
    def checks(self) -> dict[str, Check]:
        """What a manifest records."""
        paddle = self.paddle
        skipped = Check("not run", paddle) if isinstance(paddle, str) else paddle.check()
        return {"edge_graph": self.edge_graph.check(), "paddle": skipped}


def convert(
    folder: Path,
    catalog: Catalog,
    say: Say,
    *,
    entry: Entry | None = None,
    paddle_python: Path | None = None,
) -> Conversion:
    """Translate and check the model in a folder.

    entry: whose task, normalization and sizes to take. When None the catalogue is searched for the
        files' hashes, then the folder's inference.yml is read, then the graph itself is looked at.
    paddle_python: a Python that has Paddle, to compare with; None for this one if it has.

    Raises `ModelFormatError`, `TranslationError` or `ParityError`.
    """
    model = identify(folder)
    name = entry.name if entry else network.name_of(folder)
    say(f"{name}: translating {model.graph.name}")
    translation = translate(model)
    for repair in translation.repairs:
        say(f"{name}: repaired {', '.join(repair.nodes)}: {repair.why}")
    signature = examine(translation.plain)
    known, notes = _known(folder, model, signature, catalog, entry)
    say(f"{known.name}: {known.task}, {known.algorithm}; known by {known.known_by}")
    edge, rewrites = optimize(edge_graph.make(translation.plain, known, signature))
    for rewrite in rewrites:
        say(f"{known.name}: rewritten {len(rewrite.nodes)} x: {rewrite.why}")
    beside_plain = parity.compare_edge(known, signature, translation.plain, edge)
    say(f"{known.name}: edge graph: {beside_plain}")
    require_passed(known, beside_plain)
    beside_paddle: Comparison | str
    if model.format == "onnx":
        beside_paddle = "published as ONNX, nothing was translated"
    else:
        try:
            beside_paddle, of_edge = parity.compare_paddle(
                known,
                signature,
                translation.plain,
                edge,
                lambda feeds: paddle_reference.run(model, feeds, paddle_python),
            )
            say(f"{known.name}: plain graph: {beside_paddle}")
            require_passed(known, beside_paddle)
            require_passed(known, of_edge)
        except paddle_reference.PaddleMissingError as error:
            beside_paddle = str(error)
    if isinstance(beside_paddle, str):
        say(f"{known.name}: plain graph beside Paddle Inference: {beside_paddle}")
    return Conversion(
        model, known, signature, translation, edge, rewrites, beside_plain, beside_paddle, notes
    )


def require_passed(known: Network, comparison: Comparison) -> None:
    """Raise `ParityError` for a comparison that failed."""
    if not comparison.passed:
        raise ParityError(f"{known.name}: {comparison}")


def _known(
    folder: Path, model: PaddleModel, signature: Interface, catalog: Catalog, entry: Entry | None
) -> tuple[Network, list[str]]:
    """The network, from the best source there is, and notes about sources that failed."""
    by = network.BY_NAME
    notes: list[str] = []
    if entry is None:
        entry, by = network.find_entry(catalog, model), network.BY_HASH
    if entry is not None:
        known = network.of_entry(settings.resolve(entry, folder), model, by)
        network.check_fits(known, signature)
        return known, notes
    name = network.name_of(folder)
    if model.settings is not None:
        try:
            known = network.of_settings(name, inference_yml.read(model.settings))
            network.check_fits(known, signature)
            return known, notes
        except ModelFormatError as error:
            notes.append(f"inference.yml was not used: {error}")
    return network.of_graph(name, signature), notes
