"""PDF files as sources: pages, sizes, what is drawn, and files that are wrong."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import (
    OCR,
    DocumentError,
    EncryptedError,
    ImageError,
    MoreFramesWarning,
    Page,
    Source,
    frames_of,
)
from edgeocr.decoding.limits import Limits
from edgeocr.images import Frame, load, name_of
from edgeocr.memory.footprint import predict
from edgeocr.stages import frames as frames_module
from tests.support import pdfs
from tests.support.paths import FIXTURES
from tests.support.pdfs import PdfPage, text

ENCRYPTED = FIXTURES / "documents" / "encrypted.pdf"
SMALL = (0.0, 0.0, 160.0, 40.0)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def errors_of(source: Source, **options: Any) -> list[str]:
    """Return the errors of the frames of a source; an empty text for one that can be loaded."""
    found = []
    for frame in frames_of(source, **options):
        try:
            load(frame)
            found.append("")
        except ImageError as error:
            found.append(str(error))
    return found


def test_pages_are_frames_of_every_kind_of_source(ocr: OCR, tmp_path: Path) -> None:
    words = ("FIRST 11", "SECOND 22")
    content = pdfs.document([PdfPage(text(each, 10, 12, 22), SMALL) for each in words])
    path = write(tmp_path / "two.pdf", content)
    sources: list[Source] = [path, str(path), content, bytearray(content), memoryview(content)]
    for source in (*sources, io.BytesIO(content)):
        pages = list(ocr.read_many([source], on_error="raise"))
        assert [page.text for page in pages] == list(words)
        name = str(path) if isinstance(source, (str, Path)) else f"<{type(source).__name__}>"
        assert [page.source for page in pages] == [f"{name}#1", f"{name}#2"]
        assert [page.frames for page in pages] == [2, 2]
    with pytest.warns(MoreFramesWarning, match=r"two\.pdf has 2 frames"):
        page = ocr.read(path)
    assert (page.text, page.source, page.frames) == (words[0], str(path), 2)
    assert load(content).shape == load(path).shape == page.draw(path).shape == (111, 444, 3)


def test_resolution_is_that_of_the_caller() -> None:
    content = pdfs.document([PdfPage(box=(0, 0, 72, 144))])
    for dpi in (1, 100, 200, 300):
        (frame,) = frames_of(content, dpi=dpi)
        assert load(frame).shape == (2 * dpi, dpi, 3)
        assert name_of(frame) == "<bytes>"
    assert load(next(frames_of(content))).shape == (400, 200, 3)


def test_rotation_crop_box_annotations_and_form_fields_are_drawn(ocr: OCR) -> None:
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 150 30]/Resources<</Font<</F 3 0 R>>>>"
    drawn = [pdfs.stream(text(words, 5, 8, 20), form) for words in ("NOTE 55", "FIELD 66")]
    note = b"<</Type/Annot/Subtype/Stamp/Rect[5 5 155 35]/F 4/AP<</N 4 0 R>>>>"
    field = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(FIELD 66)/DA(/F 20 Tf 0 g)/F 4"
        b"/Rect[5 5 155 35]/AP<</N 5 0 R>>>>"
    )
    content = pdfs.document(
        [
            PdfPage(
                text("TURNED 33", 30, 10, 20, turn=(0, 1, -1, 0)), (0, 0, 40, 160), b"/Rotate 90"
            ),
            PdfPage(
                text("CROPPED 44", 210, 212, 20), (0, 0, 500, 500), b"/CropBox[200 200 350 240]"
            ),
            PdfPage(box=SMALL, more=b"/Annots[6 0 R]"),
            PdfPage(box=SMALL, more=b"/Annots[7 0 R]"),
        ],
        [*drawn, note, field],
        b"/AcroForm<</Fields[7 0 R]/DR<</Font<</F 3 0 R>>>>>>",
    )
    frames = list(frames_of(content))
    assert load(frames[0]).shape == (111, 444, 3) and load(frames[1]).shape == (111, 417, 3)
    upright = [page.text for page in ocr.read_many(frames, on_error="raise")]
    assert upright[1:] == ["CROPPED 44", "NOTE 55", "FIELD 66"]


def test_chosen_pages_are_read_and_the_others_are_not_touched(tmp_path: Path) -> None:
    path = write(tmp_path / "many.pdf", pdfs.numbered(12))
    names = [name_of(frame) for frame in frames_of(path, pages="2-3,11-")]
    assert names == [f"{path}#{number}" for number in (2, 3, 11, 12)]
    assert errors_of(path, pages=[12, 13, 14]) == [
        "",
        f"{path}: it has 12 pages, but not the wanted pages 13-14",
    ]
    for call in (lambda: frames_of(path, pages="x"), lambda: frames_of(path, dpi=0)):
        with pytest.raises(ValueError, match=r"pages|dpi"):
            call()  # before the first frame is asked for
    with pytest.raises(ValueError, match="pdf_text"):
        frames_of(path, pdf_text="always")


def test_page_of_ten_thousand_is_there_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "many.pdf", pdfs.numbered(10_000))
    began = time.process_time()
    (frame,) = frames_of(path, pages="9999")
    assert isinstance(frame, Frame) and (frame.number, frame.count) == (9999, 10_000)
    assert load(frame).min() == 0, "its number is drawn"
    assert time.process_time() - began < 2


def test_too_many_pages_are_refused_after_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "MOST_PAGES", 3)
    shown = errors_of(pdfs.numbered(5))
    assert shown[:3] == ["", "", ""] and len(shown) == 4 and "no more than 3 frames" in shown[3]
    assert errors_of(pdfs.numbered(5), pages="4-5") == ["", ""], "a part of the file is read"


def test_size_of_a_page_is_limited_before_it_is_rendered() -> None:
    huge = pdfs.document([PdfPage(box=(0, 0, 1e9, 1e9)), PdfPage(box=SMALL)])
    first, second = errors_of(huge)
    assert "at 200 dpi the page has" in first and "the document may be damaged" in first
    assert second == ""
    frame = next(frames_of(pdfs.document([PdfPage(box=(0, 0, 7200, 7200))])))
    with pytest.raises(DocumentError, match=r"20000 × 20000 pixels.*no more than 133 dpi"):
        load(frame)
    (lower,) = frames_of(pdfs.document([PdfPage(box=(0, 0, 720, 720))]), dpi=36)
    assert load(lower, limits=Limits(130_000)).shape == (360, 360, 3)


def test_memory_of_a_page_is_predicted(tmp_path: Path) -> None:
    content = pdfs.document([PdfPage(box=SMALL)])
    (frame,) = frames_of(write(tmp_path / "a.pdf", content))
    footprint = predict(frame)
    assert footprint.pixels == 111 * 444 and footprint.loading >= 3 * footprint.pixels
    (held,) = frames_of(content)
    assert predict(held).present == len(content)


def test_encrypted_file_needs_its_password(ocr: OCR) -> None:
    (error,) = ocr.read_many([ENCRYPTED])
    assert isinstance(error, EncryptedError) and error.source == str(ENCRYPTED)
    assert "EDGEOCR_PDF_PASSWORD" in str(error) and "qpdf --decrypt" in str(error)
    with pytest.raises(EncryptedError, match=r"encrypted\.pdf: .* is encrypted"):
        ocr.read(ENCRYPTED)
    (wrong,) = frames_of(ENCRYPTED, password="guess")
    with pytest.raises(EncryptedError, match="does not open it"):
        load(wrong)
    for password in ("letmein", "owner"):
        (right,) = frames_of(ENCRYPTED, password=password)
        assert ocr.read(right).text == "SECRET 7"
        assert password not in repr(right)


def test_files_that_are_wrong_are_errors_with_names(ocr: OCR, tmp_path: Path) -> None:
    whole = pdfs.numbered(3)
    cases = {
        "no-pages.pdf": (pdfs.document([]), "has no pages"),
        "start.pdf": (b"%PDF-1.7\n", "damaged or cut short"),
        "zeros.pdf": (b"%PDF-1.7\n" + bytes(5000), "damaged or cut short"),
        "cut.pdf": (whole[:60], "damaged or cut short"),
    }
    paths = [write(tmp_path / name, content) for name, (content, _) in cases.items()]
    good = write(tmp_path / "good.pdf", pdfs.document([PdfPage(text("FINE 1", 10, 12, 22), SMALL)]))
    results = list(ocr.read_many([*paths, good]))
    for path, result, (_, reason) in zip(paths, results, cases.values(), strict=False):
        assert isinstance(result, DocumentError) and result.source == str(path)
        assert str(result).startswith(f"{path}: ") and reason in str(result)
    last = results[-1]
    assert isinstance(last, Page) and last.text == "FINE 1"


def test_pages_before_the_end_of_a_truncated_file_are_read() -> None:
    # A file that says at its beginning where its catalogue is, as files for the web do. The table
    # of the objects and the last pages are cut off.
    start = b"%PDF-1.7\ntrailer<</Size 20/Root 1 0 R>>\n"
    whole = pdfs.numbered(6).replace(b"%PDF-1.7\n", start)
    shown = errors_of(whole[: whole.index(b"\n9 0 obj")])
    assert shown[:2] == ["", ""] and len(shown) == 6
    for number, message in enumerate(shown[3:], start=4):
        assert message.startswith(f"<bytes>#{number}: PDFium can't open the page")


def test_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pypdfium2", "pypdfium2.raw"):
        monkeypatch.setitem(sys.modules, name, None)
    content = pdfs.document([PdfPage()])
    assert errors_of(content) == [
        "<bytes>: this is a PDF document, and pypdfium2, which renders its pages, is missing: pip "
        'install "edgeocr[pdf]"'
    ]


def test_importing_edgeocr_does_not_import_pdfium() -> None:
    code = "import edgeocr.ocr, edgeocr.stages.frames, sys; print('pypdfium2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_threads_share_pdfium() -> None:
    """PDFium crashes, or draws wrong pages, when two threads are inside it."""
    content = pdfs.numbered(8)
    frames = list(frames_of(content))
    expected = [load(frame) for frame in frames]
    wrong: list[str] = []

    def work(offset: int) -> None:
        for i in range(60):
            number = (i + offset) % 8
            if not np.array_equal(load(frames[number]), expected[number]):
                wrong.append(f"page {number}")

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def _load_in_child(frames: list[Source], expected: list[bytes], answer: Any) -> None:
    answer.put([load(frame).tobytes() for frame in frames] == expected)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_forked_process_renders_while_its_parent_does() -> None:
    frames = list(frames_of(pdfs.numbered(4)))
    expected = [load(frame).tobytes() for frame in frames]
    ended = threading.Event()

    def render() -> None:
        while not ended.is_set():
            load(frames[0])

    busy = threading.Thread(target=render)
    busy.start()
    context = multiprocessing.get_context("fork")
    try:
        for _ in range(5):
            answer = context.SimpleQueue()
            child = context.Process(target=_load_in_child, args=(frames, expected, answer))
            child.start()
            child.join(30)
            assert child.exitcode == 0 and answer.get()
    finally:
        ended.set()
        busy.join()


# Renders for ever in threads that don't keep the interpreter from ending, and ends.
ENDING = """
import sys, threading, time
from edgeocr.images import load
from edgeocr.stages.frames import frames_of
(frame,) = frames_of(sys.argv[1])
def render():
    while True:
        load(frame)
for _ in range(3):
    threading.Thread(target=render, daemon=True).start()
time.sleep(0.3)
"""


def test_interpreter_ends_while_threads_render(tmp_path: Path) -> None:
    rows = [text("many words in a row " * 4, 20, y, 6) for y in range(20, 830, 3)]
    path = write(tmp_path / "full.pdf", pdfs.document([PdfPage(b"".join(rows))]))
    done = subprocess.run(
        [sys.executable, "-c", ENDING, str(path)], capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# Renders pages with limits of memory and of time for the process, and prints what it held.
FLAT = """
import itertools, json, resource, sys
from edgeocr.images import load
from edgeocr.stages.frames import frames_of
from edgeocr.errors import EdgeOCRError
def held():
    rows = open("/proc/self/status").read().splitlines()
    return next(int(row.split()[1]) << 10 for row in rows if row.startswith("VmRSS"))
path, limit = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
found, errors, after = 0, [], 0
for frame in itertools.islice(frames_of(path, dpi=72), int(sys.argv[3])):
    try:
        load(frame)
        found += 1
    except EdgeOCRError as error:
        errors.append(str(error))
    if found == 100:
        after = held()
print(json.dumps([found, errors, held() - after]))
"""


def rendered(path: Path, most: int) -> list[Any]:
    """Return how many of the first pages were rendered, the errors of others, and the growth."""
    done = subprocess.run(
        [sys.executable, "-c", FLAT, str(path), str(1 << 30), str(most)],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.stress
def test_memory_stays_flat_on_a_thousand_pages(tmp_path: Path) -> None:
    found, errors, growth = rendered(write(tmp_path / "many.pdf", pdfs.numbered(1000)), 1000)
    assert (found, errors) == (1000, []) and growth < 4_000_000


def nested_arrays() -> bytes:
    return pdfs.document([PdfPage(box=SMALL, more=b"/Deep" + b"[" * 200_000 + b"]" * 200_000)])


def nested_forms() -> bytes:
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>"
    forms = [pdfs.stream(b"/X Do", form % (5 + i)) for i in range(500)]
    page = PdfPage(b"/X Do", SMALL, resources=b"/XObject<</X 4 0 R>>")
    return pdfs.document([page], [*forms, pdfs.stream(b"/X Do", form % 4)])


def tree_in_itself() -> bytes:
    return pdfs.file_of(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>"]
    )


def pages_that_are_not_there() -> bytes:
    return pdfs.file_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 500000/Kids[]>>"])


def nested_content() -> bytes:
    return pdfs.document([PdfPage(b"q " * 200_000 + b"[" * 100_000, SMALL)])


@pytest.mark.slow
@pytest.mark.parametrize(
    "hostile",
    [nested_arrays, nested_forms, tree_in_itself, pages_that_are_not_there, nested_content],
)
def test_hostile_files_end_within_limits(hostile: Callable[[], bytes], tmp_path: Path) -> None:
    found, errors, _ = rendered(write(tmp_path / "hostile.pdf", hostile()), 50)
    assert found <= 9 and len(errors) <= 50
    assert all("hostile.pdf" in error for error in errors)
