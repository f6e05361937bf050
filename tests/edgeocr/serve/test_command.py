"""`edgeocr serve` as a process: how it starts, what it loads, and how it ends."""

from __future__ import annotations

import datetime
import http.client
import ipaddress
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import command
from tests.support.services import PATIENCE, Client, multipart, wait_until

LISTENING = "edgeocr: listening on "


@contextmanager
def started(*options: str | Path) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """Run `edgeocr serve` on a free port until the block ends."""
    words = ("serve", "--port", "0", "--provider", "cpu", *options)
    with command.start(*words) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            assert first.startswith(LISTENING), first
            yield process, Client(first[len(LISTENING) :].strip())
        finally:
            process.kill()


def ready(process: subprocess.Popen[str]) -> None:
    """Wait until a service says that it is ready."""
    assert process.stderr is not None
    assert process.stderr.readline() == "edgeocr: ready, with the bundle tiny\n"


def libraries(pid: int) -> set[str]:
    """Return which of the large libraries a process has loaded."""
    loaded = Path(f"/proc/{pid}/maps").read_text()
    return {name for name in ("numpy", "cv2", "onnxruntime", "shapely") if name in loaded}


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process has loaded")
@pytest.mark.parametrize("name", ["SIGTERM", pytest.param("SIGINT", marks=pytest.mark.stress)])
def test_a_signal_lets_requests_end_and_then_the_service(
    default_signals: None, pictures: Path, name: str
) -> None:
    content = (pictures / "badge.jpg").read_bytes()
    body = multipart({f"{i}.jpg": content for i in range(12)})
    headers = {"Content-Type": "multipart/form-data; boundary=limit"}
    with started("--access-log") as (process, client), ThreadPoolExecutor(1) as pool:
        ready(process)
        (reader,) = children(process.pid)
        assert libraries(process.pid) == set()
        assert "onnxruntime" in libraries(reader)
        asked = pool.submit(client.ask, "POST", "/v1/read", body, headers)
        wait_until(lambda: client.metric("edgeocr_reading") == 1)
        assert client.metric('edgeocr_resident_memory_bytes{process="reader"}') > 10_000_000
        os.kill(process.pid, getattr(signal, name))
        wait_until(lambda: client.get("/readyz").status == 503)
        assert client.get("/healthz").status == 200
        assert client.post("/v1/read", content).error == (503, "NotReadyError")
        assert asked.result().status == 200 and len(asked.result().json) == 12
        _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "edgeocr: ending: no new requests are answered\n" in log
        assert "edgeocr: 127.0.0.1 POST /v1/read 200 " in log
        assert not Path(f"/proc/{reader}").exists()


@pytest.mark.stress
def test_requests_that_take_longer_than_the_drain_are_cut_off(
    default_signals: None, pictures: Path
) -> None:
    content = (pictures / "badge.jpg").read_bytes()
    body = multipart({f"{i}.jpg": content for i in range(16)})
    headers = {"Content-Type": "multipart/form-data; boundary=limit"}
    with started("--drain", "0") as (process, client), ThreadPoolExecutor(1) as pool:
        ready(process)
        asked = pool.submit(client.ask, "POST", "/v1/read", body, headers)
        wait_until(lambda: client.metric("edgeocr_reading") == 1)
        process.terminate()
        answer = asked.result()
        assert answer.error == (503, "NotReadyError")
        assert answer.headers["retry-after"] == "1"
        assert process.wait(PATIENCE) == 0


@pytest.mark.stress
def test_a_bundle_that_does_not_open_ends_the_service(tmp_path: Path) -> None:
    with started("--bundle", tmp_path / "missing.edgeocr") as (process, _):
        _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert log.startswith("edgeocr: error: ") and "missing.edgeocr: no such bundle" in log
    assert log.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--host", "0.0.0.0"], 2, "other machines can reach 0.0.0.0"),
        (["--tls-key", "key.pem"], 2, "tls_key needs tls_certificate"),
        (["--max-body", "none"], 2, "must be a size above 0"),
        (["--port", "x"], 2, "must be a whole number from 0 to 65535"),
        (["--timeout", "0"], 2, "timeout must be above 0"),
        (["--drain", "forever"], 2, "must be seconds from 0 to 86400"),
        (["--token-file", "missing"], 1, "missing: the token can't be read"),
    ],
)
def test_wrong_arguments(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgeocr.cli.main import main

    try:
        found = main(["serve", "--port", "0", *words])
    except SystemExit as ended:
        found = int(ended.code or 0)
    assert (found, message in capsys.readouterr().err) == (code, True)


def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgeocr.cli.main import main

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve"]) == 1
    assert 'uvicorn is not installed: pip install "edgeocr[serve]"' in capsys.readouterr().err


@pytest.mark.stress
def test_options_reach_the_reader(pictures: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("open-sesame")
    token.chmod(0o600)
    options = ["--shape", "polygon", "--threads", "1", "--max-image-pixels", "1000"]
    with started(*options, "--token-file", token) as (process, client):
        ready(process)
        assert client.get("/v1/bundle").error == (401, "UnauthorizedError")
        bearer = {"Authorization": "Bearer open-sesame"}
        assert client.get("/v1/bundle", **bearer).json["threads"] == 1
        content = (pictures / "badge.jpg").read_bytes()
        answer = client.post("/v1/read", content, **bearer)
        assert answer.error == (422, "ImageError")
        assert "the limit is 1000 pixels" in answer.json["error"]["message"]


@pytest.mark.stress
def test_sighup_reads_the_token_again(default_signals: None, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    token.chmod(0o600)
    with started("--token-file", token) as (process, client):
        ready(process)
        token.write_text("new")
        assert client.get("/metrics", Authorization="Bearer old").status == 200
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: client.get("/metrics", Authorization="Bearer new").status == 200)
        assert client.get("/metrics", Authorization="Bearer old").status == 401
        token.write_text("")
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        assert process.stderr.readline() == "edgeocr: read the token and the certificate again\n"
        assert "can't be read again" in process.stderr.readline()
        assert client.get("/metrics", Authorization="Bearer new").status == 200
    with started() as (process, _):  # nothing to read again
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE) == 0


def certificate(folder: Path, serial: int = 1) -> Path:
    """Make a certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "edgeocr")])
    now = datetime.datetime(2026, 1, 1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return path


@pytest.mark.stress
def test_https(default_signals: None, pictures: Path, tmp_path: Path) -> None:
    path = certificate(tmp_path)
    with started("--tls-certificate", path) as (process, client):
        ready(process)
        assert client.url.startswith("https://127.0.0.1:")
        host, _, port = client.url.removeprefix("https://").rpartition(":")
        context = ssl.create_default_context(cafile=path)
        connection = http.client.HTTPSConnection(host, int(port), context=context)
        connection.request("POST", "/v1/read?format=text", (pictures / "badge.jpg").read_bytes())
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        connection.close()
        old = ssl.get_server_certificate((host, int(port)))
        certificate(tmp_path, serial=2)
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: ssl.get_server_certificate((host, int(port))) != old)
