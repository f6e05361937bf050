"""One edge graph on one execution provider."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..device.cpus import has_vnni
from ..errors import GraphError
from ..memory.limit import Runs
from .arena import use_shared_arena
from .device_thread import on_device_thread
from .io_binding import Bound, Copied
from .onnx_runtime import import_onnxruntime
from .placement import ANY_SHAPE, Job, Placement, Shape, shapes_for
from .start import DEVICES, SILENT, create_session
from .stopwatch import Stopwatch
from .threads import Workers

if TYPE_CHECKING:
    import onnxruntime

Item = TypeVar("Item")
Run: TypeAlias = "Callable[[NDArray[np.uint8]], list[NDArray[Any]]]"

# Side of a picture that is enough to touch all code of a run; every network's stride divides it.
SMALL = 128


class Warmed(NamedTuple):
    """What warming up a stage did: how many input shapes it ran, and seconds that took."""

    provider: str
    shapes: int
    seconds: float


class Session:
    """An ONNX Runtime session for a graph with one uint8 NHWC input. Safe to share by threads.

    graph: the ONNX file's bytes.
    job: its stage, the name of its input, and the shapes that it is given on providers that want
        few of them.
    outputs: names of the outputs that a run returns, in this order.
    placement: which provider is wanted, and how.
    threads: CPU threads that the session may keep busy.
    workers: on the CPU, these threads do runs side by side, one thread each, instead of `threads`
        within one run. For many small runs this is the faster way: nothing waits for the slowest
        part of an operator. Elsewhere they prepare the inputs while one run is done at a time.
        Without them one run is done at a time, since it has all threads, and two at a time would
        only need twice the memory.

    `finite` says whether inputs must have one of `shapes`, and `engine_folder` where TensorRT's
    engines are kept. Runs wait for room in `runs`, where there is a limit of memory.

    Raises `GraphError` when the graph can't be loaded or lacks an output, and
    `ProviderUnavailableError`.
    """

    def __init__(
        self,
        graph: bytes,
        job: Job,
        outputs: Sequence[str],
        *,
        placement: Placement,
        threads: int,
        workers: Workers | None = None,
    ) -> None:
        def options(provider: str) -> onnxruntime.SessionOptions:
            alone = workers is None or provider not in ANY_SHAPE
            made = _options(threads if alone else 1, placement.arena)
            _fit(made, provider, job.precision)
            return made

        started = create_session(graph, placement, job, options)
        self.provider, self.passed_over = started.provider, started.passed_over
        self._stage, self._usual, self._engines = job.stage, job.usual, started.engines
        self.engine_folder = None if started.engines is None else started.engines.folder
        self.shapes = shapes_for(self.provider, job.shapes)
        self.finite = bool(self.shapes) and placement.wants_few_shapes(self.provider)
        self._workers = workers or Workers(1)
        self.runs: Runs | None = None
        self._on_device = self.provider in DEVICES
        side_by_side = workers is not None and self.provider in ANY_SHAPE
        self._turn = nullcontext() if side_by_side or self._on_device else threading.Lock()
        inputs = started.session.get_inputs()
        names = [node.name for node in started.session.get_outputs()]
        if len(inputs) != 1 or inputs[0].type != "tensor(uint8)" or len(inputs[0].shape) != 4:
            raise GraphError(
                "an edge graph has one uint8 [N, H, W, 3] input, this one has "
                + ", ".join(f"{node.name}: {node.type} {node.shape}" for node in inputs)
            )
        if missing := [name for name in outputs if name not in names]:
            raise GraphError(f"the graph has no output {missing[0]!r}, only {', '.join(names)}")
        runner: Any = Copied
        if self.finite and self._on_device:
            runner = partial(
                Bound,
                device=DEVICES[self.provider],
                number=started.device_number,
                capture=started.captures,
            )
        self._runner = runner(started.session, inputs[0].name, list(outputs))

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """uint8 [N, H, W, 3] → the outputs asked for. Raises `GraphError` when the run fails, and
        `MemoryLimitError`.
        """
        if self.runs is None:
            return self._run(batch)
        return self.runs.run(math.prod(batch.shape[:3]), 0, lambda: self._run(batch))

    def bound(self, shapes: Sequence[Shape], usual: Shape | None) -> None:
        """Warm up with these shapes from now on."""
        self.shapes, self._usual = list(shapes), usual

    def touch(self) -> None:
        """Run once on little, so that memory that every run needs is there."""
        if self.finite:
            self._run(np.zeros(min(self.shapes, key=math.prod), np.uint8))
        elif self._usual is not None:
            _, height, width, channels = self._usual
            small = (height, width) if height < SMALL else (SMALL, SMALL)
            self._run(np.zeros((1, *small, channels), np.uint8))

    def _run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        if self.finite and batch.shape not in self.shapes:
            raise GraphError(f"{batch.shape} is none of the shapes of stage {self._stage}")
        try:
            result: list[NDArray[Any]]
            if self._on_device:
                result = on_device_thread(self._runner.run, batch)
            else:
                with self._turn:
                    result = self._runner.run(batch)
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise GraphError(f"ONNX Runtime failed on input {batch.shape}: {error}") from error
        return result

    def warm_up(self) -> Warmed:
        """Run every shape that there can be, the largest first, or the usual one where any can."""
        start = perf_counter()
        shapes = self.shapes if self.finite else [self._usual] if self._usual else []
        for each in sorted(shapes, key=math.prod, reverse=True):
            for _ in range(self._runner.warm_runs):
                self.run(np.zeros(each, np.uint8))
        if self._engines is not None and self.finite:
            self._engines.mark_warm(self._stage)
        return Warmed(self.provider, len(shapes), perf_counter() - start)

    def run_each(
        self,
        items: Sequence[Item],
        prepare: Callable[[Item], NDArray[np.uint8]],
        watch: Stopwatch,
        stages: tuple[str, str],
        needs: Callable[[Item], tuple[int, int]] | None = None,
    ) -> list[list[NDArray[Any]]]:
        """Make a batch of each item and run it; results in the items' order.

        Several workers start in the items' order, so put the longest first. `stages` names what
        the preparation and the runs count as. Where there is a limit of memory, `needs` gives
        the pixels of an item's batch, and bytes that it takes beside.
        """

        def one(item: Item, run: Run = self.run) -> tuple[list[NDArray[Any]], float, float]:
            start = perf_counter()
            batch = prepare(item)
            prepared = perf_counter()
            return run(batch), prepared - start, perf_counter() - prepared

        def in_room(item: Item) -> tuple[list[NDArray[Any]], float, float]:
            assert self.runs is not None and needs is not None
            return self.runs.run(*needs(item), lambda: one(item, self._run))

        start = perf_counter()
        done = list(self._workers.map(one if self.runs is None else in_room, items))
        preparing = sum(seconds for _, seconds, _ in done)
        running = sum(seconds for _, _, seconds in done)
        watch.share(perf_counter() - start, {stages[0]: preparing, stages[1]: running})
        return [results for results, _, _ in done]


def _options(threads: int, arena: int | None) -> onnxruntime.SessionOptions:
    options = import_onnxruntime().SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Input shapes vary: a memory plan per shape would only pile up.
    options.enable_mem_pattern = False
    # Threads that spin while they wait for the next operator make detection 6 % faster on an idle
    # machine, for 10 % more work, and up to three times slower where another process needs the
    # core too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    use_shared_arena(options, arena)
    return options


def _fit(options: onnxruntime.SessionOptions, provider: str, precision: str) -> None:
    if precision == "int8" and not has_vnni():
        # x86's older product of uint8 and int8 adds in 16 bits, which may not hold it: then weights
        # become uint8, whose product is slower and right. ONNX Runtime would do so with VNNI too.
        options.add_session_config_entry("session.x64quantprecision", "1")
    elif precision == "fp16" and provider == "cpu":
        # ONNX Runtime 1.32's further optimizations end the process with some LSTMs.
        ort = import_onnxruntime()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
