"""Convert one model: its folder → plain graph → edge graph, each checked."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from edgeocr.bundle.provenance import Check

from . import edge_graph, fixed_shapes
from .catalog.entries import Catalog, Entry
from .errors import ConverterError, ModelFormatError, ParityError, TranslationError
from .fixed_shapes import Shapes
from .graph.interface import Interface, examine
from .model import interfaces, known, network
from .model.declaration import declaration, require_allowed
from .model.known import NOTHING_SAID, Statement
from .model.network import Network
from .model.paddle_model import PaddleModel, identify
from .optimize import Rewrite, rewrite
from .paddle.declared import Declaration
from .parity import compare as parity
from .parity import paddle_reference
from .parity.compare import Comparison
from .translate import OPSET, Translation, translate

logger = logging.getLogger(__name__)

NOT_COMPARED = "left out by --fast"


@dataclass(frozen=True)
class Wanted:
    """How the graphs are made, and how thoroughly they are checked."""

    shapes: Shapes = field(default_factory=dict)
    """The input shapes to fix; if empty, the sizes that the network leaves open stay open."""
    fast: bool = False
    """Whether to compare both graphs on a single batch, not to compare them with Paddle Inference,
    and to measure no times."""
    opset: int | None = None
    """The version of ONNX's operators that both graphs have; None for the usual one. A model in
    ONNX keeps its own."""
    later: Shapes = field(default_factory=dict)
    """The input shapes that the caller fixes in the plain graph afterwards; they are only checked,
    before anything is translated."""


DEFAULT = Wanted()


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
        notes: What is unusual about the model's dictionary.
        wanted: How the caller wanted the graphs to be made.
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
    wanted: Wanted = DEFAULT

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


class UnknownNetworkError(ModelFormatError):
    """Nothing says what a network is; it was translated, and its plain graph runs.

    Attributes:
        plain: The plain graph.
    """

    def __init__(self, name: str, interface: Interface, plain: bytes) -> None:
        """Describe the network and offer the algorithms.

        Args:
            name: The network's name.
            interface: The plain graph's interface.
            plain: The plain graph.
        """
        inputs, outputs = interfaces.shapes(interface)
        fitting = interfaces.fitting(inputs, outputs)
        shown = f"a graph with {interfaces.described(inputs, outputs)}"
        one_of = f"{shown} may be for {', '.join(fitting)}" if fitting else f"{shown} is unusual"
        by_algorithm = "one with --algorithm, or " if fitting else ""
        super().__init__(
            f"{name}: nothing says what this network is: {one_of}. Name {by_algorithm}the model of "
            "models.toml that it is an export of with --as"
        )
        self.plain = plain


def unknown_size(name: str, error: TranslationError) -> ModelFormatError:
    """Return the error for a network of which nothing says what it is or which size it takes.

    Args:
        name: The network's name.
        error: What happened on a picture of the usual size.
    """
    return ModelFormatError(
        f"{name}: nothing says what this network is, and it doesn't run on a picture of the "
        "usual size, which may not be its own. Name its algorithm with --algorithm, or the "
        f"model of models.toml that it is an export of with --as ({error!s:.160}…)"
    )


def convert(
    folder: Path,
    catalog: Catalog,
    *,
    entry: Entry | None = None,
    paddle_python: Path | None = None,
    said: Statement = NOTHING_SAID,
    wanted: Wanted = DEFAULT,
) -> Conversion:
    """Translate and check the model in a folder.

    Args:
        folder: The folder with the model's files.
        catalog: What models.toml says.
        entry: The entry with the network's task, normalization and sizes. With None, models.toml is
            searched for the files' hashes, then the folder's inference.yml is read, and then the
            graph itself is examined.
        paddle_python: A Python that has Paddle to compare with; None for this one.
        said: What the user says about the model.
        wanted: How the graphs are made, and how thoroughly they are checked.

    Returns:
        Both graphs, how they were made, and the results of the checks, all of which have passed.

    Raises:
        ConverterError: What is known about the model contradicts it or itself.
        ModelFormatError: The folder holds no model that can be converted.
        UnknownNetworkError: Nothing says what the network is.
        TranslationError: The translation failed.
        ParityError: A graph doesn't compute what its original computes.
    """
    model = identify(folder)
    name = entry.name if entry else network.name_of(folder)
    declared = declaration(model)
    found, notes = known.known(folder, model, declared, catalog, entry, said)
    _check(wanted, model, found, declared)
    if (other := model.unused_program) is not None:
        notes.append(
            f"{model.graph.name} is converted, and not {other.name} beside it; if they differ, "
            "remove the older one"
        )
    logger.info("%s: translating %s", name, model.graph.name)
    translation = translate(model, opset=wanted.opset or OPSET)
    for change in translation.changes:
        logger.info("%s: changed %s: %s", name, ", ".join(change.nodes), change.why)
    require_allowed(name, translation.plain)
    sizes = (None, None) if found is None else (found.height, found.width)
    try:
        interface = examine(translation.plain, *sizes)
    except TranslationError as error:
        if found is not None:
            raise
        raise unknown_size(name, error) from error
    found = found or known.shown(name, interface, said, notes)
    if found is None:
        raise UnknownNetworkError(name, interface, translation.plain)
    network.check_fits(found, Declaration(*interfaces.shapes(interface)))
    known.check_signs(found, interface)
    if wanted.shapes:
        logger.info("%s: fixing its shapes", name)
        names = [port.name for port in interface.inputs]
        fixed_shapes.check_strides(wanted.shapes, found, names)
        translation = translation.with_plain(fixed_shapes.fix(translation.plain, wanted.shapes))
        interface = examine(translation.plain, found.height, found.width)
    logger.info("%s: %s, %s; known by %s", found.name, found.task, found.algorithm, found.known_by)
    for note in notes:
        logger.warning("%s: %s", found.name, note)
    edge, rewrites = _edge_graph(translation.plain, found, interface)
    if wanted.shapes:
        edge = fixed_shapes.fix(edge, {}, "edge graph")
    for made in rewrites:
        logger.info("%s: rewritten %d x: %s", found.name, len(made.nodes), made.why)
    logger.info("%s: comparing the edge graph with the plain graph", found.name)
    beside_plain = parity.compare_edge(found, interface, translation.plain, edge, least=wanted.fast)
    logger.info("%s: edge graph: %s", found.name, beside_plain)
    require_passed(found, beside_plain)
    beside_paddle = _beside_paddle(
        model, found, interface, translation.plain, edge, paddle_python, fast=wanted.fast
    )
    return Conversion(
        model,
        found,
        interface,
        translation,
        edge,
        rewrites,
        beside_plain,
        beside_paddle,
        notes,
        wanted,
    )


def _check(
    wanted: Wanted, model: PaddleModel, found: Network | None, declared: Declaration
) -> None:
    """Check that the graphs can be made as they are wanted, before anything is translated.

    Raises:
        ConverterError: A shape doesn't fit the network, or a model in ONNX has another opset.
    """
    for shapes in (wanted.shapes, wanted.later):
        fixed_shapes.check(shapes, declared.inputs, declared.names)
    if found is not None:
        fixed_shapes.check_strides(wanted.shapes, found, declared.names)
        if found.task != "unwarping":  # the plain graph takes any size
            fixed_shapes.check_strides(wanted.later, found, declared.names)
    if model.format == "onnx" and wanted.opset is not None:
        graph = onnx.load(model.graph, load_external_data=False)
        own = next(item.version for item in graph.opset_import if not item.domain)
        if own != wanted.opset:
            raise ConverterError(
                f"--opset {wanted.opset}: {model.graph.name} is an ONNX graph of opset {own} and "
                "isn't translated. Leave out --opset, or convert the Paddle model behind it"
            )


def _edge_graph(plain: bytes, found: Network, interface: Interface) -> tuple[bytes, list[Rewrite]]:
    """Return the edge graph of a plain graph, and how it was rewritten."""
    model = edge_graph.wrapped(plain, found, interface)
    rewrites = rewrite(model)
    edge = model.SerializeToString(deterministic=True)
    del model  # the check needs another copy of the weights
    onnx.checker.check_model(edge)
    return edge, rewrites


def _beside_paddle(
    model: PaddleModel,
    found: Network,
    interface: Interface,
    plain: bytes,
    edge: bytes,
    paddle_python: Path | None,
    *,
    fast: bool,
) -> Comparison | str:
    """Compare both graphs with Paddle Inference; return the plain graph's comparison.

    Returns:
        The comparison, or why there is none.

    Raises:
        ParityError: A graph doesn't compute what Paddle Inference computes.
    """
    missing = ""
    if model.format == "onnx":
        missing = "published as ONNX, nothing was translated"
    elif fast:
        missing = NOT_COMPARED
    if not missing:
        try:
            of_plain, of_edge = parity.compare_paddle(
                found,
                interface,
                plain,
                edge,
                lambda feeds: paddle_reference.run(model, feeds, paddle_python),
            )
        except paddle_reference.PaddleMissingError as error:
            missing = str(error)
        else:
            logger.info("%s: plain graph: %s", found.name, of_plain)
            require_passed(found, of_plain)
            require_passed(found, of_edge)
            return of_plain
    logger.info("%s: plain graph beside Paddle Inference: %s", found.name, missing)
    return missing


def require_passed(found: Network, comparison: Comparison) -> None:
    """Raise `ParityError` for a comparison that failed."""
    if not comparison.passed:
        raise ParityError(f"{found.name}: {comparison}")
