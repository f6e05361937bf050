"""python -m benchmarks accuracy | breakdown | compare | conversions | decoders | pages | peers
| regress | shapes | systems | translators"""

from __future__ import annotations

import argparse

from . import (
    accuracy,
    breakdown,
    compare,
    conversions,
    decoders,
    pages,
    peers,
    regress,
    shapes,
    systems,
    translators,
)


def main() -> None:
    """Run one measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    modules = {
        "accuracy": accuracy,
        "breakdown": breakdown,
        "compare": compare,
        "conversions": conversions,
        "decoders": decoders,
        "pages": pages,
        "peers": peers,
        "regress": regress,
        "shapes": shapes,
        "systems": systems,
        "translators": translators,
    }
    for name, module in modules.items():
        module.add_arguments(commands.add_parser(name, help=module.__doc__))
    options = parser.parse_args()
    modules[options.command].run(options)


if __name__ == "__main__":
    main()
