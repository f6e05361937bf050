"""What `python -m benchmarks onnxruntimes` has measured, and the table that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from edgeocr.accuracy.agreement import Agreement

from .proof.judgement import Ratio

# A version whose time differs from the newest one's by more than this share, in every round, is
# faster or slower: less can't be told from chance.
NOTICED = 0.05


@dataclass(frozen=True)
class VersionResult:
    """What was measured of a version of ONNX Runtime.

    Attributes:
        packages: The packages of its environment that affect results.
        cold_start_s: Median seconds from the start of a process to its first text.
        cold_starts_s: All of them.
        page_ms: Median of all readings.
        stages_ms: The median of each stage over all readings.
        rounds_s: Seconds of each round over the pictures.
        ratio: These, divided by the newest version's: median, least and most.
        peak_rss_bytes: Peak memory of its process; None if unknown.
        lines: Lines that the newest version reads.
        same: Lines that this version reads at the same place with the same text.
        refusal: Why its texts don't agree with the newest version's; None if they do.
    """

    packages: dict[str, str]
    cold_start_s: float
    cold_starts_s: list[float]
    page_ms: float
    stages_ms: dict[str, float]
    rounds_s: list[float]
    ratio: Ratio
    peak_rss_bytes: int | None
    lines: int
    same: int
    refusal: str | None

    @classmethod
    def of(
        cls,
        packages: dict[str, str],
        cold: Sequence[float],
        rounds: Sequence[Sequence[Mapping[str, Any]]],
        newest: Sequence[Sequence[Mapping[str, Any]]],
        peak: int | None,
        same: Agreement,
    ) -> VersionResult:
        """Summarize what a version's processes have answered.

        Args:
            packages: The packages of its environment.
            cold: Seconds of each cold start.
            rounds: Its answers in each round.
            newest: The newest version's answers.
            peak: Peak memory of its process in bytes.
            same: How its texts agree with the newest version's.
        """
        answers = [answer for row in rounds for answer in row]
        stages = dict.fromkeys(stage for answer in answers for stage in answer["stages_ms"])
        times, others = ([_seconds(row) for row in each] for each in (rounds, newest))
        return cls(
            packages=packages,
            cold_start_s=round(median(cold), 3),
            cold_starts_s=[round(each, 3) for each in cold],
            page_ms=round(median(answer["ms"] for answer in answers), 2),
            stages_ms={
                stage: round(median(each["stages_ms"].get(stage, 0.0) for each in answers), 2)
                for stage in stages
            },
            rounds_s=[round(each, 4) for each in times],
            ratio=Ratio.of(times, others),
            peak_rss_bytes=peak,
            lines=same.lines,
            same=same.same,
            refusal=same.refusal(),
        )

    @property
    def noticed(self) -> str | None:
        """Whether it is slower or faster than the newest version in every round; None if not."""
        if self.ratio.low > 1 + NOTICED:
            return "slower"
        return "faster" if self.ratio.high < 1 - NOTICED else None


@dataclass(frozen=True)
class Comparison:
    """The result file.

    Attributes:
        edgeocr: The version of edgeocr.
        commit: The checkout's commit; None without git.
        date: When it was measured.
        command: The command that repeats it.
        machine: The machine, as `machine.describe` returns it.
        bundle: Name of the bundle.
        sha256: Its digest.
        threads: CPU threads.
        pictures: Names of the pictures.
        repeat: Number of rounds.
        versions: What was measured of each version, the newest last.
        left_out: Why the others could not be measured.
    """

    edgeocr: str
    commit: str | None
    date: str
    command: str
    machine: dict[str, str | int]
    bundle: str
    sha256: str
    threads: int
    pictures: list[str]
    repeat: int
    versions: dict[str, VersionResult]
    left_out: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as its JSON file has it."""
        return asdict(self)


def _seconds(answers: Sequence[Mapping[str, Any]]) -> float:
    """Return the seconds of one round."""
    return sum(float(answer["ms"]) for answer in answers) / 1000


def markdown(result: Comparison) -> str:
    """Return the table with what it was measured on and what it shows, in Markdown."""
    stages = dict.fromkeys(name for each in result.versions.values() for name in each.stages_ms)
    heads = ["ONNX Runtime", "cold start s", "p50 ms", *stages, "peak RSS MB", "÷ newest", "texts"]
    rows = [
        [
            each.packages.get("onnxruntime", version),
            f"{each.cold_start_s:.2f}",
            f"{each.page_ms:.1f}",
            *(f"{each.stages_ms.get(stage, 0.0):.1f}" for stage in stages),
            "–" if each.peak_rss_bytes is None else f"{each.peak_rss_bytes / 1e6:.0f}",
            str(each.ratio),
            f"{each.same} of {each.lines} equal",
        ]
        for version, each in result.versions.items()
    ]
    aligned = ["---", *["--:"] * (len(heads) - 1)]
    lines = [f"| {' | '.join(row)} |" for row in (heads, aligned, *rows)]
    return "\n".join([*lines, "", *(f"- {each}" for each in remarks(result))]) + "\n"


def remarks(result: Comparison) -> list[str]:
    """Return what the table shows in sentences, and what it was measured on."""
    known, newest = result.versions, list(result.versions)[-1]
    found = [
        f"{version} is {each.noticed} than {newest}: it takes {each.ratio} times as long"
        for version, each in known.items()
        if each.noticed is not None
    ]
    if len(known) > 1 and not found:
        found.append(
            f"no version is faster or slower than {newest} by more than {NOTICED:.0%} in all rounds"
        )
    found += [
        f"{version} gives other texts than {newest}: {each.refusal}"
        for version, each in known.items()
        if each.refusal is not None
    ]
    found += [f"{version} is left out: {reason}" for version, reason in result.left_out.items()]
    machine = result.machine
    found.append(
        f"bundle {result.bundle}, {len(result.pictures)} pictures, {result.repeat} rounds, "
        f"{result.threads} threads; {machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}, "
        f"Python {machine['python']}; {result.date}"
    )
    return found
