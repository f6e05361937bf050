"""What was found out about a bundle, in words."""

from __future__ import annotations

from pathlib import Path

from edgeocr.bundle.description import COLUMNS
from edgeocr.tuned.description import describe
from edgeocr.tuned.lookup import Found
from edgeocr.tuned.record import Candidate, Entry, Key, Tried, TunedStage

KEY = Key("ab" * 32, "Cortex-A76", [], 4, [], ["cpu"], {}, {})


def test_nothing_is_said_without_a_file() -> None:
    assert describe(Found()) == ""


def test_an_ignored_file_is_named_with_its_reason() -> None:
    reason = "it is damaged: field entries[0].stages.recognition.tried[0].candidate is missing"
    lines = describe(Found(Path("reader.tuned.json"), ignored=reason)).splitlines()
    assert len(lines) == 2 and max(map(len, lines)) <= COLUMNS
    said = " ".join(line.strip() for line in lines)
    assert said == f"tuned on this device: reader.tuned.json is ignored: {reason}"


def test_choices_and_refusals_are_listed() -> None:
    wrong = Tried(Candidate("cpu", "int8"), "refused", 6.0, problem="it is \x1b[31mwrong")
    unknown = Tried(Candidate("cuda", "fp32"), "unmeasured", problem="no time left")
    stages = {
        "detection": TunedStage(reason="nothing is faster"),
        "recognition": TunedStage(
            Candidate("openvino", "fp32", {"precision": "FP16"}),
            "8.0 ms against 10.0",
            [wrong, unknown],
        ),
    }
    entry = Entry(KEY, "today", stages, threads=2, batch=4, default_ms=100, tuned_ms=80)
    assert describe(Found(Path("reader.tuned.json"), entry)).splitlines() == [
        "tuned on this device: reader.tuned.json, made today",
        "  detection: as usual, nothing is faster",
        "  recognition: openvino fp32 (precision=FP16), 8.0 ms against 10.0",
        "  recognition: not cpu int8: it is �[31mwrong",
        "  threads: 2",
        "  lines in a run: 4 at most",
        "  a page: 80.0 ms, 0.80 of 100.0 ms untuned",
    ]
