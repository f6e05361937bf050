"""Every error that edgeocr raises on purpose. Catch `EdgeOCRError` to catch them all."""

from __future__ import annotations


class EdgeOCRError(Exception):
    """Something that a caller or a user can act upon; the message says what and how.

    `source` names the picture it happened on, when it happened on one.
    """

    source: str | None = None


class ImageError(EdgeOCRError):
    """A source is missing, is no image, or is an array of a shape or type that is no image."""


class ArrayError(EdgeOCRError, ValueError):
    """An array handed to a post-processing function has the wrong shape, dtype or values."""


class BundleError(EdgeOCRError):
    """A bundle can't be opened: missing, damaged, changed, or made for another schema."""


class SignatureError(BundleError):
    """A bundle is not signed by the key that is required, or a key or signature is none."""


class StageMissingError(EdgeOCRError):
    """The bundle lacks a stage that the call needs."""


class ProviderUnavailableError(EdgeOCRError):
    """An execution provider was asked for by name and the session did not get it."""


class GraphError(EdgeOCRError):
    """ONNX Runtime refused a graph, or a graph doesn't keep the contract of its task."""


class MemoryLimitError(EdgeOCRError):
    """A bundle or a picture needs more memory than `memory_limit` allows.

    needed: bytes that the limit would have to be. limit: bytes that it is.
    """

    needed: int
    limit: int


class FontError(EdgeOCRError):
    """No installed font, or no library to draw with one, for the text of an overlay."""


def printable(text: str) -> str:
    """The text without what would do something else to a terminal than show."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
