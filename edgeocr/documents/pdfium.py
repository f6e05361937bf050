"""The library PDFium, through pypdfium2: one thread at a time, and nothing stays open.

PDFium must not be called by two threads at once, whatever documents they work on, so all calls are
made under one lock. A document is opened for each call and closed again. Thus no document is open
when a process is forked or when the garbage collector runs in another thread, and what PDFium keeps
of the pages that it has parsed is freed after each page. Opening takes 0.2 ms in a file of 10
pages, and with finding the page 3.5 ms in a file of 1 000.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from ..errors import DocumentError, EncryptedError
from ..runtime.forks import ProcessLock

# The path of a PDF file, or its content.
File: TypeAlias = "str | os.PathLike[str] | bytes"

INSTALL = (
    "this is a PDF document, and pypdfium2, which renders its pages, is missing: pip install "
    '"edgeocr[pdf]"'
)
NO_PASSWORD = (
    "the PDF document is encrypted: give its password (password= of frames_of, or "
    "EDGEOCR_PDF_PASSWORD for the command line), or decrypt it with qpdf --decrypt"
)
WRONG_PASSWORD = "the PDF document is encrypted, and the password that was given does not open it"
UNKNOWN_PROTECTION = (
    "the PDF document is protected in a way that PDFium does not know: decrypt it first with the "
    "program that made it, or print it to a new PDF file"
)
DAMAGED = (
    "this is a PDF document that PDFium can't open, because it is damaged or cut short: get the "
    "file again, or repair it, for example with qpdf IN.pdf OUT.pdf or mutool clean IN.pdf OUT.pdf"
)

_lock = ProcessLock()
_registered = False


@contextmanager
def opened(file: File, password: str | None = None) -> Iterator[Any]:
    """Open a document for the block, during which no other thread can use PDFium.

    Args:
        file: The path of a PDF file, or its content.
        password: What opens an encrypted document.

    Yields:
        A `pypdfium2.PdfDocument`.

    Raises:
        DocumentError: pypdfium2 is missing, or the document can't be opened.
        EncryptedError: The document is encrypted, and the password is missing or wrong.
    """
    try:
        import pypdfium2
        import pypdfium2.raw as raw
    except ImportError as error:
        raise DocumentError(INSTALL) from error
    _register()
    content = file if isinstance(file, bytes) else None  # PDFium reads from it until it is closed
    secret = None if password is None else password.encode() + b"\0"
    with _lock:
        if content is not None:
            handle = raw.FPDF_LoadMemDocument64(content, len(content), secret)
        else:
            path = os.fsencode(os.path.abspath(file))  # noqa: PTH100 - bytes are passed on
            handle = raw.FPDF_LoadDocument(path + b"\0", secret)
        if not handle:
            raise _error(raw, raw.FPDF_GetLastError(), password)
        with pypdfium2.PdfDocument(handle) as document:
            yield document


@contextmanager
def opened_page(
    file: File, number: int, password: str | None, *, forms: bool = False
) -> Iterator[Any]:
    """Open a page of a document for the block, during which no other thread can use PDFium.

    Args:
        file: The path of a PDF file, or its content.
        number: The number of the page, from 1.
        password: What opens an encrypted document.
        forms: Whether the page is rendered, with the fields of its form.

    Yields:
        A `pypdfium2.PdfPage`.

    Raises:
        DocumentError: The document or the page can't be opened.
    """
    with opened(file, password) as document:
        import pypdfium2
        import pypdfium2.raw as raw

        try:
            # pypdfium2 logs a warning about forms of other types, which PDFium can't render.
            if forms and document.get_formtype() == raw.FORMTYPE_ACRO_FORM:
                document.init_forms()
            page = document.get_page(number - 1)
        except pypdfium2.PdfiumError as error:
            raise DocumentError(
                "PDFium can't open the page: the document is damaged: repair it, for example with "
                "qpdf IN.pdf OUT.pdf"
            ) from error
        try:
            yield page
        finally:
            page.close()


def _error(raw: Any, code: int, password: str | None) -> DocumentError:
    if code == raw.FPDF_ERR_PASSWORD:
        return EncryptedError(NO_PASSWORD if password is None else WRONG_PASSWORD)
    if code == raw.FPDF_ERR_SECURITY:
        return EncryptedError(UNKNOWN_PROTECTION)
    if code == raw.FPDF_ERR_FILE:
        return DocumentError("PDFium can't read the file")
    return DocumentError(DAMAGED)


def _register() -> None:
    """Let forks, and the end of the interpreter, wait until no thread is inside PDFium.

    pypdfium2 ends PDFium at the end of the interpreter. What is registered later runs earlier.
    """
    global _registered
    if not _registered:
        _registered = True
        atexit.register(_lock.__enter__)
        if hasattr(os, "register_at_fork"):
            # A forked child has a lock of its own, which is free.
            os.register_at_fork(before=_lock.__enter__, after_in_parent=_lock.__exit__)
