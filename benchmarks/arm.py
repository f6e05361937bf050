"""Count the instructions that the aarch64 wheels execute for a read, under QEMU's emulation.

Usage: python -m benchmarks arm [--bundle FILE …] [--rapidocr NAME …] [--operators] [--json FILE]
       python -m benchmarks arm --baseline FILE [--update]

A count is not a time: it says nothing about memory, caches or pipelines.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.catalog.fetch import cache_folder
from edgeocr.errors import EdgeOCRError

from . import environments
from .baseline import RegressError
from .emulation.boards import PROCESSORS
from .emulation.counts import to_dict
from .emulation.errors import EmulationError
from .emulation.job import JOB, RAPIDOCR, SITE, Counted, Counter, Subject
from .emulation.machine import Machine, installed_wheels
from .emulation.record import MARGIN, Record, compared
from .engines.arm_worker import DECODING, DETECTION, NETWORKS, RECOGNITION, REST
from .progress import say
from .regress import CHECKOUT, checked_out, git, share

EMBEDDED = Path("edgeocr", "bundles", "tiny.edgeocr")
DEFAULT_PROCESSORS = ("cortex-a72", "cortex-a76")
# Operators below this share of a network are left out of the printed table.
SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Result:
    """The instructions of one engine with one bundle on one processor.

    Attributes:
        subject: The engine and its weights.
        processor: Name of the processor.
        counted: The counts.
    """

    subject: Subject
    processor: str
    counted: Counted

    def to_dict(self) -> dict[str, object]:
        """Return the result as a JSON object."""
        return {
            "engine": self.subject.engine,
            "bundle": self.subject.name,
            "processor": self.processor,
            "texts": self.counted.texts,
            "parts": to_dict(self.counted.parts),
            "operators": {name: to_dict(each) for name, each in self.counted.operators.items()},
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--bundle",
        nargs="+",
        type=Path,
        default=[CHECKOUT / EMBEDDED],
        metavar="FILE",
        help="bundles to read with; default: the embedded one",
    )
    parser.add_argument(
        "--rapidocr",
        nargs="+",
        default=[],
        metavar="NAME",
        help="bundles of models.toml whose weights RapidOCR reads with, too",
    )
    parser.add_argument(
        "--cpu",
        nargs="+",
        choices=list(PROCESSORS),
        default=list(DEFAULT_PROCESSORS),
        metavar="NAME",
        help=f"processors, of {', '.join(PROCESSORS)}; default: {' '.join(DEFAULT_PROCESSORS)}",
    )
    parser.add_argument(
        "--operators", action="store_true", help="count the operators of the networks, too"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the counts to FILE")
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="compare the embedded bundle's counts with those that --update wrote to FILE, and "
        "fail if a part costs more than the margin",
    )
    parser.add_argument(
        "--update", action="store_true", help="count this version and write it to the baseline"
    )
    parser.add_argument(
        "--margin",
        type=share,
        default=MARGIN,
        metavar="SHARE",
        help=f"acceptable increase of a part, as a share; default: {MARGIN}",
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=cache_folder() / "arm",
        metavar="DIR",
        help="folder of the emulated machine, which is made if it is missing; default: in the "
        "user's cache",
    )


def run(options: argparse.Namespace) -> None:
    """Count and print a table, or compare with a baseline; the exit code is 1 if it is worse."""
    try:
        if options.update and options.baseline is None:
            raise EmulationError("--update needs --baseline FILE")
        machine = Machine(options.root.resolve(), say)
        if options.baseline is None:
            _report(options, machine)
        elif options.update:
            update(options.baseline, machine, options.cpu)
        elif not compare(Record.load(options.baseline), machine, options.margin):
            raise SystemExit(1)
    except (
        EmulationError,
        RegressError,
        environments.EnvironmentFailedError,
        EdgeOCRError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def update(path: Path, machine: Machine, processors: Sequence[str]) -> None:
    """Count this checkout with the wheels' versions that are installed here; write the baseline.

    Args:
        path: File of the baseline.
        machine: The machine.
        processors: Names of the processors.

    Raises:
        EmulationError: The counting fails.
        RegressError: edgeocr/ has uncommitted changes, so that no commit is what was counted.
    """
    if git(CHECKOUT, "status", "--porcelain", "--", "edgeocr"):
        raise RegressError("edgeocr/ has uncommitted changes: commit them first")
    commit = git(CHECKOUT, "rev-parse", "HEAD")
    conditions = prepared(machine, installed_wheels())
    texts, counts = counts_of(CHECKOUT, Counter(machine), processors)
    Record(JOB, commit, conditions, texts, counts).write(path)
    for processor, parts in counts.items():
        print(f"{processor}: {parts['read']:,} instructions for a read at {commit[:9]}")


def compare(record: Record, machine: Machine, margin: float) -> bool:
    """Compare this checkout with a baseline and print the ratios.

    The machine gets the baseline's versions of the wheels. If anything else differs, such as
    Debian's Python, the baseline's commit is counted again.

    Args:
        record: The baseline.
        machine: The machine.
        margin: How much more each part may cost, as a share.

    Returns:
        Whether no part costs more than the margin allows.

    Raises:
        EmulationError: The counting fails.
        RegressError: The baseline's commit has to be counted again and is missing.
    """
    conditions = prepared(machine, record.wheels)
    counter, processors = Counter(machine), list(record.counts)
    texts, now = counts_of(CHECKOUT, counter, processors)
    texts_before, before = record.texts, record.counts
    if other := record.changes(conditions):
        say(f"the baseline's commit {record.commit[:9]} is counted again: {'; '.join(other)}")
        with checked_out(record.commit, CHECKOUT) as checkout:
            texts_before, before = counts_of(checkout, counter, processors)
    if texts != texts_before:
        say(f"the lines differ, and so does the work: {texts}, before {texts_before}")
    changes = list(compared(now, before, margin))
    print("\n".join(map(str, changes)))
    return not any(change.worse for change in changes)


def prepared(machine: Machine, wheels: dict[str, str]) -> dict[str, str]:
    """Make a machine with these wheels, and return all versions that a count depends on.

    Raises:
        EmulationError: It can't be made.
    """
    machine.make()
    machine.install(SITE, [f"{name}=={version}" for name, version in wheels.items()])
    return {**machine.conditions(), **wheels}


def counts_of(
    checkout: Path, counter: Counter, processors: Iterable[str]
) -> tuple[list[str], dict[str, dict[str, int]]]:
    """Count a checkout's read with its embedded bundle.

    Args:
        checkout: Root of the checkout.
        counter: Counts jobs.
        processors: Names of the processors.

    Returns:
        The lines that were read, and for each processor the instructions by part.

    Raises:
        EmulationError: The counting fails.
    """
    counter.use(checkout)
    subject = Subject("edgeocr", "tiny", [checkout / EMBEDDED])
    texts, counts = list[str](), dict[str, dict[str, int]]()
    for name in processors:
        counted = counter.count(subject, PROCESSORS[name])
        texts = counted.texts
        counts[name] = {part: each.all for part, each in counted.parts.items()}
        counts[name]["read"] = counted.read.all
    return texts, counts


def table(results: Sequence[Result]) -> str:
    """Return the results as a table in Markdown, in millions of instructions."""
    lines = [
        "| Bundle | Engine | Processor | Read | Detection | Recognition | Decoding | Rest | SIMD | "
        "Loads, stores | Dot products |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in results:
        parts, read = each.counted.parts, each.counted.read
        counts = [read.all]
        counts += [
            parts[part].all if part in parts else 0
            for part in (DETECTION, RECOGNITION, DECODING, REST)
        ]
        millions = [f"{count / 1e6:.1f}" for count in [*counts, read.simd, read.memory, read.dot]]
        names = [each.subject.name, each.subject.engine, each.processor]
        lines.append(f"| {' | '.join([*names, *millions])} |")
    return "\n".join(lines)


def operator_table(results: Sequence[Result]) -> str:
    """Return the operators of each network as a table in Markdown, the costliest first."""
    lines = [
        "| Bundle | Engine | Processor | Network | Operator | Million instructions | Share |",
        "|---|---|---|---|---|---:|---:|",
    ]
    for each in results:
        for network in NETWORKS:
            counts = each.counted.operators.get(network, {})
            total = sum(count.all for count in counts.values())
            for operator in sorted(counts, key=lambda name: -counts[name].all):
                count = counts[operator].all
                if count >= SMALLEST_SHARE * total:
                    lines.append(
                        f"| {each.subject.name} | {each.subject.engine} | {each.processor} | "
                        f"{network} | {operator} | {count / 1e6:.1f} | {count / total:.1%} |"
                    )
    return "\n".join(lines)


def _report(options: argparse.Namespace, machine: Machine) -> None:
    wheels = installed_wheels()
    conditions = prepared(machine, wheels)
    counter = Counter(machine)
    counter.use(CHECKOUT)
    subjects = [Subject("edgeocr", path.stem, [path]) for path in options.bundle]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="edgeocr-arm-") as temporary:
        if options.rapidocr:
            (peer,) = (each for each in environments.PEERS if each.package == "rapidocr")
            pinned = environments.requirements(peer, wheels["onnxruntime"])
            machine.install(RAPIDOCR, pinned)
            conditions["rapidocr"] = peer.requirement.partition("==")[2]
            subjects += _of_rapidocr(options.rapidocr, Path(temporary))
        for subject in subjects:
            for name in options.cpu:
                say(f"counting {subject.engine} with {subject.name} on {name}")
                counted = counter.count(subject, PROCESSORS[name], operators=options.operators)
                results.append(Result(subject, name, counted))
    print(table(results))
    if options.operators:
        print(f"\n{operator_table(results)}")
    if options.json is not None:
        record = {"job": JOB, "conditions": conditions, "results": [r.to_dict() for r in results]}
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        options.json.write_text(text, encoding="utf-8")


def _of_rapidocr(names: Iterable[str], folder: Path) -> list[Subject]:
    """Return RapidOCR with the weights of bundles, which are written into a folder."""
    from converters.catalog import entries

    from . import weights  # needs onnx, which the comparison with a baseline does without

    catalog = entries.load()
    subjects = []
    for name in names:
        models = weights.for_peers(name, catalog, folder)
        files = [Path(models[key]) for key in ("detection", "recognition", "charset")]
        subjects.append(Subject("rapidocr", name, files))
    return subjects
