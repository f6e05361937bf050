"""Use the gaps in lines that a CTC network has read: add spaces, and find where to cut lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from . import cuts, gaps, spaces


class Spacing:
    """What is done with the gaps between the characters that a network has read.

    Attributes:
        restores: Whether spaces are put where the network has read none.
    """

    def __init__(
        self, characters: Sequence[str], *, blank: int, height: int, least: spaces.Width | None
    ) -> None:
        """Find out which characters of a charset are letters, signs or parts of numbers.

        Args:
            characters: The character of each class.
            blank: The class that CTC drops.
            height: Height of the network's input in pixels.
            least: How wide a gap between two words is at least where the network has read no
                space; None to leave the spaces as they are.
        """
        self._characters = np.array(characters, object)
        self._blank = blank
        self._height = height
        self._least = least
        self._space = list(characters).index(" ") if " " in characters else None
        self._kinds = spaces.kinds(characters)
        self._numbers = cuts.number_classes(self._characters)
        self.restores = least is not None and self._space is not None

    def apply(
        self,
        indices: NDArray[np.integer],
        scores: NDArray[np.floating],
        empty: Mapping[int, NDArray[np.bool_]],
        *,
        stride: int,
        cut: bool,
    ) -> dict[int, list[cuts.Cut]]:
        """Put spaces into N lines, and find where the lines have to be cut.

        Args:
            indices: integer [N, T], the most probable class of each step; changed in place.
            scores: float [N, T], the probability of that class; changed in place.
            empty: For each line, by its index, bool [W]: which columns of the network's input show
                no ink.
            stride: The network's pixels for each time step.
            cut: Whether to look for places at which to cut lines.

        Returns:
            The cuts of each line that has some, from left to right.
        """
        found = gaps.measure(indices, empty, stride=stride, blank=self._blank, space=self._space)
        places: dict[int, list[cuts.Cut]] = {}
        if cut:
            places = cuts.find(
                found, self._characters, self._numbers, height=self._height, stride=stride
            )
        if self._least is not None and self._space is not None:
            spaces.mark(
                indices,
                scores,
                found,
                height=self._height,
                least=self._least,
                kinds=self._kinds,
                space=self._space,
            )
        return places
