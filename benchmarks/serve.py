"""Show what HTTP costs: python -m benchmarks serve [--data DIR] [--clients 1 4 16].

The same pictures are read by `OCR.read` in this process and by a running `edgeocr serve`, in turns,
with the same threads and as many pages at a time. The clients run in a process of their own, but on
the same processor: what they take is shown, too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from random import Random
from statistics import median
from time import perf_counter, process_time

import numpy as np

from edgeocr import OCR, EdgeOCRError
from edgeocr.outputs.replacement import write_file

from . import machine, queue_model, serve_clients, serve_process
from .inputs import MeasurementError, find_pictures, positive
from .peers import OWN_PICTURES
from .reading_options import add_reading_options
from .serve_clients import Window, timed_calls

# What the service aims at: its share of the throughput in process with every number of clients, and
# its 99th percentile with four clients as a multiple of the ideal's.
LEAST_THROUGHPUT = 0.95
MOST_P99, P99_CLIENTS = 1.3, 4
SEED = 22


@dataclass(frozen=True)
class Row:
    """What some clients got, beside as many callers in process.

    Attributes:
        clients: How many clients send requests at a time.
        pages_at_once: How many of them are read at a time, here and there.
        requests: How many requests were sent, in all rounds.
        in_process: Pages per second of `OCR.read`; the median of the rounds.
        http: Requests per second; the median of the rounds.
        throughput: `http` / `in_process`; the median of the rounds' ratios.
        p50_ms, p99_ms: Percentiles of the times from sending a request to its answer.
        ideal_p50_ms, ideal_p99_ms: The same of a queue that costs nothing, whose services take as
            long as the calls in process did.
        in_process_cpu_ms: CPU time of a call in process.
        client_cpu_ms, front_cpu_ms, reader_cpu_ms: CPU time of a request, in each of the three
            processes; None for the last two where the system doesn't tell.
    """

    clients: int
    pages_at_once: int
    requests: int
    in_process: float
    http: float
    throughput: float
    p50_ms: float
    p99_ms: float
    ideal_p50_ms: float
    ideal_p99_ms: float
    in_process_cpu_ms: float
    client_cpu_ms: float
    front_cpu_ms: float | None
    reader_cpu_ms: float | None

    @property
    def p99_ratio(self) -> float:
        """The 99th percentile as a multiple of the ideal's."""
        return self.p99_ms / self.ideal_p99_ms


@dataclass(frozen=True)
class Round:
    """The same pictures in process and over HTTP.

    Attributes:
        in_process: The calls of `OCR.read`.
        http: The requests.
        service_cpu: CPU seconds of front and reader meanwhile; None if unknown.
    """

    in_process: Window
    http: Window
    service_cpu: tuple[float, float] | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        default=OWN_PICTURES,
        metavar="DIR",
        help="folder of pictures; default: tests/images",
    )
    parser.add_argument(
        "--clients",
        type=positive,
        nargs="+",
        default=[1, 4, 16],
        metavar="N",
        help="numbers of clients; default: 1 4 16",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=3.0,
        help="about how long each way is measured in each round; default: 3",
    )
    add_reading_options(parser, repeat=5)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "results",
        metavar="DIR",
        help="folder for the result; default: benchmarks/results",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the table and what became of the aims, and write JSON."""
    try:
        name, rows = measure(options)
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    result = {
        "bundle": name,
        "pictures": len(find_pictures(options.data)),
        "threads": options.threads,
        "rounds": options.repeat,
        "machine": machine.describe(),
        "rows": [asdict(row) for row in rows],
    }
    print(table(rows))
    print("\n".join(judgements(rows)))
    options.output.mkdir(parents=True, exist_ok=True)
    kind = "" if options.data == OWN_PICTURES else f"-{options.data.resolve().name}"
    file = options.output / f"serve-{name}{kind}-{machine.slug(machine.describe())}.json"
    write_file(file, (json.dumps(result, indent=1) + "\n").encode())
    print(f"written to {file}")


def measure(options: argparse.Namespace) -> tuple[str, list[Row]]:
    """Read the pictures of a folder in both ways, in turns.

    Returns:
        The bundle's name, and a row for each number of clients.

    Raises:
        MeasurementError: There are no pictures, or the service fails or reads something else.
        EdgeOCRError: The bundle can't be opened, or a picture can't be read.
    """
    contents = [path.read_bytes() for path in find_pictures(options.data)]
    bundle = [] if options.bundle is None else ["--bundle", str(Path(options.bundle).absolute())]
    arguments = ["--threads", str(options.threads), "--provider", "cpu", *bundle]
    arguments += ["--queue", str(max(options.clients))]
    with (
        OCR(options.bundle, provider="cpu", threads=options.threads) as ocr,
        serve_process.running(arguments) as service,
        ProcessPoolExecutor(1, get_context("spawn")) as clients,
    ):
        seconds = warm_up(ocr, service.port, contents)
        passes = max(1, round(options.seconds / seconds))
        rounds: dict[int, list[Round]] = {number: [] for number in options.clients}
        for turn in range(options.repeat):
            order = list(range(len(contents))) * passes
            Random(SEED + turn).shuffle(order)
            for number in options.clients:
                at_once = min(number, ocr.pages_at_once)
                here = in_process(ocr, contents, order, at_once)
                before = service.cpu_seconds()
                there = clients.submit(
                    serve_clients.send, service.port, contents, order, number
                ).result()
                after = service.cpu_seconds()
                used = None
                if before is not None and after is not None:
                    used = after[0] - before[0], after[1] - before[1]
                rounds[number].append(Round(here, there, used))
        rows = [
            summary(number, min(number, ocr.pages_at_once), each) for number, each in rounds.items()
        ]
        return ocr.bundle_name, rows


def warm_up(ocr: OCR, port: int, contents: Sequence[bytes]) -> float:
    """Read each picture in both ways, twice.

    Returns:
        The seconds of the second pass in process.

    Raises:
        MeasurementError: The service reads something else.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=serve_clients.SECONDS)
    seconds = 0.0
    for _ in range(2):
        began = perf_counter()
        texts = [[line.text for line in ocr.read(content)] for content in contents]
        seconds = perf_counter() - began
        for content, expected in zip(contents, texts, strict=True):
            page = json.loads(serve_clients.read(connection, content))
            if [line["text"] for line in page["lines"]] != expected:
                raise MeasurementError("the service reads something else than OCR.read")
    connection.close()
    return seconds


def in_process(ocr: OCR, contents: Sequence[bytes], order: Sequence[int], at_once: int) -> Window:
    """Read pictures with some threads, each of which takes the next one when it has read one."""
    waiting: SimpleQueue[int] = SimpleQueue()
    for each in order:
        waiting.put(each)

    def work(_: int) -> list[float]:
        return timed_calls(lambda i: ocr.read(contents[i]), waiting)

    with ThreadPoolExecutor(at_once) as threads:
        began, worked = perf_counter(), process_time()
        calls = [call for each in threads.map(work, range(at_once)) for call in each]
        return Window(perf_counter() - began, calls, process_time() - worked)


def summary(clients: int, at_once: int, rounds: Sequence[Round]) -> Row:
    """Take the medians of the rounds, and the percentiles of all their calls."""
    services = [call for each in rounds for call in each.in_process.calls]
    calls = [call for each in rounds for call in each.http.calls]
    window = len(rounds[0].http.calls)
    ideal = queue_model.response_times(services, clients, at_once, window)
    here = [len(each.in_process.calls) / each.in_process.seconds for each in rounds]
    there = [len(each.http.calls) / each.http.seconds for each in rounds]
    used = [each.service_cpu for each in rounds if each.service_cpu is not None]
    front = reader = None
    if len(used) == len(rounds):
        front, reader = (1000 * sum(each[i] for each in used) / len(calls) for i in range(2))
    p50, p99 = 1000 * np.percentile(calls, [50, 99])
    ideal_p50, ideal_p99 = 1000 * np.percentile(ideal, [50, 99])
    return Row(
        clients=clients,
        pages_at_once=at_once,
        requests=len(calls),
        in_process=round(median(here), 2),
        http=round(median(there), 2),
        throughput=round(median(b / a for a, b in zip(here, there, strict=True)), 4),
        p50_ms=round(float(p50), 2),
        p99_ms=round(float(p99), 2),
        ideal_p50_ms=round(float(ideal_p50), 2),
        ideal_p99_ms=round(float(ideal_p99), 2),
        in_process_cpu_ms=_per_call(sum(e.in_process.cpu_seconds for e in rounds), services),
        client_cpu_ms=_per_call(sum(each.http.cpu_seconds for each in rounds), calls),
        front_cpu_ms=None if front is None else round(front, 2),
        reader_cpu_ms=None if reader is None else round(reader, 2),
    )


def _per_call(seconds: float, calls: Sequence[float]) -> float:
    return round(1000 * seconds / len(calls), 2)


def table(rows: Sequence[Row]) -> str:
    """Format the rows as a table of Markdown; the ratios are the service's to the other's."""
    lines = [
        "| Clients | In process | HTTP | ratio | p50 | p99 | ideal p99 | ratio "
        "| CPU in process | client | front | reader |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [
            f"{row.clients}",
            f"{row.in_process:.1f}/s",
            f"{row.http:.1f}/s",
            f"{row.throughput:.3f}",
            f"{row.p50_ms:.0f} ms",
            f"{row.p99_ms:.0f} ms",
            f"{row.ideal_p99_ms:.0f} ms",
            f"{row.p99_ratio:.2f}",
            f"{row.in_process_cpu_ms:.1f} ms",
            f"{row.client_cpu_ms:.1f} ms",
            *(
                "?" if cpu is None else f"{cpu:.1f} ms"
                for cpu in (row.front_cpu_ms, row.reader_cpu_ms)
            ),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def judgements(rows: Sequence[Row]) -> list[str]:
    """Say of each aim whether it is met."""
    said = []
    for row in rows:
        met = row.throughput >= LEAST_THROUGHPUT
        said.append(
            f"{row.clients} clients: {row.throughput:.3f} of the throughput in process, "
            f"{'met' if met else 'missed'}: at least {LEAST_THROUGHPUT}"
        )
        if row.clients == P99_CLIENTS:
            met = row.p99_ratio <= MOST_P99
            said.append(
                f"{row.clients} clients: p99 is {row.p99_ratio:.2f} times the ideal's, "
                f"{'met' if met else 'missed'}: at most {MOST_P99}"
            )
    return said
