"""Prove or disprove, on one machine, each claim that edgeocr makes about GPUs.

Usage: python -m benchmarks gpu -o DIR [--data DIR] [--bundle PATH] [--minutes N].
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter

from edgeocr.bench.pictures import samples
from edgeocr.bundle.bundle import Bundle
from edgeocr.device import machine, nvidia
from edgeocr.device.cpus import available_threads
from edgeocr.errors import EdgeOCRError
from edgeocr.outputs.replacement import write_file
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.providers import PROVIDERS
from edgeocr.runtime.start import built_in
from edgeocr.version import __version__

from .commits import commit
from .inputs import MeasurementError, find_pictures, positive
from .machine import slug
from .progress import say
from .proof import page, record
from .proof.budget import Budget
from .proof.cells import STAND_INS, cells_for
from .proof.child import versions
from .proof.claims.all import CLAIMS
from .proof.record import Proof, RecordedBundle, RecordedGPU, RecordedMachine
from .proof.trial import Trial
from .proof.trying import try_claims, untried

# The exit code after Ctrl-C, as shells have it.
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder for the JSON file and the page"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of further pictures to read"
    )
    parser.add_argument(
        "--bundle", metavar="PATH", help="path of a bundle; default: the package's own"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="time for all claims; default: %(default)g"
    )
    parser.add_argument(
        "--pages",
        type=positive,
        default=500,
        help="number of pages for the claims about spikes and memory; default: %(default)s",
    )
    parser.add_argument(
        "--stand-in",
        choices=STAND_INS,
        help="rehearse the proof without a GPU: this provider stands in for CUDA",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[claim.name for claim in CLAIMS],
        metavar="CLAIM",
        help=f"try these claims only: {', '.join(claim.name for claim in CLAIMS)}",
    )
    parser.add_argument(
        "--show", type=Path, metavar="FILE", help="read a proof's JSON file and print it again"
    )


def run(options: argparse.Namespace) -> None:
    """Try the claims, write the JSON file and the page, and print the verdicts.

    The exit code is 0 whatever the verdicts are, 1 if nothing could be tried at all, and 130 after
    Ctrl-C.
    """
    try:
        if options.show is not None:
            print(page.markdown(record.load(options.show)), end="")
            return
        proof = _prove(options)
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(page.markdown(proof), end="")
    if proof.interrupted:
        raise SystemExit(INTERRUPTED)


def missing(stand_in: str | None) -> str | None:
    """Say in a sentence what is missing for the proof; None if nothing is."""
    there = built_in()
    if stand_in is not None:
        return (
            None
            if stand_in in there
            else f"the provider {stand_in!r} is not installed: " + (PROVIDERS[stand_in].install)
        )
    rehearse = "; --stand-in openvino rehearses the proof without a GPU"
    if nvidia.driver() is None:
        return f"NVIDIA's driver was not found, so there is no GPU to try{rehearse}"
    if not nvidia.gpus():
        return f"NVIDIA's driver is installed, but it finds no GPU{rehearse}"
    if not {"cuda", "tensorrt", "tensorrt-rtx"}.intersection(there):
        return (
            "the installed ONNX Runtime has no provider for NVIDIA's GPUs: "
            + PROVIDERS["cuda"].install
        )
    return None


def _prove(options: argparse.Namespace) -> Proof:
    """Try the claims, and write what is there after each of them.

    Raises:
        MeasurementError: There is no GPU, no folder for the results, or no picture.
        EdgeOCRError: The bundle can't be opened, or a file can't be written.
    """
    if (reason := missing(options.stand_in)) is not None:
        raise MeasurementError(reason)
    if options.output is None:
        raise MeasurementError("-o DIR is missing: it names the folder for the results")
    if options.minutes <= 0:
        raise MeasurementError(f"--minutes must be positive, not {options.minutes:g}")
    pictures = samples() + (find_pictures(options.data) if options.data else [])
    bundle = Bundle.default() if options.bundle is None else Bundle.open(options.bundle)
    stages = bundle.manifest.stages.present.values()
    names = (name for each in stages if each.variants for name in each.graphs)
    variants: list[str] = list(dict.fromkeys(names))
    begin = perf_counter()
    proof = Proof(
        schema=record.SCHEMA,
        edgeocr=__version__,
        commit=commit(),
        when=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        minutes=options.minutes,
        seconds=0.0,
        interrupted=False,
        stand_in=options.stand_in,
        machine=describe(),
        packages=versions(),
        bundle=RecordedBundle(bundle.manifest.name, bundle.digest, variants),
        pictures=[path.name for path in pictures],
        verdicts=[],
    )
    output = options.output / file_name(proof)
    options.output.mkdir(parents=True, exist_ok=True)
    claims = [each for each in CLAIMS if not options.only or each.name in options.only]
    with tempfile.TemporaryDirectory(prefix="edgeocr-proof-") as folder:
        budget = Budget(60 * options.minutes, {each.name: each.weight for each in claims})
        trial = Trial(
            cells_for(options.stand_in, variants),
            None if options.bundle is None else str(Path(options.bundle).absolute()),
            [str(path.absolute()) for path in pictures],
            Path(folder),
            import_onnxruntime().__version__,
            budget.whole,
            pages=options.pages,
        )
        try:
            for verdict in try_claims(claims, trial, budget, say):
                seconds = round(perf_counter() - begin, 1)
                proof = replace(proof, seconds=seconds, verdicts=[*proof.verdicts, verdict])
                write(proof, output)
        except KeyboardInterrupt:
            left = [untried(each) for each in claims[len(proof.verdicts) :]]
            proof = replace(proof, interrupted=True, verdicts=[*proof.verdicts, *left])
            write(proof, output)
    say(f"written to {output}.json and {output}.html")
    return proof


def describe() -> RecordedMachine:
    """Return what this machine is."""
    known = machine.describe()
    return RecordedMachine(
        cpu=known.cpu or "unknown processor",
        cpus=known.cpus or 1,
        cpus_available=available_threads(),
        os=", ".join(filter(None, (known.os, known.kernel))),
        architecture=known.architecture,
        python=known.python,
        board=known.cpu if known.board else None,
        jetpack=known.jetpack,
        power_mode=machine.power_mode(),
        gpus=[
            RecordedGPU(each.name, each.compute_capability, each.memory_bytes)
            for each in nvidia.gpus()
        ],
        driver=nvidia.driver_release(),
        libraries=nvidia.versions(),
    )


def file_name(proof: Proof) -> str:
    """Return the name of a proof's files without their endings: what it ran on."""
    words = ["gpu", *["stand-in"] * (proof.stand_in is not None)]
    gpus = [each.name for each in proof.machine.gpus]
    if gpus:
        return "-".join([*words, slug({"cpu": gpus[0], "cpus": len(gpus)})])
    return "-".join([*words, slug({"cpu": proof.machine.cpu, "cpus": proof.machine.cpus})])


def write(proof: Proof, path: Path) -> None:
    """Write the JSON file and the page.

    Args:
        proof: The proof.
        path: The path of both without their endings.

    Raises:
        OutputError: A file can't be written.
    """
    for ending, text in (
        (".json", proof.to_json()),
        (".html", page.html(proof)),
        (".md", page.markdown(proof)),
    ):
        write_file(path.with_name(path.name + ending), text.encode())
