"""The examination of `python -m converters doctor`: facts about a folder, and conclusions."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from edgeocr.errors import EdgeOCRError

from .. import edge_graph
from ..catalog.entries import READING, Catalog
from ..convert import UnknownNetworkError, unknown_size
from ..errors import ConverterError, TranslationError
from ..graph.interface import Interface, examine
from ..model import inference_yml, network
from ..model.declaration import declaration
from ..model.paddle_model import PaddleModel, identify
from ..optimize import optimize
from ..parity import compare as parity
from ..parity import paddle_reference
from ..translate import translate
from . import findings, reading, sources
from .facts import Compared, Facts
from .reading import Request, Subject
from .sources import Sources

logger = logging.getLogger(__name__)

NO_PICTURES = (
    "no picture was tried: --images DIR with a few labelled pictures shows whether the order of "
    "the characters, the colours and the normalization are right"
)


@dataclass(frozen=True)
class Examination:
    """Facts about a folder, and the conclusions from them.

    Attributes:
        facts: What was found.
        problems: What makes the network read wrongly or keeps it from being converted, and what to
            do about it.
        hints: What is unusual and may be intended, and what was not examined.
    """

    facts: Facts
    problems: list[str]
    hints: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` writes."""
        return {**self.facts.to_dict(), "problems": self.problems, "hints": self.hints}


def examine_folder(request: Request, catalog: Catalog) -> Examination:
    """Examine a folder; whatever is wrong with it becomes a problem, not an error."""
    return conclude(_facts(request, catalog))


def conclude(facts: Facts) -> Examination:
    """Draw the conclusions from the facts."""
    return Examination(facts, findings.problems(facts), findings.hints(facts))


def _facts(request: Request, catalog: Catalog) -> Facts:
    try:
        model = identify(request.folder)
        declared = declaration(model)
    except ConverterError as error:
        return Facts(faults=[str(error)])
    logger.info("translating %s", model.graph.name)
    facts = Facts(sources.folder(model, None))
    try:
        translation = translate(model)
        facts = replace(facts, folder=sources.folder(model, translation))
        interface = _examined(translation.plain, request, model)
        found = sources.read(
            request.folder,
            model,
            interface,
            catalog,
            algorithm=request.algorithm,
            ignore_settings=request.ignore_settings,
            given=request.dictionaries[0] if request.dictionaries else None,
        )
        if found is None:
            raise UnknownNetworkError(request.folder.name, interface, translation.plain)
    except ConverterError as error:
        return replace(facts, faults=[str(error)])
    one_shape = network.fixed_shape(found.network.task, declared)
    facts = replace(
        facts,
        kind=sources.kind(found),
        listed=sources.listed(found),
        seen=sources.seen(found, interface),
        faults=[*found.contradictions, *([one_shape] if one_shape is not None else [])],
        same_classes=_same_classes(found, catalog),
    )
    stage = found.stage
    width = stage.get("width", found.network.width)
    known = replace(found.network, height=stage.get("height"), width=width)
    try:
        edge, _ = optimize(edge_graph.make(translation.plain, known, interface))
    except EdgeOCRError as error:
        # A contradiction, such as another number of channels, can be the reason; it says more.
        return replace(facts, faults=facts.faults or [str(error)])
    subject = Subject(model, found, known, interface, translation.plain, edge)
    return _with_pictures(_with_parity(facts, request, subject), request, subject)


def _examined(plain: bytes, request: Request, model: PaddleModel) -> Interface:
    """Examine a plain graph, at the usual sizes or else at those that the settings state.

    Some networks declare that any width fits and run at a single one, PARSeq for example. The usual
    sizes go first, because those that the settings state may be the fault that is looked for.

    Raises:
        ConverterError: The graph doesn't run, or isn't that of a text network.
    """
    try:
        return examine(plain)
    except TranslationError as error:
        if request.algorithm is not None:
            stated = network.of_algorithm("", request.algorithm, "")
        elif model.settings is not None and not request.ignore_settings:
            stated = network.of_settings("", inference_yml.read(model.settings))
        else:
            raise unknown_size(network.name_of(request.folder), error) from error
        return examine(plain, stated.height, stated.width)


def _with_parity(facts: Facts, request: Request, subject: Subject) -> Facts:
    """Compare the edge graph with the plain one, and both with Paddle Inference."""
    known, interface, model = subject.network, subject.interface, subject.model
    compared, not_done, faults = [], list(facts.not_done), list(facts.faults)
    try:
        logger.info("comparing the edge graph with the plain graph")
        beside = parity.compare_edge(known, interface, subject.plain, subject.edge)
        compared.append(Compared("edge graph", beside.passed, str(beside)))
        if model.format == "onnx":
            raise paddle_reference.PaddleMissingError("it is ONNX, which Paddle can't run")
        logger.info("comparing with Paddle Inference")
        results = parity.compare_paddle(
            known,
            interface,
            subject.plain,
            subject.edge,
            lambda feeds: paddle_reference.run(model, feeds, request.paddle_python),
        )
        for what, result in zip(("plain graph", "edge graph"), results, strict=True):
            compared.append(Compared(f"{what} and Paddle", result.passed, str(result)))
    except paddle_reference.PaddleMissingError as error:
        not_done.append(f"nothing was compared with Paddle Inference: {error}")
    except EdgeOCRError as error:
        faults.append(str(error))
    return replace(facts, compared=compared, not_done=not_done, faults=faults)


def _with_pictures(facts: Facts, request: Request, subject: Subject) -> Facts:
    """Use the network on the user's pictures, if there are any."""
    if request.pictures is None:
        if subject.network.task not in ("recognition", "detection"):
            return facts
        return replace(facts, not_done=[*facts.not_done, NO_PICTURES])
    try:
        result = reading.read(subject, request)
    except EdgeOCRError as error:
        return replace(facts, faults=[*facts.faults, str(error)])
    return replace(
        facts,
        pictures=result.pictures,
        not_done=[*facts.not_done, *result.not_done],
        faults=[*facts.faults, *result.faults],
    )


def _same_classes(found: Sources, catalog: Catalog) -> list[str]:
    """Return the published models with this algorithm and number of classes."""
    if found.classes is None or found.network.task not in READING:
        return []
    return [
        f"{entry.name} ({', '.join(entry.languages[:3])})"
        for entry in catalog.models.values()
        if entry.algorithm == found.network.algorithm
        and entry.stage.get("charset", {}).get("classes") == found.classes
    ]
