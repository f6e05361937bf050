"""Archives with published models."""

from __future__ import annotations

import functools
import gzip
import io
import shutil
import tarfile
import tempfile
from pathlib import Path

from converters.catalog import archives

FILES = {"net/model": b"m" * 600, "net/sub/params": b"p" * 300, "net/._hidden": b"h"}


def seeds() -> list[bytes]:
    """Pack a few files in each form of tar, plain and compressed."""
    found = []
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        for folder in ("", "é" * 40 + "/"):
            found.append(_packed(form, folder))
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}
    found += [_packed(tarfile.PAX_FORMAT, "", **sparse), gzip.compress(found[0], mtime=0)]
    return found


def _packed(form: int, folder: str, **headers: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for name, content in FILES.items():
            member = tarfile.TarInfo(folder + name)
            member.size, member.pax_headers = len(content), headers
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@functools.cache
def place() -> Path:
    """Return the folder that archives are written to and unpacked in."""
    return Path(tempfile.mkdtemp(prefix="edgeocr-fuzz-"))


def repaired(content: bytes) -> bytes:
    """Write the right checksums into the headers, so that changed ones are read."""
    changed = bytearray(content)
    for at in range(0, len(changed) - 511, 512):
        if changed[at + 257 : at + 262] == b"ustar":
            total = sum(changed[at : at + 148]) + 8 * 32 + sum(changed[at + 156 : at + 512])
            changed[at + 148 : at + 156] = b"%06o\0 " % total
    return bytes(changed)


def read(content: bytes) -> None:
    """Unpack an archive; nothing may appear beside the folder."""
    path = place() / "net.tar"
    path.write_bytes(repaired(content))
    try:
        archives.unpack(path, place() / "deep" / "net")
    finally:
        left = {each.name for each in place().iterdir()} - {"net.tar", "deep"}
        shutil.rmtree(place() / "deep", ignore_errors=True)
        assert not left, left
