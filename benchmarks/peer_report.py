"""Summarize the measurements of several engines as a result, which is written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TypedDict

import numpy as np

from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon
from edgeocr.accuracy.score import Score

from .engine_process import OURS
from .engines.measure import Answer, Line
from .peer_turns import Measured, cpu_seconds


class EngineFigures(TypedDict):
    """What was measured of an engine.

    Attributes:
        versions: Versions of the libraries that it ran with, and its own.
        wall_s: Wall time of each round, in seconds summed over the pictures.
        wall_s_median: The median of `wall_s`.
        wall_s_best: The best time of each picture in any round, summed over the pictures.
        cpu_s: CPU seconds of each round, summed over the pictures, with those that the engine's
            threads went on to use after a picture.
        cpu_s_median: The median of `cpu_s`.
        cores_busy: CPU seconds per second of wall time, without those after a picture: the median
            over the rounds.
        cold_start_ms: Milliseconds from each start of a process to its first text.
        cold_start_ms_median: The median of `cold_start_ms`; None without cold starts.
        peak_rss_mib: Peak memory of the process that read all rounds; None if unknown.
        image_ms_best: Best milliseconds by the name of the picture.
        lines: Number of lines that the engine found in all pictures.
        accuracy: `Score.figures`; None without labelled pictures.
    """

    versions: dict[str, str]
    wall_s: list[float]
    wall_s_median: float
    wall_s_best: float
    cpu_s: list[float]
    cpu_s_median: float
    cores_busy: float
    cold_start_ms: list[float]
    cold_start_ms_median: float | None
    peak_rss_mib: float | None
    image_ms_best: dict[str, float]
    lines: int
    accuracy: dict[str, float] | None


class Comparison(TypedDict):
    """A peer beside edgeocr; each ratio is the peer's figure divided by edgeocr's.

    Attributes:
        time_ratio_best: The ratio of `wall_s_best`.
        time_ratio_of_each_round: The ratio of `wall_s`, for each round.
        time_ratio_median: The median of these ratios.
        cpu_ratio_median: The median over the rounds of the ratio of `cpu_s`.
        cold_start_ratio_median: The median over neighbouring cold starts of their ratio; None
            without cold starts.
        same_lines: The share of lines that both find and read alike, from 0 to 1.
    """

    time_ratio_best: float
    time_ratio_of_each_round: list[float]
    time_ratio_median: float
    cpu_ratio_median: float
    cold_start_ratio_median: float | None
    same_lines: float


class Summary(TypedDict):
    """The figures of a result file.

    Attributes:
        rounds: Number of rounds over the pictures.
        images: Names of the pictures.
        others_cpus: How many CPUs other processes kept busy in each round; empty if unknown.
        engines: Engine → its figures, edgeocr's among them.
        comparisons: Peer → its comparison with edgeocr.
    """

    rounds: int
    images: list[str]
    others_cpus: list[float]
    engines: dict[str, EngineFigures]
    comparisons: dict[str, Comparison]


class Result(Summary):
    """A result file: a summary, and what was measured under which conditions.

    Attributes:
        bundle: Name of the bundle.
        data: Name of the folder of pictures.
        models: Stage → the model that all engines ran.
        orientation: Whether the classifier of upside-down lines ran.
        threads: Number of CPUs for each engine.
        date: Date and time of the measurement.
        command: The command that repeats it.
        commit: The checkout's commit; None without git.
        machine: What `machine.describe` returns.
        left_out: Peer → the reason why it was not measured.
        failed: Peer → why its process failed, which began to be measured. Older files lack it.
    """

    bundle: str
    data: str
    models: dict[str, str | None]
    orientation: bool
    threads: int
    date: str
    command: str
    commit: str | None
    machine: dict[str, str | int]
    left_out: dict[str, str]
    failed: dict[str, str]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide a peer's figures by edgeocr's, for each round.

    Args:
        ours: Figures of edgeocr's rounds.
        theirs: Figures of the peer's rounds, in the same order and number.
    """
    return [theirs / ours for ours, theirs in zip(ours, theirs, strict=True)]


def same_lines(ours: Mapping[str, Sequence[Line]], theirs: Mapping[str, Sequence[Line]]) -> float:
    """Return the share of lines that both engines find and read alike, from 0 to 1.

    Both find a line if the IoU is at least 0.5, and read it alike if the texts are equal after
    `score.normalized`. The whole is the mean of both engines' numbers of lines.

    Args:
        ours: edgeocr's lines by the name of the picture.
        theirs: The peer's lines, likewise.
    """
    total = Score()
    for name, lines in ours.items():
        expected = [LabelledLine(_polygon(line), line["text"], True) for line in lines]
        total.add(expected, _found(theirs[name]))
    return total.figures()["hmean"] if total.labelled or total.found else 1.0


def accuracy(
    labelled: Mapping[str, Sequence[LabelledLine]], read: Mapping[str, Sequence[Line]]
) -> dict[str, float] | None:
    """Return `Score.figures` over the labelled pictures; None if no picture has labelled lines.

    Args:
        labelled: Labelled lines by the name of the picture.
        read: Lines that were read, likewise.
    """
    total = Score.total(score(labelled[name], read[name]) for name in labelled.keys() & read.keys())
    if not total.labelled:
        return None
    return {key: round(value, 4) for key, value in total.figures().items()}


def score(labelled: Sequence[LabelledLine], read: Sequence[Line]) -> Score:
    """Return the score of one picture.

    Args:
        labelled: Its labelled lines.
        read: The lines that were read.
    """
    made = Score()
    made.add(labelled, _found(read))
    return made


def summarize(
    measured: Measured,
    pictures: Sequence[str],
    labelled: Mapping[str, Sequence[LabelledLine]],
) -> Summary:
    """Return the figures of a result file.

    Args:
        measured: What was measured of the engines, edgeocr among them.
        pictures: The names of the pictures.
        labelled: Labelled lines by the name of the picture.
    """
    read = {
        engine: {name: answer["lines"] for name, answer in zip(pictures, rounds[0], strict=True)}
        for engine, rounds in measured.rounds.items()
    }
    engines = {
        engine: _figures(measured, engine, read[engine], labelled) for engine in measured.rounds
    }
    return {
        "rounds": len(measured.rounds[OURS]),
        "images": list(pictures),
        "others_cpus": [round(cpus, 2) for cpus in measured.others_cpus],
        "engines": engines,
        "comparisons": {
            engine: _compared(engines[OURS], figures, read[OURS], read[engine])
            for engine, figures in engines.items()
            if engine != OURS
        },
    }


def _figures(
    measured: Measured,
    engine: str,
    read: Mapping[str, Sequence[Line]],
    labelled: Mapping[str, Sequence[LabelledLine]],
) -> EngineFigures:
    """Return the figures of one engine.

    Args:
        measured: What was measured.
        engine: Name of the engine.
        read: The lines that it read, by the name of the picture.
        labelled: Labelled lines, likewise.
    """
    rounds, ending = measured.rounds[engine], measured.endings[engine]
    walls = [sum(answer["wall_s"] for answer in each) for each in rounds]
    during = [sum(answer["cpu_s"] for answer in each) for each in rounds]
    cpus = [sum(map(cpu_seconds, each)) for each in rounds]
    starts = [1000 * seconds for seconds in measured.cold_starts_s[engine]]
    best = [_best(same) for same in zip(*rounds, strict=True)]
    peak = ending["peak_rss_mib"]
    return {
        "versions": ending["versions"],
        "wall_s": [round(wall, 4) for wall in walls],
        "wall_s_median": round(median(walls), 4),
        "wall_s_best": round(sum(best), 4),
        "cpu_s": [round(cpu, 4) for cpu in cpus],
        "cpu_s_median": round(median(cpus), 4),
        "cores_busy": round(median(ratios(walls, during)), 3),
        "cold_start_ms": [round(start, 1) for start in starts],
        "cold_start_ms_median": round(median(starts), 1) if starts else None,
        "peak_rss_mib": None if peak is None else round(peak, 1),
        "image_ms_best": {
            name: round(1000 * seconds, 2) for name, seconds in zip(read, best, strict=True)
        },
        "lines": sum(map(len, read.values())),
        "accuracy": accuracy(labelled, read),
    }


def _best(answers: Sequence[Answer]) -> float:
    """Return the shortest time that a picture took, in seconds."""
    return min(answer["wall_s"] for answer in answers)


def _compared(
    ours: EngineFigures,
    theirs: EngineFigures,
    our_lines: Mapping[str, Sequence[Line]],
    their_lines: Mapping[str, Sequence[Line]],
) -> Comparison:
    """Compare a peer with edgeocr."""
    rounds = ratios(ours["wall_s"], theirs["wall_s"])
    starts = ratios(ours["cold_start_ms"], theirs["cold_start_ms"])
    return {
        "time_ratio_best": round(theirs["wall_s_best"] / ours["wall_s_best"], 3),
        "time_ratio_of_each_round": [round(ratio, 3) for ratio in rounds],
        "time_ratio_median": round(median(rounds), 3),
        "cpu_ratio_median": round(median(ratios(ours["cpu_s"], theirs["cpu_s"])), 3),
        "cold_start_ratio_median": round(median(starts), 3) if starts else None,
        "same_lines": round(same_lines(our_lines, their_lines), 4),
    }


def _found(lines: Sequence[Line]) -> list[tuple[Polygon, str]]:
    return [(_polygon(line), line["text"]) for line in lines]


def _polygon(line: Line) -> Polygon:
    return np.array(line["polygon"], np.float64)
