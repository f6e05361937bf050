"""The plan of a job: which files each shard of the result is made of.

A job is written to a folder: `_edgeocr/job.json` says what is read and how, `_edgeocr/plan-*.jsonl`
which sources belong to which shard, and each shard becomes one file, whose name has the shard's
number. So a job that is started again reads the shards that have no file, and no others. If two
processes read the same shard, because one of them was taken for dead, it is still there once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from ..errors import JobError
from ..images import EXTRA_SUFFIXES, SUFFIXES
from .libraries import library
from .storage import Storage, StoredFile

PICTURES = SUFFIXES | EXTRA_SUFFIXES
PARQUET = ".parquet"
JOB = "_edgeocr/job.json"
# The most files of a shard, and the most bytes: what an interruption costs at most for each actor.
MOST_FILES, MOST_BYTES = 200, 1 << 28
# Every actor gets so many shards if there are few files, so that none waits long for the others.
SHARDS_EACH = 4


@dataclass(frozen=True)
class Shard:
    """A part of a job that becomes one file of the result.

    Attributes:
        number: Its number, from 0.
        files: The files that are read. With a row group, it is one Parquet file.
        row_group: The number of the row group that has the pictures; None if the files are the
            pictures.
    """

    number: int
    files: tuple[StoredFile, ...]
    row_group: int | None = None

    def name(self, ending: str) -> str:
        """Return the name of the file of the result."""
        return f"part-{self.number:06}.{ending}"

    def to_json(self) -> str:
        """Return the shard as a line of a plan."""
        files = [[file.path, file.size, file.changed] for file in self.files]
        return json.dumps({"shard": self.number, "files": files, "row_group": self.row_group})

    @classmethod
    def from_json(cls, line: str) -> Shard:
        """Restore what `to_json` returned."""
        data = json.loads(line)
        files = tuple(StoredFile(*file) for file in data["files"])
        return cls(data["shard"], files, data["row_group"])


@dataclass(frozen=True)
class Plan:
    """The shards of a job.

    Attributes:
        shards: All of them, in the order of their numbers.
        done: The numbers of those that have a file.
        changed: How many files have changed since they were planned; they are not read again.
    """

    shards: Sequence[Shard]
    done: frozenset[int]
    changed: int = 0

    @property
    def left(self) -> list[Shard]:
        """The shards that are still to be read."""
        return [shard for shard in self.shards if shard.number not in self.done]


def begin(target: Storage, description: Mapping[str, Any]) -> None:
    """Begin a job in a folder, or go on with the same one.

    Args:
        target: The folder.
        description: What is read and how: whatever changes the result.

    Raises:
        JobError: The folder has another job, or something else.
    """
    wanted = dict(description)
    if target.exists(JOB):
        found = json.loads(target.read(JOB))
        if differences := [
            f"{name} was {found.get(name)!r} and is {wanted.get(name)!r}"
            for name in sorted({*found, *wanted})
            if found.get(name) != wanted.get(name)
        ]:
            raise JobError(
                f"{target.address} has the result of another job ({'; '.join(differences)}): "
                "choose another folder, or ask for the same as before"
            )
        return
    if target.exists() and next(target.files(), None) is not None:
        raise JobError(f"{target.address} has other files: choose a new folder, or an empty one")
    target.write(JOB, json.dumps(wanted, indent=2).encode())


def make(source: Storage, target: Storage, ending: str, actors: int, *, rows: bool) -> Plan:
    """Return the plan of a job that has begun. Files that are new in the source are added to it.

    Args:
        source: What is read: a folder, or a single file.
        target: The folder for the result.
        ending: The ending of the result's files.
        actors: How many actors will read.
        rows: Whether the pictures are in a column of Parquet files.

    Raises:
        JobError: There is nothing to read.
        StorageError: A folder or a file can't be read.
    """
    stored = list(target.files())
    plans = sorted(file.path for file in stored if file.path.startswith("_edgeocr/plan-"))
    shards = [
        Shard.from_json(line) for path in plans for line in target.read(path).decode().splitlines()
    ]
    known = {file.path: file for shard in shards for file in shard.files}
    files = _sources(source, rows=rows)
    if not files and not shards:
        what = (
            f"files that end in {PARQUET}" if rows else f"pictures ({' '.join(sorted(PICTURES))})"
        )
        raise JobError(f"{source.address}: there are no {what} in this folder or below it")
    new = [file for file in files if file.path not in known]
    changed = sum(file.path in known and known[file.path] != file for file in files)
    if new:
        numbers = count(shards[-1].number + 1 if shards else 0)
        groups = _row_groups(source, new) if rows else _groups(new, actors)
        added = [Shard(next(numbers), *group) for group in groups]
        lines = "".join(f"{shard.to_json()}\n" for shard in added)
        target.write(f"_edgeocr/plan-{len(plans):05}.jsonl", lines.encode())
        shards += added
    names = {file.path for file in stored}
    done = frozenset(shard.number for shard in shards if shard.name(ending) in names)
    return Plan(shards, done, changed)


def has_rows(source: Storage) -> bool:
    """Tell whether a source is made of Parquet files rather than of pictures.

    Raises:
        StorageError: The folder can't be listed.
    """
    if source.is_file():
        return source.address.lower().endswith(PARQUET)
    endings = {_ending(file.path) for file in source.files()}
    return PARQUET in endings and not endings & PICTURES


def _sources(source: Storage, *, rows: bool) -> list[StoredFile]:
    if source.is_file():
        return [StoredFile("", 0, 0)]
    wanted = {PARQUET} if rows else PICTURES
    return [file for file in source.files() if _ending(file.path) in wanted]


def _groups(files: Sequence[StoredFile], actors: int) -> Iterator[tuple[tuple[StoredFile, ...]]]:
    """Divide files, in their order, into shards."""
    most = min(MOST_FILES, math.ceil(len(files) / (SHARDS_EACH * actors)))
    group: list[StoredFile] = []
    size = 0
    for file in files:
        if group and (len(group) == most or size + file.size > MOST_BYTES):
            yield (tuple(group),)
            group, size = [], 0
        group.append(file)
        size += file.size
    yield (tuple(group),)


def _row_groups(
    source: Storage, files: Iterable[StoredFile]
) -> Iterator[tuple[tuple[StoredFile, ...], int]]:
    parquet = library("pyarrow.parquet")
    for file in files:
        with source.open(file.path) as stream:
            for number in range(parquet.ParquetFile(stream).num_row_groups):
                yield (file,), number


def _ending(path: str) -> str:
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""
