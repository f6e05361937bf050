"""The command that measures a watch: figures of texts, tables, aims, the picture, and a run."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import watch
from benchmarks.watch_drawing import box_quad
from benchmarks.watch_encoded import EncodedRow, encoded_table
from benchmarks.watch_loop import LoopRow, loop_table
from benchmarks.watch_picture import draw_watch
from benchmarks.watch_rows import Found, Row, judgements, tables
from benchmarks.watch_scoring import Told, score
from benchmarks.watch_texts import Compared, Texts, compare
from benchmarks.watch_truth import FPS, Shown, Video
from edgeocr import Page
from edgeocr.results.lines import Line
from edgeocr.watch import Event
from tests.support.paths import ROOT

QUAD = box_quad(100, 100, 300, 140)
FOUND = Found(4, 4, 0, 0, {}, 0, 1.0, 1.0, 0.1, 0.2, None, None)
TEXTS = Texts(3, 0.01, 0.9)
ROW = Row("sign", FOUND, FOUND, 1.0, 0.1, 0.1, 3.0, 0.03, 2.0, Compared(TEXTS, TEXTS, TEXTS))


def page(text: str, score: float) -> Page:
    return Page("", 1280, 720, (Line(text, score, QUAD),), {}, {})


def test_texts_are_those_told_last_of_the_best_frame_and_of_all_frames() -> None:
    truth = [[Shown("sign", "Exit 12", QUAD)]] * FPS
    video = Video("test", [np.zeros((2, 2, 3), np.uint8)] * FPS, truth)
    told = [
        Told(Event("appeared", 1, "Exit 1Z", 0.8, QUAD, 0, 0.0, 0.0), 0),
        Told(Event("changed", 1, "Exit 12", 0.8, QUAD, 9, 0.36, 0.0, previous="Exit 1Z"), 9),
    ]
    pages = {0: page("Exit 1Z", 0.9), 5: page("Exit 12", 0.8), 7: Page("", 1280, 720, (), {}, {})}
    compared = compare(truth, score(video, told, 0.5), told, pages)
    assert compared is not None
    assert compared.voted == Texts(1, 0, 1)
    assert compared.best == Texts(1, round(1 / 6, 4), 0)
    assert compared.mean == Texts(1, round((1 + 0 + 6) / 3 / 6, 4), round(1 / 3, 4))
    # Nothing was told, so all of the text is missing.
    nothing = compare(truth, score(video, [], 0.5), [], pages)
    assert nothing is not None and nothing.voted == Texts(1, 1, 0)


def test_aims_are_judged() -> None:
    lost = replace(FOUND, lost=1)
    worse = Compared(Texts(3, 0.02, 0.9), TEXTS, TEXTS)
    missed = [ROW, replace(ROW, share=0.06), replace(ROW, texts=worse)]
    missed.append(replace(ROW, scene="page", events=lost))
    said = judgements(missed)
    assert [", missed: " in line for line in said] == [
        *[False] * 2,
        True,
        *[False] * 2,
        *[True] * 2,
        False,
    ]
    assert said[0] == "sign: 3.0% of the CPU time of reading each frame, met: at most 5%"


def test_figures_that_are_unknown_are_left_out_of_the_tables() -> None:
    events, texts, latency, cost = tables([replace(ROW, grown=None, texts=None)])
    assert events.splitlines()[-1] == "| sign | 4 | 4 | 4 | 0 | 0 | 0 | 1.000 | 1.000 | 0 |"
    assert len(texts.splitlines()) == 2
    assert "| – |" in latency
    assert cost.endswith("| ? |")


def test_picture_has_a_lane_for_each_track() -> None:
    truth = [[Shown("sign", "Exit 12", QUAD)]] * FPS
    video = Video("test", [np.full((720, 1280, 3), 255, np.uint8)] * FPS, truth)
    event = Event("appeared", 1, "Exit 12", 0.8, QUAD, 0, 0.0, 0.0)
    one = draw_watch(video, [Told(event, 0)])
    two = draw_watch(video, [Told(event, 0), Told(replace(event, track=2, frame=5), 5)])
    assert one.width == two.width and two.height > one.height
    assert len(np.unique(np.asarray(one).reshape(-1, 3), axis=0)) > 20


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    file = ROOT / "benchmarks" / "results" / "watch-tiny-intel-xeon-2.json"
    read: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return read


def row_of(values: dict[str, Any]) -> Row:
    """Restore a row from a result file."""
    texts = values["texts"]
    found = {name: Found(**values[name]) for name in ("events", "live")}
    compared = texts and Compared(**{name: Texts(**each) for name, each in texts.items()})
    return Row(**{**values, **found, "texts": compared})


def test_page_has_the_recorded_tables(recorded: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "camera-speed.md").read_text("utf-8")
    for table in tables([row_of(row) for row in recorded["rows"]]):
        assert table in page
    assert loop_table([LoopRow(**row) for row in recorded["loop"]]) in page
    assert encoded_table([EncodedRow(**row) for row in recorded["encoded"]]) in page


def run(*words: str) -> None:
    parser = argparse.ArgumentParser()
    watch.add_arguments(parser)
    watch.run(parser.parse_args(list(words)))


@pytest.mark.stress
def test_scenes_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--scenes", "sign", "--seconds", "2", "--repeat", "1", "--stride", "10"]
    run(*words, "--output", str(tmp_path))
    (file,) = tmp_path.glob("watch-*.json")
    result = json.loads(file.read_text("utf-8"))
    (row,) = map(row_of, result["rows"])
    assert row.events.lost == 0 and row.share < 0.5
    assert len(result["loop"]) == 6 and len(result["encoded"]) == 2
    printed = capsys.readouterr().out
    for table in tables([row]):
        assert table in printed


@pytest.mark.stress
def test_picture_is_drawn(tmp_path: Path) -> None:
    run("--scenes", "display", "--seconds", "2", "--picture", str(tmp_path / "picture.png"))
    assert Image.open(tmp_path / "picture.png").width == 1280
