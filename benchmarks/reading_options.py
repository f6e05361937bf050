"""Options that the commands which read pictures with one bundle share."""

from __future__ import annotations

import argparse

from edgeocr.device.cpus import available_threads

from .inputs import positive


def add_reading_options(parser: argparse.ArgumentParser, *, repeat: int) -> None:
    """Declare --bundle, --threads and --repeat.

    Args:
        parser: The command's parser.
        repeat: How often all pictures are read by default.
    """
    parser.add_argument("--bundle", help="path of a bundle; default: the package's own")
    parser.add_argument(
        "--threads",
        type=positive,
        default=available_threads(),
        help="CPU threads; default: as many as this process may keep busy",
    )
    parser.add_argument(
        "--repeat",
        type=positive,
        default=repeat,
        help=f"how often all pictures are read; default: {repeat}",
    )
