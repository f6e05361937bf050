"""Measure how long both graphs of a conversion take."""

from __future__ import annotations

import statistics
import time
from typing import TypedDict

from edgeocr.device.cpus import available_threads

from ..convert import Conversion
from ..edge_graph import to_plain_inputs
from ..graph.runner import onnx_runner
from ..parity.probes import probes

# A median is taken of this many rounds, or of fewer where a round takes long.
ROUNDS, LEAST_ROUNDS = 5, 2
# No further round begins after this many seconds, once there have been `LEAST_ROUNDS`.
SECONDS = 1.0


class Time(TypedDict):
    """The median times of both graphs on an input."""

    input: list[int]
    threads: int
    plain_ms: float
    edge_ms: float
    edge_to_plain: float


def measured_times(conversion: Conversion) -> list[Time]:
    """Measure both graphs alternately on this machine's CPU, with one thread and with all.

    Args:
        conversion: The conversion.

    Returns:
        The medians in milliseconds, for each number of threads and each input.
    """
    measured: list[Time] = []
    for threads in sorted({1, available_threads()}):
        measured += _measured(conversion, threads)
    return measured


def _measured(conversion: Conversion, threads: int) -> list[Time]:
    """Measure with a number of threads; both sessions are freed at the end."""
    network, interface = conversion.network, conversion.interface
    run_plain, run_edge = (
        onnx_runner(graph, None, threads=threads) for graph in (conversion.plain, conversion.edge)
    )
    measured: list[Time] = []
    by_shape = {batch.shape: batch for batch in probes(network, interface)}
    for batch in by_shape.values():
        inputs = to_plain_inputs(batch, network.normalize, interface)
        taken: dict[str, list[float]] = {"plain": [], "edge": []}
        begin = time.perf_counter()
        run_plain(inputs), run_edge([batch])
        for done in range(ROUNDS):
            if done >= LEAST_ROUNDS and time.perf_counter() - begin > SECONDS:
                break
            for name, run, feed in (("plain", run_plain, inputs), ("edge", run_edge, [batch])):
                start = time.perf_counter()
                run(feed)
                taken[name].append(1000 * (time.perf_counter() - start))
        plain, edge = (statistics.median(taken[name]) for name in ("plain", "edge"))
        measured.append(
            {
                "input": list(batch.shape),
                "threads": threads,
                "plain_ms": round(plain, 2),
                "edge_ms": round(edge, 2),
                "edge_to_plain": round(edge / plain, 3),
            }
        )
    return measured
