"""The document of the worst pictures: complete, without scripts, and with everything escaped."""

from __future__ import annotations

import base64
import sys
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import __main__ as command_line
from benchmarks import worst
from benchmarks.accuracy_readings import PageReading, WordReading
from converters.accuracy.labels import LabelledWord
from edgeocr.accuracy.labels import LabelledLine
from tests.support.accuracy_cases import box
from tests.support.paths import IMAGES

VOID = {"meta", "img"}
CLOSED = {"image", "polygon"}  # SVG's, which end with a slash


class Document(HTMLParser):
    """Collects the elements of a document, and fails where tags are not closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID | CLOSED
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def within(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def decoded(address: str | None) -> np.ndarray:
    assert address is not None
    start, _, content = address.partition(",")
    assert start == "data:image/jpeg;base64"
    image = cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


@pytest.fixture
def reading(tmp_path: Path) -> PageReading:
    """A picture with a right, a wrong, a missed, an unread and an additional line."""
    path = tmp_path / "a<b>&.png"
    assert cv2.imwrite(str(path), np.full((1000, 3000, 3), 200, np.uint8))
    expected = [
        LabelledLine(box(10, 10, 400, 40), "Right <b>", True),
        LabelledLine(box(10, 110, 400, 40), "Total 12.50", True),
        LabelledLine(box(10, 210, 400, 40), "###", False),
        LabelledLine(box(10, 310, 400, 40), "not found", True),
    ]
    found = [
        (box(10, 10, 400, 40), "Right<b>"),
        (box(10, 110, 400, 40), "Total 12,5"),
        (box(10, 210, 400, 40), "unread"),
        (box(10, 610, 400, 40), "<script>alert(1)</script>"),
    ]
    return PageReading(path, expected, found)


def test_document_shows_each_line_with_its_state_and_its_differences(reading: PageReading) -> None:
    text = worst.report([worst.Section("tiny & co", "my set", [reading])])
    assert worst.is_report(text.encode()) and not worst.is_report(b"<!DOCTYPE html><title>x")
    document = Document(text)
    assert document.within("h2") == ["my set, read with tiny & co"]
    assert document.within("h3") == [str(reading.path)]
    states = [
        cell for cell in document.within("td") if cell in ("right", "wrong", "missed", "extra")
    ]
    assert states == ["right", "wrong", "missed", "extra"]
    # A wrong character, one that is missing, and a whole line; spaces don't count.
    assert document.within("del") == [".", "0", "not found"]
    assert document.within("ins") == [",", "<script>alert(1)</script>"]
    (summary,) = (each for each in document.within("p") if "labelled lines, of which" in each)
    assert "3 labelled lines, of which 1 not found and 1 read wrongly; 1 more found." in summary
    classes = sorted(str(each["class"]) for each in document.all("polygon"))
    assert classes == [
        *("found extra", "found right", "found wrong", "labelled ignored"),
        *("labelled missed", "labelled right", "labelled wrong"),
    ]
    assert document.within("text") == ["1", "2", "3", "4"]


def test_document_needs_nothing_else(reading: PageReading) -> None:
    text = worst.report([worst.Section("tiny", "set", [reading])])
    document = Document(text)
    names = {name for name, _ in document.elements}
    assert not names & {"script", "link", "iframe", "object", "embed"}
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert all(not name.startswith("on") for _, each in document.elements for name in each)
    (image,) = document.all("image")
    pixels = decoded(image["href"])
    assert max(pixels.shape) == worst.LONGEST and abs(int(pixels.mean()) - 200) <= 2
    # Outlines stay in the coordinates of the picture, which the drawing is scaled to.
    (drawing,) = document.all("svg")
    assert drawing["viewbox"] == "0 0 3000 1000"
    assert document.all("polygon")[0]["points"] == "10.0,10.0 410.0,10.0 410.0,50.0 10.0,50.0"


def test_bundle_that_only_detects_is_not_blamed_for_texts(reading: PageReading) -> None:
    found = [(polygon, "") for polygon, _ in reading.found]
    section = worst.Section(
        "db", "set", [PageReading(reading.path, reading.expected, found)], False
    )
    document = Document(worst.report([section]))
    assert document.within("del") == [] and "wrong" not in document.within("td")
    assert any("Detection's Hmean 0.6667" in text for text in document.within("p"))


def test_words_are_shown_with_their_pictures(tmp_path: Path) -> None:
    content = (IMAGES / "badge.jpg").read_bytes()
    words = [LabelledWord(f"image-{n}", "<b>Private", lambda: content) for n in range(3)]
    readings = [
        WordReading(word, text)
        for word, text in zip(words, ("<b>Private", "<b>Privat", "x"), strict=True)
    ]
    assert worst.worst_words(readings, 9) == [readings[2], readings[1]]
    document = Document(
        worst.report([worst.Section("tiny", "SVT", worst.worst_words(readings, 1))])
    )
    assert document.within("del") == ["<b>Private"] and document.within("ins") == ["x"]
    (image,) = document.all("img")
    assert decoded(image["src"]).shape == cv2.imread(str(IMAGES / "badge.jpg")).shape  # type: ignore[union-attr]


def test_worst_come_first_and_those_without_fault_are_left_out(reading: PageReading) -> None:
    def read(*texts: str) -> PageReading:
        lines = [LabelledLine(box(0, 20 * y, 100, 10), "abcd", True) for y in range(2)]
        return PageReading(
            reading.path, lines, [(line.polygon, t) for line, t in zip(lines, texts, strict=False)]
        )

    right, one_wrong, one_missed = read("abcd", "abcd"), read("abcd", "abcx"), read("abcd")
    joined = read("abcd", "ab cd", "more")
    given = [right, one_wrong, joined, one_missed]
    assert worst.worst_pages(given, 9, reads=True) == [one_missed, one_wrong]
    assert worst.worst_pages(given, 1, reads=True) == [one_missed]
    assert worst.worst_pages(given, 9, reads=False) == [one_missed]
    assert "There is no fault." in worst.report([worst.Section("tiny", "set", [])])


def test_command_writes_the_document_and_replaces_nothing_of_the_users(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(*options: object) -> None:
        arguments = ["benchmarks", "accuracy", "--data", str(tmp_path), *map(str, options)]
        monkeypatch.setattr(sys, "argv", arguments)
        command_line.main()

    rows = (IMAGES / "Label.txt").read_text("utf-8").splitlines()
    (row,) = (row for row in rows if row.startswith("badge.jpg"))
    (tmp_path / "Label.txt").write_text(row.replace("OPEN", "0PEN") + "\n", "utf-8")
    (tmp_path / "badge.jpg").write_bytes((IMAGES / "badge.jpg").read_bytes())
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the second time it replaces the first document
        run("--worst", 5)
        assert "wrote worst.html" in capsys.readouterr().err
    document = Document((tmp_path / "worst.html").read_text("utf-8"))
    assert len(document.all("article")) == 1 and "0" in document.within("del")
    with pytest.raises(SystemExit):
        run("--worst", 5, "--html", tmp_path / "badge.jpg")
    assert "badge.jpg" in capsys.readouterr().err
    assert (tmp_path / "badge.jpg").read_bytes() == (IMAGES / "badge.jpg").read_bytes()
