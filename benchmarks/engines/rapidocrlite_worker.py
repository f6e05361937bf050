"""Run RapidOCRLite, RapidOCR's interface over a C++ interpreter, with the given weights."""

from __future__ import annotations

from . import measure, rapidocr_worker


def start(request: measure.Request) -> tuple[measure.Read, measure.Lines]:
    """Construct the engine, which always uses all CPUs of the process; see `measure.main`."""
    return rapidocr_worker.start(request)


if __name__ == "__main__":
    measure.main(start)
