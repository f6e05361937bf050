"""The rules by which something is chosen: never slower than the usual choice, never wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..tuned.record import Candidate, Tried, TunedStage
from .rounds import Ratio

# A candidate replaces the usual one only if it takes at most this share of its time: a smaller
# difference may be noise, and is not worth another provider or graph.
STAGE_WORTH = 0.95
# All choices together are kept only if a page takes at most this share of the default's time.
WORTH = 0.97


def stage_choice(tried: Sequence[Tried], usual: Iterable[Candidate]) -> TunedStage:
    """Choose a candidate of a stage.

    Args:
        tried: What was found out about the candidates.
        usual: What "auto" tries without tuning, in order.

    Returns:
        The choice. It is None if the usual one is as fast as any other, or if that is unknown.
    """
    by_name = {str(each.candidate): each for each in tried}
    unfit = [each.candidate for each in tried if each.unfit]
    default = next((each for each in usual if each not in unfit), None)
    known = by_name.get(str(default))
    if default is None or known is None or known.milliseconds is None:
        return TunedStage(None, f"{default or 'the usual choice'} was not measured", list(tried))
    fastest, ms = default, known.milliseconds
    for each in tried:
        if each.verdict == "right" and each.milliseconds is not None and each.milliseconds < ms:
            fastest, ms = each.candidate, each.milliseconds
    if ms > STAGE_WORTH * known.milliseconds:
        reason = f"{default} takes {known.milliseconds:.1f} ms a page, and nothing else is worth it"
        return TunedStage(None, reason, list(tried))
    reason = f"{ms:.1f} ms a page, {default} takes {known.milliseconds:.1f} ms"
    return TunedStage(fastest, reason, list(tried))


def is_kept(ratio: Ratio) -> bool:
    """Return whether what was tuned is faster than the default, beyond doubt."""
    return ratio.middle <= WORTH


def left_to_auto(stage: TunedStage, reason: str) -> TunedStage:
    """Return a stage without its choice, for a reason; what was found to be wrong stays known."""
    return TunedStage(None, reason if stage.choice is not None else stage.reason, stage.tried)
