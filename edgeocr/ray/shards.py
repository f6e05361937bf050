"""Reading a shard: the stage of Ray Data that turns sources into the files of a result."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any

from ..errors import EdgeOCRError, JobError, StorageError
from .libraries import library
from .plan import Shard
from .rows import Row, failed_row, table_of
from .stage import EdgeOCR, Picture
from .storage import Storage

# The files that are loaded together, while those before them are read.
LOADED_AT_ONCE = 8
# The endings of the files of a result, by format.
ENDINGS: Mapping[str, str] = {"parquet": "parquet", "jsonl": "jsonl"}


@dataclass(frozen=True)
class Task:
    """What the actors of a job have in common.

    Attributes:
        source: The address of what is read.
        target: The address of the folder for the result.
        format: "parquet" or "jsonl".
        column: The column of Parquet files that has the pictures.
        name_column: The column that has their names; None to number them.
    """

    source: str
    target: str
    format: str = "parquet"
    column: str = "bytes"
    name_column: str | None = None


class ShardReader:
    """A callable class for `Dataset.map_batches`: reads shards, and writes a file for each.

    Its rows are shards as JSON, in the column `shard`, and it returns a summary of each.
    """

    def __init__(self, task: Task, bundle: Any, options: Mapping[str, Any]) -> None:
        """Open the `OCR` of an actor.

        Args:
            task: Where to read and write.
            bundle: Where Ray keeps the bytes of the bundle's file; None for the bundle in the
                package.
            options: Further arguments of `EdgeOCR`.
        """
        content = None if bundle is None else library("ray").get(bundle)
        self._task = task
        self._stage = EdgeOCR(content, **options)
        self._source, self._target = Storage(task.source), Storage(task.target)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Read the shards of a batch.

        Returns:
            Columns with a summary of each shard: `shard`; `pages`; `seconds`, which reading took;
            `failures`, the number of failures by type as JSON; and `error`, which says why the job
            can't go on, or is empty.
        """
        summaries = [self._summary(Shard.from_json(str(line))) for line in batch["shard"]]
        return {name: [summary[name] for summary in summaries] for name in summaries[0]}

    def _summary(self, shard: Shard) -> dict[str, Any]:
        summary = {"shard": shard.number, "pages": 0, "seconds": 0.0, "failures": "{}", "error": ""}
        try:
            return {**summary, **self._read(shard)}
        except EdgeOCRError as error:  # which Ray Data would bury in tracebacks
            return {**summary, "error": str(error)}

    def _read(self, shard: Shard) -> dict[str, Any]:
        began = monotonic()
        rows = [row for group in self._loaded(shard) for row in self._rows_of(group)]
        ending = ENDINGS[self._task.format]
        self._target.write(shard.name(ending), encoded(rows, self._task.format))
        failures: dict[str, int] = {}
        for row in rows:
            if (kind := row["error_type"]) is not None:
                failures[kind] = failures.get(kind, 0) + 1
        seconds = monotonic() - began
        return {"pages": len(rows), "seconds": seconds, "failures": json.dumps(failures)}

    def _rows_of(self, group: Sequence[Picture | Row]) -> list[Row]:
        """Return the rows of a group; what could not be loaded has its row already."""
        pictures = [each for each in group if isinstance(each, Picture)]
        read = iter(self._stage.rows_of(pictures))
        return [
            row for each in group for row in (next(read) if isinstance(each, Picture) else [each])
        ]

    def _loaded(self, shard: Shard) -> Iterator[list[Picture | Row]]:
        """Yield groups of pictures; the next group is loaded while the one before is read."""
        if shard.row_group is not None:
            yield from self._rows_in(shard)
            return
        files = iter(shard.files)
        with ThreadPoolExecutor(LOADED_AT_ONCE) as pool:
            following = [
                pool.submit(self._load, file.path) for file in islice(files, LOADED_AT_ONCE)
            ]
            while following:
                group = [each.result() for each in following]
                following = [
                    pool.submit(self._load, file.path) for file in islice(files, LOADED_AT_ONCE)
                ]
                yield group

    def _load(self, path: str) -> Picture | Row:
        name = self._source.name_of(path)
        try:
            return Picture(name, self._source.read(path))
        except StorageError as error:
            return failed_row(name, type(error).__name__, str(error))

    def _rows_in(self, shard: Shard) -> Iterator[list[Picture | Row]]:
        """Yield the pictures of a row group of a Parquet file."""
        parquet = library("pyarrow.parquet")
        file = shard.files[0]
        address = self._source.name_of(file.path)
        task = self._task
        names = [] if task.name_column is None else [task.name_column]
        with self._source.open(file.path) as stream:
            opened = parquet.ParquetFile(stream)
            for name in (task.column, *names):
                if name not in opened.schema_arrow.names:
                    raise JobError(
                        f"{address} has no column {name!r}, only "
                        f"{', '.join(opened.schema_arrow.names)}"
                    )
            first = sum(opened.metadata.row_group(i).num_rows for i in range(shard.row_group or 0))
            for batch in opened.iter_batches(
                LOADED_AT_ONCE, row_groups=[shard.row_group], columns=[task.column, *names]
            ):
                columns = batch.to_pydict()
                group: list[Picture | Row] = []
                for i, content in enumerate(columns[task.column]):
                    name = columns[names[0]][i] if names else f"{address}#row{first + i}"
                    if isinstance(content, bytes):
                        group.append(Picture(str(name), content))
                    else:
                        message = f"{name}: the column {task.column!r} has no bytes in this row"
                        group.append(failed_row(str(name), StorageError.__name__, message))
                first += len(group)
                yield group


def encoded(rows: Sequence[Row], format_: str) -> bytes:
    """Return the content of a file of the result.

    Args:
        rows: Its rows.
        format_: "parquet" or "jsonl".
    """
    if format_ == "jsonl":
        # In JSON lines `result` is an object, not a text that holds JSON.
        objects = ({**row, "result": row["result"] and json.loads(row["result"])} for row in rows)
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in objects).encode(
            "utf-8", "backslashreplace"
        )
    stream = io.BytesIO()
    library("pyarrow.parquet").write_table(table_of(rows), stream, compression="zstd")
    return stream.getvalue()
