"""A job: all pictures of a source are read on a cluster, and written to a folder."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..bundle import archive
from ..bundle.bundle import Bundle
from ..errors import EdgeOCRError, JobError
from ..stages.opening import open_bundle
from ..version import __version__
from . import plan
from .libraries import library
from .plan import Shard
from .shards import ENDINGS, ShardReader, Task
from .stage import EdgeOCR
from .storage import Storage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Actors:
    """The actors that read.

    Attributes:
        number: How many there are; None for as many as the cluster's CPUs allow.
        cpus: The CPUs of each, which is also the number of its threads.
        gpus: The GPUs of each; a fraction shares one.
        address: The address of the cluster; None for the one that RAY_ADDRESS names, or else a new
            one on this machine alone.
    """

    number: int | None = None
    cpus: int = 1
    gpus: float = 0.0
    address: str | None = None


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        shards: How many shards there are.
        done: How many of them have been read, now or earlier.
        done_before: How many had been read when the job was started.
        changed: How many files have changed since they were planned; they are not read again.
        pages: How many pages were read now, including those that failed.
        failures: How many pages and files failed now, by the type of their error.
        last_seconds: How long an actor took for the shard that was read last.
    """

    shards: int
    done: int
    done_before: int
    changed: int = 0
    pages: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    last_seconds: float = 0.0


def run(
    task: Task,
    *,
    bundle: str | os.PathLike[str] | None = None,
    options: Mapping[str, Any] | None = None,
    actors: Actors = Actors(),
    retry_failed: bool = False,
) -> Iterator[Progress]:
    """Read all pictures of a source; a job that was interrupted goes on.

    Args:
        task: Where to read and write.
        bundle: Path of a bundle on this machine, which Ray hands to the others; None for the one in
            the package.
        options: Further arguments of `EdgeOCR`.
        actors: The actors that read.
        retry_failed: Read the shards again in which something failed.

    Yields:
        How far the job is: at its beginning, and after each shard.

    Raises:
        JobError: The folder for the result belongs to something else, or there is nothing to read.
        StorageError: A folder or a file can't be listed, read or written.
        EdgeOCRError: The bundle can't be opened.
    """
    options = dict(options or {})
    opened = open_bundle(
        bundle, options.pop("require_signature", None), options.pop("expect_digest", None)
    )
    source, target = Storage(task.source), Storage(task.target)
    rows = plan.has_rows(source)
    described = {name: value for name, value in asdict(task).items() if name != "target"}
    plan.begin(
        target,
        {
            **described,
            "source": source.address,
            "edgeocr": __version__,
            "bundle": opened.digest,
            "options": json.loads(json.dumps(options, default=str)),
        },
    )
    with _cluster(actors.address) as ray:
        number = actors.number or max(1, int(ray.cluster_resources().get("CPU", 1)) // actors.cpus)
        made = plan.make(source, target, ENDINGS[task.format], number, rows=rows)
        failed = _failed(made, target, task.format) if retry_failed else frozenset()
        left = [shard for shard in made.shards if shard.number not in made.done - failed]
        progress = Progress(
            len(made.shards),
            len(made.shards) - len(left),
            len(made.shards) - len(left),
            made.changed,
        )
        yield progress
        if not left:
            return
        content = None if bundle is None else ray.put(_file_of(opened, Path(bundle)))
        # Other machines may have another version of the package, with another bundle.
        options["expect_digest"] = opened.digest
        actors = replace(actors, number=min(number, len(left)))
        for summary in _summaries(ray, left, actors, task=task, bundle=content, options=options):
            if summary["error"]:
                raise JobError(f"the job can't go on: {summary['error']}")
            yield (progress := _after(progress, summary))


def _summaries(
    ray: Any, shards: Sequence[Shard], actors: Actors, **arguments: Any
) -> Iterator[Mapping[str, Any]]:
    """Let actors read shards, and yield the summary of each as soon as it is there.

    Args:
        ray: The library, connected to a cluster.
        shards: The shards.
        actors: The actors, whose number is known.
        **arguments: The arguments of `ShardReader`.
    """
    each = {"num_cpus": actors.cpus, "num_gpus": actors.gpus or None}
    # A stage of Ray Data that can't start would be started again and again.
    check = ray.remote(_problem).options(**each)
    if (problem := ray.get(check.remote(arguments["bundle"], arguments["options"]))) is not None:
        raise JobError(problem)
    items = [{"shard": shard.to_json()} for shard in shards]
    summaries = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        ShardReader,
        fn_constructor_kwargs=arguments,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=actors.number),
        **each,
    )
    try:
        yield from summaries.iter_rows()
    except ray.exceptions.RayError as error:
        raise JobError(f"the job can't go on: {error}") from error


def _problem(bundle: bytes | None, options: Mapping[str, Any]) -> str | None:
    """Return why an actor can't open its `OCR`; None if it can."""
    try:
        EdgeOCR(bundle, **options)
    except (EdgeOCRError, ValueError, TypeError) as error:
        return str(error)
    return None


def _after(progress: Progress, summary: Mapping[str, Any]) -> Progress:
    """Return the progress after one more shard."""
    failures = dict(progress.failures)
    for kind, number in json.loads(summary["failures"]).items():
        failures[kind] = failures.get(kind, 0) + number
    return Progress(
        progress.shards,
        progress.done + 1,
        progress.done_before,
        progress.changed,
        progress.pages + int(summary["pages"]),
        failures,
        float(summary["seconds"]),
    )


def _failed(made: plan.Plan, target: Storage, format_: str) -> frozenset[int]:
    """Return the numbers of the shards that are done and have failures."""
    parquet = library("pyarrow.parquet")
    failed = set()
    for shard in made.shards:
        if shard.number not in made.done:
            continue
        name = shard.name(ENDINGS[format_])
        if format_ == "jsonl":
            lines = target.read(name).splitlines()
            has_failures = any(json.loads(line)["error_type"] is not None for line in lines)
        else:
            with target.open(name) as stream:
                column = parquet.read_table(stream, columns=["error_type"])["error_type"]
            has_failures = column.null_count < len(column)
        if has_failures:
            failed.add(shard.number)
    return frozenset(failed)


def _file_of(bundle: Bundle, path: Path) -> bytes:
    """Return the bytes of a bundle's file, also of one that is a folder."""
    if path.is_file():
        return path.read_bytes()
    stream = io.BytesIO()
    archive.write(bundle.files(), stream)
    return stream.getvalue()


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """Connect to a cluster, or start one on this machine that nobody else reaches."""
    # Ray reports its use to its makers by default; edgeocr works without a network.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray prints an error about arguments that Ray Data itself gives its actors; it has no effect.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    ray = library("ray")
    library("ray.data")
    if ray.is_initialized():
        yield ray
        return
    with _own_signals():
        ray.init(
            address=address,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handler of SIGTERM, in whose place Ray puts one that gives another exit code."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:  # from Ray's handler
        if callable(before):
            before(signal.SIGTERM, None)
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
