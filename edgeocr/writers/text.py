"""Results as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..errors import escaped
from ..postprocess.geometry import Float32


class HasText(Protocol):
    """A page, a block or a reading: a result with a text."""

    @property
    def text(self) -> str:
        """The text, without a newline at its end."""


class HasBlocks(HasText, Protocol):
    """A page: a text, and the blocks that it consists of."""

    @property
    def blocks(self) -> Sequence[HasText]:
        """The blocks in reading order; empty if it is unknown which lines belong together."""


class HasQuad(Protocol):
    """A region: a quad with a score."""

    @property
    def quad(self) -> Float32:
        """Corners, float32 [4, 2], clockwise from the top left."""

    @property
    def score(self) -> float:
        """Confidence from 0 to 1."""


def text_of_page(page: HasBlocks) -> str:
    """Return the texts of a page's lines, each in a line of its own; empty for an empty page.

    An empty line stands between two blocks.
    """
    text = "\n\n".join(block.text for block in page.blocks) or page.text
    return text + "\n" if text else ""


def text_of_reading(reading: HasText) -> str:
    """Return the text of a crop in a line of its own, which may be empty."""
    return reading.text + "\n"


def text_of_detections(regions: Iterable[HasQuad]) -> str:
    """Return one line for each region: its corners as `x,y`, a tab, and its score."""
    return "".join(
        " ".join(f"{x:.1f},{y:.1f}" for x, y in region.quad.tolist()) + f"\t{region.score:.3f}\n"
        for region in regions
    )


def heading(name: str) -> str:
    """Return the line that stands above a picture's text where there are several pictures."""
    return f"==> {escaped(name)} <==\n"
