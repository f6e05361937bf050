"""The list of all claims, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..trial import Finding, Trial
from .doctor import try_doctor
from .engines import try_engines
from .memory import try_memory
from .parity import try_parity, try_reduced
from .speed import try_auto, try_search, try_speed
from .spikes import try_spikes


@dataclass(frozen=True)
class Claim:
    """Something that edgeocr promises about GPUs.

    Attributes:
        name: Its short name.
        says: It as a sentence.
        weight: How much time it needs, relative to the others.
        attempt: Tries it.
    """

    name: str
    says: str
    weight: float
    attempt: Callable[[Trial], Finding]


CLAIMS = (
    Claim("doctor", "edgeocr finds all that a GPU needs, and nothing is wrong.", 2, try_doctor),
    # The engines come first, because building them takes most of the time, and others need them.
    Claim(
        "engines",
        "A second process reuses the engines that the first warm-up has built.",
        10,
        try_engines,
    ),
    Claim(
        "parity",
        "In float32 the GPU gives the same texts as the CPU, and the same maps.",
        4,
        try_parity,
    ),
    Claim(
        "lower precision",
        "In lower precision the GPU gives the same texts as the CPU in float32.",
        3,
        try_reduced,
    ),
    Claim("speed", "With edgeocr's defaults the GPU takes less time than the CPU.", 6, try_speed),
    Claim(
        "search",
        "The search for convolution algorithms that edgeocr sets is the fastest.",
        0,
        try_search,
    ),
    Claim("auto", '"auto" takes no more time than the CPU, within 5 %.', 2, try_auto),
    Claim(
        "spikes",
        "After the warm-up no page of any size takes more than three times the median.",
        4,
        try_spikes,
    ),
    Claim("memory", "Memory stays flat over hundreds of pages.", 3, try_memory),
)
