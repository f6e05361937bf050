"""One edge graph on one execution provider."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import GraphError
from .providers import create_session, import_onnxruntime, use_shared_arena
from .stopwatch import Stopwatch
from .workers import Workers

Item = TypeVar("Item")


class Session:
    """An ONNX Runtime session for a graph with one uint8 NHWC input. Safe to share by threads.

    graph: the ONNX file's bytes.
    outputs: names of the outputs that a run returns, in this order.
    provider: see `providers.create_session`.
    threads: CPU threads that the session may keep busy.
    workers: on the CPU, these threads do runs side by side, one thread each, instead of `threads`
        within one run. For many small runs this is the faster way: nothing waits for the slowest
        part of an operator. Without them one run is done at a time, since it has all threads, and
        two at a time would only need twice the memory.

    Raises `GraphError` when the graph can't be loaded or lacks an output.
    """

    def __init__(
        self,
        graph: bytes,
        outputs: Sequence[str],
        *,
        provider: str,
        threads: int,
        workers: Workers | None = None,
    ) -> None:
        ort = import_onnxruntime()
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads if workers is None else 1
        options.inter_op_num_threads = 1
        # Input shapes vary: a memory plan per shape would only pile up.
        options.enable_mem_pattern = False
        # Threads that spin while they wait for the next operator make detection 6 % faster on an
        # idle machine, for 10 % more work, and up to three times slower where another process
        # needs the core too.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        use_shared_arena(options)
        self._session, self.provider, self.passed_over = create_session(graph, provider, options)
        self._workers = workers if workers is not None and self.provider == "cpu" else Workers(1)
        self._turn = threading.Lock() if workers is None else nullcontext()
        self._outputs = list(outputs)
        inputs = self._session.get_inputs()
        names = [node.name for node in self._session.get_outputs()]
        if len(inputs) != 1 or inputs[0].type != "tensor(uint8)" or len(inputs[0].shape) != 4:
            raise GraphError(
                "an edge graph has one uint8 [N, H, W, 3] input, this one has "
                + ", ".join(f"{node.name}: {node.type} {node.shape}" for node in inputs)
            )
        if missing := [name for name in outputs if name not in names]:
            raise GraphError(f"the graph has no output {missing[0]!r}, only {', '.join(names)}")
        self._input = inputs[0].name

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """uint8 [N, H, W, 3] → the outputs asked for. Raises `GraphError` when the run fails."""
        try:
            with self._turn:
                result: list[NDArray[Any]] = self._session.run(self._outputs, {self._input: batch})
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise GraphError(f"ONNX Runtime failed on input {batch.shape}: {error}") from error
        return result

    def run_each(
        self,
        items: Sequence[Item],
        prepare: Callable[[Item], NDArray[np.uint8]],
        watch: Stopwatch,
        stages: tuple[str, str],
    ) -> list[list[NDArray[Any]]]:
        """Make a batch of each item and run it; results in the items' order.

        Several workers start in the items' order, so put the longest first. `stages` names what
        the preparation and the runs count as.
        """

        def one(item: Item) -> tuple[list[NDArray[Any]], float, float]:
            start = perf_counter()
            batch = prepare(item)
            prepared = perf_counter()
            return self.run(batch), prepared - start, perf_counter() - prepared

        start = perf_counter()
        done = list(self._workers.map(one, items))
        preparing = sum(seconds for _, seconds, _ in done)
        running = sum(seconds for _, _, seconds in done)
        watch.share(perf_counter() - start, {stages[0]: preparing, stages[1]: running})
        return [results for results, _, _ in done]
