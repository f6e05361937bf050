"""The rules of `edgeocr tune`, with readers and a clock that the tests move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from edgeocr.bench.cell_process import CellError
from edgeocr.tuned.record import Candidate, Tried, TunedStage
from edgeocr.tuning.choosing import is_kept, left_to_auto, stage_choice
from edgeocr.tuning.process import Reader
from edgeocr.tuning.rounds import Race, Ratio
from edgeocr.tuning.together import Together
from edgeocr.tuning.trial import LAST_ROUNDS, STAGE_ROUNDS, try_stage
from edgeocr.tuning.way import Way
from tests.support.readers import CPU, GPU, INT8, Clock, FakeReader, trial


def right(candidate: Candidate, ms: float | None) -> Tried:
    return Tried(candidate, "right", ms)


def test_the_fastest_of_those_that_are_right_is_chosen() -> None:
    wrong = Tried(INT8, "refused", problem="it reads 3 of 57 lines differently")
    stage = stage_choice(
        [right(CPU, 10.0), replace(wrong, milliseconds=1.0), right(GPU, 5.0)], [CPU]
    )
    assert stage.choice == GPU and stage.reason == "5.0 ms a page, cpu fp32 takes 10.0 ms"
    assert len(stage.tried) == 3


@pytest.mark.parametrize(("ms", "choice"), [(9.6, None), (9.4, GPU)])
def test_a_small_gain_is_not_worth_a_change(ms: float, choice: Candidate | None) -> None:
    assert stage_choice([right(CPU, 10.0), right(GPU, ms)], [CPU]).choice == choice


def test_the_usual_choice_is_the_first_that_is_not_wrong() -> None:
    refused = Tried(INT8, "refused", problem="wrong")
    stage = stage_choice([right(CPU, 10.0), refused], [INT8, CPU])
    assert stage.choice is None and "cpu fp32 takes 10.0 ms" in stage.reason


def test_nothing_is_chosen_where_the_usual_choice_was_not_measured() -> None:
    unmeasured = Tried(GPU, "unmeasured", problem="not measured: no time left")
    stage = stage_choice([right(CPU, 1.0), right(INT8, 0.1), unmeasured], [GPU, CPU])
    assert stage.choice is None and stage.reason == "cuda fp32 was not measured"


@pytest.mark.parametrize(("ratios", "kept"), [([0.9, 0.97, 1.4], True), ([0.9, 0.98, 0.98], False)])
def test_the_middle_ratio_decides(ratios: list[float], kept: bool) -> None:
    assert is_kept(Ratio.of(ratios)) is kept


def test_what_is_wrong_stays_known_where_the_default_is_the_best() -> None:
    stage = TunedStage(GPU, "fast", [right(GPU, 1.0), Tried(INT8, "refused", problem="wrong")])
    left = left_to_auto(stage, "the default is the best")
    assert left.choice is None and left.reason == "the default is the best"
    assert left.problem("cpu", "int8") == "wrong"


def test_a_race_divides_the_times_of_each_round() -> None:
    first, second = FakeReader(20), FakeReader(10)
    race = Race(first, second, [0, 1, 2], 1.0)
    race.round()
    second.ms = 40
    race.round()
    assert race.ratios == [0.5, 2.0] and race.first_ms == [20, 20]
    assert str(race.ratio) == "1.25 (0.50 to 2.00 in 2 rounds)"


def test_candidates_pass_the_gate_and_are_timed_beside_the_reference() -> None:
    ways: list[Way] = []
    readers = {"cpu int8": FakeReader(5, ("one", "2")), "cuda fp32": FakeReader(4)}

    def open_reader(way: Way, patience: float) -> Reader:
        ways.append(way)
        return readers[f"{way.provider['recognition']} {way.variant['recognition']}"]

    reference = FakeReader(8)
    own, int8, gpu = try_stage(
        trial(reference, open_reader), "recognition", [CPU, INT8, GPU], reference
    )
    assert own.verdict == "right" and own.milliseconds == 8
    assert int8.verdict == "refused" and int8.milliseconds is None
    assert int8.problem == ("it reads 2 of 4 lines differently (50.0%, and at most 1% are allowed)")
    assert gpu.verdict == "right" and gpu.milliseconds == 4
    assert gpu.agreement is not None and gpu.agreement.same == 4
    assert [way.provider for way in ways] == [{"recognition": "cpu"}, {"recognition": "cuda"}]
    assert all(reader.closed for reader in readers.values())


@pytest.mark.parametrize("pages", [0, 3])
def test_a_candidate_that_dies_has_failed_and_others_go_on(pages: int) -> None:
    readers = {"int8": FakeReader(5, fails_after=pages), "fp32": FakeReader(4)}
    reference = FakeReader(8)
    found = try_stage(
        trial(reference, lambda way, _: readers[way.variant["recognition"]]),
        "recognition",
        [CPU, INT8, GPU],
        reference,
    )
    assert [each.verdict for each in found] == ["right", "failed", "right"]
    assert found[1].problem == "the measuring process was killed by signal 11 SIGSEGV"
    assert readers["int8"].closed


def test_alternatives_of_what_does_not_start_are_not_tried() -> None:
    opened: list[Way] = []

    def open_reader(way: Way, patience: float) -> Reader:
        opened.append(way)
        raise CellError("provider 'cuda' did not start here")

    reference = FakeReader(8)
    other = Candidate("cuda", "fp32", {"use_tf32": "1"})
    found = try_stage(trial(reference, open_reader), "recognition", [CPU, GPU, other], reference)
    assert [each.verdict for each in found] == ["right", "failed", "unmeasured"]
    assert found[2].problem == "cuda fp32 failed" and len(opened) == 1


def test_what_there_is_no_time_for_is_said_to_be_unmeasured() -> None:
    clock = Clock()
    reference = FakeReader(1000, clock=clock)

    def open_reader(way: Way, patience: float) -> Reader:
        clock.seconds += 1
        return FakeReader(1000, clock=clock)

    # Opening 1 s, reading 2 s or 3 s for the first time, a round 2 s for each of both: 16 s for a
    # candidate, and 34 s for the last comparison. The reference has been read before.
    found = try_stage(
        trial(reference, open_reader, 60.0), "recognition", [CPU, INT8, GPU], reference
    )
    assert [each.verdict for each in found] == ["right", "right", "unmeasured"]
    assert found[2].problem == "not measured: no time left"
    assert clock.seconds < 2 + 60


def test_a_stage_leaves_an_equal_share_of_the_time_to_the_stages_after_it() -> None:
    reference = FakeReader(1000)

    def tried(seconds: float, stages_left: int) -> list[str]:
        measured = trial(reference, lambda *_: FakeReader(1000), seconds)
        found = try_stage(measured, "recognition", [CPU, INT8], reference, stages_left)
        return [each.verdict for each in found]

    assert tried(60.0, 0) == ["right", "right"]
    assert tried(60.0, 1) == ["right", "unmeasured"]
    assert tried(90.0, 1) == ["right", "right"]


def test_a_hopeless_candidate_is_timed_once() -> None:
    reference, slow = FakeReader(8), FakeReader(80)
    found = try_stage(trial(reference, lambda *_: slow), "recognition", [CPU, GPU], reference)
    assert found[1].milliseconds == 80 and slow.pages == 4  # once for the gate
    fast = FakeReader(7)
    try_stage(trial(reference, lambda *_: fast), "recognition", [CPU, GPU], reference)
    assert fast.pages == 2 + 2 * STAGE_ROUNDS


class Ways:
    """The choices of a stage beside the default: readers by the tuned file that they obey."""

    def __init__(self, default: FakeReader, tuned: FakeReader) -> None:
        self.readers = {"default": default, "tuned": tuned}
        self.opened: list[Way] = []

    def write(self, stages: Mapping[str, TunedStage]) -> str:
        return "default" if stages["recognition"].choice is None else "tuned"

    def open(self, way: Way, patience: float) -> Reader:
        self.opened.append(way)
        assert way.tuned is not None
        return replace(self.readers[way.tuned])


CHOICE = {"recognition": TunedStage(GPU, "fast")}
ON_GPU = {"recognition": "cuda"}


def together(ways: Ways) -> Together:
    return Together(trial(FakeReader(10), ways.open), CHOICE, ways.write)


@pytest.mark.parametrize(("ms", "kept"), [(9.6, True), (9.8, False), (30, False)])
def test_the_choices_are_kept_only_if_they_are_faster_than_the_default(
    ms: float, kept: bool
) -> None:
    outcome = together(Ways(FakeReader(10), FakeReader(ms, providers=ON_GPU))).outcome()
    assert outcome.kept is kept and outcome.ratio is not None
    assert outcome.ratio.rounds == LAST_ROUNDS == 5
    assert outcome.default_ms == 10 and outcome.tuned_ms == ms
    assert outcome.reason == f"a page takes {outcome.ratio} of the default's time"


def test_choices_that_read_differently_together_are_not_kept() -> None:
    ways = Ways(FakeReader(10), FakeReader(1, ("one", "2"), providers=ON_GPU))
    outcome = together(ways).outcome()
    assert not outcome.kept and "not right together: it reads 2 of 4 lines" in outcome.reason


def test_choices_that_are_not_taken_are_not_kept() -> None:
    outcome = together(Ways(FakeReader(10), FakeReader(1))).outcome()
    assert not outcome.kept
    assert "recognition ran on cpu fp32 instead of cuda fp32" in outcome.reason


@pytest.mark.parametrize("pages", [0, 5])
def test_choices_that_fail_together_are_not_kept(pages: int) -> None:
    tuned = FakeReader(1, providers=ON_GPU, fails_after=pages)
    outcome = together(Ways(FakeReader(10), tuned)).outcome()
    assert not outcome.kept and "SIGSEGV" in outcome.reason


def test_the_best_number_of_threads_is_found_and_used_from_then_on() -> None:
    class Threads(Ways):
        def open(self, way: Way, patience: float) -> Reader:
            reader = super().open(way, patience)
            assert isinstance(reader, FakeReader)
            reader.ms = {None: 10.0, 4: 11.0, 2: 7.0, 1: 9.0}[way.threads]
            return reader

    ways = Threads(FakeReader(10), FakeReader(10, providers=ON_GPU))
    both = together(ways)
    number, tried = both.settings("threads", [4, 2, 1])
    assert number == 2
    assert [each.ratio.middle for each in tried if each.ratio is not None] == [1.1, 0.7, 0.9]
    assert both.outcome().kept
    assert [way.threads for way in ways.opened[-2:]] == [2, None]
    both.use_usual_settings()
    assert not both.outcome().kept  # with the usual number both take the same time
    assert [way.threads for way in ways.opened[-2:]] == [None, None]
