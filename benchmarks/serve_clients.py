"""The clients of `benchmarks.serve`, in a process of their own that imports nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from queue import Empty, SimpleQueue
from time import perf_counter, process_time

from .inputs import MeasurementError

SECONDS = 60


@dataclass(frozen=True)
class Window:
    """Some pictures, read by several callers at a time.

    Attributes:
        seconds: From the first call to the last answer.
        calls: The seconds of each call.
        cpu_seconds: CPU time of the callers' process.
    """

    seconds: float
    calls: list[float]
    cpu_seconds: float


def timed_calls(call: Callable[[int], object], waiting: SimpleQueue[int]) -> list[float]:
    """Call a function with each number of a queue that several threads share, until it is empty.

    Returns:
        The seconds of each call.
    """
    seconds: list[float] = []
    while True:
        try:
            number = waiting.get_nowait()
        except Empty:
            return seconds
        began = perf_counter()
        call(number)
        seconds.append(perf_counter() - began)


def send(port: int, contents: Sequence[bytes], order: Sequence[int], clients: int) -> Window:
    """Send pictures to a service on this machine, over connections that are kept.

    Args:
        port: Where it listens.
        contents: The pictures' files.
        order: Which of them are sent, by their numbers in `contents`; each client takes the next
            one when it has its answer.
        clients: How many clients send at a time.

    Raises:
        MeasurementError: A request is answered with an error.
    """
    waiting: SimpleQueue[int] = SimpleQueue()
    for each in order:
        waiting.put(each)

    def work(connection: HTTPConnection) -> list[float]:
        return timed_calls(lambda i: read(connection, contents[i]), waiting)

    connections = [HTTPConnection("127.0.0.1", port, timeout=SECONDS) for _ in range(clients)]
    for connection in connections:
        connection.connect()
    with ThreadPoolExecutor(clients) as threads:
        began, worked = perf_counter(), process_time()
        calls = [call for each in threads.map(work, connections) for call in each]
        window = Window(perf_counter() - began, calls, process_time() - worked)
    for connection in connections:
        connection.close()
    return window


def read(connection: HTTPConnection, content: bytes) -> bytes:
    """Let the service read one picture, and return the document.

    Raises:
        MeasurementError: The answer is an error.
    """
    connection.request("POST", "/v1/read", content, {"Content-Type": "application/octet-stream"})
    response = connection.getresponse()
    document = response.read()
    if response.status != 200:
        raise MeasurementError(f"the service answers {response.status}: {document[:300]!r}")
    return document
