"""Watch a camera: `edgeocr watch` and, from Python, `watch("rtsp://…")`.

Each frame that is looked at is compared with those before it. Where it differs, it is read;
elsewhere the lines keep their texts. A line is followed from frame to frame, and its readings vote
on its text.
"""

from .events import Event
from .frames import Frame
from .options import WatchOptions
from .outputs import Broker, JsonLinesWriter, Publisher, Snapshots, SrtWriter, TextWriter
from .watching import events_of, watch

__all__ = [
    "Broker",
    "Event",
    "Frame",
    "JsonLinesWriter",
    "Publisher",
    "Snapshots",
    "SrtWriter",
    "TextWriter",
    "WatchOptions",
    "events_of",
    "watch",
]
