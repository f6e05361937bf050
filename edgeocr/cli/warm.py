"""`edgeocr warm`: prepare this device for a bundle, and check that it reads rightly.

It builds TensorRT engines, runs every input shape once, and compares what is read with what the CPU
reads in float32.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from .arguments import add_engine_arguments, add_provider_argument, open_ocr, runtime_options
from .sources import pictures_to_repeat
from .streams import tell

if TYPE_CHECKING:
    from ..ocr import OCR


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_engine_arguments(command, tunes=True)
    add_provider_argument(command)
    command.add_argument(
        "--images",
        nargs="+",
        metavar="SOURCE",
        help="pictures, or folders of pictures, with which to check what is read; default: three "
        "that come with the package",
    )


def run(options: argparse.Namespace) -> int:
    """Warm up, check, and print what was done.

    Returns:
        0, or 1 if something that was asked for reads wrongly.

    Raises:
        EdgeOCRError: If the bundle or the provider does not work.
    """
    from ..bench.pictures import inspect, samples
    from ..runtime.providers import AUTO
    from ..stages.opening import open_bundle
    from ..tuned.keys import key_of_this_device
    from ..tuning.preparing import request_for
    from ..tuning.process import Readers
    from ..tuning.warming import Checks, keep_unfit, warm

    images = pictures_to_repeat(options.images, options.parser)
    runtime = runtime_options(options)
    with open_ocr(options):  # if this fails, nothing needs to be prepared
        bundle = open_bundle(options.bundle, options.require_signature, options.expect_digest)
    pictures = inspect(samples() if images is None else images)
    for failed in pictures.failed:
        tell(f"edgeocr: left out: {failed.error}")
    request = request_for(
        bundle,
        runtime,
        pictures,
        max_pixels=options.max_pixels,
        memory_limit=options.memory_limit,
        require_signature=options.require_signature,
    )

    def is_free(stage: str) -> bool:
        provider, variant = options.provider, options.variant
        chosen = provider if isinstance(provider, str) else provider.get(stage, AUTO)
        pinned = stage in variant if isinstance(variant, dict) else variant is not None
        return chosen == AUTO and not pinned

    with Readers(request) as readers:
        warmed = warm(
            partial(open_ocr, options),
            _warm,
            Checks(bundle.manifest.stages.present, readers, len(pictures.paths), options.threads),
            is_free,
            partial(keep_unfit, bundle, key_of_this_device(bundle.digest, runtime)),
        )
    for sentence in warmed.refused:
        print(f"not used from now on: {sentence}")
    print(warmed)
    for sentence in warmed.wrong:
        tell(f"edgeocr: {sentence}")
    return 1 if warmed.wrong else 0


def _warm(ocr: OCR) -> None:
    for stage, reason in ocr.variant_reasons.items():
        print(f"{stage}: {reason}")
    for reason in ocr.skipped_providers:
        tell(f"edgeocr: skipped provider: {reason}")
    for stage, done in ocr.warm_up().items():
        shapes = "1 input shape" if done.shapes == 1 else f"{done.shapes} input shapes"
        print(f"{stage}: {shapes} on {done.provider} in {done.seconds:.1f} s")
    for folder in ocr.engine_folders:
        print(f"engines: {folder}")
