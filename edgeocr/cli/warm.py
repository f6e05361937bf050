"""`edgeocr warm`: prepare this device for a bundle.

It measures which graphs are faster where stages have several, builds TensorRT engines, and runs
every input shape once.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .arguments import add_engine_arguments, add_provider_argument, open_ocr, runtime_options
from .streams import tell

if TYPE_CHECKING:
    from ..ocr import OCR


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_engine_arguments(command)
    add_provider_argument(command)


def run(options: argparse.Namespace) -> int:
    """Measure, warm up and print what was done.

    Returns:
        0.

    Raises:
        EdgeOCRError: If the bundle or the provider does not work.
    """
    with open_ocr(options) as ocr:
        if not any(ocr.providers[stage] == "cpu" for stage in ocr.variants):
            return _warm(ocr)
    _measure(options)
    with open_ocr(options) as ocr:  # again, since it takes the graphs that are faster
        return _warm(ocr)


def _measure(options: argparse.Namespace) -> None:
    from ..stages.measuring import measure_variants

    measured = measure_variants(
        options.bundle,
        require_signature=options.require_signature,
        expect_digest=options.expect_digest,
        runtime=runtime_options(options),
    )
    if measured.path is not None:
        when = "measured now" if measured.new else "measured before; remove it to measure again"
        print(f"variants: {measured.path}, {when}")
    elif measured.new:
        tell("edgeocr: the times of the variants can't be kept, beside the bundle or in the cache")


def _warm(ocr: OCR) -> int:
    for stage, reason in ocr.variant_reasons.items():
        print(f"{stage}: {reason}")
    for reason in ocr.skipped_providers:
        tell(f"edgeocr: skipped provider: {reason}")
    for stage, done in ocr.warm_up().items():
        shapes = "1 input shape" if done.shapes == 1 else f"{done.shapes} input shapes"
        print(f"{stage}: {shapes} on {done.provider} in {done.seconds:.1f} s")
    for folder in ocr.engine_folders:
        print(f"engines: {folder}")
    return 0
