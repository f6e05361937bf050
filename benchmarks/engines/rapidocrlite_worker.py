"""RapidOCRLite with the given weights: RapidOCR's interface over a C++ interpreter of its own."""

from __future__ import annotations

from . import measure, rapidocr_worker


def start(request: measure.Request) -> tuple[measure.Read, measure.Lines]:
    """Construct the engine. It has no setting for threads, and uses all CPUs that it may."""
    return rapidocr_worker.start(request)


if __name__ == "__main__":
    measure.main(start)
