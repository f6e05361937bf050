"""Fail if a read costs more instructions, or more CPU time, than that of a baseline.

Usage: python -m benchmarks regress --baseline FILE [--update].
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from converters import child_process
from edgeocr.errors import EdgeOCRError

from .baseline import Baseline, RegressError, changes, conditions
from .engines.regress_worker import JOB, MARK, JobResult, prepare, variables
from .progress import say
from .recorded import Cost

CHECKOUT = Path(__file__).parent.parent
WORKER = Path(__file__).parent / "engines" / "regress_worker.py"
# Counts of one version differ by less than 0.01 % between processes, also in another folder, and by
# 0.1 % between reads of one process, because Python's interpreter adapts. The networks take nine
# tenths of a read's instructions, so this margin is a twentieth of all others.
COUNT_MARGIN = 0.005
# On a busy machine the ratio of a pair of CPU times has a standard deviation of 3 to 6 %.
TIME_MARGIN = 0.1
PAIRS = 7
# The second read is counted, because the first one also builds what later reads reuse.
COUNTED_READ = 2
COUNTS = "callgrind.out"
WARM_READS, TIMED_READS = 3, 40
TIMEOUT_SECONDS = 1200


@dataclass(frozen=True)
class Verdict(Cost):
    """The outcome of a comparison: instructions of a read, or its CPU time.

    Attributes:
        figures: The measured figures in words.
    """

    figures: str

    def __str__(self) -> str:
        """Return the figures, and below them the ratio and the judgement."""
        return f"{self.figures}\nratio {self.ratio:.4f}: {self.judgement}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--baseline",
        type=Path,
        required=True,
        metavar="FILE",
        help="baseline, a file that --update wrote",
    )
    parser.add_argument(
        "--update", action="store_true", help="measure this version and write it to FILE"
    )
    parser.add_argument(
        "--margin",
        type=share,
        metavar="SHARE",
        help=f"acceptable increase, as a share; default: {COUNT_MARGIN} for instructions, "
        f"{TIME_MARGIN} for CPU time",
    )


def run(options: argparse.Namespace) -> None:
    """Measure and print the ratio; the exit code is 1 if it is worse than the margin.

    If valgrind is installed, its tool callgrind counts the instructions of a process's second read,
    which contains neither imports nor the opening of the bundle. Valgrind has no AVX-512 on any
    CPU, so on x86-64 the AVX2 kernels of all libraries are counted.

    A count can only be compared with one from the same CPU and versions. Otherwise, or if nothing
    can be counted, the baseline's commit is measured again beside this version on this machine:
    either its instructions, or the CPU time of processes that take turns. Times of another day are
    never compared.
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
    """Measure a checkout and write the baseline.

    Args:
        path: File of the baseline.
        meter: Runs and measures the job.
        found: The conditions here.
        checkout: Root of the checkout.

    Raises:
        RegressError: edgeocr/ has uncommitted changes, or the measurement fails.
    """
    if git(checkout, "status", "--porcelain", "--", "edgeocr"):
        raise RegressError(
            "edgeocr/ has uncommitted changes: commit them first, "
            "because later comparisons measure the commit"
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
    """Compare a checkout with the baseline's count, or else with the baseline's commit run again.

    Args:
        baseline: The baseline.
        meter: Runs and measures the job.
        found: The conditions here.
        margin: The acceptable increase as a share; None for the default.
        checkout: Root of the checkout.

    Raises:
        RegressError: The measurement fails, or the baseline's commit is missing.
    """
    counts_margin = COUNT_MARGIN if margin is None else margin
    texts = meter.texts(checkout)
    other = changes(baseline, found)
    if not other and baseline.instructions is not None:
        count = meter.instructions(checkout)
        if count is not None:
            _warn_of_other_texts(baseline.texts, texts)
            figures = f"{_counted(count)} for a read, the baseline has {baseline.instructions:,}"
            return Verdict(count, baseline.instructions, counts_margin, figures)
    reason = "; ".join(other) or "instructions can't be counted here"
    say(f"the baseline's commit {baseline.commit[:9]} is run again, because {reason}")
    with checked_out(baseline.commit, checkout) as before:
        _warn_of_other_texts(meter.texts(before), texts)
        count = meter.instructions(checkout)
        count_before = None if count is None else meter.instructions(before)
        if count is not None and count_before is not None:
            figures = f"{_counted(count)} for a read, {baseline.commit[:9]} takes {count_before:,}"
            return Verdict(count, count_before, counts_margin, figures)
        ratios = []
        for number in range(PAIRS):
            # They take turns at going first, so that a machine whose speed drifts favours neither.
            pair = [checkout, before] if number % 2 else [before, checkout]
            seconds = {each: meter.seconds(each) for each in pair}
            ratios.append(seconds[checkout] / seconds[before])
    pairs = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    figures = f"CPU time of a read ÷ that of {baseline.commit[:9]}, pair by pair: {pairs}"
    return Verdict(median(ratios), 1.0, TIME_MARGIN if margin is None else margin, figures)


@contextmanager
def checked_out(commit: str, checkout: Path) -> Iterator[Path]:
    """Check a commit out into a temporary worktree.

    Args:
        commit: Full name of the commit.
        checkout: Root of a checkout of the repository.

    Yields:
        Root of the worktree.

    Raises:
        RegressError: The commit is not in the repository.
    """
    try:
        git(checkout, "rev-parse", "--verify", f"{commit}^{{commit}}")
    except RegressError as error:
        raise RegressError(
            f"the baseline's commit {commit} is not in this repository ({error}): "
            "get the whole history (git fetch --unshallow), or record a new baseline (--update)"
        ) from None
    with tempfile.TemporaryDirectory(prefix="edgeocr-baseline-") as folder:
        tree = Path(folder).resolve() / "checkout"
        git(checkout, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            # git lists its worktrees, and keeps one on the list if just its folder is deleted.
            git(checkout, "worktree", "remove", "--force", str(tree))


def git(checkout: Path, *arguments: str) -> str:
    """Run git and return what it prints.

    Raises:
        RegressError: It fails or is not installed.
    """
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
    """A meter of the job, which it runs in new processes.

    Attributes:
        valgrind: Path of valgrind; None if it is not installed.
    """

    def __init__(self, folder: Path, valgrind: str | None) -> None:
        """Create a meter; nothing is run yet.

        Args:
            folder: Folder for the job's files.
            valgrind: Path of valgrind, or None.
        """
        self.valgrind = valgrind
        self._folder = folder
        self._jobs: dict[Path, tuple[Path, Path]] = {}

    def texts(self, checkout: Path) -> list[str]:
        """Return the lines that a checkout reads.

        Raises:
            RegressError: It reads none, or the job fails.
        """
        texts = self.run_job(checkout, 1)["texts"]
        if not texts:
            raise RegressError(f"edgeocr in {checkout} reads nothing in the job's picture")
        return texts

    def instructions(self, checkout: Path) -> int | None:
        """Count the instructions of one read; if that fails, say why and return None."""
        if self.valgrind is None:
            return None
        for part in self._folder.glob(f"{COUNTS}*"):
            part.unlink()
        # The name has no folder, because valgrind would interpret a % in the folder's name.
        tool = [self.valgrind, "--command-line-only=yes", "--tool=callgrind"]
        tool += [f"--dump-before={MARK}", f"--callgrind-out-file={COUNTS}"]
        try:
            self.run_job(checkout, COUNTED_READ, tool)
            # Part 1 is the start and each further part one read; the end has no number.
            text = (self._folder / f"{COUNTS}.{COUNTED_READ + 1}").read_text(encoding="utf-8")
            (count,) = re.findall(r"^totals: (\d+)$", text, re.MULTILINE)
            return int(count)
        except (RegressError, OSError, ValueError) as error:
            # valgrind doesn't know some instructions of new CPUs and ends the process there.
            say(f"valgrind can't count instructions here: {error}")
            return None

    def seconds(self, checkout: Path) -> float:
        """Return the CPU seconds of one read: the median over many reads of a new process."""
        return median(self.run_job(checkout, WARM_READS + TIMED_READS)["seconds"][WARM_READS:])

    def run_job(self, checkout: Path, reads: int, tool: Sequence[str] = ()) -> JobResult:
        """Run the job of a checkout in a new process.

        Args:
            checkout: Root of the checkout whose edgeocr reads.
            reads: How often it reads the picture.
            tool: A command in front of Python's.

        Raises:
            RegressError: The job can't be prepared, fails or takes too long.
        """
        if checkout not in self._jobs:
            try:
                self._jobs[checkout] = prepare(checkout, self._folder / f"job-{len(self._jobs)}")
            except (OSError, ValueError, KeyError) as error:
                raise RegressError(f"{checkout}: the job can't be prepared: {error!r}") from None
        result = self._folder / "result.json"
        result.unlink(missing_ok=True)
        job = [str(checkout), *map(str, self._jobs[checkout]), str(reads)]
        command = [*tool, sys.executable, str(WORKER), *job, str(result)]
        ended = child_process.run(
            command, TIMEOUT_SECONDS, folder=self._folder, variables=variables(checkout)
        )
        if ended.code != 0 or not result.is_file():
            raise RegressError(f"{checkout}: the job {ended}")
        job_result: JobResult = json.loads(result.read_text(encoding="utf-8"))
        return job_result


def _counted(count: int | None) -> str:
    return "no instructions" if count is None else f"{count:,} instructions"


def _warn_of_other_texts(before: list[str], now: list[str]) -> None:
    """Say so if other lines are read than before."""
    if before != now:
        say(f"the costs are of different work, because the lines differ: {now}, before {before}")


def share(text: str) -> float:
    """Parse an acceptable increase, as a share."""
    margin = float(text)
    if not (math.isfinite(margin) and margin >= 0):
        raise argparse.ArgumentTypeError(f"must be a number from 0 upwards, not {text}")
    return margin
