"""The result of a tuning as text."""

from __future__ import annotations

from edgeocr import Tuning
from edgeocr.accuracy.agreement import Agreement
from edgeocr.tuned.record import Candidate, Tried, TunedStage
from edgeocr.tuning.table import table

FP32, INT8, GPU = (
    Candidate(*each) for each in (("cpu", "fp32"), ("cpu", "int8"), ("cuda", "fp32"))
)
STAGE = TunedStage(
    None,
    "nothing else is worth it",
    [
        Tried(FP32, "right", 10.0, Agreement(70, 70, 70)),
        Tried(INT8, "refused", None, Agreement(70, 69, 68), "it is \x1b[31mwrong"),
        Tried(GPU, "unmeasured", problem="no time left"),
    ],
)


def test_stages_are_tables_and_what_is_refused_is_named_at_the_end() -> None:
    found = Tuning(
        {"detection": STAGE},
        settings=[],
        threads=None,
        batch=None,
        kept=False,
        reason="nothing",
        ratio=None,
        default_ms=None,
        tuned_ms=None,
        images=3,
        lines=70,
        failed={},
        seconds=0.2,
    )
    said = table(found).splitlines()
    assert said[:5] == [
        "detection  ms a page  lines that agree  verdict",
        "cpu fp32        10.0          70 of 70  right",
        "cpu int8           –          68 of 70  refused: it is \N{REPLACEMENT CHARACTER}[31mwrong",
        "cuda fp32          –                 –  unmeasured: no time left",
        "→ as usual: nothing else is worth it",
    ]
    assert said[6:] == [
        "the default is the best: nothing",
        "not used from now on: detection on cpu int8",
        "70 lines in 3 pictures, 0 s",
    ]
