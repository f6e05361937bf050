"""What writers of documents need of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .lines import Block, Line

if TYPE_CHECKING:
    from ..images import Image, Source


class ReadPage(Protocol):
    """A picture that has been read, as `edgeocr.Page` describes it.

    Writers are below `edgeocr/page.py`, since `Page.save` calls them. So they ask for this protocol
    instead of `Page`, which fulfils it.
    """

    @property
    def source(self) -> str:
        """Name of the picture."""

    @property
    def width(self) -> int:
        """Width of the picture in pixels."""

    @property
    def height(self) -> int:
        """Height of the picture in pixels."""

    @property
    def lines(self) -> Sequence[Line]:
        """The lines in reading order."""

    @property
    def blocks(self) -> Sequence[Block]:
        """The lines grouped into blocks; empty if it is unknown which lines belong together."""

    @property
    def rotation(self) -> int:
        """By how many degrees the picture has to be turned clockwise to stand upright."""

    def to_dict(self) -> dict[str, Any]:
        """Return the page as lists and numbers for JSON."""

    def to_text(self) -> str:
        """Return the page as plain text."""

    def draw(self, image: Source) -> Image:
        """Draw the outline of every line."""
