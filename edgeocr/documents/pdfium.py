"""The library PDFium, through pypdfium2: one thread at a time, and nothing stays open.

PDFium must not be called by two threads at once, whatever documents they work on, so all calls are
made under one lock. A document is opened for each call and closed again. Thus no document is open
when a process is forked or when the garbage collector runs in another thread, and what PDFium keeps
of the pages that it has parsed is freed after each page. PDFium finds a page by passing those that
precede it: the last of 1 000 small pages takes 6 ms to open, find and render, that of 10 000 takes
53 ms (`python -m benchmarks resolutions`).
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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

DAMAGED_PAGE = (
    "PDFium can't open the page: the document is damaged: repair it, for example with qpdf IN.pdf "
    "OUT.pdf"
)

_lock = ProcessLock()
_registered = False


@dataclass(frozen=True)
class OpenPage:
    """An open page.

    Attributes:
        raw: The functions of PDFium.
        handle: PDFium's handle of the page.
        form: PDFium's handle of the form that the page belongs to; None if there is none.
    """

    raw: Any
    handle: Any
    form: Any = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points, turned as the page says."""
        return self.raw.FPDF_GetPageWidthF(self.handle), self.raw.FPDF_GetPageHeightF(self.handle)


def page_count(file: File, password: str | None = None) -> int:
    """Return the number of pages that a document says it has.

    Raises:
        DocumentError: pypdfium2 is missing, or the document can't be opened.
        EncryptedError: The document is encrypted, and the password is missing or wrong.
    """
    with _opened(file, password) as (raw, document):
        return int(raw.FPDF_GetPageCount(document))


@contextmanager
def opened_page(
    file: File, number: int, password: str | None = None, *, forms: bool = False
) -> Iterator[OpenPage]:
    """Open a page of a document for the block, during which no other thread can use PDFium.

    Args:
        file: The path of a PDF file, or its content.
        number: The number of the page, from 1.
        password: The password of an encrypted document.
        forms: Whether the page is rendered, with the fields of its form.

    Raises:
        DocumentError: pypdfium2 is missing, or the document or the page can't be opened.
        EncryptedError: The document is encrypted, and the password is missing or wrong.
    """
    with _opened(file, password) as (raw, document), ExitStack() as stack:
        form = None
        # PDFium can't render forms of other types (XFA).
        if forms and raw.FPDF_GetFormType(document) == raw.FORMTYPE_ACRO_FORM:
            settings = raw.FPDF_FORMFILLINFO(version=2)  # PDFium uses it until the form is closed
            form = raw.FPDFDOC_InitFormFillEnvironment(document, settings) or None
        if form is not None:
            stack.callback(raw.FPDFDOC_ExitFormFillEnvironment, form)
        page = raw.FPDF_LoadPage(document, number - 1)
        if not page:
            raise DocumentError(DAMAGED_PAGE)
        stack.callback(raw.FPDF_ClosePage, page)
        if form is not None:
            raw.FORM_OnAfterLoadPage(page, form)
            stack.callback(raw.FORM_OnBeforeClosePage, page, form)
        yield OpenPage(raw, page, form)


@contextmanager
def _opened(file: File, password: str | None) -> Iterator[tuple[Any, Any]]:
    """Open a document for the block; yield PDFium's functions, and its handle of the document.

    The classes of pypdfium2 aren't used: at the end of the interpreter they close all documents,
    even one that another thread is working on.
    """
    try:
        import pypdfium2.raw as raw
    except ImportError as error:
        raise DocumentError(INSTALL) from error
    _register()
    secret = None if password is None else password.encode() + b"\0"
    with _lock:
        if isinstance(file, bytes):  # PDFium reads from it until the document is closed
            document = raw.FPDF_LoadMemDocument64(file, len(file), secret)
        else:
            path = os.fsencode(os.path.abspath(file))  # noqa: PTH100 - bytes are passed on
            document = raw.FPDF_LoadDocument(path + b"\0", secret)
        if not document:
            raise _error(raw, raw.FPDF_GetLastError(), password)
        try:
            yield raw, document
        finally:
            raw.FPDF_CloseDocument(document)


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
