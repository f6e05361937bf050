"""`edgeocr tune`: find out which way of running a bundle is right and the fastest on a device."""

from __future__ import annotations

import argparse
import math

from ..errors import EdgeOCRError
from .arguments import add_engine_arguments, provider_list, runtime_options
from .progress import ProgressLine
from .sources import pictures_to_repeat
from .streams import tell

# The seconds that a tuning takes at most unless others are given, and the most that may be given.
SECONDS, MOST_SECONDS = 120.0, 86400.0


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_engine_arguments(command, tunes=True, pins_graphs=False)
    command.add_argument(
        "--images",
        nargs="+",
        metavar="SOURCE",
        help="pictures, or folders of pictures; default: three that come with the package",
    )
    command.add_argument(
        "--providers",
        type=provider_list,
        metavar="LIST",
        help="execution providers to try, such as cuda,openvino; default: all that the installed "
        "ONNX Runtime has, TensorRT only if its engines have been built",
    )
    command.add_argument(
        "--seconds",
        type=_seconds,
        default=SECONDS,
        metavar="N",
        help=f"how long it may take; default: {SECONDS:g}",
    )


def run(options: argparse.Namespace) -> int:
    """Tune, and print the tables and the outcome.

    Returns:
        0, or 1 if the result can't be kept.

    Raises:
        EdgeOCRError: The bundle or the pictures can't be read, or another process tunes.
    """
    from ..tuning.table import table
    from ..tuning.tune import tune

    images = pictures_to_repeat(options.images, options.parser)
    try:
        with ProgressLine() as progress:
            tuning = tune(
                options.bundle,
                images=images,
                providers=options.providers,
                seconds=options.seconds,
                threads=options.threads,
                max_pixels=options.max_pixels,
                memory_limit=options.memory_limit,
                require_signature=options.require_signature,
                expect_digest=options.expect_digest,
                runtime=runtime_options(options),
                on_progress=progress.show,
            )
    except EdgeOCRError:
        raise
    except (TypeError, ValueError) as error:
        options.parser.error(str(error))
    print(table(tuning))
    if tuning.problem is not None:
        tell(f"edgeocr: {tuning.problem}")
        return 1
    print(f"kept in {tuning.path}")
    return 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds from 1 to {MOST_SECONDS:g}, not {text:.20}"
        )
    return seconds
