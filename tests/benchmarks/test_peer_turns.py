"""Engines take turns, picture by picture."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import peer_turns
from benchmarks.engine_process import OURS, Engine, EngineError, EngineProcess
from benchmarks.engines.measure import Answer, Request
from tests.support.engines import REQUEST, stub_engine

NAMES = ["a", "b", "c", "d"]


def test_every_engine_has_a_turn_at_every_picture() -> None:
    for number in range(3):
        for picture in range(5):
            assert sorted(peer_turns.turns(NAMES, number, picture)) == NAMES


def test_each_engine_is_first_equally_often() -> None:
    """Over as many pictures as there are engines, in every round and over the rounds."""
    for number in range(3):
        firsts = Counter(peer_turns.turns(NAMES, number, picture)[0] for picture in range(4))
        assert set(firsts.values()) == {1}
    firsts = Counter(peer_turns.turns(NAMES, number, 0)[0] for number in range(8))
    assert set(firsts.values()) == {2}


def test_no_engine_always_follows_the_same_one() -> None:
    follows: dict[str, set[str]] = {name: set() for name in NAMES}
    for number in range(2):
        for picture in range(4):
            for before, after in pairwise(peer_turns.turns(NAMES, number, picture)):
                follows[after].add(before)
    assert all(len(before) == 2 for before in follows.values())


def test_engines_read_each_picture_in_turn_in_processes_that_stay_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    read: list[tuple[str, str]] = []

    class Recorded(EngineProcess):
        def __init__(self, engine: Engine, request: Request, patience_s: float) -> None:
            opened.append(f"{engine.name} {request['rest']}")
            self.engine = engine.name
            super().__init__(engine, request, patience_s)

        def read(self, picture: Path) -> Answer:
            read.append((self.engine, picture.stem))
            return super().read(picture)

    monkeypatch.setattr(peer_turns, "EngineProcess", Recorded)
    engines = [stub_engine(tmp_path, name) for name in ("x", "y")]
    pictures = [Path("one.jpg"), Path("two.jpg")]
    said: list[str] = []
    measured = peer_turns.measure(engines, REQUEST, pictures, 2, 1, said.append)
    # A process of its own for the cold start, which doesn't wait until the engine rests.
    assert opened == ["x False", "y False", "x True", "y True"]
    assert read[:4] == [("x", "one"), ("y", "one")] * 2
    first_round = [("x", "one"), ("y", "one"), ("y", "two"), ("x", "two")]
    second_round = [("y", "one"), ("x", "one"), ("x", "two"), ("y", "two")]
    assert read[4:] == first_round + second_round
    for name in ("x", "y"):
        texts = [[each["lines"][0]["text"] for each in row] for row in measured.rounds[name]]
        assert texts == [["one", "two"]] * 2
        assert 0.01 < measured.cold_starts_s[name][0] < 60
    assert said[0] == "small: 1 cold starts of each engine"
    assert said[1].startswith("small: round 1 of 2: x 0.00 s, y 0.00 s")


def test_a_peer_that_fails_or_hangs_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    class Renamed(EngineProcess):
        """Gives two of the peers a picture that they don't survive, and one of them little time."""

        def __init__(self, engine: Engine, request: Request, patience_s: float) -> None:
            self.engine = engine.name
            assert patience_s == 200
            super().__init__(engine, request, 0.5 if self.engine == "hangs" else patience_s)

        def read(self, picture: Path) -> Answer:
            fatal = {"ends": "broken.jpg", "hangs": "endless.jpg"}
            if picture.stem == "two":
                picture = Path(fatal.get(self.engine, picture))
            return super().read(picture)

    engines = [stub_engine(tmp_path, name) for name in (OURS, "ends", "works", "hangs")]
    pictures = [Path("one.jpg"), Path("two.jpg")]
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peer_turns, "EngineProcess", Renamed)
        measured = peer_turns.measure(engines, REQUEST, pictures, 2, 0, said.append, 200)
    assert set(measured.rounds) == set(measured.endings) == {OURS, "works"}
    assert all(len(row) == 2 for rounds in measured.rounds.values() for row in rounds)
    assert set(measured.failures) == {"ends", "hangs"}
    assert "this picture is broken" in measured.failures["ends"]
    assert measured.failures["hangs"] == "hangs: the worker did not finish within 0.5 s"
    assert f"small: goes on without {measured.failures['hangs']}" in said
    with pytest.raises(EngineError, match="edgeocr: the worker ended"):
        peer_turns.measure(engines[:1], REQUEST, [Path("broken.jpg")], 1, 0, said.append)
