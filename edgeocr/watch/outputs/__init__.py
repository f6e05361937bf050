"""The outputs for events: JSON lines, text, subtitles, pictures, and messages over MQTT."""

from .jsonl import JsonLinesWriter
from .mqtt import Broker, Publisher
from .snapshots import Snapshots
from .srt import SrtWriter
from .text import TextWriter

__all__ = ["Broker", "JsonLinesWriter", "Publisher", "Snapshots", "SrtWriter", "TextWriter"]
