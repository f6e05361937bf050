"""The soak: its verdict, its windows, its pictures, and a short run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from benchmarks.soak import Soak, _Sample
from benchmarks.soak_pictures import DRAWN, Samples
from benchmarks.windows import Window, findings
from edgeocr import OCR, ImageError, Page

FIRST = Window(pictures=100, rss=200e6, descriptors=9, threads=20, milliseconds=50.0)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples(0)


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch, ocr: OCR, samples: Samples) -> Soak:
    monkeypatch.setattr(samples, "originals", samples.originals[:1])
    return Soak(ocr, samples)


def test_equal_windows_give_no_finding() -> None:
    grown = replace(FIRST, rss=219e6, milliseconds=74.0)
    for last in (FIRST, grown, replace(FIRST, rss=1.0, descriptors=1, threads=1, milliseconds=1.0)):
        assert findings([FIRST, last], 0.1, 0.5) == []


@pytest.mark.parametrize(
    ("last", "finding"),
    [
        (replace(FIRST, rss=221e6), "resident memory grew from 200 to 221 MB"),
        (replace(FIRST, descriptors=10), "the number of descriptors grew from 9 to 10"),
        (replace(FIRST, threads=21), "the number of threads grew from 20 to 21"),
        (replace(FIRST, milliseconds=76.0), "the median time of a picture grew from 50.0 to 76.0"),
    ],
)
def test_whatever_grows_is_a_finding(last: Window, finding: str) -> None:
    (found,) = findings([FIRST, FIRST, last], 0.1, 0.5)
    assert found.startswith(finding)


def test_a_soak_without_windows_to_compare_is_a_finding() -> None:
    for windows in ([], [FIRST]):
        (found,) = findings(windows, 0.1, 0.5)
        assert found.startswith("too few pictures")


def test_windows_leave_out_the_warm_up_and_count_what_stays_open(soak: Soak) -> None:
    soak.milliseconds = [1000.0] * 10 + [float(i) for i in range(90)]
    # Descriptors and threads that come and go don't count.
    soak._held = [_Sample(i, 100 * i, 5 + i % 2, 3 + i // 82 + i % 3) for i in range(100)]
    windows = soak.windows()
    assert [each.pictures for each in windows] == [18] * 5
    assert [each.milliseconds for each in windows] == [8.5, 26.5, 44.5, 62.5, 80.5]
    assert [each.descriptors for each in windows] == [5] * 5
    assert [each.threads for each in windows] == [3] * 4 + [4]
    assert windows[0].rss == 1850


def test_pictures_are_always_the_same_and_of_every_kind(samples: Samples) -> None:
    assert len(samples.originals) == 3 * DRAWN
    made = [samples.sample(number) for number in range(60)]
    again = [samples.sample(number) for number in range(60)]
    for one, other in zip(made, again, strict=True):
        assert np.array_equal(one.source, other.source)
    assert any(each.broken for each in made)
    assert any(each.original is not None for each in made)
    assert {type(each.source) for each in made} == {bytes, np.ndarray}


def test_a_text_that_changes_and_an_unexpected_error_are_failures(
    monkeypatch: pytest.MonkeyPatch, soak: Soak
) -> None:
    answers = iter(["another text", ImageError("no image"), RuntimeError("no idea")])

    def read(source: object) -> Page:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return Page("", 1, 1, (), {}, {})

    monkeypatch.setattr(soak.ocr, "read", read)
    whole = replace(soak.samples.sample(0), original=0, broken=False)
    monkeypatch.setattr(soak.samples, "sample", lambda number: whole)
    soak._expected = ["a text"]
    soak._read_some(iter(range(3)))
    assert soak.failures == [
        "picture 0 gave another text than before",
        "picture 1 was refused: no image",
        "picture 2: RuntimeError: no idea",
    ]


@pytest.mark.stress
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux has these files")
def test_a_short_soak_reads_and_disturbs_without_failures(
    monkeypatch: pytest.MonkeyPatch, soak: Soak
) -> None:
    small = cv2.resize(np.asarray(soak.samples.originals[0]), (320, 240)).astype(np.uint8)
    monkeypatch.setattr(soak.samples, "originals", [small])
    soak = Soak(soak.ocr, soak.samples)
    chance = Random(0)
    for disturb in (soak._fork, soak._abandon, soak._interrupt):
        disturb(chance)
    soak.read(10, threads=2, seconds=None, seed=0)
    assert soak.read_pictures == 10 and soak.failures == []
    assert soak.forks and soak.abandoned and soak.interrupts
