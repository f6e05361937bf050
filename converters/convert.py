"""Convert one model: its folder → plain graph → edge graph, each checked."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from edgeocr.bundle.provenance import Check
from edgeocr.errors import BundleError
from edgeocr.graphs.check import check

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

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Conversion:
    """Both graphs of a model, how they were made, and the results of the checks.

    Attributes:
        model: The files that were converted.
        network: What the network is.
        interface: The plain graph's interface.
        translation: The plain graph and how it was translated.
        edge: The edge graph.
        rewrites: What was done to the edge graph to make it faster.
        edge_graph: The edge graph compared with the plain graph.
        paddle: The plain graph compared with Paddle Inference, or why Paddle Inference wasn't run.
        notes: Sources of settings that failed or contradict the graph.
    """

    model: PaddleModel
    network: Network
    interface: Interface
    translation: Translation
    edge: bytes
    rewrites: list[Rewrite]
    edge_graph: Comparison
    paddle: Comparison | str
    notes: list[str] = field(default_factory=list)

    @property
    def plain(self) -> bytes:
        """The plain graph."""
        return self.translation.plain

    @property
    def checks(self) -> dict[str, Check]:
        """The checks that a manifest records, by name."""
        paddle = self.paddle
        skipped = Check("not run", paddle) if isinstance(paddle, str) else paddle.check()
        return {"edge_graph": self.edge_graph.check(), "paddle": skipped}


def convert(
    folder: Path,
    catalog: Catalog,
    *,
    entry: Entry | None = None,
    paddle_python: Path | None = None,
) -> Conversion:
    """Translate and check the model in a folder.

    Args:
        folder: The folder with the model's files.
        catalog: What models.toml says.
        entry: The entry with the network's task, normalization and sizes. With None, models.toml is
            searched for the files' hashes, then the folder's inference.yml is read, and then the
            graph itself is examined.
        paddle_python: A Python that has Paddle to compare with; None for this one.

    Raises:
        ModelFormatError: The folder holds no model that can be converted.
        TranslationError: The translation failed.
        ParityError: A graph doesn't compute what its original computes.
    """
    model = identify(folder)
    name = entry.name if entry else network.name_of(folder)
    logger.info("%s: translating %s", name, model.graph.name)
    translation = translate(model)
    for repair in translation.repairs:
        logger.info("%s: repaired %s: %s", name, ", ".join(repair.nodes), repair.why)
    _require_allowed(name, translation.plain)
    interface = examine(translation.plain)
    known, notes = _known(folder, model, interface, catalog, entry)
    logger.info("%s: %s, %s; known by %s", known.name, known.task, known.algorithm, known.known_by)
    edge, rewrites = optimize(edge_graph.make(translation.plain, known, interface))
    for rewrite in rewrites:
        logger.info("%s: rewritten %d x: %s", known.name, len(rewrite.nodes), rewrite.why)
    beside_plain = parity.compare_edge(known, interface, translation.plain, edge)
    logger.info("%s: edge graph: %s", known.name, beside_plain)
    require_passed(known, beside_plain)
    beside_paddle: Comparison | str
    if model.format == "onnx":
        beside_paddle = "published as ONNX, nothing was translated"
    else:
        try:
            beside_paddle, of_edge = parity.compare_paddle(
                known,
                interface,
                translation.plain,
                edge,
                lambda feeds: paddle_reference.run(model, feeds, paddle_python),
            )
            logger.info("%s: plain graph: %s", known.name, beside_paddle)
            require_passed(known, beside_paddle)
            require_passed(known, of_edge)
        except paddle_reference.PaddleMissingError as error:
            beside_paddle = str(error)
    if isinstance(beside_paddle, str):
        logger.info("%s: plain graph beside Paddle Inference: %s", known.name, beside_paddle)
    return Conversion(
        model, known, interface, translation, edge, rewrites, beside_plain, beside_paddle, notes
    )


def _require_allowed(name: str, plain: bytes) -> None:
    """Raise `ModelFormatError` for a plain graph that no runtime would open after its conversion.

    The check is the runtime's own. It comes before ONNX Runtime sees a stranger's model.
    """
    try:
        check(plain)
    except BundleError as error:
        raise ModelFormatError(f"{name}: the runtime would refuse its graph: {error}") from None


def require_passed(known: Network, comparison: Comparison) -> None:
    """Raise `ParityError` for a comparison that failed."""
    if not comparison.passed:
        raise ParityError(f"{known.name}: {comparison}")


def _known(
    folder: Path, model: PaddleModel, interface: Interface, catalog: Catalog, entry: Entry | None
) -> tuple[Network, list[str]]:
    """Return the network, from the best available source, and notes about sources that failed."""
    by = network.BY_NAME
    notes: list[str] = []
    if entry is None:
        entry, by = network.find_entry(catalog, model), network.BY_HASH
    if entry is not None:
        known = network.of_entry(settings.resolve(entry, folder), model, by)
        network.check_fits(known, interface)
        return known, notes
    name = network.name_of(folder)
    if model.settings is not None:
        try:
            known = network.of_settings(name, inference_yml.read(model.settings))
            network.check_fits(known, interface)
            return known, notes
        except ModelFormatError as error:
            notes.append(f"inference.yml was not used: {error}")
    return network.of_graph(name, interface), notes
