"""A session: one edge graph on one execution provider."""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ClosedError, ForkedError, GraphError, excerpt
from .device_thread import run_on_device_thread
from .elsewhere import ELSEWHERE, ElsewhereRunner
from .forks import free_in_own_process
from .io_binding import BufferedRunner, PlainRunner, Runner
from .job import Job, Shape
from .late_runner import LateRunner
from .placement import Placement
from .providers import Provider
from .session_options import session_options
from .start import StartedSession, create_session
from .stopping import carried
from .stopwatch import Stopwatch
from .threads import ThreadPool
from .warm_up import WarmUpResult

if TYPE_CHECKING:
    import onnxruntime

Item = TypeVar("Item")
Result = TypeVar("Result")

# Side in pixels of a square picture that is enough to reach all code of a run. Every network's
# stride divides it.
SMALLEST_SIDE = 128
# Pages that are in a run at a time. With a third, memory would grow more than speed.
PAGE_RUNS_AT_ONCE = 2
# The most batches that a thread prepares before it runs one itself on the CPU. A run evicts what
# preparing needs from the caches of its core: prepared one by one, batches take two to three times
# as long. Other cores have caches of their own, so their runs may begin earlier.
TOGETHER = 128


class Admission(Protocol):
    """A gate that lets a run begin only if all runs together stay below a memory limit."""

    def run(self, pixels: int, extra_bytes: int, work: Callable[[], Result], /) -> Result:
        """Wait until there is enough memory, then do the work.

        Args:
            pixels: Pixels of the run's input, over the whole batch.
            extra_bytes: Bytes that the work takes in addition to the run.
            work: Does the run.

        Returns:
            What `work` returns.

        Raises:
            MemoryLimitError: The run needs more memory than the limit allows.
        """
        ...


class Session:
    """An ONNX Runtime session for a graph with one uint8 [N, H, W, 3] input.

    Threads may share it, but forked processes may not: ONNX Runtime's threads and locks belong to
    the process that opened the session.

    Attributes:
        provider: Name of the execution provider that it runs on.
        engine_folder: Where its TensorRT engines are kept; None if there are none.
        shapes: The shapes that the input may have if `fixed_shapes`.
        fixed_shapes: Whether the input must have one of `shapes`.
        admission: The gate that runs wait at where memory is limited; None otherwise.
        observer: A function that is called with each batch before its run, for example to record
            inputs; None otherwise.
    """

    def __init__(
        self,
        graph: bytes,
        job: Job,
        outputs: Sequence[str],
        *,
        placement: Placement,
        threads: int,
        pool: ThreadPool | None = None,
        pages: ThreadPool | None = None,
    ) -> None:
        """Open a graph.

        Args:
            graph: The ONNX file's bytes.
            job: What the graph is for.
            outputs: Names of the outputs that a run returns, in this order.
            placement: Which provider is wanted, and how.
            threads: CPU threads that the session may keep busy.
            pool: On the CPU, its threads do runs side by side, each in one thread, instead of
                `threads` threads within one run. That is faster for many small runs, because
                nothing waits for the slowest part of an operator. On other providers they prepare
                the inputs while one run is done at a time. Without a pool one run is done at a
                time: it has all threads, and two at a time would only need twice the memory.
            pages: The pool whose callers read a page each, for a session without a pool of its own.
                On the provider "cpu", a run has one thread while each core has a page: two runs on
                one thread each take less time than one after the other on two, and give the same
                results to the last bit. That takes a second session. One run is done at a time if
                the second session can't be opened, or if memory is limited.

        Raises:
            GraphError: The graph can't be loaded, isn't an edge graph, or lacks an output.
            ProviderUnavailableError: No session starts on the wanted provider.
        """

        def options(threads: int, provider: Provider) -> onnxruntime.SessionOptions:
            one_at_a_time = pool is None or not provider.any_shape
            number = threads if one_at_a_time else 1
            return session_options(provider, placement, job.precision, number)

        networks = placement.options.networks
        provider, self._engines = ELSEWHERE, None
        if networks is None:
            started = create_session(graph, placement, job, partial(options, threads))
            provider, self._engines = started.provider, started.engines
        self.provider, self._started_on = provider.name, provider
        self._failures = placement.failures
        self.engine_folder = None if self._engines is None else self._engines.path
        self.shapes = provider.shapes_for(job.shapes)
        self.fixed_shapes = bool(self.shapes) and placement.fixes_shapes(provider, job.stage)
        self.admission: Admission | None = None
        self.observer: Callable[[NDArray[np.uint8]], object] | None = None
        self._stage, self._usual_shape = job.stage, job.usual_shape
        self._fixed_height = job.fixed_height
        self._engine_name = job.engine_name
        self._pool = pool or ThreadPool(1)
        self._on_device = provider.device is not None
        side_by_side = pool is not None and provider.any_shape
        self._prepares_first = side_by_side
        self._turn = nullcontext() if side_by_side or self._on_device else threading.Lock()
        self._outputs = outputs
        self._runner: Runner | None = (
            self._make_runner(started)
            if networks is None
            else ElsewhereRunner(networks, job.stage, outputs)
        )
        self._pid = os.getpid()
        self._held: list[object] = [self._runner]
        self._free_runner = weakref.finalize(self, free_in_own_process, self._held, self._pid)
        # On other providers it isn't known whether two runs side by side are faster.
        on_cpu = provider.name == "cpu"
        divisible = on_cpu and pool is None and placement.arena_limit is None
        self._pages = pages if divisible and threads > 1 else None
        self._page_runs = threading.Semaphore(PAGE_RUNS_AT_ONCE)
        self._second: LateRunner | None = None
        if self._pages is not None:
            same = replace(placement, provider=provider.name)
            self._second = LateRunner(
                job.stage,
                lambda graph: create_session(graph, same, job, partial(options, 1)),
                partial(bytes, graph),
                self._held,
            )

    def _make_runner(self, started: StartedSession) -> Runner:
        inputs = started.session.get_inputs()
        names = [node.name for node in started.session.get_outputs()]
        if len(inputs) != 1 or inputs[0].type != "tensor(uint8)" or len(inputs[0].shape) != 4:
            found = ", ".join(f"{node.name}: {node.type} {node.shape}" for node in inputs)
            raise GraphError(
                f"an edge graph has one uint8 [N, H, W, 3] input, this one has {excerpt(found)}"
            )
        if missing := [name for name in self._outputs if name not in names]:
            found = excerpt(", ".join(names))
            raise GraphError(f"the graph has no output {missing[0]!r}, only {found}")
        if self.fixed_shapes and started.provider.device is not None:
            return BufferedRunner(
                started.session,
                inputs[0].name,
                self._outputs,
                device=started.provider.device,
                number=started.device_number,
                records=started.records_runs,
            )
        return PlainRunner(started.session, inputs[0].name, self._outputs)

    def forget_graph(self, read: Callable[[], bytes]) -> None:
        """Free the graph's bytes, which are kept for the second session.

        Args:
            read: Reads the graph again when the second session is opened. If it fails, there will
                be no second session, and two pages take turns.
        """
        if self._second is not None:
            self._second.read_graph = read

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Run the graph: uint8 [N, H, W, 3] → the outputs that were asked for.

        Raises:
            StoppedError: The caller gives up, see `stopping.py`.
            GraphError: `batch` has none of the fixed shapes, or the run fails; on another provider
                than the CPU it is a `ProviderFailedError`.
            MemoryLimitError: The run needs more memory than the limit allows.
            ClosedError: The session is closed.
            ForkedError: Another process opened the session.
        """
        run = carried(self._run)
        if self.admission is None:
            return run(batch)
        return self.admission.run(math.prod(batch.shape[:3]), 0, partial(run, batch))

    def restrict_shapes(self, shapes: Sequence[Shape], usual_shape: Shape | None) -> None:
        """Replace the shapes that the input may have, and those that warm the session up.

        Args:
            shapes: The shapes for a session with `fixed_shapes`.
            usual_shape: The shape that warms up a session without; None if unknown.
        """
        self.shapes, self._usual_shape = list(shapes), usual_shape

    @property
    def usual_shape(self) -> Shape | None:
        """A common shape of the input; None if unknown."""
        return self._usual_shape

    def run_smallest(self) -> None:
        """Run the smallest input once, so that one-time allocations happen now."""
        if self.fixed_shapes:
            self._run(np.zeros(min(self.shapes, key=math.prod), np.uint8))
        elif self._usual_shape is not None:
            _, height, width, channels = self._usual_shape
            if height >= SMALLEST_SIDE and not self._fixed_height:
                height = width = SMALLEST_SIDE
            self._run(np.zeros((1, height, width, channels), np.uint8))

    def warm_up(self) -> WarmUpResult:
        """Run every fixed shape, the largest first; without fixed shapes, run the usual one.

        Raises:
            GraphError: A run fails.
            MemoryLimitError: A run needs more memory than the limit allows.
            ClosedError: The session is closed.
            ForkedError: Another process opened the session.
        """
        start = perf_counter()
        runner = self._opened()
        usual = [] if self._usual_shape is None else [self._usual_shape]
        shapes = self.shapes if self.fixed_shapes else usual
        for shape in sorted(shapes, key=math.prod, reverse=True):
            for _ in range(runner.warm_runs):
                self.run(np.zeros(shape, np.uint8))
        if self._engines is not None and self.fixed_shapes:
            self._engines.mark_warm(self._engine_name)
        return WarmUpResult(self.provider, len(shapes), perf_counter() - start)

    def run_each(
        self,
        items: Sequence[Item],
        prepare: Callable[[Item], NDArray[np.uint8]],
        watch: Stopwatch,
        stages: tuple[str, str],
        needs: Callable[[Item], tuple[int, int]] | None = None,
    ) -> list[list[NDArray[Any]]]:
        """Make a batch of each item and run it.

        Args:
            items: The items. Several threads begin them in their order, so put the longest first.
            prepare: Makes an item's batch, uint8 [N, H, W, 3].
            watch: Gets the time of both stages. What runs in other threads while batches are
                prepared doesn't count.
            stages: What the preparation and the runs count as in `watch`.
            needs: Returns the pixels of an item's batch, and the bytes that preparing the batch
                takes in addition to its run. Required where memory is limited.

        Returns:
            The outputs of each item's run, in the order of the items.

        Raises:
            StoppedError: The caller gives up, see `stopping.py`.
            GraphError: A run fails.
            MemoryLimitError: An item needs more memory than the limit allows.
            ClosedError: The session is closed.
            ForkedError: Another process opened the session.
        """
        self._opened()
        admission, run = self.admission, carried(self._run)

        def one(item: Item) -> tuple[list[NDArray[Any]], float, float]:
            start = perf_counter()
            batch = prepare(item)
            prepared = perf_counter()
            return run(batch), prepared - start, perf_counter() - prepared

        def admitted(item: Item) -> tuple[list[NDArray[Any]], float, float]:
            assert admission is not None and needs is not None
            return admission.run(*needs(item), lambda: one(item))

        if admission is None and self._prepares_first:
            outputs: list[list[NDArray[Any]]] = []
            preparation = Stopwatch()

            def timed(item: Item) -> NDArray[np.uint8]:
                with preparation(stages[0]):
                    return prepare(item)

            start = perf_counter()
            for first in range(0, len(items), TOGETHER):
                # One thread prepares all batches: several would wait for each other's Python code.
                together = items[first : first + TOGETHER]
                outputs += self._pool.map_prepared(run, together, timed)
            preparing = preparation.milliseconds.get(stages[0], 0.0) / 1000
            watch.add(stages[0], preparing)
            watch.add(stages[1], perf_counter() - start - preparing)
            return outputs
        start = perf_counter()
        done = list(self._pool.map(one if admission is None else admitted, items))
        preparing = sum(seconds for _, seconds, _ in done)
        running = sum(seconds for _, _, seconds in done)
        watch.share(perf_counter() - start, {stages[0]: preparing, stages[1]: running})
        return [results for results, _, _ in done]

    def close(self) -> None:
        """Free the graph and its buffers once runs in other threads have ended.

        Every later run raises `ClosedError`. Closing again does nothing. The pool that was passed
        in stays open.
        """
        if self._on_device and self._pid == os.getpid():
            run_on_device_thread(self._free)
        else:
            self._free()

    def _free(self) -> None:
        self._free_runner()
        self._runner = self._second = None

    def _opened(self) -> Runner:
        if (runner := self._runner) is None:
            raise ClosedError(f"the session of stage {self._stage!r}")
        if self._pid != os.getpid():
            raise ForkedError(f"another process opened the session of stage {self._stage!r}")
        return runner

    def _run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        if self.fixed_shapes and batch.shape not in self.shapes:
            raise GraphError(
                f"an input of shape {batch.shape} is none of the fixed shapes of stage "
                f"{self._stage!r}"
            )
        if self._on_device:
            return run_on_device_thread(self._run_in_this_thread, batch)
        if self._pages is not None:
            with self._pages.resting() as resume, self._page_runs:
                resume()
                self._opened()  # a forked child must not wait for a lock of its parent's
                if self._pages.is_full and (second := self._second) is not None:
                    single = second.get(self._make_runner)
                    if single is not None:
                        return self._run_in_this_thread(batch, single)
                with self._turn:
                    return self._run_in_this_thread(batch)
        with self._turn:
            return self._run_in_this_thread(batch)

    def _run_in_this_thread(
        self, batch: NDArray[np.uint8], single: Runner | None = None
    ) -> list[NDArray[Any]]:
        runner = self._opened()
        if single is not None:
            runner = single
        if self.observer is not None:
            self.observer(batch)
        self._failures.check(self._started_on)
        try:
            return runner.run(batch)
        except Exception as error:  # ONNX Runtime's errors have no common base class of their own
            if not self._started_on.always_starts:
                raise self._failures.note(self._stage, self._started_on, error) from error
            raise GraphError(
                f"ONNX Runtime failed on input {batch.shape}: {excerpt(str(error))}"
            ) from error
