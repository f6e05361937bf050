"""Sources become pictures, for as long as there is room for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

from ..images import Image, Source
from ..page import Placed, scaled
from ..runtime.stopwatch import Stopwatch
from .budget import Budget, Taken


class Loaded(NamedTuple):
    """A picture to find lines in.

    image: uint8 [H, W, 3] BGR. width, height: pixels of the source, which has more than `image`
        where it is reduced.
    """

    image: Image
    width: int
    height: int

    def of_source(self, found: Sequence[Placed]) -> Sequence[Placed]:
        """Lines or regions of the image, in the source's pixels."""
        high, wide = self.image.shape[:2]
        if (high, wide) == (self.height, self.width):
            return found
        return [scaled(each, (self.width / wide, self.height / high)) for each in found]

    def of_image(self, found: Sequence[Placed]) -> Sequence[Placed]:
        """Lines or regions of the source, in the image's pixels."""
        high, wide = self.image.shape[:2]
        if (high, wide) == (self.height, self.width):
            return found
        return [scaled(each, (wide / self.width, high / self.height)) for each in found]


@contextmanager
def loaded(
    source: Source, budget: Budget | None, watch: Stopwatch, beside: int = 0
) -> Iterator[Loaded]:
    """The picture of a source, with room for it while the block runs, and for so many bytes more
    beside each of its pixels.

    Raises `ImageError` and, where there is a budget, `MemoryLimitError`.
    """
    with room([source], budget, beside) as (taken,):
        with watch("load"):
            image = taken.load()
        height, width = image.shape[:2]
        if taken.reduction > 1:
            # EXIF may have turned it, which a square's sizes don't show and needn't.
            level = (-(-taken.height // taken.reduction), -(-taken.width // taken.reduction))
            sides = (taken.height, taken.width)
            height, width = sides if (height, width) == level else sides[::-1]
        yield Loaded(image, width, height)


def room(
    sources: Sequence[Source], budget: Budget | None, beside: int = 0
) -> AbstractContextManager[list[Taken]]:
    """Room for the pictures of sources together, and how to load each."""
    if budget is None:
        return nullcontext([Taken(source) for source in sources])
    return budget.page(sources, beside)
