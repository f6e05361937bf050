"""The sizes of a stage's runs, on which its memory depends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RunSizes:
    """The sizes of a stage's runs, in pixels of its network's input.

    Attributes:
        given: Whether the network is given whole pictures, or crops of them.
        least: Pixels of the largest run that the stage must be able to do to be of any use.
        full: Pixels of its largest run without a memory limit.
        activation_bytes: Memory that a run takes beside the weights, in bytes per pixel, as the
            bundle states it; 0 where it is unknown.
    """

    given: Literal["pictures", "crops"]
    least: int
    full: int
    activation_bytes: int
