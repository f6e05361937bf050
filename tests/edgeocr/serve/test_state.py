"""What the service says about itself: its bundle, its figures, its description and its page."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter

from prometheus_client.parser import text_string_to_metric_families

from edgeocr import OCR
from edgeocr.serve import openapi
from edgeocr.version import __version__
from tests.support.services import Client


def test_the_bundle(service: Client, ocr: OCR) -> None:
    bundle = service.get("/v1/bundle").json
    assert (bundle["name"], bundle["digest"]) == (ocr.bundle_name, ocr.bundle_digest)
    assert bundle["providers"] == ocr.providers and bundle["edgeocr"] == __version__
    assert bundle["manifest"]["stages"]["recognition"]["graph"]


def test_the_figures(service: Client, pictures: Path) -> None:
    content = (pictures / "badge.jpg").read_bytes()
    counter = 'edgeocr_requests_total{endpoint="/v1/read",status="200"}'
    before = service.metric(counter), service.metric("edgeocr_pages_total")
    assert service.post("/v1/read", content).status == 200
    service.post("/v1/read", b"no picture")
    assert service.metric(counter) == before[0] + 1
    assert service.metric("edgeocr_pages_total") == before[1] + 1
    assert service.metric('edgeocr_errors_total{type="ImageError"}') >= 1
    families = {
        family.name: family
        for family in text_string_to_metric_families(service.get("/metrics").body.decode())
    }
    stages = {
        sample.labels["stage"]
        for sample in families["edgeocr_stage_seconds"].samples
        if sample.name.endswith("_count")
    }
    assert {"load", "detection", "recognition", "layout"} <= stages
    (info,) = families["edgeocr_info"].samples
    assert info.labels["edgeocr"] == __version__ and info.labels["bundle"] == "tiny"
    for name in ("queue_seconds", "request_seconds", "resident_memory_bytes", "places_taken"):
        assert f"edgeocr_{name}" in families


def test_the_description_fits_the_answers(service: Client, pictures: Path) -> None:
    description = service.get("/openapi.json").json
    assert set(description["paths"]) == {
        *("/v1/read", "/v1/detect", "/v1/recognize", "/v1/bundle"),
        *("/healthz", "/readyz", "/metrics"),
    }
    for path, example in {
        "/v1/read": openapi.PAGE,
        "/v1/detect": openapi.DETECTIONS,
        "/v1/recognize": openapi.READING,
    }.items():
        operation = description["paths"][path]["post"]
        assert "multipart/form-data" in operation["requestBody"]["content"]
        shown = operation["responses"]["200"]["content"]["application/json"]["example"]
        assert shown == example
        answer = service.post(path, (pictures / "badge.jpg").read_bytes()).json
        assert list(answer) == list(example)
    formats = description["paths"]["/v1/read"]["post"]["parameters"]
    assert any("hocr" in str(each["schema"]) for each in formats)


def test_the_page_needs_nothing_from_elsewhere(service: Client) -> None:
    answer = service.get("/")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page = answer.body.decode()
    assert "/openapi.json" in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert service.get("/page/index.html").body == answer.body
    assert service.get("/page/nothing.js").error == (404, "NotFoundError")
    assert service.get("/docs").status == service.get("/redoc").status == 404


def test_it_lives_and_is_ready(service: Client) -> None:
    assert service.get("/healthz").json == {"status": "alive"}
    assert service.get("/readyz").json == {"status": "ready"}


def test_bodies_of_answers_are_not_held_back(service: Client) -> None:
    """A body that waits until its head is confirmed comes 40 ms after it, each time."""
    connection = service.connect()
    delays = []
    for _ in range(10):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        head = perf_counter()
        answer.read()
        delays.append(perf_counter() - head)
    connection.close()
    assert min(delays[5:]) < 0.02
