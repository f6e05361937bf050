"""Measure a watch on one video in all ways, and show the figures as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from edgeocr import OCR
from edgeocr.page import Page
from edgeocr.watch import WatchOptions

from .watch_runs import read_frames, watch_images
from .watch_scoring import Scored, says, score
from .watch_texts import Compared, compare, readings_of
from .watch_truth import FPS, Expected, Video

# The aim for CPU time on a sign that doesn't change, as a share of the time to read every frame.
MOST_CPU, STANDING_SCENE = 0.05, "sign"
# The scenes in which texts scroll, where no event may be lost.
SCROLLING = ("page", "ticker-slow", "ticker-fast", "credits-slow", "credits-fast")


@dataclass(frozen=True)
class Found:
    """What became of a video's events.

    Attributes:
        right: How many of the required events were reported.
        exact: How many of these have exactly the right text.
        lost: How many of the required events were not reported.
        unread: How many of these have a text that was not read in any single frame, so that no
            watch could report it.
        wrong: How many other events were reported, by what is wrong with them; see `Scored.wrong`.
        excused: How many events were reported for lines that are partly visible.
        recall: The share of the required events that were reported.
        precision: The share of the reported events that are right.
        p50, p99: Percentiles of the seconds from the first frame in which all of a text is visible
            until it is reported; None without such events.
        gone_p50, gone_p99: The same for gone texts, from the first frame without the text.
    """

    right: int
    exact: int
    lost: int
    unread: int
    wrong: dict[str, int]
    excused: int
    recall: float
    precision: float
    p50: float | None
    p99: float | None
    gone_p50: float | None
    gone_p99: float | None


@dataclass(frozen=True)
class Row:
    """What was measured on one video.

    Attributes:
        scene: Name of the scene.
        events: What became of the events when the watch looked at every frame.
        live: The same when the frames were shown at their own speed, and the watch skipped those
            for which it had no time; the latencies are real time.
        looked_at: The share of the frames for which the live watch had time.
        cpu: CPU seconds per second of video of a watch that looks at every frame; the median of the
            rounds.
        live_cpu: CPU seconds per second of video of the live watch.
        read_cpu: CPU seconds of `OCR.read` for the 25 frames of a second; the median of the rounds.
        share: `cpu` / `read_cpu`; the median of the rounds' ratios.
        grown: By how many MiB the watch raised the peak of the resident memory above what
            `OCR.read` needs; None if the system doesn't report it.
        texts: The texts beside those of single frames; None for a video without texts.
    """

    scene: str
    events: Found
    live: Found
    looked_at: float
    cpu: float
    live_cpu: float
    read_cpu: float
    share: float
    grown: float | None
    texts: Compared | None


def measure_scene(ocr: OCR, video: Video, rounds: int, stride: int) -> tuple[Row, list[str]]:
    """Watch a video and read single frames of it, in turns; then watch it at its own speed.

    Args:
        ocr: Reads the frames.
        video: The video.
        rounds: How often the video is watched. Each round reads its part of the single frames.
        stride: One of this many frames is read by itself.

    Returns:
        The figures, and the events that are lost or wrong, in words.
    """
    options = WatchOptions()
    number = len(video.images)
    ocr.read(video.images[0])
    ocr.read(video.images[number // 2])
    runs, pages, read_cpu = [], dict[int, Page](), []
    for turn in range(rounds):
        runs.append(watch_images(ocr, video.images, options))
        part = range(turn * stride, number, rounds * stride)
        read, cpu = read_frames(ocr, video.images, part)
        pages.update(read)
        read_cpu.append(cpu / len(part) * FPS)
    watch_cpu = [each.cpu / video.seconds for each in runs]
    scored = score(video, runs[-1].told, options.patience)
    live = watch_images(ocr, video.images, options, live=True)
    row = Row(
        scene=video.name,
        events=_found(video, scored, pages),
        live=_found(video, score(video, live.told, options.patience), pages),
        looked_at=round(live.frames / number, 3),
        cpu=round(median(watch_cpu), 4),
        live_cpu=round(live.cpu / video.seconds, 4),
        read_cpu=round(median(read_cpu), 4),
        share=round(median(a / b for a, b in zip(watch_cpu, read_cpu, strict=True)), 4),
        grown=runs[-1].grown,
        texts=compare(video.truth, scored, runs[-1].told, pages),
    )
    return row, _mistakes(video, scored, pages)


def _found(video: Video, scored: Scored, pages: Mapping[int, Page]) -> Found:
    shown, gone = scored.latencies(gone=False), scored.latencies(gone=True)
    return Found(
        right=scored.right,
        exact=scored.exact,
        lost=len(scored.lost),
        unread=sum(not _is_read(video, pages, each) for each in scored.lost),
        wrong=dict(scored.mistakes),
        excused=len(scored.excused),
        recall=round(scored.recall, 4),
        precision=round(scored.precision, 4),
        p50=_percentile(shown, 50),
        p99=_percentile(shown, 99),
        gone_p50=_percentile(gone, 50),
        gone_p99=_percentile(gone, 99),
    )


def _is_read(video: Video, pages: Mapping[int, Page], wanted: Expected) -> bool:
    """Tell whether an event's text was read in a single frame, or no frame with it was read."""
    read = readings_of(video.truth, pages, wanted)
    asked = replace(wanted, any_text=False)
    return not read or any(says(asked, text) for text, _ in read)


def _percentile(seconds: Sequence[float], percent: float) -> float | None:
    return round(float(np.percentile(seconds, percent)), 3) if seconds else None


def _mistakes(video: Video, scored: Scored, pages: Mapping[int, Page]) -> list[str]:
    said = []
    for each in scored.lost:
        said.append(f"lost: {each.kinds[0]} {each.text!r}, frame {each.end}")
        read = Counter(text for text, _ in readings_of(video.truth, pages, each))
        texts = ", ".join(f"{text!r} {number} times" for text, number in read.most_common(4))
        said[-1] += f"; single frames say {texts or 'nothing, for none of them was read'}"
    said += [f"{kind}: {told}" for told, kind in scored.wrong]
    return [*said, *(f"excused: {told}" for told in scored.excused)]


def tables(rows: Sequence[Row]) -> list[str]:
    """Format the rows as tables of Markdown: events, texts, latency, and cost."""
    return [
        _table(
            "Scene Events Right Exact Lost Unread Wrong Precision Recall Excused",
            rows,
            _event_cells,
        ),
        _table(
            "Scene|Texts|CER voted|best frame|mean frame|Exact voted|best frame|mean frame",
            [row for row in rows if row.texts is not None],
            _text_cells,
        ),
        _table(
            "Scene|p50|p99|gone p50|gone p99|Live: frames|p50|p99|gone p50|gone p99"
            "|precision|recall",
            rows,
            _latency_cells,
        ),
        _table(
            "Scene|CPU of the watch|OCR.read on each frame|Share|CPU live|Memory",
            rows,
            _cost_cells,
        ),
    ]


def _table(heads: str, rows: Sequence[Row], cells: Callable[[Row], Sequence[str]]) -> str:
    names = heads.split("|") if "|" in heads else heads.split()
    lines = [
        names,
        ["---", *["---:"] * (len(names) - 1)],
        *([row.scene, *cells(row)] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _event_cells(row: Row) -> list[str]:
    found = row.events
    wrong = ", ".join(f"{number} {kind}" for kind, number in sorted(found.wrong.items()))
    return [
        str(found.right + found.lost),
        str(found.right),
        str(found.exact),
        str(found.lost),
        str(found.unread),
        wrong or "0",
        f"{found.precision:.3f}",
        f"{found.recall:.3f}",
        str(found.excused),
    ]


def _text_cells(row: Row) -> list[str]:
    if row.texts is None:
        return []
    each = (row.texts.voted, row.texts.best, row.texts.mean)
    return [
        str(row.texts.voted.number),
        *(f"{texts.cer:.3f}" for texts in each),
        *(f"{texts.exact:.3f}" for texts in each),
    ]


def _latency_cells(row: Row) -> list[str]:
    return [
        *_seconds(row.events),
        f"{row.looked_at:.0%}",
        *_seconds(row.live),
        f"{row.live.precision:.3f}",
        f"{row.live.recall:.3f}",
    ]


def _seconds(found: Found) -> list[str]:
    times = (found.p50, found.p99, found.gone_p50, found.gone_p99)
    return ["–" if each is None else f"{each:.2f} s" for each in times]


def _cost_cells(row: Row) -> list[str]:
    return [
        f"{row.cpu:.3f} s",
        f"{row.read_cpu:.2f} s",
        f"{row.share:.1%}",
        f"{row.live_cpu:.3f} s",
        "?" if row.grown is None else f"{row.grown:.0f} MiB",
    ]


def judgements(rows: Sequence[Row]) -> list[str]:
    """Return for each aim whether it is met, as sentences."""
    said = []
    for row in rows:
        if row.scene == STANDING_SCENE:
            said.append(
                f"{row.scene}: {row.share:.1%} of the CPU time of reading each frame, "
                f"{_judged(row.share <= MOST_CPU)}: at most {MOST_CPU:.0%}"
            )
        if row.scene in SCROLLING:
            lost = row.events.lost - row.events.unread
            said.append(f"{row.scene}: {lost} events lost, {_judged(not lost)}: none")
        if row.texts is not None:
            voted, best = row.texts.voted, row.texts.best
            said.append(
                f"{row.scene}: CER {voted.cer:.3f} voted, {best.cer:.3f} of the best frames, "
                f"{_judged(voted.cer <= best.cer)}: at most as large"
            )
    return said


def _judged(met: bool) -> str:
    return "met" if met else "missed"
