"""The formats that results can be written in: what each one is called, needs and can hold."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from ..images import Source


class Writer(Protocol):
    """A document that is being written, page by page, to a stream."""

    def add(self, page: Any, picture: Source | None = None) -> None:
        """Add a page.

        Args:
            page: The page.
            picture: The picture that was read; None for the file that the page's source names.
        """

    def close(self) -> None:
        """Complete the document; the stream stays open."""


class FailureWriter(Writer, Protocol):
    """A document that also says which pictures failed."""

    def add_failure(self, source: str, error: str) -> None:
        """Add the name of a picture that can't be read, and the reason."""


@dataclass(frozen=True)
class Format:
    """A format of documents.

    Attributes:
        name: What `--format` and `page.save(format=…)` call it.
        title: What messages call it.
        media_type: What HTTP calls it.
        endings: The endings of files from which the format is chosen, in small letters.
        names: Names of files from which the format is chosen, before their ending is looked at.
        module: The module of `edgeocr.writers` that writes the format, if it has another name.
        needs_words: Whether it has a place for each word, so that words should be asked for.
        needs_picture: Whether it contains the picture.
        holds_failures: Whether it says which pictures failed (`add_failure`).
        holds_any_result: Whether it also holds what `detect` and `recognize` return.
        differs_for_several: Whether one picture is written in another way than several ones. The
            writer has the argument `several` then.
        is_drawing: Whether it is a picture of one page, as `--overlay` makes.
        is_text: Whether it is text in UTF-8, which a terminal can show.
    """

    name: str
    title: str
    media_type: str
    endings: tuple[str, ...]
    names: tuple[str, ...] = ()
    module: str = ""
    needs_words: bool = False
    needs_picture: bool = False
    holds_failures: bool = False
    holds_any_result: bool = False
    differs_for_several: bool = False
    is_drawing: bool = False
    is_text: bool = True

    def open(self, stream: IO[bytes], *, several: bool = False) -> Writer:
        """Begin a document.

        Args:
            stream: Where to write it.
            several: Whether several pages may be added.
        """
        options = {"several": several} if self.differs_for_several else {}
        return cast(Writer, self._module.Writer(stream, **options))

    def is_ours(self, start: bytes) -> bool:
        """Tell from the first bytes of a file whether edgeocr wrote it in this format."""
        return bool(self._module.is_ours(start))

    @property
    def _module(self) -> Any:
        # Imported by its name, since most commands need one format, and some need extras.
        return import_module(f"{__package__}.{self.module or self.name}")


ALL = (
    Format(
        "text",
        "text",
        "text/plain; charset=utf-8",
        (".txt",),
        holds_any_result=True,
        differs_for_several=True,
    ),
    Format(
        "json",
        "JSON",
        "application/json",
        (".json",),
        holds_failures=True,
        holds_any_result=True,
        differs_for_several=True,
    ),
    Format(
        "jsonl",
        "JSON lines",
        "application/x-ndjson",
        (".jsonl",),
        holds_failures=True,
        holds_any_result=True,
    ),
    Format("tsv", "TSV", "text/tab-separated-values; charset=utf-8", (".tsv",), needs_words=True),
    Format("hocr", "hOCR", "text/vnd.hocr+html; charset=utf-8", (".hocr",), needs_words=True),
    Format("alto", "ALTO", "application/xml", (".xml",), needs_words=True),
    Format(
        "pdf",
        "PDF",
        "application/pdf",
        (".pdf",),
        needs_words=True,
        needs_picture=True,
        is_text=False,
    ),
    Format(
        "paddle",
        "PaddleOCR's labels",
        "text/plain; charset=utf-8",
        (),
        names=("Label.txt", "Cache.cach"),
    ),
    Format(
        "markdown", "Markdown", "text/markdown; charset=utf-8", (".md",), differs_for_several=True
    ),
    Format(
        "jpeg",
        "a JPEG picture",
        "image/jpeg",
        (".jpg", ".jpeg"),
        holds_any_result=True,
        needs_picture=True,
        is_drawing=True,
        is_text=False,
    ),
    Format(
        "png",
        "a PNG picture",
        "image/png",
        (".png",),
        holds_any_result=True,
        needs_picture=True,
        is_drawing=True,
        is_text=False,
    ),
)
FORMATS = {each.name: each for each in ALL}
# What `edgeocr read --format` takes, and what `detect` and `recognize` take.
DOCUMENTS = tuple(each.name for each in ALL if not each.is_drawing)
RECORDS = tuple(each.name for each in ALL if not each.is_drawing and each.holds_any_result)


def find(path: str | os.PathLike[str], among: Iterable[str] = FORMATS) -> Format | None:
    """Return the format that a file's name asks for, or None if it asks for none of them.

    Args:
        path: The file's path.
        among: The names of the formats to choose from.
    """
    name = PurePath(path)
    candidates = [FORMATS[each] for each in among]
    for format_ in candidates:
        if name.name in format_.names:
            return format_
    ending = name.suffix.lower()
    return next((each for each in candidates if ending in each.endings), None)


def chosen(path: str | os.PathLike[str], name: str | None = None) -> Format:
    """Return the format in which a file is to be written.

    Args:
        path: The file's path.
        name: The format's name; None to choose by the name of the file.

    Raises:
        ValueError: There is no such format, or the file's name tells none.
    """
    if name is not None:
        if name not in FORMATS:
            raise ValueError(f"unknown format {name!r}; choose from {', '.join(FORMATS)}")
        return FORMATS[name]
    found = find(path)
    if found is None:
        endings = ", ".join(ending for each in ALL for ending in each.endings)
        names = ", ".join(name for each in ALL for name in each.names)
        raise ValueError(
            f"{os.fspath(path)!r} doesn't tell the format: its ending should be one of {endings}, "
            f"or its name one of {names}; or choose one with format="
        )
    return found
