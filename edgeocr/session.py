"""One edge graph on one execution provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import GraphError
from .providers import create_session, import_onnxruntime

Item = TypeVar("Item")


class Session:
    """An ONNX Runtime session for a graph with one uint8 NHWC input. Safe to share by threads.

    graph: the ONNX file's bytes.
    outputs: names of the outputs that a run returns, in this order.
    provider: see `providers.create_session`.
    threads: CPU threads that the session may keep busy.
    concurrent: on the CPU, use the threads for runs side by side, one thread each, instead of
        within one run. For many small runs this is the faster way: nothing waits for the
        slowest part of an operator.

    Raises `GraphError` when the graph can't be loaded or lacks an output.
    """

    def __init__(
        self,
        graph: bytes,
        outputs: Sequence[str],
        *,
        provider: str,
        threads: int,
        concurrent: bool,
    ) -> None:
        ort = import_onnxruntime()
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1 if concurrent else threads
        options.inter_op_num_threads = 1
        # Input shapes vary: a memory plan per shape would only pile up.
        options.enable_mem_pattern = False
        # A waiting thread that spins takes the core from the next stage.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session, self.provider, self.passed_over = create_session(graph, provider, options)
        self.workers = threads if concurrent and self.provider == "cpu" else 1
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
            result: list[NDArray[Any]] = self._session.run(self._outputs, {self._input: batch})
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise GraphError(f"ONNX Runtime failed on input {batch.shape}: {error}") from error
        return result

    def run_each(
        self, items: Sequence[Item], prepare: Callable[[Item], NDArray[np.uint8]]
    ) -> list[list[NDArray[Any]]]:
        """Make a batch of each item and run it; results in the items' order.

        With several workers the batches run side by side and start in the items' order, so put
        the longest first.
        """

        def one(item: Item) -> list[NDArray[Any]]:
            return self.run(prepare(item))

        if self.workers == 1 or len(items) < 2:
            return [one(item) for item in items]
        return list(self._pool.map(one, items))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.workers, thread_name_prefix="edgeocr")
