"""The formats that `edgeocr watch` writes events in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..events import Event
from ..options import WatchOptions
from . import jsonl, srt, text
from .stream import ByteStream

# How many frames may pass until an event is certain.
FRAMES = 5


class EventWriter(Protocol):
    """A document of events that is being written to a stream."""

    def add(self, event: Event, more: Mapping[str, Any] | None = None) -> None:
        """Add an event, with further fields if the format has a place for them."""

    def close(self, seconds: float | None = None) -> None:
        """Complete the document; the stream stays open.

        Args:
            seconds: The time of the last frame; None if it is not known.
        """


@dataclass(frozen=True)
class EventFormat:
    """A format of events.

    Attributes:
        name: The name of the format in `--format`.
        title: Its name in messages.
        endings: The file name endings that choose the format, in lower case.
        writer: Begins a document on a stream, for a watch with these options.
        is_ours: Tells from the first bytes of a file whether edgeocr wrote it in this format.
        grows: Whether events are added to an existing file, as in a log, instead of replacing it.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    writer: Callable[[ByteStream, WatchOptions], EventWriter]
    is_ours: Callable[[bytes], bool]
    grows: bool


def _jsonl(stream: ByteStream, options: WatchOptions) -> EventWriter:
    return jsonl.JsonLinesWriter(stream)


def _text(stream: ByteStream, options: WatchOptions) -> EventWriter:
    return text.TextWriter(stream)


def _srt(stream: ByteStream, options: WatchOptions) -> EventWriter:
    # An event may be reported late by the patience and by some frames.
    hold = srt.HOLD + options.patience + FRAMES * options.every
    return srt.SrtWriter(stream, hold=hold)


ALL = (
    EventFormat("jsonl", "JSON lines", (".jsonl",), _jsonl, jsonl.is_ours, True),
    EventFormat("text", "text", (".txt", ".log"), _text, text.is_ours, True),
    EventFormat("srt", "subtitles", (".srt",), _srt, srt.is_ours, False),
)
FORMATS = {each.name: each for each in ALL}


def chosen(name: str | None, path: Path | None) -> EventFormat:
    """Return the format with a name, or else the one for a file's ending, or else JSON lines.

    Args:
        name: The name of the format; None if none was chosen.
        path: The file that is written; None for standard output.
    """
    if name is not None:
        return FORMATS[name]
    ending = "" if path is None else path.suffix.lower()
    return next((each for each in ALL if ending in each.endings), FORMATS["jsonl"])
