"""A bundle's file has a single valid form, which zipfile would write too."""

from __future__ import annotations

import io
import os
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle, BundleError
from edgeocr.bundle import archive, limits
from tests.support.packing import Files, packed, unpacked, zipped
from tests.support.paths import BUNDLES, EMBEDDED_BUNDLE

SCHEMA_1 = BUNDLES / "schema-1.edgeocr"
FILES: Files = {
    "manifest.json": b'{"schema": 1}\n',
    "signature.json": b"{}\n",
    "Z.txt": b"",
    "charsets/图.txt": "图\n".encode(),
    "graphs/detection.onnx": bytes(range(256)),
    "licences/Apache-2.0.txt": b"licence",
}
Entries = list[tuple[str, bytes]]


def content(files: Files) -> bytes:
    stream = io.BytesIO()
    archive.write(files, stream)
    return stream.getvalue()


def zip_of(entries: Entries, **changes: Any) -> bytes:
    stream = io.BytesIO()
    zipped(entries, stream, **changes)
    return stream.getvalue()


def refusal(damaged: bytes) -> str:
    """Return the message with which bytes are refused; fail when they are accepted."""
    with pytest.raises(BundleError) as caught:
        unpacked(io.BytesIO(damaged))
    return str(caught.value)


def test_write_gives_the_bytes_that_zipfile_writes(tmp_path: Path) -> None:
    shuffled = dict(reversed(FILES.items()))
    assert content(shuffled) == zip_of(list(FILES.items()))
    with packed(shuffled, tmp_path / "a.edgeocr").open("rb") as stream:
        assert list(unpacked(stream).items()) == list(FILES.items())
    with zipfile.ZipFile(tmp_path / "a.edgeocr") as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == FILES


def test_an_archive_without_files_is_written_and_read() -> None:
    assert content({}) == zip_of([])
    assert unpacked(io.BytesIO(content({}))) == {}


@pytest.mark.parametrize("path", [EMBEDDED_BUNDLE, SCHEMA_1], ids=lambda path: path.stem)
def test_stored_bundles_have_the_valid_form(path: Path) -> None:
    with path.open("rb") as stream:
        files = unpacked(stream)
    with zipfile.ZipFile(path) as opened:
        assert files == {name: opened.read(name) for name in opened.namelist()}
    assert content(files) == path.read_bytes()


def test_opening_needs_little_more_memory_than_the_file_is_large(
    record_property: Callable[..., None],
) -> None:
    Bundle.default()  # imports
    tracemalloc.start()
    try:
        bundle = Bundle.default()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    ratio = peak / EMBEDDED_BUNDLE.stat().st_size
    record_property("peak_to_size", ratio)
    print(f"peak while opening {bundle.path.name}: {ratio:.3f} × its size")
    assert 1 <= ratio < 1.3


def test_every_changed_byte_is_refused() -> None:
    sound = content(FILES)
    for place in range(len(sound)):
        damaged = bytearray(sound)
        damaged[place] ^= 1 << place % 8
        assert refusal(bytes(damaged))


def test_a_refusal_names_the_damaged_file() -> None:
    sound = content(FILES)
    starts = [found.start() for found in re.finditer(rb"PK\x03\x04", sound)]
    records = [found.start() for found in re.finditer(rb"PK\x01\x02", sound)]
    assert len(starts) == len(records) == len(FILES)
    for name, (start, end) in zip(FILES, pairwise([*starts, records[0]]), strict=True):
        # The time, date and checksum in the header, then the content.
        for place in [*range(start + 10, start + 18), *range(start + 30 + len(name.encode()), end)]:
            damaged = bytearray(sound)
            damaged[place] ^= 0xFF
            assert name in refusal(bytes(damaged))
    end_mark = sound.index(b"PK\5\6")
    for name, (start, end) in zip(FILES, pairwise([*records, end_mark]), strict=True):
        for place in range(start + 4, end):
            damaged = bytearray(sound)
            damaged[place] ^= 0xFF
            assert name in refusal(bytes(damaged))


def test_cut_and_extended_files_are_refused() -> None:
    sound = content(FILES)
    for length in range(len(sound)):
        assert refusal(sound[:length])
    # Once the first header begins, the message says that something is missing.
    assert all("cut off" in refusal(sound[:n]) for n in (20, 40, 120, 500, len(sound) - 1))
    assert "the header of the first file" in refusal(sound[:20])
    second = sound.index(b"PK\3\4", 4)
    assert "the header of the file after manifest.json" in refusal(sound[: second + 20])
    assert "1 bytes follow the end" in refusal(sound + b"\0")
    assert f"{len(sound)} bytes follow the end" in refusal(sound + sound)
    assert "doesn't begin as a bundle" in refusal(b"\0" + sound)
    middle = sound.index(b"PK\1\2")
    assert refusal(sound[:middle] + b"\0" + sound[middle:])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_reordered_repeated_missing_and_added_entries_are_refused() -> None:
    entries = list(FILES.items())
    assert "out of order" in refusal(zip_of(entries[::-1]))
    assert "manifest.json comes after" in refusal(zip_of([entries[1], entries[0], *entries[2:]]))
    assert "signature.json comes after" in refusal(zip_of([entries[0], *entries[2:], entries[1]]))
    for number, (name, inside) in enumerate(entries):
        assert f"{name} is in the bundle twice" in refusal(zip_of([*entries, (name, inside)]))
        doubled = [*entries[: number + 1], (name, b"other"), *entries[number + 1 :]]
        assert f"{name} is in the bundle twice" in refusal(zip_of(doubled))
    # The central directory lists more files than there are, or fewer.
    fewer, all_ = zip_of(entries[:-1]), zip_of(entries)
    table, fewer_table = all_[all_.index(b"PK\1\2") :], fewer[fewer.index(b"PK\1\2") :]
    body, fewer_body = all_[: -len(table)], fewer[: -len(fewer_table)]
    assert "the end of the directory is wrong" in refusal(fewer_body + table)
    last = "the record of licences/Apache-2.0.txt in the directory is wrong"
    assert last in refusal(body + fewer_table)


def folder_entry(entries: Entries) -> bytes:
    """Pack an entry for a folder too, as `zip -0 -r` does."""
    return zip_of([entries[0], ("graphs/", b""), *entries[1:]])


def compressed(entries: Entries) -> bytes:
    return zip_of(entries, compress_type=zipfile.ZIP_DEFLATED)


def with_todays_date(entries: Entries) -> bytes:
    return zip_of(entries, date_time=(2024, 5, 6, 7, 8, 10))


def packed_on_windows(entries: Entries) -> bytes:
    return zip_of(entries, create_system=0)


def with_other_permissions(entries: Entries) -> bytes:
    return zip_of(entries, external_attr=0o100755 << 16)


def with_comments_on_entries(entries: Entries) -> bytes:
    return zip_of(entries, comment=b"words")


def with_extra_data(entries: Entries) -> bytes:
    return zip_of(entries, extra=b"\xfe\xca\x02\x00hi")


def with_a_comment_on_the_archive(entries: Entries) -> bytes:
    stream = io.BytesIO(zip_of(entries))
    with zipfile.ZipFile(stream, "a") as opened:
        opened.comment = b"words"
    return stream.getvalue()


def zip64(entries: Entries) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for name, inside in entries:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            with opened.open(info, "w", force_zip64=True) as entry:
                entry.write(inside)
    return stream.getvalue()


def streamed(entries: Entries) -> bytes:
    """Pack to a pipe, so that the sizes follow the content."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    stream = Pipe()
    zipped(entries, stream)
    return stream.getvalue()


def behind_a_program(entries: Entries) -> bytes:
    """Pack a self-extracting archive, which zipfile reads too."""
    return b"#!/bin/sh\n" + zip_of(entries)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (folder_entry, "'graphs/' is not a valid file name"),
        (compressed, "the header of manifest.json is wrong"),
        (with_todays_date, "the header of manifest.json is wrong"),
        (packed_on_windows, "the record of manifest.json in the directory is wrong"),
        (with_other_permissions, "the record of manifest.json in the directory is wrong"),
        (with_comments_on_entries, "the record of manifest.json in the directory is wrong"),
        (with_extra_data, "the header of manifest.json is wrong"),
        (with_a_comment_on_the_archive, "the end of the directory is wrong"),
        (zip64, "the header of manifest.json is wrong"),
        (streamed, "the header of manifest.json is wrong"),
        (behind_a_program, "doesn't begin as a bundle"),
    ],
)
def test_valid_zip_archives_of_another_form_are_refused(
    made: Callable[[Entries], bytes], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.edgeocr"
    path.write_bytes(made(list(FILES.items())))
    with zipfile.ZipFile(path) as opened:  # a sound ZIP archive
        assert opened.testzip() is None
    assert re.search(words, refusal(path.read_bytes()))


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "a\\x", "C:x", "./x", "a//x", "", "a/"])
def test_write_refuses_names_that_leave_the_bundle(name: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a valid file name"):
        archive.write({name: b""}, tmp_path / "a.edgeocr")
    assert not (tmp_path / "a.edgeocr").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * 256, "too long for a file name"),
        ("图" * 86, "more than 255 bytes"),
        ("\udcff", "not Unicode"),
        ("a\x1b[31m", "control characters"),
        ("a\u202eb", "control characters"),
        ("a\nb", "not a valid file name"),
    ],
)
def test_write_refuses_names_that_no_bundle_may_have(name: str, words: str) -> None:
    with pytest.raises(BundleError, match=words):
        content({name: b""})
    assert content({"x" * 255: b"", "图" * 85: b""})


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = content(FILES)
    monkeypatch.setattr(limits, "FILES", len(FILES) - 1)
    with pytest.raises(BundleError, match=f"more than {len(FILES) - 1} files"):
        content(FILES)
    assert f"more than {len(FILES) - 1} files" in refusal(sound)


def test_2_gib_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "large.edgeocr"
    path.write_bytes(content(FILES))
    os.truncate(path, (2 << 30) + 1)  # a sparse file takes no space
    with pytest.raises(BundleError, match="2 GiB"):
        Bundle.open(path)
    size = len(content(FILES))
    monkeypatch.setattr(limits, "BUNDLE_BYTES", size - 1)
    with pytest.raises(BundleError, match="a bundle has no more than"):
        content(FILES)
    monkeypatch.setattr(limits, "BUNDLE_BYTES", size)
    assert content(FILES)


def test_a_false_size_is_refused_before_memory_is_taken() -> None:
    damaged = bytearray(content(FILES))
    damaged[18:26] = (0xF0000000).to_bytes(4, "little") * 2
    tracemalloc.start()
    try:
        assert "manifest.json is cut off, or its size is wrong" in refusal(bytes(damaged))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
