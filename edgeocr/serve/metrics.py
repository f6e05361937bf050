"""What `GET /metrics` shows, in the text format of Prometheus."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Upper bounds in seconds: from a receipt on a fast machine to a page on a slow one.
SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)


class Metrics:
    """The figures of one service, in a registry of their own.

    Attributes:
        requests: Answered requests, by endpoint and status.
        errors: Errors by type, those of single pages of several included.
        request_seconds: The time from a request's head to its answer, by endpoint.
        queue_seconds: The time that requests waited for the reader.
        stage_seconds: The time of each stage, summed over the pages of a request.
        pages: Pages that were read, detected or recognized.
        restarts: How often the reader had to be started again.
    """

    def __init__(self) -> None:
        """Begin with zeros."""
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "edgeocr_requests",
            "Requests by endpoint and status; 499: the client had gone away",
            ("endpoint", "status"),
            registry=registry,
        )
        self.errors = Counter(
            "edgeocr_errors", "Errors by type, also of single pages", ("type",), registry=registry
        )
        self.request_seconds = Histogram(
            "edgeocr_request_seconds",
            "Time from a request's head to its answer",
            ("endpoint",),
            buckets=SECONDS,
            registry=registry,
        )
        self.queue_seconds = Histogram(
            "edgeocr_queue_seconds",
            "Time that a request waited for the reader",
            buckets=SECONDS,
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "edgeocr_stage_seconds",
            "Time of a stage, over all pages of a request",
            ("stage",),
            buckets=SECONDS,
            registry=registry,
        )
        self.pages = Counter("edgeocr_pages", "Pages that were read", registry=registry)
        self.restarts = Counter(
            "edgeocr_reader_restarts", "Times the reader had to be started again", registry=registry
        )
        self._info = Gauge(
            "edgeocr_info",
            "What the service is made of; always 1",
            ("edgeocr", "onnxruntime", "bundle", "digest"),
            registry=registry,
        )

    def watch(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        """Show values that are asked for whenever the metrics are.

        Args:
            gauges: The description and the source of each value, by name.
        """
        for name, (description, value) in gauges.items():
            Gauge(name, description, registry=self._registry).set_function(value)

    def watch_memory(self, pids: Mapping[str, Callable[[], int | None]]) -> None:
        """Show the resident memory of processes, where the system tells it.

        Args:
            pids: Returns the number of each process, or None while there is none, by its name.
        """
        gauge = Gauge(
            "edgeocr_resident_memory_bytes",
            "Memory that a process holds",
            ("process",),
            registry=self._registry,
        )
        for name, pid in pids.items():
            gauge.labels(name).set_function(partial(_resident, pid))

    def describe(self, bundle: Mapping[str, Any]) -> None:
        """Show what the service is made of, from what `GET /v1/bundle` answers."""
        self._info.clear()
        self._info.labels(
            bundle["edgeocr"], bundle["onnxruntime"], bundle["name"], bundle["digest"]
        ).set(1)

    def count_pages(self, done: Mapping[str, Any]) -> None:
        """Count what the reader did, from the header of its answer."""
        self.pages.inc(done["pages"])
        for stage, milliseconds in done["stages"].items():
            self.stage_seconds.labels(stage).observe(milliseconds / 1000)
        for kind, number in done["failed"].items():
            self.errors.labels(kind).inc(number)

    def text(self) -> bytes:
        """Return all figures."""
        return generate_latest(self._registry)


def _resident(pid: Callable[[], int | None]) -> float:
    """Return the resident memory of a process in bytes; 0 where that isn't known."""
    try:
        pages = int(Path(f"/proc/{pid()}/statm").read_bytes().split()[1])
        return float(pages * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
