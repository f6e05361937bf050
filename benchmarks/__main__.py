"""python -m benchmarks COMMAND: measures edgeocr, its converters and other engines"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

COMMANDS = {
    "accuracy": "Hmean and CER on a labelled folder",
    "breakdown": "where each millisecond of a page goes",
    "compare": "results of edgeocr bench side by side",
    "conversions": "converts and verifies every Paddle model below a folder",
    "decoders": "times the decoders of EAST, SAST and PGNet beside PaddleOCR's",
    "pages": "draws labelled signs and pages, for accuracy",
    "peers": "edgeocr against other engines on the same weights",
    "regress": "fails when reading takes more instructions than the baseline",
    "shapes": "what padding to few input shapes changes in what is read",
    "spikes": "pages of random sizes, and how long the worst take",
    "systems": "what of each system is published, and how well its small network reads",
    "translators": "translates every PIR model below a folder, also with paddle2onnx 2",
}


def main() -> None:
    """Run one measurement. Only its module is imported: the converters' need more packages."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    chosen = sys.argv[1] if len(sys.argv) > 1 else None
    for name, does in COMMANDS.items():
        command = commands.add_parser(name, help=does, description=does)
        if name == chosen:
            module = import_module(f"benchmarks.{name}")
            module.add_arguments(command)
    options = parser.parse_args()
    module.run(options)


if __name__ == "__main__":
    main()
