"""Whole documents: pages, repeatable bytes, memory, and what happens if something is missing."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, cast

import numpy as np
import pikepdf
import pypdfium2
import pytest

from edgeocr import Page
from edgeocr.errors import ImageError, MissingLibraryError, OutputError
from edgeocr.outputs.guard import OutputGuard
from edgeocr.writers import pdf
from edgeocr.writers.pdf import part
from tests.support.paths import IMAGES, ROOT
from tests.support.pdf_pages import (
    line_of,
    opened,
    page_of,
    pdf_of,
    rectangle,
    rendered,
    texts,
)

SIZE = (300, 200)


def page(number: int) -> tuple[Page, np.ndarray]:
    """A page with its number as text, and a picture in a grey of its own."""
    line = line_of(f"page {number}", rectangle(10, 10, 200, 30))
    return page_of(SIZE, [line]), np.full(SIZE[::-1], number, np.uint8)


def test_several_pictures_become_one_document() -> None:
    content = pdf_of(*(page(i) for i in range(5)))
    assert texts(content) == [f"page {i}" for i in range(5)]
    assert [int(rendered(content, SIZE, i)[50, 50, 0]) for i in range(5)] == list(range(5))


def test_the_same_input_gives_the_same_bytes() -> None:
    assert pdf_of(page(1), page(2)) == pdf_of(page(1), page(2))
    assert pdf_of(page(1)) != pdf_of(page(2))


def test_pages_wait_in_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = pdf_of(*(page(i) for i in range(7)))
    monkeypatch.setattr(part, "MOST_BYTES", 0)
    content = pdf_of(*(page(i) for i in range(7)))
    assert texts(content) == texts(at_once) == [f"page {i}" for i in range(7)]
    assert [int(rendered(content, SIZE, i)[50, 50, 0]) for i in range(7)] == list(range(7))
    assert pdf.is_ours(content[:1024])


MEASURE = """
import resource, sys
import numpy as np
from edgeocr import Page
from edgeocr.writers.pdf import part, writer

part.MOST_BYTES = 1 << 23
noise = np.random.default_rng(0).integers(0, 256, (1024, 1024), np.uint8)
with open(sys.argv[1], "wb") as file:
    document = writer.Writer(file)
    for _ in range(int(sys.argv[2])):
        document.add(Page("noise", 1024, 1024, ()), noise)
    document.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.stress
def test_memory_does_not_grow_with_the_pages(tmp_path: Path) -> None:
    def peak_kib(pages: int) -> int:
        path = tmp_path / "out.pdf"
        command = [sys.executable, "-c", MEASURE, str(path), str(pages)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert path.stat().st_size > pages << 20
        return int(done.stdout)

    assert peak_kib(60) < peak_kib(15) + 15 * 1024


def test_a_stream_need_not_be_able_to_seek() -> None:
    class Pipe(io.RawIOBase):
        content = b""

        def writable(self) -> bool:
            return True

        def write(self, content) -> int:
            self.content += bytes(content)
            return len(bytes(content))

    pipe = Pipe()
    document = pdf.Writer(cast(IO[bytes], pipe))
    document.add(*page(3))
    document.close()
    assert pipe.content == pdf_of(page(3))
    assert not pipe.closed


def test_a_picture_that_fails_leaves_the_document_whole() -> None:
    stream = io.BytesIO()
    document = pdf.Writer(stream)
    document.add(*page(1))
    with pytest.raises(ImageError):
        document.add(page_of(SIZE), b"no picture")
    document.add(*page(2))
    document.close()
    assert texts(stream.getvalue()) == ["page 1", "page 2"]


def test_a_document_without_pages_is_not_written() -> None:
    stream = io.BytesIO()
    pdf.write([], stream)
    assert stream.getvalue() == b""


def test_documents_of_edgeocr_are_told_from_others(tmp_path: Path) -> None:
    ours = pdf_of(page(1))
    assert pdf.is_ours(ours[: 1 << 16])
    other = io.BytesIO()
    document = pikepdf.Pdf.new()
    document.add_blank_page()
    document.docinfo["/Producer"] = "another program"
    document.save(other)
    assert not pdf.is_ours(other.getvalue())
    assert not pdf.is_ours(b"/Producer (edgeocr 1)")
    path = tmp_path / "a.pdf"
    path.write_bytes(ours)
    OutputGuard().check(path, pdf.is_ours, "--output")
    path.write_bytes(other.getvalue())
    with pytest.raises(OutputError):
        OutputGuard().check(path, pdf.is_ours, "--output")


def test_many_pages_are_still_told_by_their_beginning() -> None:
    assert pdf.is_ours(pdf_of(*[page(1)] * 100)[: 1 << 16])


def test_without_pikepdf_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pikepdf", None)
    with pytest.raises(MissingLibraryError, match=r'pip install "edgeocr\[pdf\]"') as caught:
        pdf.Writer(io.BytesIO())
    assert (caught.value.library, caught.value.extra) == ("pikepdf", "pdf")


def test_a_text_layer_alone_has_the_text_and_no_picture() -> None:
    stream = io.BytesIO()
    pdf.text_only(page(4)[0], (150, 100), stream)
    assert texts(stream.getvalue()) == ["page 4"]
    with opened(stream.getvalue()) as document:
        assert document[0].get_size() == (150, 100)
        assert list(document[0].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])) == []


def test_a_page_is_saved_as_pdf(tmp_path: Path) -> None:
    path = IMAGES / "badge.jpg"
    read = page_of((720, 640), [line_of("HARBOUR", rectangle(100, 100, 200, 40))])
    read.save(tmp_path / "badge.pdf", picture=path)
    content = (tmp_path / "badge.pdf").read_bytes()
    assert texts(content) == ["HARBOUR"] and path.read_bytes() in content


def test_temporary_file_that_can_not_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that can't seek gets the document from a temporary file."""

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = pdf.Writer(cast(IO[bytes], Pipe()))
    writer.add(*page(1))
    monkeypatch.setattr(pikepdf.Pdf, "save", fail)
    with pytest.raises(
        OutputError, match=r"edgeocr-\w+/whole.pdf: can't be written: No space left"
    ):
        writer.close()
