"""Accuracy on several folders, with standard errors, beside a peer."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command_line
from benchmarks import accuracy_peers, accuracy_rows, inputs
from benchmarks.spread import standard_errors
from edgeocr.accuracy.score import Score
from tests.support.paths import IMAGES


def pictures(seed: int, number: int) -> list[Score]:
    """Return scores of pictures with ten lines each, of which any number is exact."""
    exact = np.random.default_rng(seed).integers(0, 11, number).tolist()
    return [Score(labelled=10, found=10, matched=10, exact=n) for n in exact]


def test_error_of_a_mean_is_the_textbook_formula() -> None:
    """With as many lines in each picture the Hmean is the mean of the pictures' Hmeans."""
    scores = pictures(1, 30)
    shares = np.array([score.exact / 10 for score in scores])
    errors = standard_errors(scores)
    assert errors["hmean"] == pytest.approx(shares.std(ddof=1) / math.sqrt(30))
    assert errors["detection_hmean"] == 0


def test_error_of_a_difference_is_that_of_pairs() -> None:
    scores, others = pictures(1, 30), pictures(2, 30)
    pairs = [one.exact / 10 - other.exact / 10 for one, other in zip(scores, others, strict=True)]
    errors = standard_errors(scores, others)
    assert errors["hmean"] == pytest.approx(np.std(pairs, ddof=1) / math.sqrt(30))
    assert standard_errors(scores, scores)["hmean"] == 0


def test_one_picture_says_nothing_about_others() -> None:
    assert all(map(math.isnan, standard_errors(pictures(1, 1)).values()))


def test_scores_of_other_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 2 scores and 3 others"):
        standard_errors(pictures(1, 2), pictures(1, 3))


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "accuracy", *words])
    command_line.main()


@pytest.fixture
def one_badge(tmp_path: Path) -> Path:
    """A folder with the smallest of the repository's labelled pictures."""
    folder = tmp_path / "badge"
    folder.mkdir()
    rows = (IMAGES / "Label.txt").read_text("utf-8").splitlines()
    (row,) = (row for row in rows if row.startswith("badge.jpg"))
    (folder / "Label.txt").write_text(row + "\n", "utf-8")
    (folder / "badge.jpg").write_bytes((IMAGES / "badge.jpg").read_bytes())
    return folder


def test_each_folder_is_reported_on_its_own(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    one_badge: Path,
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in one_badge.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    result = tmp_path / "figures.json"
    run(monkeypatch, "--data", str(one_badge), str(other), "--json", str(result))
    printed = capsys.readouterr().out
    assert printed.count("badge.jpg") == printed.count("1 pictures") == 2
    assert "badge:\n" in printed and "other:\n" in printed
    read = json.loads(result.read_text())
    assert read["badge"] == read["other"]
    figures = read["badge"]["edgeocr"]["figures"]
    assert set(figures) == set(accuracy_rows.COLUMNS) and figures["precision"] == 1
    assert read["badge"]["edgeocr"]["errors"]["hmean"] is None


def test_peer_is_shown_beside_with_the_difference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], one_badge: Path
) -> None:
    def nothing(*_: object) -> dict[str, dict[str, list[Score]]]:
        return {"rapidocr": {one_badge.name: [Score(labelled=4, characters=50, labelled_words=8)]}}

    monkeypatch.setattr(accuracy_peers, "scores", nothing)
    run(monkeypatch, "--data", str(one_badge), "--peers", "rapidocr")
    ours, theirs, difference = (
        row
        for row in capsys.readouterr().out.splitlines()
        if row.startswith(("edgeocr", "rapidocr", "  edgeocr minus it"))
    )
    assert "H 0.0000" in theirs and "CER 0.0000" in theirs
    hmean = ours.split(" H ")[-1].split()[0]
    assert f" H +{hmean}" in difference


def test_peer_without_these_weights_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], one_badge: Path
) -> None:
    def left_out(*_: object) -> None:
        raise inputs.MeasurementError("faster-paddle is left out because it runs others")

    monkeypatch.setattr(accuracy_peers, "scores", left_out)
    with pytest.raises(SystemExit):
        run(monkeypatch, "--data", str(one_badge), "--peers", "faster-paddle")
    assert "faster-paddle is left out because" in capsys.readouterr().err
