"""Bundles that would fill the memory or never end are refused before they are read."""

from __future__ import annotations

import errno
import json
import os
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from edgeocr import Bundle, BundleError, SignatureError
from edgeocr.bundle import archive, limits
from edgeocr.bundle.folder import Folder
from tests.support.packing import Files, folder, packed, sealed, with_manifest, with_signature
from tests.support.paths import BUNDLES, EMBEDDED_BUNDLE

MANIFEST, SIGNATURE = archive.MANIFEST, archive.SIGNATURE
GRAPH = "graphs/detection.onnx"
CHARSET = "charsets/PP-OCRv6_tiny_rec.txt"
# Memory for the names, headers and messages of a bundle that is refused before it is read.
LITTLE = 2 << 20


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Return a function that tells the most bytes that the test has held so far."""
    Bundle.default()  # imports
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(BundleError) as caught:
        Bundle.open(path, **options)
    return str(caught.value)


def test_a_sparse_file_is_refused_before_it_is_read(
    tmp_path: Path, peak: Callable[[], int]
) -> None:
    size = (1 << 31) - 200
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, size, size, 13, 0)
    path = tmp_path / "a.edgeocr"
    path.write_bytes(header + MANIFEST.encode())
    os.truncate(path, len(header) + 13 + size)
    with path.open("ab") as stream:  # the directory, so that only the size is wrong
        record = struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", 788, 20, 0, 0, 0, 33, 0, size, size, 13, 0, 0, 0, 0, 0o100644 << 16, 0),
        )
        stream.write(record + MANIFEST.encode())
        end = (b"PK\5\6", 0, 0, 1, 1, len(record) + 13, len(header) + 13 + size, 0)
        stream.write(struct.pack("<4s4H2LH", *end))
    assert f"{MANIFEST} has {size} bytes; {limits.MANIFEST_BYTES} are allowed" in refusal(path)
    os.truncate(path, (1 << 32) - 1)
    assert "4.0 GiB: a bundle has no more than 2 GiB" in refusal(path)
    assert peak() < LITTLE


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        (MANIFEST, limits.MANIFEST_BYTES + 1, "262144 are allowed"),
        (SIGNATURE, limits.SIGNATURE_BYTES + 1, "4096 are allowed"),
        (GRAPH, limits.GRAPH_BYTES + 1, "1073741824 are allowed"),
        (GRAPH, limits.BUNDLE_BYTES, "1073741824 are allowed"),
        (GRAPH, 1 << 40, "1073741824 are allowed"),
        (GRAPH, 1 << 29, f"it has {1 << 29} bytes, the manifest says 72"),
        (CHARSET, 1 << 29, f"it has {1 << 29} bytes, the manifest says"),
    ],
)
def test_an_oversized_file_in_a_folder_is_refused_before_it_is_read(
    files: Files, tmp_path: Path, peak: Callable[[], int], name: str, size: int, said: str
) -> None:
    path = folder({SIGNATURE: b"", **files}, tmp_path / "b")
    (path / SIGNATURE).unlink()
    (path / name).touch()
    os.truncate(path / name, size)
    message = refusal(path)
    assert name in message and said in message
    assert peak() < LITTLE


@pytest.mark.parametrize(
    ("name", "most"),
    [(CHARSET, limits.CHARSET_BYTES), ("licences/Apache-2.0.txt", limits.OTHER_BYTES)],
)
def test_files_that_are_no_graphs_have_lower_limits(
    files: Files, tmp_path: Path, name: str, most: int
) -> None:
    path = packed(sealed({**files, name: bytes(most + 1)}), tmp_path / "a.edgeocr")
    assert f"{name} has {most + 1} bytes; {most} are allowed" in refusal(path)


@pytest.mark.parametrize("pack", [folder, packed])
def test_a_large_signature_is_refused_before_the_key_is_used(
    files: Files, tmp_path: Path, keys: Path, pack: Any
) -> None:
    path = pack({**files, SIGNATURE: b" " * 5000}, tmp_path / "a")
    assert "signature.json has 5000 bytes" in refusal(path, require_signature=keys / "own.pub")
    path = pack(with_signature(files, keys / "own.key"), tmp_path / "b")
    assert Bundle.open(path, require_signature=keys / "own.pub").signed_by
    with pytest.raises(SignatureError):
        Bundle.open(path, require_signature=keys / "other.pub")


def test_too_many_files_and_folders_are_refused(files: Files, tmp_path: Path) -> None:
    path = folder(files, tmp_path / "b")
    for number in range(limits.FILES - len(files) + 1):
        (path / f"{number}.txt").touch()
    assert "more than 1000 files or folders" in refusal(path)
    path = folder(files, tmp_path / "c")
    for number in range(limits.FILES + 1):
        (path / f"{number}").mkdir()
    assert "more than 1000 files or folders" in refusal(path)


def test_a_deep_folder_is_refused(files: Files, tmp_path: Path) -> None:
    path = folder(files, tmp_path / "b")
    (path / "/".join("d" * 150)).mkdir(parents=True)
    assert "too long for a file name" in refusal(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_pipes_devices_and_loops_are_refused_without_waiting(files: Files, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a folder" in refusal(tmp_path / "pipe")
    assert "neither a file nor a folder" in refusal(Path("/dev/zero"))
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert "one: " in refusal(tmp_path / "one")
    assert "can't be read: File name too long" in refusal(tmp_path / ("x" * 300))
    path = folder(files, tmp_path / "b")
    (path / "loop").symlink_to(path)
    assert "loop is a symbolic link" in refusal(path)
    (path / "loop").unlink()
    (path / MANIFEST).unlink()
    os.mkfifo(path / MANIFEST)
    assert f"no {MANIFEST} inside" in refusal(path)


def test_a_file_that_grows_while_it_is_read_is_refused(files: Files, tmp_path: Path) -> None:
    path = folder(files, tmp_path / "b")
    contents = Folder(path)
    for size in (0, 71, 73, 1 << 40):
        os.truncate(path / GRAPH, size)
        with pytest.raises(BundleError, match="changed its size"):
            contents.read(GRAPH)


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EIO, "Input/output error")])
def test_what_the_system_refuses_is_an_error_that_names_the_bundle(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(archive.Archive, "read", failing)
    said = "not enough memory" if isinstance(error, MemoryError) else "Input/output error"
    message = refusal(EMBEDDED_BUNDLE)
    assert message.startswith(str(EMBEDDED_BUNDLE)) and said in message


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update({"q" * 4000: 1}),
        lambda manifest: manifest["stages"]["detection"].update(graph="g" * 4000),
        lambda manifest: manifest["stages"]["detection"].update(algorithm=["a" * 4000] * 100),
        lambda manifest: manifest["stages"]["recognition"].update(batches=[9] * 50_000),
        lambda manifest: manifest["stages"]["orientation"].update(degrees=[7] * 50_000),
        lambda manifest: manifest["files"].update({"f" * 4000: {"sha256": "", "size": 1}}),
    ],
    ids=["member", "graph", "algorithm", "batches", "degrees", "file"],
)
def test_messages_quote_little_of_a_bundle(
    files: Files, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    path = packed(with_manifest(files, change), tmp_path / "a.edgeocr")
    assert len(refusal(path)) < 1100 + len(str(path))


def nested_numbers(manifest: dict[str, Any]) -> str:
    check = {"status": "passed", "inputs": [[1] * 20] * 6000}
    manifest["provenance"][0]["parity"] = {"a": check}
    return json.dumps(manifest, separators=(",", ":"))


def many_files(manifest: dict[str, Any]) -> str:
    manifest["files"] |= {f"{i}": {"sha256": "", "size": 0} for i in range(8000)}
    return json.dumps(manifest, separators=(",", ":"))


def many_batches(manifest: dict[str, Any]) -> str:
    manifest["stages"]["orientation"]["batches"] = [*range(1, 43_000)]
    return json.dumps(manifest, separators=(",", ":"))


def many_members(manifest: dict[str, Any]) -> str:
    return json.dumps({f"{i:x}": 1 for i in range(29_000)}, separators=(",", ":"))


def a_member_twice_at_the_end(manifest: dict[str, Any]) -> str:
    return many_members(manifest)[:-1] + ',"z":1,"z":2}'


@pytest.mark.parametrize(
    "fill",
    [nested_numbers, many_files, many_batches, many_members, a_member_twice_at_the_end],
)
def test_a_manifest_of_the_largest_size_is_read_or_refused_soon(
    files: Files, tmp_path: Path, fill: Callable[[dict[str, Any]], str]
) -> None:
    files[MANIFEST] = fill(json.loads(files[MANIFEST])).encode()
    assert 0.9 * limits.MANIFEST_BYTES < len(files[MANIFEST]) <= limits.MANIFEST_BYTES
    path = packed(files, tmp_path / "a.edgeocr")
    start = process_time()
    with nullcontext() if fill is nested_numbers else pytest.raises(BundleError):
        Bundle.open(path)
    assert process_time() - start < 3


def test_all_bundles_of_the_tests_are_far_below_the_limits() -> None:
    for path in (EMBEDDED_BUNDLE, *BUNDLES.glob("*.edgeocr")):
        bundle = Bundle.open(path)
        assert 20 * len(bundle.manifest_text) < limits.MANIFEST_BYTES
        assert 4 * len(bundle.manifest.files) < limits.FILES
        assert 4 * path.stat().st_size < limits.GRAPH_BYTES
