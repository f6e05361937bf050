"""Sentences about a result: what does not work, what failed, and what makes times doubtful."""

from __future__ import annotations

from .provider_result import ProviderFailure, ProviderResult
from .result import BenchResult


def notes(result: BenchResult) -> list[str]:
    """Return what a reader of the figures has to know beside them, one sentence each."""
    rows = []
    for name, measured in result.providers.items():
        if isinstance(measured, ProviderFailure):
            rows.append(f"{name} doesn't work here: {measured.error}")
        else:
            rows += _provider_notes(name, measured)
    if len({measured.texts_sha256 for measured in result.working.values()}) > 1:
        rows.append("the providers did not read the same texts")
    rows += [f"{failure.name} failed: {failure.error}" for failure in result.failed]
    return rows


def _provider_notes(name: str, measured: ProviderResult) -> list[str]:
    rows = [f"{name}: {failure.image} failed: {failure.error}" for failure in measured.failed]
    if not measured.same_each_time:
        rows.append(f"{name}: a picture did not give the same text each time")
    moved = [f"{stage} ran on {own}" for stage, own in measured.providers.items() if own != name]
    if moved:
        rows.append(f"{name}: {', '.join(moved)}")
    if measured.variants:
        taken = ", ".join(f"{stage} in {each}" for stage, each in measured.variants.items())
        rows.append(f"{name}: {taken}")
    if reasons := measured.throttling.new():
        rows.append(f"{name}: the device slowed itself down ({', '.join(reasons)})")
    return rows
