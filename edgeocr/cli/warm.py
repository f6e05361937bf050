"""`edgeocr warm`: run every input shape once, and build TensorRT engines beforehand."""

from __future__ import annotations

import argparse

from .arguments import add_engine_arguments, add_provider_argument, open_ocr
from .streams import tell


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_engine_arguments(command)
    add_provider_argument(command)


def run(options: argparse.Namespace) -> int:
    """Warm up and print what was done.

    Returns:
        0.

    Raises:
        EdgeOCRError: If the bundle or the provider does not work.
    """
    with open_ocr(options) as ocr:
        for reason in ocr.skipped_providers:
            tell(f"edgeocr: skipped provider: {reason}")
        for stage, done in ocr.warm_up().items():
            shapes = "1 input shape" if done.shapes == 1 else f"{done.shapes} input shapes"
            print(f"{stage}: {shapes} on {done.provider} in {done.seconds:.1f} s")
        for folder in ocr.engine_folders:
            print(f"engines: {folder}")
    return 0
