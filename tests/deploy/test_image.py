"""The image of deploy/Dockerfile, which .ci/image has built, in a container without an engine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeocr import OCR
from tests.support.containers import PATIENCE, Container, Image, request
from tests.support.paths import FIXTURES, IMAGES, ROOT

pytestmark = pytest.mark.deployment

TOKEN = "0123456789abcdef"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
SAMPLE = IMAGES / "sample.jpg"


@pytest.fixture(scope="module")
def image() -> Image:
    return Image.load(Path(os.environ["EDGEOCR_IMAGE"]))


@pytest.fixture(scope="module")
def container(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A container of the image as it is, with a token and nothing else."""
    files = tmp_path_factory.mktemp("files")
    (files / "secrets").mkdir()
    (files / "secrets" / "edgeocr-token").write_text(TOKEN)
    with image.running(files) as container:
        container.wait_until(container.is_healthy)
        yield container


def test_picture_is_read(container: Container) -> None:
    with OCR(provider="cpu") as ocr:
        expected = [line.text for line in ocr.read(SAMPLE)]
    status, answer = request(container.pid, "POST", "/v1/read", SAMPLE.read_bytes(), AUTHORIZED)
    assert status == 200, answer
    assert [line["text"] for line in json.loads(answer)["lines"]] == expected


def test_pdf_is_written(container: Container) -> None:
    status, answer = request(
        container.pid, "POST", "/v1/read?format=pdf", SAMPLE.read_bytes(), AUTHORIZED
    )
    assert status == 200, answer
    assert answer.startswith(b"%PDF-")


def test_token_is_needed(container: Container) -> None:
    status, answer = request(container.pid, "POST", "/v1/read", SAMPLE.read_bytes())
    assert (status, json.loads(answer)["error"]["type"]) == (401, "UnauthorizedError")


def test_user_is_not_root_and_can_write_nothing(container: Container, image: Image) -> None:
    status = Path(f"/proc/{container.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {image.settings["User"].split(":")[0]} == {"10001"}
    assert int(fields["CapBnd"], 16) == 0
    for folder in ("/", "/srv", "/tmp", "/var/cache/edgeocr", "/run", "/dev"):
        written = container.execute("python3", "-c", f"open('{folder}/written', 'w')")
        assert written.returncode == 1, folder
        assert "Read-only file system" in written.stderr or "Permission" in written.stderr


def test_check_fails_where_no_service_is(image: Image, tmp_path: Path) -> None:
    with image.running(tmp_path, ["60"], ["sleep"]) as container:
        container.wait_until(lambda: container.execute("true").returncode == 0)
        assert not container.is_healthy()


def test_image_does_not_start_without_a_token(image: Image, tmp_path: Path) -> None:
    with image.running(tmp_path) as container:
        _, errors = container.process.communicate(timeout=PATIENCE)
    assert container.process.returncode == 1
    assert "/run/secrets/edgeocr-token: the token can't be read" in errors


def test_own_bundle_without_a_token_where_that_is_said(image: Image, tmp_path: Path) -> None:
    bundle = FIXTURES / "bundles" / "schema-1.edgeocr"
    (tmp_path / "bundle.edgeocr").write_bytes(bundle.read_bytes())
    with OCR(bundle, provider="cpu") as ocr:
        expected = ocr.bundle_digest
    with image.running(tmp_path, ["--allow-anyone"]) as container:
        container.wait_until(container.is_healthy)
        status, answer = request(container.pid, "GET", "/v1/bundle")
        assert (status, json.loads(answer)["digest"]) == (200, expected)


def test_image_holds_what_runs_and_nothing_of_the_build(image: Image) -> None:
    assert not list(image.root.glob("opt/edgeocr/lib/python*/site-packages/pip"))
    assert not (image.root / "usr/bin/pip").exists()
    assert not (image.root / "etc/pip.conf").exists()
    assert not (image.root / "run/secrets").exists()
    assert not list(image.root.glob("var/lib/apt/lists/*_*"))
    embedded = ROOT / "edgeocr" / "bundles" / "tiny.edgeocr"
    assert (image.root / "srv/bundle.edgeocr").read_bytes() == embedded.read_bytes()


# Last, because it ends the container that the others use.
def test_sigterm_ends_it(container: Container, image: Image) -> None:
    os.kill(container.pid, getattr(signal, image.settings["StopSignal"]))
    _, errors = container.process.communicate(timeout=PATIENCE)
    assert container.process.returncode == 0, errors
    assert "ready, with the bundle" in errors
