"""Every error that edgeocr raises on purpose.

`except EdgeOCRError` catches every fault of the world: a file, a bundle, a device. A mistake in a
call, such as an unknown argument value, is a `ValueError` or a `TypeError` instead.
"""

from __future__ import annotations


class EdgeOCRError(Exception):
    """A fault that a caller or a user can act upon; the message says what is wrong and what to do.

    Attributes:
        source: Name of the picture that failed, or None where no single picture is at fault.
    """

    def __init__(self, message: str, *, source: str | None = None) -> None:
        """Create the error.

        Args:
            message: What is wrong, with what, and what to do about it.
            source: Name of the picture that failed.
        """
        super().__init__(message)
        self.source = source


class ImageError(EdgeOCRError):
    """A source is missing, can't be decoded, or is an array whose shape or dtype no image has."""


class ArrayError(EdgeOCRError, ValueError):
    """An array given to a post-processing function has the wrong shape, dtype or values."""


class BundleError(EdgeOCRError):
    """A bundle can't be opened or written, such as a damaged one or one of a newer schema."""


class SignatureError(BundleError):
    """A bundle is not signed by the required key, or a key or signature is malformed."""


class StageMissingError(EdgeOCRError):
    """The bundle lacks a stage that the call needs."""


class ProviderUnavailableError(EdgeOCRError):
    """A requested execution provider is not in this build of ONNX Runtime or does not start."""


class GraphError(EdgeOCRError):
    """ONNX Runtime rejected a graph, or the graph breaks the contract of its task."""


class MemoryLimitError(EdgeOCRError):
    """A bundle or a picture needs more memory than the memory limit allows.

    Attributes:
        needed: Smallest limit, in bytes, that would be enough.
        limit: The limit that was set, in bytes.
    """

    def __init__(self, message: str, *, needed: int, limit: int, source: str | None = None) -> None:
        """Create the error.

        Args:
            message: What needs how much memory, and what to do about it.
            needed: Smallest limit, in bytes, that would be enough.
            limit: The limit that was set, in bytes.
            source: Name of the picture that failed.
        """
        super().__init__(message, source=source)
        self.needed = needed
        self.limit = limit


class ClosedError(EdgeOCRError, ValueError):
    """An `OCR`, or a part of it, was used after it was closed, or while the interpreter ends."""

    def __init__(self, what: str, *, ending: bool = False) -> None:
        """Create the error.

        Args:
            what: What is closed.
            ending: Whether the end of the interpreter has closed it.
        """
        if ending:
            super().__init__(
                f"{what} is closed because the interpreter is ending: end the threads that read "
                "before the program ends"
            )
        else:
            super().__init__(f"{what} is closed: create a new one")


class ForkedError(EdgeOCRError):
    """A forked process uses what only its parent can use."""

    def __init__(self, what: str) -> None:
        """Create the error.

        Args:
            what: What belongs to the parent, and why it can't be opened again.
        """
        super().__init__(
            f"{what}: create the OCR in the forked process, or start the process with the method "
            '"spawn" or "forkserver" of multiprocessing'
        )


class FontError(EdgeOCRError):
    """Text can't be drawn: Pillow is missing, or no installed font covers the characters."""


class MoreFramesWarning(UserWarning):
    """A file holds more pictures than the first one, which alone was read."""


def printable(text: str) -> str:
    """Replace every character that could control a terminal by U+FFFD."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def excerpt(text: str, most: int = 1000) -> str:
    """Prepare text that a stranger may have written for an error message.

    Args:
        text: The text, such as an error that quotes a file.
        most: The number of characters to keep.

    Returns:
        The text in one line, without characters that could control a terminal; a longer one is cut
        and ends with "…".
    """
    line = printable(" ".join(text[: 2 * most].split()))
    return line if len(line) <= most and len(text) <= 2 * most else f"{line[: most - 1]}…"
