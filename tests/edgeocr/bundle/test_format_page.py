"""The page that specifies the format names every field and gives the container's exact bytes."""

from __future__ import annotations

import dataclasses
import io
import re
import typing
import zlib
from collections.abc import Iterator

import pytest

from edgeocr.bundle import archive
from edgeocr.bundle.manifest import Manifest
from edgeocr.bundle.postprocess_settings import DBSettings, PGNetSettings
from edgeocr.bundle.provenance import Origin
from edgeocr.bundle.signature import Signature
from tests.support import docs
from tests.support.packing import Files
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "bundle-format.md"
DETECTION_PAGE = ROOT / "docs" / "bundle-detection.md"
FILES: Files = {"manifest.json": b"{}\n", "charsets/\u56fe.txt": b"x\n", "z": b""}


def dataclasses_of(hint: object) -> Iterator[type]:
    """Yield the dataclasses that a type hint contains, and those of their fields' types."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
        for each in typing.get_type_hints(hint).values():
            yield from dataclasses_of(each)
    for each in typing.get_args(hint):
        yield from dataclasses_of(each)


KINDS = list(dict.fromkeys([*dataclasses_of(Manifest), *dataclasses_of(Signature)]))


def test_the_types_of_all_settings_are_found() -> None:
    assert {DBSettings, PGNetSettings, Origin, Signature} < set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_page_names_every_field(kind: type) -> None:
    code = [*docs.inline_code(PAGE), *docs.inline_code(DETECTION_PAGE)]
    named = set(re.findall(r"\w+", " ".join(code)))
    fields = {field.name for field in dataclasses.fields(kind)}
    assert fields <= named, f"missing in {PAGE.name}: {sorted(fields - named)}"


def table(heading: str) -> list[tuple[int, str]]:
    """Return the sizes and values of the fields in one of the page's tables of bytes."""
    rows = PAGE.read_text("utf-8").partition(f"| {heading}: offset | Bytes | Value |")[2]
    found = []
    offset = 0
    for line in rows.split("\n\n")[0].splitlines()[2:]:
        start, size, value = (cell.strip() for cell in line.strip("|").split("|", 2))
        assert int(start) == offset
        if not size.isdigit():  # the name, whose length is variable
            break
        offset += int(size)
        found.append((int(size), value))
    return found


def encoded(heading: str, values: dict[str, int | bytes]) -> bytes:
    """Encode a structure as its table says; `values` has what varies, by the first words."""
    made = b""
    for size, value in table(heading):
        if marked := re.match(r"`((?:[0-9A-F]{2} ?)+)`", value):
            made += bytes.fromhex(marked[1])
            continue
        key = next((key for key in values if value.startswith(key)), None)
        number = int(re.match(r"\d+", value)[0]) if key is None else values[key]  # type: ignore[index]
        made += number if isinstance(number, bytes) else number.to_bytes(size, "little")
    return made


def test_tables_of_the_page_give_the_bytes_that_write_gives() -> None:
    body, directory = b"", b""
    for name in sorted(FILES, key=lambda name: (name != "manifest.json", name)):
        content, raw = FILES[name], name.encode()
        flags = 0 if name.isascii() else 2048
        size = len(content)
        local = encoded(
            "Local header",
            {
                "flags": flags,
                "CRC-32": zlib.crc32(content),
                "size of": size,
                "the same": size,
                "*n*": len(raw),
            },
        )
        directory += encoded(
            "Record of the directory", {"bytes 4 to 27": local[4:28], "offset of": len(body)}
        )
        directory += raw
        body += local + raw + content
    end = encoded(
        "End record",
        {
            "number of": len(FILES),
            "the same": len(FILES),
            "bytes of": len(directory),
            "offset of": len(body),
        },
    )
    stream = io.BytesIO()
    archive.write(FILES, stream)
    assert body + directory + end == stream.getvalue()
