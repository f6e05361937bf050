"""fails when reading takes more instructions than the baseline, or more CPU time than its re-run"""

from __future__ import annotations

import argparse
import json
import math
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from edgeocr.errors import EdgeOCRError
from edgeocr.runtime.onnx_runtime import import_onnxruntime

from . import machine
from .engines.regress_worker import JOB, MARK, Read, prepare, variables

CHECKOUT = Path(__file__).parent.parent
WORKER = Path(__file__).parent / "engines" / "regress_worker.py"
# One version's counts differ by less than 0.01 % from run to run, also in another folder; reads of
# one process by 0.1 %, since Python's interpreter adapts. Networks are nine tenths of a read, so
# this margin is a twentieth of the rest.
COUNT_MARGIN = 0.005
# On a busy machine a pair's ratio of CPU times has a standard deviation of 3 to 6 %.
TIME_MARGIN = 0.1
PAIRS = 7
# The first read sets up what stays, so the second is counted.
COUNTED_READ = 2
COUNTS = "callgrind.out"
WARM_READS, TIMED_READS = 3, 40
TIMEOUT_SECONDS = 1200


class RegressError(Exception):
    """Nothing can be compared; the message says why and what to do."""


@dataclass(frozen=True)
class Baseline:
    """What later versions are compared with.

    job: `JOB` of the version that wrote it.
    commit: the whole name of the commit that was measured.
    instructions: of one read; None where valgrind could not count them.
    texts: the lines that were read.
    conditions: what else the count depends on, see `conditions`.
    """

    job: str
    commit: str
    instructions: int | None
    texts: list[str]
    conditions: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> Baseline:
        """Read what `write` wrote; raises `RegressError` that names the file."""
        try:
            read = cls(**json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise RegressError(f"{path}: {error.strerror}; --update makes a new baseline") from None
        except (ValueError, TypeError) as error:  # TypeError: other fields, or no object at all
            raise RegressError(f"{path} is no baseline: {error}") from None
        # The commit becomes an argument of git: nothing else may get there.
        right = {
            "job": isinstance(read.job, str),
            "commit": isinstance(read.commit, str) and re.fullmatch("[0-9a-f]{40,64}", read.commit),
            "instructions": read.instructions is None
            or (type(read.instructions) is int and read.instructions > 0),
            "texts": isinstance(read.texts, list),
            "conditions": isinstance(read.conditions, dict),
        }
        if wrong := [field for field, is_right in right.items() if not is_right]:
            raise RegressError(f"{path} is no baseline: wrong {', '.join(wrong)}")
        return read

    def write(self, path: Path) -> None:
        """Write it as JSON; raises `RegressError` when it can't be written."""
        try:
            path.write_text(
                json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        except OSError as error:
            raise RegressError(f"{path}: {error.strerror}") from None


@dataclass(frozen=True)
class Verdict:
    """now, before: instructions, or CPU time in units of the baseline's. margin: a share."""

    what: str
    now: float
    before: float
    margin: float

    @property
    def ratio(self) -> float:
        """How much more it takes now, as a factor."""
        return self.now / self.before

    @property
    def worse(self) -> bool:
        """More than the margin allows."""
        return self.ratio > 1 + self.margin

    @property
    def better(self) -> bool:
        """So much less that the baseline would hide it if it got worse again."""
        return self.ratio < 1 - self.margin

    def __str__(self) -> str:
        if self.worse:
            judged = "worse than the margin"
        elif self.better:
            judged = "better: update the baseline (--update)"
        else:
            judged = "within the margin"
        return f"{self.what}\nratio {self.ratio:.4f}, margin {self.margin:g}: {judged}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--baseline", type=Path, required=True, metavar="FILE", help="JSON that --update wrote"
    )
    parser.add_argument("--update", action="store_true", help="measure this version and write FILE")
    parser.add_argument(
        "--margin",
        type=_share,
        metavar="SHARE",
        help=f"how much worse is fine; default: {COUNT_MARGIN} of the instructions, "
        f"{TIME_MARGIN} of the CPU time",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the ratio, and end with 1 when it is worse than the margin.

    Instructions are counted by valgrind's callgrind, where it is installed: those of a process's
    second read, without imports and opening. Valgrind has no AVX-512, whatever the CPU has, so on
    x86-64 it is the AVX2 kernels of all libraries that are counted.

    Where versions or the CPU are not the baseline's, its count says nothing. Then, and where
    nothing can be counted, the baseline's commit is measured again beside this version with what is
    here: instructions, else the CPU time of processes that take turns. A time of another day is
    never looked at.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="edgeocr-regress-") as folder:
            meter = Meter(Path(folder), shutil.which("valgrind"))
            found = conditions(meter.valgrind)
            if options.update:
                update(options.baseline, meter, found)
                return
            verdict = compare(Baseline.load(options.baseline), meter, found, options.margin)
    except (RegressError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(verdict)
    if verdict.worse:
        raise SystemExit(1)


def update(path: Path, meter: Meter, found: dict[str, str], checkout: Path = CHECKOUT) -> None:
    """Measure the checkout and write the baseline; raises `RegressError`."""
    if git(checkout, "status", "--porcelain", "--", "edgeocr"):
        raise RegressError(
            "edgeocr/ is not as it was committed; commit first: "
            "the commit is what a later re-run measures"
        )
    commit = git(checkout, "rev-parse", "HEAD")
    texts, count = meter.texts(checkout), meter.instructions(checkout)
    Baseline(JOB, commit, count, texts, found).write(path)
    print(f"{path}: {_counted(count)} for a read at {commit[:9]}")


def compare(
    baseline: Baseline,
    meter: Meter,
    found: dict[str, str],
    margin: float | None,
    checkout: Path = CHECKOUT,
) -> Verdict:
    """Compare the checkout with the baseline's count, else with the baseline's commit run again.

    found: the conditions here. margin: None for the default one.

    Raises `RegressError`.
    """
    counts_margin = COUNT_MARGIN if margin is None else margin
    texts = meter.texts(checkout)
    other = changes(baseline, found)
    if not other and baseline.instructions is not None:
        count = meter.instructions(checkout)
        if count is not None:
            _warn_of_other_texts(baseline.texts, texts)
            what = f"{_counted(count)} for a read, the baseline has {baseline.instructions:,}"
            return Verdict(what, count, baseline.instructions, counts_margin)
    _say(f"{baseline.commit[:9]} is run again: {'; '.join(other) or 'nothing is counted'}")
    with checked_out(baseline.commit, checkout) as before:
        _warn_of_other_texts(meter.texts(before), texts)
        count = meter.instructions(checkout)
        count_before = None if count is None else meter.instructions(before)
        if count is not None and count_before is not None:
            what = f"{_counted(count)} for a read, {baseline.commit[:9]} takes {count_before:,}"
            return Verdict(what, count, count_before, counts_margin)
        ratios = []
        for number in range(PAIRS):
            # Each goes first in turn: a machine that gets slower or faster favours neither.
            pair = [checkout, before] if number % 2 else [before, checkout]
            seconds = {each: meter.seconds(each) for each in pair}
            ratios.append(seconds[checkout] / seconds[before])
    pairs = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    what = f"CPU time of a read ÷ that of {baseline.commit[:9]}, pair by pair: {pairs}"
    return Verdict(what, median(ratios), 1.0, TIME_MARGIN if margin is None else margin)


def changes(baseline: Baseline, found: dict[str, str]) -> list[str]:
    """What a count depends on and is not as it was, in words."""
    before = {"job": baseline.job, **baseline.conditions}
    now = {"job": JOB, **found}
    names = dict.fromkeys([*now, *before])
    return [
        f"{name} is {now.get(name, 'unknown')}, was {before.get(name, 'unknown')}"
        for name in names
        if now.get(name) != before.get(name)
    ]


def conditions(valgrind: str | None) -> dict[str, str]:
    """The CPU and the versions of all whose instructions are counted, and of what counts them.

    valgrind: its path. Raises `ProviderUnavailableError` without ONNX Runtime.
    """
    described = machine.describe()
    return {
        "cpu": str(described["cpu"]),
        "architecture": str(described["architecture"]),
        "libc": " ".join(platform.libc_ver()),
        # Two builds of one version differ in their instructions.
        "python": f"{described['python']}, {platform.python_compiler()}",
        "numpy": np.__version__,
        "onnxruntime": import_onnxruntime().__version__,
        "opencv": cv2.__version__,
        "pyclipper": version("pyclipper"),
        "shapely": version("shapely"),
        "valgrind": "none"
        if valgrind is None
        else subprocess.run([valgrind, "--version"], capture_output=True, text=True).stdout.strip(),
    }


@contextmanager
def checked_out(commit: str, checkout: Path) -> Iterator[Path]:
    """The commit as a worktree of its own, which is gone afterwards; raises `RegressError`."""
    try:
        git(checkout, "rev-parse", "--verify", f"{commit}^{{commit}}")
    except RegressError as error:
        raise RegressError(
            f"the baseline's commit {commit} is not in this repository ({error}): "
            "get the whole history (git fetch --unshallow), or make a new baseline (--update)"
        ) from None
    with tempfile.TemporaryDirectory(prefix="edgeocr-baseline-") as folder:
        tree = Path(folder).resolve() / "checkout"
        git(checkout, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            # git keeps a list of worktrees; one that is merely deleted stays in it.
            git(checkout, "worktree", "remove", "--force", str(tree))


def git(checkout: Path, *arguments: str) -> str:
    """What git prints; raises `RegressError` with its words when it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *arguments], capture_output=True, text=True
        )
    except OSError as error:
        raise RegressError(f"git can't be run: {error.strerror}") from None
    if done.returncode:
        raise RegressError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


class Meter:
    """Runs the job in new processes.

    folder: for the job's files. valgrind: its path, or None.
    """

    def __init__(self, folder: Path, valgrind: str | None) -> None:
        self.valgrind = valgrind
        self._folder = folder
        self._jobs: dict[Path, tuple[Path, Path]] = {}

    def texts(self, checkout: Path) -> list[str]:
        """The lines that are read; raises `RegressError` when there are none, or no job is done."""
        texts = self._read(checkout, 1)["texts"]
        if not texts:
            raise RegressError(f"the edgeocr of {checkout} reads nothing in the job's picture")
        return texts

    def instructions(self, checkout: Path) -> int | None:
        """Of one read; None, and a line that says why, where they can't be counted."""
        if self.valgrind is None:
            return None
        for part in self._folder.glob(f"{COUNTS}*"):
            part.unlink()
        # A name without folder, since a % in one would mean something to valgrind.
        tool = [self.valgrind, "--command-line-only=yes", "--tool=callgrind"]
        tool += [f"--dump-before={MARK}", f"--callgrind-out-file={COUNTS}"]
        try:
            self._read(checkout, COUNTED_READ, tool)
            # Part 1 is the start, each further one a read, and what has no number is the end.
            text = (self._folder / f"{COUNTS}.{COUNTED_READ + 1}").read_text(encoding="utf-8")
            (count,) = re.findall(r"^totals: (\d+)$", text, re.MULTILINE)
            return int(count)
        except (RegressError, OSError, ValueError) as error:
            # Some instructions of new CPUs are unknown to it, and then the process ends.
            _say(f"valgrind can't count here: {error}")
            return None

    def seconds(self, checkout: Path) -> float:
        """CPU time of one read, the median of many by a new process."""
        return median(self._read(checkout, WARM_READS + TIMED_READS)["seconds"][WARM_READS:])

    def _read(self, checkout: Path, reads: int, tool: list[str] | None = None) -> Read:
        if checkout not in self._jobs:
            try:
                self._jobs[checkout] = prepare(checkout, self._folder / f"job-{len(self._jobs)}")
            except (OSError, ValueError, KeyError) as error:
                raise RegressError(f"{checkout}: the job can't be prepared: {error!r}") from None
        result = self._folder / "result.json"
        result.unlink(missing_ok=True)
        job = [str(checkout), *map(str, self._jobs[checkout]), str(reads)]
        command = [*(tool or []), sys.executable, str(WORKER), *job, str(result)]
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=variables(checkout),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise RegressError(f"the job is still busy after {TIMEOUT_SECONDS} s") from None
        if done.returncode or not result.is_file():
            words = "\n  ".join(done.stdout.strip().splitlines()[-12:])
            raise RegressError(f"{checkout}: the job ends with {done.returncode}:\n  {words}")
        read: Read = json.loads(result.read_text(encoding="utf-8"))
        return read


def _counted(count: int | None) -> str:
    return "no instructions" if count is None else f"{count:,} instructions"


def _warn_of_other_texts(before: list[str], now: list[str]) -> None:
    if before != now:
        _say(f"other lines are read, so the work is not the same: {now}, before {before}")


def _share(text: str) -> float:
    share = float(text)
    if not (math.isfinite(share) and share >= 0):
        raise argparse.ArgumentTypeError(f"{text} is no share")
    return share


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
