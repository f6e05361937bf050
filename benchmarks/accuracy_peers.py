"""Let other engines read labelled pictures with a bundle's weights, and score them."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from converters.accuracy.labels import LabelledPages
from converters.accuracy.score import Score
from converters.catalog import entries as catalogs

from . import environments, peer_report, peers
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
        MeasurementError: A peer fails, or can't run these weights.
    """
    from . import weights  # needs onnx

    models: Models
    found: dict[str, dict[str, list[Score]]] = {}
    with tempfile.TemporaryDirectory(prefix="edgeocr-accuracy-") as temporary:
        models = weights.for_peers(bundle, catalogs.load(), Path(temporary))
        chosen = [peer for peer in environments.PEERS if peer.package in options.peers]
        for peer in chosen:
            if (reason := peer.left_out(bundle, False)) is not None:
                raise peers.MeasurementError(f"{peer.package} is left out because {reason}")
            (engine,) = peers.make_engines(options.environments, [peer.package])[1:]
            request: Request = {
                "name": bundle,
                "images": [str(path) for each in sets for path in each.pictures],
                "threads": options.threads or 2,
                "orientation": peer.orientation and not options.no_orientation,
                "bundle": "",
                "models": models,
                "packages": [peer.package],
            }
            request_file = Path(temporary, "request.json")
            request_file.write_text(json.dumps(request), encoding="utf-8")
            measured = peers.run_worker(engine, request_file, Path(temporary, "result.json"))
            readings = iter(measured["readings"])
            found[peer.package] = {
                each.name: [
                    peer_report.score(lines, next(readings)["lines"])
                    for lines in each.pictures.values()
                ]
                for each in sets
            }
    return found
