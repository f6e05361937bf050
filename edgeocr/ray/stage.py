"""`EdgeOCR`, a stage of Ray Data that reads pictures."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..batch.outcomes import Outcome, outcomes
from ..batch.sources import NamedBytes, NamedSource, frames_in
from ..documents.options import DPI, TextLayerUse
from ..errors import ProviderFailedError, printable
from ..ocr import OCR
from .attempts import MOST_DEATHS, Attempts, key_of
from .libraries import library
from .rows import COLUMNS, Row, failed_row, row_of, table_of

logger = logging.getLogger(__name__)

# What an error row calls a picture that ends the process, and one that makes edgeocr itself fail.
KILLER, INTERNAL = "ProcessDiedError", "InternalError"


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture or document that is to be read.

    Attributes:
        name: What its rows and errors call it.
        content: The bytes of its file.
    """

    name: str
    content: bytes


class EdgeOCR:
    """A callable class for `Dataset.map_batches`: each actor opens one `OCR`, and reads with it.

    It takes rows with the bytes of a picture or document, and returns a row for each page, with all
    other columns of its row and these: `source`, `page`, `pages`, `width`, `height`, `text`,
    `result` (what `edgeocr read --format json` writes), `milliseconds`, `error_type`, `error`. A
    picture that can't be read gets a row that says why. `docs/scale.md` describes the columns.

    >>> rows = ray.data.read_binary_files("pictures/", include_paths=True).map_batches(
    ...     EdgeOCR, fn_constructor_kwargs={"words": True}, batch_size=8, num_cpus=1, concurrency=4,
    ...     batch_format="pyarrow",
    ... )
    """

    def __init__(
        self,
        bundle: str | bytes | None = None,
        *,
        column: str = "bytes",
        name_column: str = "path",
        words: bool = False,
        characters: bool = False,
        dpi: int = DPI,
        pdf_text: TextLayerUse = "never",
        **options: Any,
    ) -> None:
        """Open the `OCR` of an actor.

        Args:
            bundle: Path of a bundle that each node has, or the bytes of a bundle's file; None for
                the bundle in the package.
            column: The column with the bytes of the pictures.
            name_column: The column with their names, which become `source`; without such a column
                pictures are called "row 0" and so on, by their place in the batch.
            words: Give each line its words.
            characters: Give each line its words and its characters.
            dpi: Pixels per inch at which pages of PDF files are rendered.
            pdf_text: "never", "auto" or "only": when the text that a page of a PDF file holds is
                taken instead of recognizing the page.
            **options: Further arguments of `OCR`. `threads` is by default the number of CPUs that
                Ray gave the actor.

        Raises:
            MissingLibraryError: Ray or pyarrow is not installed.
            EdgeOCRError: The bundle can't be opened.
        """
        library("pyarrow")
        job, cpus = _actor()
        options.setdefault("threads", cpus)
        self._column, self._name_column = column, name_column
        self._attempts = Attempts(job)
        # The file of a bundle that came as bytes; it is there as long as the actor.
        self._folder = tempfile.TemporaryDirectory(prefix="edgeocr-")
        self._ocr = OCR(self._stored(bundle), **options)
        self._read = partial(self._ocr.read_many, words=words, characters=characters)
        self._frame_options: Mapping[str, Any] = {"dpi": dpi, "pdf_text": pdf_text}

    def __call__(self, batch: Any) -> Any:
        """Read a batch.

        Args:
            batch: A pyarrow `Table`, or a mapping of column names to arrays.

        Returns:
            A pyarrow `Table` with a row for each page.

        Raises:
            ValueError: The column with the bytes is missing.
        """
        pyarrow = library("pyarrow")
        is_table = isinstance(batch, pyarrow.Table)
        table = batch if is_table else pyarrow.Table.from_pydict(dict(batch))
        if self._column not in table.column_names:
            raise ValueError(
                f"there is no column {self._column!r}, only {', '.join(table.column_names)}: name "
                "the one with the bytes of the pictures in column="
            )
        contents = table[self._column].to_pylist()
        names = (
            [str(name) for name in table[self._name_column].to_pylist()]
            if self._name_column in table.column_names
            else [f"row {i}" for i in range(len(contents))]
        )
        pictures = [
            Picture(name, content or b"") for name, content in zip(names, contents, strict=True)
        ]
        read = self.rows_of(pictures)
        index = [i for i, rows in enumerate(read) for _ in rows]
        result = table_of([row for rows in read for row in rows])
        for name in table.column_names:
            if name != self._column and name not in COLUMNS:
                result = result.append_column(name, table[name].take(pyarrow.array(index, "int64")))
        return result

    def rows_of(self, pictures: Sequence[Picture]) -> list[list[Row]]:
        """Read pictures, and return the rows of each.

        Pictures with which a process has died are read after the others, one at a time.
        """
        keys = [key_of(picture.name, picture.content) for picture in pictures]
        deaths = [self._attempts.deaths(key) for key in keys]
        rows: dict[int, list[Row]] = {}
        harmless = [i for i, number in enumerate(deaths) if number == 0]
        for group in [harmless, *([i] for i, number in enumerate(deaths) if number)]:
            if group and deaths[group[0]] >= MOST_DEATHS:
                rows[group[0]] = [_row_of_killer(pictures[group[0]])]
                continue
            with self._attempts.reading(keys[i] for i in group):
                for i, read in zip(group, self._rows_of([pictures[i] for i in group]), strict=True):
                    rows[i] = read
        return [rows[i] for i in range(len(pictures))]

    def _rows_of(self, pictures: Sequence[Picture]) -> Iterator[list[Row]]:
        """Yield the rows of each picture; a fault of edgeocr affects only its own picture."""
        try:
            yield from list(self._together(pictures))
            return
        except Exception as error:
            if len(pictures) == 1:
                logger.exception("%s can't be read", printable(pictures[0].name))
                yield [failed_row(pictures[0].name, INTERNAL, f"{type(error).__name__}: {error}")]
                return
        for picture in pictures:
            yield from self._rows_of([picture])

    def _stored(self, bundle: str | bytes | None) -> str | Path | None:
        """Return the path of a bundle that may have come as bytes."""
        if not isinstance(bundle, bytes):
            return bundle
        path = Path(self._folder.name) / "bundle.edgeocr"
        path.write_bytes(bundle)
        return path

    def _together(self, pictures: Sequence[Picture]) -> Iterator[list[Row]]:
        """Read pictures as one stream, so that all threads have work."""
        rows: list[list[Row]] = [[] for _ in pictures]
        owners: list[int] = []
        numbers = iter(range(len(pictures)))

        def frames(source: NamedSource) -> Iterator[NamedSource]:
            number = next(numbers)
            for frame in frames_in(source, self._ocr.limits, self._frame_options):
                owners.append(number)
                yield frame

        sources = [
            NamedSource(picture.name, NamedBytes(picture.content, picture.name))
            for picture in pictures
        ]
        # Outcomes come in the order in which their frames were found.
        for i, each in enumerate(outcomes(self._read, sources, frames)):
            _end_if_device_is_lost(each)
            rows[owners[i]].append(row_of(each, pictures[owners[i]].name))
        yield from rows


def _row_of_killer(picture: Picture) -> Row:
    return failed_row(
        picture.name,
        KILLER,
        f"{picture.name}: {MOST_DEATHS} processes ended while they read this picture, so it is no "
        "longer read: it crashes a decoder, or needs more memory than the node has",
    )


def _end_if_device_is_lost(outcome: Outcome) -> None:
    """End the process if its `OCR` can't read any more, so that Ray starts another one."""
    fault = outcome.fault
    if isinstance(fault, ProviderFailedError) and fault.kind == "device lost":
        logger.error("ending the process: %s", fault)
        os._exit(1)


def _actor() -> tuple[str, int | None]:
    """Return what this actor's job is called on this node, and its CPUs; None without Ray."""
    ray = library("ray")
    if not ray.is_initialized():
        return f"process-{os.getpid()}", None
    context = ray.get_runtime_context()
    cpus = context.get_assigned_resources().get("CPU", 1)
    # Jobs are numbered anew with each cluster.
    return f"{context.get_node_id()}-{context.get_job_id()}", max(1, int(cpus))
