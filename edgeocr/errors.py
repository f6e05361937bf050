"""Every error that edgeocr raises on purpose.

`except EdgeOCRError` catches every fault of the world: a file, a bundle, a device. A mistake in a
call, such as an unknown argument value, is a `ValueError` or a `TypeError` instead, and reading
that its caller gave up is a `StoppedError`.
"""

from __future__ import annotations

import os
import re

# How ONNX Runtime and OpenCV report that memory ran out.
NO_MEMORY = re.compile(
    "Available memory of|Failed to allocate|bad_alloc|bad allocation|Insufficient memory"
    "|OutOfMemory|out of memory",
    re.IGNORECASE,
)


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


class DocumentError(ImageError):
    """A document, such as a PDF file, can't be opened, or one of its pages can't be rendered."""


class EncryptedError(DocumentError):
    """A document is encrypted, and no password was given, or a wrong one."""


class VideoError(EdgeOCRError):
    """A camera, stream, video or folder can't be opened, or gives no more pictures."""


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


# What to do when a run on an execution provider has failed, by the kind of the failure.
FAILURE_ADVICE = {
    "out of memory": "free memory of the device, lower max_pixels, freeze the bundle with smaller "
    "batches, or take another provider",
    "device lost": "start the process anew, and the machine if that does not help, or take another "
    "provider",
    "other": "take another provider",
}


class ProviderFailedError(GraphError):
    """A run failed on an execution provider other than the CPU.

    After a lost device every later run of the same `OCR` raises this error, without using the
    device.

    Attributes:
        stage: Name of the stage that failed, which is the first one after a lost device.
        provider: Name of the execution provider.
        kind: "out of memory", "device lost" or "other".
        detail: What ONNX Runtime said.
    """

    def __init__(
        self, stage: str, provider: str, kind: str, detail: str, *, source: str | None = None
    ) -> None:
        """Create the error.

        Args:
            stage: Name of the stage that failed.
            provider: Name of the execution provider.
            kind: "out of memory", "device lost" or "other".
            detail: What ONNX Runtime said.
            source: Name of the picture that failed.
        """
        found = "" if kind == "other" else f" ({kind})"
        super().__init__(
            f"{stage} failed on provider {provider!r}{found}: {FAILURE_ADVICE[kind]}. ONNX Runtime "
            f"said: {excerpt(detail)}",
            source=source,
        )
        self.stage, self.provider, self.kind, self.detail = stage, provider, kind, detail


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


class StoppedError(Exception):
    """Reading was given up, as the caller of `stoppable` wished; no fault, so no `EdgeOCRError`."""

    def __init__(self) -> None:
        """Create the error."""
        super().__init__("reading was given up before a run of a network")


class OutputError(EdgeOCRError, OSError):
    """A file or standard output can't be written, or holds something that must not be replaced.

    Attributes:
        path: The output, as the user named it.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str, *, refused: bool = False) -> None:
        """Create the error.

        Args:
            path: The output, as the user named it.
            reason: Why it can't be written, in the system's words; if it was refused, the rest of a
                sentence that begins with the path.
            refused: Whether the output could be written, but would destroy something.
        """
        name = os.fspath(path)
        super().__init__(f"{name} {reason}" if refused else f"{name}: can't be written: {reason}")
        self.path = name


class FontError(EdgeOCRError):
    """Text can't be drawn: Pillow is missing, or no installed font covers the characters."""


class MissingLibraryError(EdgeOCRError):
    """A capability needs a library that is not installed.

    Attributes:
        library: Name of the library.
        extra: The extra of edgeocr that installs it.
    """

    def __init__(self, library: str, extra: str) -> None:
        """Create the error.

        Args:
            library: Name of the library.
            extra: The extra of edgeocr that installs it.
        """
        super().__init__(f'{library} is not installed: pip install "edgeocr[{extra}]"')
        self.library = library
        self.extra = extra


class DatasetError(EdgeOCRError):
    """Labelled pictures can't be read: a row is wrong, or a picture or a package is missing.

    Attributes:
        path: The file or folder.
        problem: What is wrong with it, and what to do.
        row: The number of the row, from 1; None where no single row is wrong.
    """

    def __init__(self, path: str | os.PathLike[str], problem: str, row: int | None = None) -> None:
        """Name the file or folder, the row if one is wrong, and the problem.

        Args:
            path: The file or folder.
            problem: What is wrong with it, and what to do.
            row: The number of the row, from 1.
        """
        name = os.fspath(path)
        super().__init__(f"{name}, row {row}: {problem}" if row else f"{name}: {problem}")
        self.path, self.problem, self.row = path, problem, row


class StorageError(EdgeOCRError):
    """A folder or a file, on a disk or in an object store, can't be listed, read or written."""


class JobError(EdgeOCRError):
    """A job on a cluster can't begin or can't go on."""


class MoreFramesWarning(UserWarning):
    """A file holds more pictures than the first one, which alone was read."""


def is_memory_error(error: BaseException) -> bool:
    """Tell whether an error reports that memory ran out."""
    return isinstance(error, MemoryError) or NO_MEMORY.search(str(error)) is not None


def printable(text: str) -> str:
    """Replace every character that could control a terminal by U+FFFD."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def excerpt(text: str) -> str:
    """Prepare text that a stranger may have written for an error message.

    Args:
        text: The text, such as an error that quotes a file.

    Returns:
        The text in one line, without characters that could control a terminal; one with more than
        1000 characters is cut and ends with "…".
    """
    most = 1000
    line = printable(" ".join(text[: 2 * most].split()))
    return line if len(line) <= most and len(text) <= 2 * most else f"{line[: most - 1]}…"


def escaped(name: str) -> str:
    r"""Return a name of a file as one line that is safe on a terminal and valid in UTF-8.

    Characters that can't be printed are written as Python writes them, such as `\n` or `\x1b`, and
    bytes that are not UTF-8 as `\udcff`, where `ff` is the byte in hexadecimal.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in name
    )
