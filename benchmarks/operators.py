"""Time of ONNX Runtime's operators, beside what the machine can do: part of breakdown.

A node's work is the multiplications and additions of its products (convolutions and matrix
products; other operators have none that count) and the bytes of its inputs, weights and outputs,
as ONNX Runtime computes them: its blocked layout fills channels up to a multiple of 8 or 16.
The limits of the machine come from a large matrix product and from copying a large array, both with
one thread in the same run. Bytes can move faster than that where they stay in a cache.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeocr.runtime.onnx_runtime import import_onnxruntime

PRODUCTS = ("MatMul", "FusedMatMul", "Gemm")
CONVOLUTIONS = ("Conv", "FusedConv")
# Rows of the tables: operators, and single nodes.
OPERATORS, NODES = 10, 12
# Side of the matrices and bytes of the array that the limits are measured with. The array is larger
# than the caches of most processors.
SIDE, COPIED = 1536, 1 << 28
# How often each limit is measured; the best counts.
TRIES = 5


@dataclass(frozen=True)
class Work:
    """Time and work of one node or of all nodes of an operator.

    Attributes:
        name: The operator's type, for a node also the shapes of its input and output.
        ms: Milliseconds with one thread.
        gflop: Billions of multiplications and additions of products.
        gigabytes: Billions of bytes of inputs, weights and outputs.
    """

    name: str
    ms: float
    gflop: float
    gigabytes: float


@dataclass(frozen=True)
class Limits:
    """What one thread of the machine can do.

    Attributes:
        gflops: Billions of multiplications and additions in a second, in a large matrix product.
        gigabytes_per_second: Billions of bytes that are read and written in a second, in a copy.
    """

    gflops: float
    gigabytes_per_second: float


@dataclass(frozen=True)
class Profile:
    """Where the time of a network goes.

    Attributes:
        operators: The operators, the slowest first.
        nodes: The slowest nodes, the slowest first. Runs with inputs of other sizes count together.
        limits: What the machine can do.
    """

    operators: list[Work]
    nodes: list[Work]
    limits: Limits

    @property
    def ms(self) -> float:
        """Milliseconds of all operators."""
        return sum(each.ms for each in self.operators)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return asdict(self)


def profile(graph: bytes, batches: Sequence[NDArray[np.uint8]], limits: Limits) -> Profile:
    """Measure the time that ONNX Runtime spends in each operator, with one thread.

    Args:
        graph: The ONNX file's bytes.
        batches: Inputs of the graph; each is run once. The first is run once more before them,
            because a first run also allocates memory.
        limits: What the machine can do.
    """
    ort = import_onnxruntime()
    options = _options()
    options.enable_profiling = True
    events: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = os.path.join(folder, "profile")  # noqa: PTH118 - a prefix
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        (graph_input,) = session.get_inputs()
        for batch in [*batches[:1], *batches]:
            session.run(None, {graph_input.name: batch})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    kernels = [
        event
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    ]
    # Each run has the same nodes, so the first run is the first share of the events.
    kernels = kernels[len(kernels) // (len(batches) + 1) :]
    operators = _summed(kernels, lambda event: str(event["args"]["op_name"]), lambda name: name)
    nodes = _summed(kernels, lambda event: str(event["name"]), _node_titles(kernels).__getitem__)
    return Profile(operators, nodes[:NODES], limits)


def measure_limits(side: int = SIDE, copied: int = COPIED) -> Limits:
    """Measure what one thread of the machine can do.

    Args:
        side: Rows and columns of the matrices.
        copied: Bytes of the array.
    """
    weights = np.ones((side, side), np.float32)
    session = import_onnxruntime().InferenceSession(
        _product_graph(weights), _options(), providers=["CPUExecutionProvider"]
    )
    source = np.ones(copied // 4, np.float32)
    target = np.zeros_like(source)
    product = _best(lambda: session.run(None, {"x": weights}))
    copy = _best(lambda: np.copyto(target, source))
    return Limits(2 * side**3 / product / 1e9, 2 * source.nbytes / copy / 1e9)


def _product_graph(weights: NDArray[np.float32]) -> bytes:
    """Return a graph that multiplies its input `x` by a matrix."""
    # Imported here, so that a breakdown without operators doesn't need the package.
    from onnx import TensorProto, helper, numpy_helper

    sizes = list(weights.shape)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sizes)],
        [numpy_helper.from_array(weights, "weights")],
    )
    opsets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized


def table(title: str, found: Profile, pages: int) -> list[str]:
    """Format a network's figures as lines for the terminal.

    Args:
        title: What the network is called.
        found: Its figures.
        pages: The number of pages that they come from.
    """
    limits = found.limits
    lines = [
        f"{title} with one thread: {found.ms / pages:.2f} ms per page in operators; this machine's "
        f"limits are {limits.gflops:.0f} GFLOP/s and {limits.gigabytes_per_second:.1f} GB/s",
        f"  {'operator':20} {'ms/page':>8} {'share':>6} {'GFLOP/s':>8} {'limit':>6} "
        f"{'GB/s':>6} {'limit':>6}",
    ]
    lines += [_row(each, found, pages) for each in found.operators[:OPERATORS]]
    lines.append("  slowest nodes")
    lines += [_row(each, found, pages) for each in found.nodes]
    return lines


def _row(work: Work, found: Profile, pages: int) -> str:
    seconds = max(work.ms, 1e-6) / 1000
    flops, moved = work.gflop / seconds, work.gigabytes / seconds
    products = f"{flops:8.1f} {flops / found.limits.gflops:6.1%}" if work.gflop else f"{'-':>15}"
    share = moved / found.limits.gigabytes_per_second
    name, _, shapes = work.name.partition(" ")
    row = f"  {name:20} {work.ms / pages:8.2f} {work.ms / found.ms:6.1%} {products} {moved:6.1f}"
    return f"{row} {share:6.1%} {shapes}".rstrip()


def _summed(
    kernels: Iterable[dict[str, Any]],
    key: Callable[[dict[str, Any]], str],
    title: Callable[[str], str],
) -> list[Work]:
    """Sum up time and work of the events with equal keys; return them with the slowest first."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for event in kernels:
        total = sums[key(event)]
        flop, moved = work_of(event["args"])
        for i, more in enumerate((event["dur"] / 1000, flop / 1e9, moved / 1e9)):
            total[i] += more
    ranked = sorted(sums.items(), key=lambda item: -item[1][0])
    return [Work(title(name), *map(_rounded, numbers)) for name, numbers in ranked]


def _rounded(number: float) -> float:
    return round(number, 6)


def _node_titles(kernels: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return what tables call the nodes: operator and shapes, those of the last run."""
    titles = {}
    for event in kernels:
        given, made = (_shapes(event["args"], f"{side}_type_shape") for side in ("input", "output"))
        first = "×".join(map(str, given[0])) if given else ""
        last = "×".join(map(str, made[0])) if made else ""
        titles[event["name"]] = f"{event['args']['op_name']} {first} → {last}"
    return titles


def work_of(details: dict[str, Any]) -> tuple[int, int]:
    """Return the multiplications and additions, and the bytes, of a node's run.

    Args:
        details: What ONNX Runtime's profile says about the run: type, shapes and sizes.
    """
    given, made = _shapes(details, "input_type_shape"), _shapes(details, "output_type_shape")
    sizes = ("activation_size", "parameter_size", "output_size")
    moved = sum(int(details.get(size, 0)) for size in sizes)
    operator = details["op_name"]
    if not given or not made:
        return 0, moved
    if operator in CONVOLUTIONS and len(given) > 1:
        return 2 * math.prod(made[0]) * math.prod(given[1][1:]), moved
    if operator in PRODUCTS and made[0]:
        inner = math.prod(given[0]) // max(math.prod(made[0][:-1]), 1)
        if len(given) == 1:  # the weights were rearranged, and the profile leaves them out
            moved += 4 * inner * made[0][-1]
        return 2 * math.prod(made[0]) * inner, moved
    return 0, moved


def _shapes(details: dict[str, Any], name: str) -> list[list[int]]:
    found = details.get(name) or []
    return [list(shape) for each in found for shape in each.values()]


def _options() -> Any:
    options = import_onnxruntime().SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False
    return options


def _best(work: Callable[[], object]) -> float:
    """Return the shortest time of several tries in seconds."""
    times = []
    for _ in range(TRIES):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)
