"""The command line of the measurements: python -m benchmarks COMMAND."""

from __future__ import annotations

import argparse
import logging
import sys
from importlib import import_module

COMMANDS = {
    "accuracy": "measure what is read of labelled pictures, also beside other engines",
    "arm": "count the instructions of a read on emulated Arm, also beside a baseline",
    "breakdown": "show where each millisecond of a page goes",
    "causes": "show what wrong settings of a network cost, and whether the doctor names them",
    "compare": "show results of edgeocr bench side by side",
    "conversions": "convert and verify every Paddle model below a folder",
    "cores": "show how busy the cores are with one page, with a stream and with pages side by side",
    "decoders": "time the decoders of EAST, SAST, PSE, FCE, CT and PGNet beside PaddleOCR's",
    "devices": "make docs/devices.md, the table of all devices that were measured",
    "gpu": "prove or disprove each claim about GPUs on this machine",
    "kinds": "count how many random pictures of each kind are read as a person reads them",
    "memory": "show what takes memory, and whether it grows over many pictures",
    "npu": "make graphs for NPUs, and give them to the compilers that run on a computer",
    "onnxruntimes": "read the same pictures with several versions of ONNX Runtime, in turn",
    "pages": "draw labelled signs and pages, to measure accuracy on",
    "peers": "measure edgeocr beside other engines that run the same weights",
    "regress": "fail if a read costs more instructions or CPU time than the baseline's",
    "resolutions": "show what the resolution of PDF pages costs, and what it changes in their text",
    "scale": "measure pages per second with and without Ray, and what a million pages cost",
    "scaling": "show how time and memory grow with lines, text, background and threads",
    "serve": "show what HTTP costs: edgeocr serve beside OCR.read in process",
    "shapes": "show how padding to a fixed set of shapes changes what is read",
    "soak": "read random pictures in many threads, with forks and interrupts, and find leaks",
    "spikes": "read pages of random sizes, and fail if one takes far longer than the median",
    "start": "measure how long fresh processes take to a first text, and to each step before it",
    "systems": "list how each OCR system is published, and measure a small network of it",
    "translators": "translate every PIR model below a folder, also with paddle2onnx 2",
    "watch": "score the events of a watch on rendered videos, and show what it costs",
    "wheels": "bring wheels to a machine without a network, in pieces with checksums",
}
# Commands that show what the converters log, because they convert for minutes before they print.
CONVERTERS_LOG = {"conversions", "peers"}


def main() -> None:
    """Run the measurement that the command line names.

    Only its module is imported, because those that measure the converters need more packages.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure edgeocr, its converters and other engines.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    chosen = sys.argv[1] if len(sys.argv) > 1 else None
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == chosen:
            module = import_module(f"benchmarks.{name}")
            module.add_arguments(command)
    options = parser.parse_args()
    module.run(options)


if __name__ == "__main__":
    if CONVERTERS_LOG.intersection(sys.argv[1:2]):
        logging.basicConfig(format="%(message)s")
        logging.getLogger("converters").setLevel(logging.INFO)
    main()
