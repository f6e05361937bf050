"""Results as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Protocol

from ..errors import escaped
from ..outputs.encoding import encoded
from ..postprocess.geometry import Float32
from .several import whether_several

if TYPE_CHECKING:
    from ..images import Source


class HasPlainText(Protocol):
    """A page, detections, or the reading of a crop: a named result that can be written as text."""

    @property
    def source(self) -> str:
        """Name of the picture."""

    def to_text(self) -> str:
        """Return the result as plain text, which is empty or ends with a newline."""


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


class Writer:
    """Texts, one below the other; with several pictures, each has a heading."""

    def __init__(self, stream: IO[bytes], *, several: bool = False) -> None:
        """Begin a text.

        Args:
            stream: Where to write it.
            several: Whether each picture gets a heading with its name.
        """
        self._stream = stream
        self._several = several

    def add(self, page: HasPlainText, picture: Source | None = None) -> None:
        """Add a result; the picture is not needed."""
        above = heading(page.source) if self._several else ""
        self._stream.write(encoded(above + page.to_text()))

    def close(self) -> None:
        """Do nothing: the text is complete after each page."""


def write(pages: Iterable[HasPlainText], stream: IO[bytes]) -> None:
    """Write results as text; with several, each has a heading."""
    several, pages = whether_several(pages)
    writer = Writer(stream, several=several)
    for page in pages:
        writer.add(page)


def is_ours(start: bytes) -> bool:
    """Return False: text does not show who wrote it, so no file with text may be replaced."""
    return False


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
