"""Who may use the service: tokens, names of hosts, and pages of other sites."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from edgeocr import EdgeOCRError
from edgeocr.serve import Options, Server
from edgeocr.serve.access import Access
from edgeocr.serve.errors import ForbiddenError, UnauthorizedError
from tests.support.services import Client

OPEN = ("/", "/page/page.js", "/healthz", "/readyz", "/openapi.json")
GUARDED = ("/v1/read", "/v1/bundle", "/metrics")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("open-sesame\n")
    path.chmod(0o600)
    return path


def test_the_token_is_needed_for_what_reads(token_file: Path) -> None:
    access = Access(Options(token_file=token_file))
    for path in GUARDED:
        access.check(path, {"authorization": "Bearer open-sesame"})
        for given in ("", "open-sesame", "Basic open-sesame", "Bearer open", "Bearer öffne dich"):
            with pytest.raises(UnauthorizedError):
                access.check(path, {"authorization": given})
    for path in OPEN:
        access.check(path, {"host": "ocr.example.org"})


def test_the_token_is_read_again(token_file: Path) -> None:
    access = Access(Options(token_file=token_file))
    token_file.write_text("other")
    access.reload()
    access.check("/metrics", {"authorization": "bearer other"})
    token_file.write_text("")
    with pytest.raises(EdgeOCRError, match="openssl rand"):
        access.reload()
    access.check("/metrics", {"authorization": "Bearer other"})


@pytest.mark.parametrize("content", [b"", b" \n", b"two words", b"\xff\xfe", b"x" * 5000])
def test_a_file_that_holds_no_token(token_file: Path, content: bytes) -> None:
    token_file.write_bytes(content)
    with pytest.raises(EdgeOCRError, match="holds one token"):
        Access(Options(token_file=token_file))
    with pytest.raises(EdgeOCRError, match="can't be read: No such file"):
        Access(Options(token_file=token_file.with_name("missing")))


def test_a_token_that_others_may_read_is_told(
    token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Access(Options(token_file=token_file))
    assert not caplog.records
    token_file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        Access(Options(token_file=token_file))
    assert "other users of this machine may read the token" in caplog.text


def test_a_credential_of_systemd_is_private_with_the_permission_of_a_group(
    token_file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(token_file.parent))
    token_file.chmod(0o440)
    Access(Options(token_file=token_file))
    assert not caplog.records


def test_names_of_this_machine_only() -> None:
    access = Access(Options(allowed_hosts=("ocr.example.org",)))
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000", "OCR.example.org:443"):
        access.check("/v1/read", {"host": host})
    for host in ("", "rebound.example", "localhost.example", "127.0.0.1.example:8000", "[::1"):
        for path in OPEN + GUARDED:
            with pytest.raises(ForbiddenError):
                access.check(path, {"host": host})
    Access(Options(allow_anyone=True)).check("/v1/read", {"host": "192.168.0.7"})


def test_no_pages_of_other_sites() -> None:
    access = Access(Options())
    host = {"host": "localhost:8000"}
    for headers in (
        {},
        {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ):
        access.check("/v1/read", {**host, **headers})
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        with pytest.raises(ForbiddenError):
            access.check("/v1/read", {**host, **headers})
        access.check("/", {**host, **headers})  # a link on another page


def test_over_http(service: Client) -> None:
    assert service.get("/v1/bundle", Host="evil.example").error == (403, "ForbiddenError")
    answer = service.get("/v1/bundle", Origin="http://evil.example")
    assert answer.error == (403, "ForbiddenError")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_need_a_token(host: str, token_file: Path) -> None:
    with pytest.raises(ValueError, match="--token-file"):
        Server(Options(host=host, port=0))
    Server(Options(host=host, port=0, token_file=token_file)).close()
    Server(Options(host=host, port=0, allow_anyone=True)).close()


def test_addresses_and_certificates_that_do_not_work(tmp_path: Path) -> None:
    with pytest.raises(EdgeOCRError, match=r"can't listen on 203\.0\.113\.1, port 8000"):
        Server(Options(host="203.0.113.1", allow_anyone=True))  # not an address of this machine
    taken = Server(Options(port=0))
    with pytest.raises(EdgeOCRError, match=r"can't listen on .*, port"):
        Server(Options(port=int(taken.url.rpartition(":")[2])))
    taken.close()
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(EdgeOCRError, match=r"cert\.pem: the certificate or its key"):
        Server(Options(port=0, tls_certificate=tmp_path / "cert.pem"))
    with pytest.raises(ValueError, match="tls_key needs tls_certificate"):
        Options(tls_key=tmp_path / "cert.pem")
