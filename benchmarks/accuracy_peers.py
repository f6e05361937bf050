"""Let other engines read labelled pictures with a bundle's weights, and score them."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from converters.accuracy.labels import LabelledPages
from converters.catalog import entries as catalogs
from edgeocr.accuracy.score import Score

from . import environments, inputs, peer_report
from .engine_process import EngineProcess, make_engines
from .engines.measure import Models, Request


def scores(
    bundle: str, sets: Sequence[LabelledPages], options: argparse.Namespace
) -> dict[str, dict[str, list[Score]]]:
    """Return the scores of each peer, of each picture of each set, by the set's name.

    Args:
        bundle: The bundle's name.
        sets: The labelled pictures.
        options: The options of the command.

    Raises:
        ConverterError: The bundle is none of models.toml, whose weights the peers could run.
        MeasurementError: A peer can't run these weights.
        EngineError: A peer's process ends too early.
        EnvironmentFailedError: A peer's environment can't be made.
    """
    from . import weights  # needs onnx

    models: Models
    found: dict[str, dict[str, list[Score]]] = {}
    with tempfile.TemporaryDirectory(prefix="edgeocr-accuracy-") as temporary:
        models = weights.for_peers(bundle, catalogs.load(), Path(temporary))
        chosen = [peer for peer in environments.PEERS if peer.package in options.peers]
        for peer in chosen:
            if (reason := peer.left_out(bundle, False)) is not None:
                raise inputs.MeasurementError(f"{peer.package} is left out because {reason}")
            (engine,) = make_engines(options.environments, [peer])[1:]
            request: Request = {
                "name": bundle,
                "threads": options.threads or 2,
                "orientation": peer.orientation and not options.no_orientation,
                "bundle": "",
                "models": models,
                "packages": [],
                "rest": False,
            }
            with EngineProcess(engine, request) as process:
                found[peer.package] = {
                    each.name: [
                        peer_report.score(lines, process.read(picture)["lines"])
                        for picture, lines in each.pictures.items()
                    ]
                    for each in sets
                }
    return found
