"""hOCR: read with an XML parser and with hocr-tools."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sysconfig
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from edgeocr import Page
from edgeocr.writers import hocr
from tests.support import read_pages
from tests.support.read_pages import PAGES

XHTML = "{http://www.w3.org/1999/xhtml}"
# The class of the element around an element of each class (hOCR 1.2, typesetting and inline).
AROUND = {
    "ocr_carea": "ocr_page",
    "ocr_par": "ocr_carea",
    "ocr_line": "ocr_par",
    "ocrx_word": "ocr_line",
}
# What the value of each property looks like.
NUMBER = r"-?\d+(?:\.\d+)?"
PROPERTIES = {
    "bbox": r"\d+ \d+ \d+ \d+",
    "image": r'"[^"]*"',
    "ppageno": r"\d+",
    "baseline": rf"{NUMBER} -?\d+",
    "x_size": NUMBER,
    "textangle": "90|180|270",
    "x_wconf": r"\d{1,2}|100",
}


def written(*pages: Page) -> bytes:
    stream = io.BytesIO()
    hocr.write(pages, stream)
    return stream.getvalue()


def elements(content: bytes, name: str) -> list[Element]:
    return [e for e in ElementTree.fromstring(content).iter() if e.get("class") == name]


def properties(element: Element) -> dict[str, str]:
    parts = re.findall(r'(\w+) ((?:"[^"]*"|[^;"])*)(?:; |$)', element.get("title", ""))
    return dict(parts)


def box(element: Element) -> list[int]:
    return [int(x) for x in properties(element)["bbox"].split()]


def tool(name: str, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of hocr-tools, which the extra `test` installs beside Python."""
    program = shutil.which(name, path=sysconfig.get_path("scripts"))
    assert program is not None, f"{name} is not installed: pip install hocr-tools"
    return subprocess.run([program, *arguments, str(path)], capture_output=True, text=True)


@pytest.mark.parametrize("name", PAGES)
def test_classes_are_nested_and_have_their_properties(name: str) -> None:
    content = written(PAGES[name](), read_pages.plain())
    root = ElementTree.fromstring(content)
    assert root.tag == f"{XHTML}html"
    metadata = {e.get("name"): e.get("content", "") for e in root.iter(f"{XHTML}meta")}
    assert metadata["ocr-system"].startswith("edgeocr ")
    capabilities = set(metadata["ocr-capabilities"].split())
    around = {child: parent for parent in root.iter() for child in parent}
    ids = [e.get("id") for e in root.iter() if e.get("class")]
    assert len(ids) == len(set(ids)) and None not in ids
    for element in root.iter():
        kind = element.get("class")
        if kind is None:
            continue
        assert kind in capabilities
        found = properties(element)
        for key, value in found.items():
            assert re.fullmatch(PROPERTIES[key], value), (key, value)
        assert "; ".join(f"{k} {v}" for k, v in found.items()) == element.get("title")
        left, top, right, bottom = box(element)
        assert left < right and top < bottom
        if kind in AROUND:
            parent = around[element]
            assert parent.get("class") == AROUND[kind]
            if name != "curved":  # whose words stand higher than the quad
                outer = box(parent)
                assert outer[0] <= left + 1 and outer[1] <= top + 1
                assert right <= outer[2] + 1 and bottom <= outer[3] + 1


def test_hocr_tools_find_no_fault_and_the_same_lines(tmp_path: Path, sample: Page) -> None:
    path = tmp_path / "a.hocr"
    pages = [sample, read_pages.chinese(), read_pages.right_to_left(), read_pages.turned_page()]
    path.write_bytes(written(*pages))
    checked = tool("hocr-check", path, "--nooverlap")
    assert checked.returncode == 0
    assert "has a page" in checked.stderr and "not ok" not in checked.stderr
    lines = tool("hocr-lines", path).stdout.splitlines()
    assert lines == [text for page in pages for text in page.texts]


def test_odd_texts_survive() -> None:
    page = read_pages.odd()
    found = ["".join(e.itertext()).strip() for e in elements(written(page), "ocr_line")]
    expected = [" ".join(re.sub("[\x01\x02\ufffe]", "\ufffd", t).split()) for t in page.texts]
    assert found == expected


def test_page_names_its_picture() -> None:
    page = replace(read_pages.empty(), source='a "b" & <c>; d.png')
    (element,) = elements(written(page), "ocr_page")
    assert properties(element) == {
        "image": '"a %22b%22 & <c>; d.png"',
        "bbox": "0 0 400 300",
        "ppageno": "0",
    }


def test_words_have_the_place_and_confidence_that_was_read(sample: Page) -> None:
    words = elements(written(sample), "ocrx_word")
    read = [word for line in sample for word in line.words]
    assert [e.text for e in words] == [word.text for word in read]
    for element, word in zip(words, read, strict=True):
        assert int(properties(element)["x_wconf"]) == round(100 * word.score)
        left, top = word.quad.min(axis=0)
        assert box(element)[:2] == [int(left), int(top)]


def test_turned_lines_say_by_how_much() -> None:
    turned = [properties(e) for e in elements(written(read_pages.turned_page()), "ocr_line")]
    assert [each["textangle"] for each in turned] == ["270"] * 3
    assert all(
        "textangle" not in properties(e) for e in elements(written(read_pages.plain()), "ocr_line")
    )
    assert {each["x_size"] for each in turned} == {"20.0"}


def test_right_to_left_text_says_so() -> None:
    content = written(read_pages.right_to_left(), read_pages.plain())
    for name in ("ocr_par", "ocr_line"):
        first, *rest = [e.get("dir") for e in elements(content, name)]
        assert first == "rtl" and set(rest) == {None}
