"""Headers of any content against the checks of who may use the service, and wrong certificates."""

from __future__ import annotations

import http.client
import logging
import re
import signal
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgeocr import EdgeOCRError
from edgeocr.serve import Options, Server
from edgeocr.serve.access import Access
from edgeocr.serve.errors import ForbiddenError, UnauthorizedError
from tests.edgeocr.serve.conftest import READER
from tests.edgeocr.serve.test_command import certificate, ready, started
from tests.support.services import serving

FEW = settings(max_examples=200, deadline=None, derandomize=True, database=None)
LATIN = st.text(st.characters(max_codepoint=255), max_size=30)
NAMES = st.lists(
    st.sampled_from(["localhost", "127.0.0.1", "[::1]", "evil.example", ":", "80", "@", ".", "["])
    | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=3),
    max_size=5,
).map("".join)


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("access") / "token"
    path.write_text("open-sesame")
    path.chmod(0o600)
    return path


@FEW
@given(LATIN | LATIN.map(lambda given: f"Bearer {given}"))
@example("Bearer open-sesame\0")
@example("Bearer Open-Sesame")
@example("Bearer open-sesame open-sesame")
@example("Bearer")
def test_only_the_token_opens(token_file: Path, given: str) -> None:
    with pytest.raises(UnauthorizedError):
        Access(Options(token_file=token_file)).check("/v1/read", {"authorization": given})


@FEW
@given(NAMES, NAMES)
@example("[", "http://[")
@example("localhost", "http://localhost@evil.example")
@example("localhost:80", "http://localhost")
@example("127.0.0.1.evil.example", "http://127.0.0.1")
@example("localhost", "null")
def test_other_names_and_other_sites_are_kept_out(host: str, origin: str) -> None:
    headers = {"host": host, "origin": origin if "//" in origin else f"http://{origin}"}
    try:
        Access(Options()).check("/v1/read", headers)
    except ForbiddenError:
        return
    assert re.fullmatch(r"(?i)(localhost|127\.0\.0\.1|\[::1\]|\[localhost\])(:\d*)?", host)
    assert headers["origin"].lower().startswith(f"http://{host.lower()}")


@pytest.mark.stress
def test_logs_hold_no_secrets(token_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = Options(READER, port=0, token_file=token_file, access_log=True)
    with caplog.at_level(logging.DEBUG), serving(options) as (client, _):
        bearer = {"Authorization": "Bearer open-sesame"}
        assert client.get("/metrics", **bearer).status == 200
        assert client.post("/v1/read?open-sesame=1", b"x", **bearer).status == 422
        assert client.post("/v1/read?name=open-sesame", b"x", **bearer).status == 422
        refused = client.get("/metrics?open-sesame", Authorization="Basic open-sesame")
        assert refused.error == (401, "UnauthorizedError")
        assert b"sesame" not in refused.body
    assert "POST /v1/read 422" in caplog.text  # requests are logged
    assert "sesame" not in caplog.text


def test_a_key_with_a_password_is_an_error_and_no_question(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, locked))
    with pytest.raises(EdgeOCRError, match=r"certificate\.pem: the certificate or its key"):
        Server(Options(port=0, tls_certificate=path, tls_key=tmp_path / "key.pem"))


@pytest.mark.stress
def test_a_wrong_certificate_does_not_replace_the_one_in_use(
    default_signals: None, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    path, other = map(certificate, folders)
    before = path.read_text()

    def answers(trusted: str) -> None:
        connection = http.client.HTTPSConnection(
            host, int(port), context=ssl.create_default_context(cadata=trusted), timeout=20
        )
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()

    with started("--tls-certificate", path) as (process, client):
        ready(process)
        assert process.stderr is not None
        host, _, port = client.url.removeprefix("https://").rpartition(":")
        begin = "-----BEGIN PRIVATE KEY-----"
        wrong = other.read_text().partition(begin)[0] + begin + before.partition(begin)[2]
        path.write_text(wrong)  # the certificate of one pair, and the key of another
        process.send_signal(signal.SIGHUP)
        assert "can't be read again" in process.stderr.readline()
        answers(before)
        path.write_text(other.read_text())
        process.send_signal(signal.SIGHUP)
        assert "read the token and the certificate again" in process.stderr.readline()
        answers(other.read_text())
