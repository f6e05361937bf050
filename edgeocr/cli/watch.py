"""`edgeocr watch`: look at a camera, a stream, a video or a folder, and report what happens."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ..errors import escaped
from .arguments import (
    add_engine_arguments,
    add_overwrite_argument,
    add_provider_argument,
    open_ocr,
    positive,
    protected,
)
from .log import log_to_stderr
from .reading_arguments import add_reading_arguments
from .streams import standard_input, tell
from .watch_results import WatchResults

if TYPE_CHECKING:
    from ..watch import Frame, WatchOptions
    from ..watch.outputs.mqtt import Broker


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from ..watch.options import WatchOptions

    default = WatchOptions()
    command.add_argument(
        "source",
        metavar="SOURCE",
        help="the number of a camera, such as 0, or /dev/video0; a video file; the URL of a stream "
        "(rtsp://, http://, …); a GStreamer pipeline; a folder that fills up with pictures; or - "
        "for MJPEG on standard input",
    )
    command.add_argument(
        "--every",
        type=_seconds,
        default=default.every,
        metavar="SECONDS",
        help="the minimum time between two frames that are looked at; default: 0, which looks at "
        "as many frames as there is time for",
    )
    command.add_argument(
        "--region",
        type=_region,
        metavar="X,Y,W,H",
        help="look only at this part of each frame, in pixels: left, top, width, height",
    )
    command.add_argument(
        "--min-score",
        type=_score,
        default=default.min_score,
        metavar="P",
        help=f"ignore texts with a lower score, from 0 to 1; default: {default.min_score:g}",
    )
    command.add_argument(
        "--match",
        type=_pattern,
        metavar="REGEX",
        help="report only texts in which this regular expression is found, and a change only if "
        "what it matches changes: its first group, if it has groups",
    )
    command.add_argument(
        "--until", type=positive, metavar="N", help="end after N events; default: no limit"
    )
    command.add_argument(
        "--patience",
        type=_seconds,
        default=default.patience,
        metavar="SECONDS",
        help=f"how long a text may be missing before it is gone; default: {default.patience:g}",
    )
    command.add_argument(
        "--pace",
        choices=("newest", "all"),
        help="look at the newest frame and skip those that arrived in the meantime, or look at all "
        "frames in turn; default: all for video files and folders, newest for other sources",
    )
    command.add_argument(
        "--open-timeout",
        type=_seconds,
        default=default.open_timeout,
        metavar="SECONDS",
        help="how long the source may take to give its first picture; default: "
        f"{default.open_timeout:g}",
    )
    command.add_argument(
        "--give-up",
        type=_seconds,
        metavar="SECONDS",
        help="end with an error after this time without a picture; default: keep trying, once "
        "there has been a picture",
    )
    _add_output_arguments(command)
    add_engine_arguments(command)
    add_provider_argument(command)
    add_reading_arguments(command)


def _add_output_arguments(command: argparse.ArgumentParser) -> None:
    from ..watch.outputs.formats import FORMATS

    command.add_argument(
        "--format",
        choices=tuple(FORMATS),
        help="format of the events; default: the one that the ending of --output stands for, "
        "else jsonl",
    )
    command.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="file to write; JSON lines and text are added to an existing file; default: standard "
        "output",
    )
    add_overwrite_argument(command)
    command.add_argument(
        "--snapshot",
        type=Path,
        metavar="DIR",
        help="write the frame of each event to DIR, with the line's outline drawn",
    )
    command.add_argument(
        "--snapshots-kept",
        type=positive,
        metavar="N",
        help="keep only the newest N pictures in DIR, including those of earlier watches; default: "
        "all",
    )
    command.add_argument(
        "--mqtt",
        metavar="URL",
        help="publish the events as JSON to mqtt[s]://[USER@]HOST[:PORT]/TOPIC, and the status, "
        "online or offline, to TOPIC/status; needs the extra mqtt",
    )
    command.add_argument(
        "--mqtt-password-file",
        type=Path,
        metavar="FILE",
        help="file whose only line is the password of the user in --mqtt",
    )
    command.add_argument(
        "--mqtt-ca",
        type=Path,
        metavar="FILE",
        help="file with the certificates, in PEM, of the authorities that may have signed the "
        "broker's certificate; default: those that the system trusts",
    )


def run(options: argparse.Namespace) -> int:
    """Watch until the source ends, `--until` is reached, or a signal ends the watch.

    Returns:
        0.

    Raises:
        EdgeOCRError: The source, the bundle, the provider or an output does not work.
        SystemExit: With code 2, after printing the usage, for wrong arguments.
    """
    chosen = _watch_options(options)
    broker = _broker(options)
    if options.snapshots_kept is not None and options.snapshot is None:
        options.parser.error("--snapshots-kept needs --snapshot")
    with log_to_stderr("edgeocr", prefix="edgeocr: "):
        watching = _Watching(options, chosen, broker)
        try:
            watching.run()
        except ValueError as error:
            if watching.frames > 1:
                raise
            parser: argparse.ArgumentParser = options.parser
            parser.error(str(error))  # the region does not lie in the frames
        except KeyboardInterrupt:  # Ctrl+C, SIGTERM or SIGHUP: the usual end of a watch
            watching.reason = "a signal has ended the watch"
        finally:
            if watching.started:
                tell(f"edgeocr: {watching.summary()}")
    return 0


class _Watching:
    """One run of the command.

    Attributes:
        frames: How many frames were looked at.
        started: Whether the bundle and the outputs were open, so that the watch could begin.
        reason: Why the watch has ended.
    """

    def __init__(
        self, options: argparse.Namespace, chosen: WatchOptions, broker: Broker | None
    ) -> None:
        self._options, self._chosen, self._broker = options, chosen, broker
        self.frames = self._events = 0
        self._seconds: float | None = None
        self.started = False
        self.reason = "an error ended the watch"

    def run(self) -> None:
        """Watch to the end."""
        from ..watch import events_of
        from ..watch.sources import open_source

        options, name = self._options, self._options.source
        about = _description(options)
        guard = protected(options, [name])
        with ExitStack() as stack:
            ocr = stack.enter_context(open_ocr(options))
            results = WatchResults(options, self._chosen, self._broker, guard)
            stack.callback(lambda: results.close(self._seconds))
            tell(f"edgeocr: {about}; {results.description}; press Ctrl+C to end")
            self.started = True
            source = standard_input() if name == "-" else name
            frames = stack.enter_context(open_source(cast(BinaryIO, source), self._chosen))
            for event in events_of(self._counted(frames), ocr, self._chosen):
                self._events += 1
                results.add(event)
        until = self._chosen.until
        done = until is not None and self._events >= until
        self.reason = f"event {until} was reported" if done else "the source has ended"

    def summary(self) -> str:
        """Return why the watch has ended and how much it has done, as a line for people."""
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        events = "1 event" if self._events == 1 else f"{self._events} events"
        return f"{self.reason}: {frames} looked at, {events}"

    def _counted(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            self.frames += 1
            self._seconds = frame.seconds
            yield frame


def _description(options: argparse.Namespace) -> str:
    """Return what is watched and how, as a sentence without its end.

    Raises:
        VideoError: There is no such source.
        SystemExit: With code 2, after printing the usage, for an impossible name of a source.
    """
    from ..watch.sources.kinds import place_of
    from ..watch.sources.opening import default_pace

    try:
        place = place_of(options.source)
    except ValueError as error:
        options.parser.error(str(error))
    parts = [place.name]
    newest = (options.pace or default_pace(place)) == "newest"
    parts.append("the newest frame each time" if newest else "every frame")
    if options.every:
        parts[-1] = f"{parts[-1]}, at least {options.every:g} s apart"
    if options.region is not None:
        left, top, width, height = options.region
        parts.append(f"only the {width} × {height} pixels at ({left}, {top})")
    if options.match is not None:
        parts.append(f"texts that match {options.match.pattern}")
    if options.until is not None:
        parts.append(f"until event {options.until}")
    return f"watching {', '.join(map(escaped, parts))}"


def _watch_options(options: argparse.Namespace) -> WatchOptions:
    """Return the options of the watch; an impossible value ends the command with the usage."""
    from ..watch import WatchOptions

    try:
        return WatchOptions(
            every=options.every,
            region=options.region,
            min_score=options.min_score,
            match=options.match,
            until=options.until,
            patience=options.patience,
            pace=options.pace,
            open_timeout=options.open_timeout,
            give_up=options.give_up,
        )
    except ValueError as error:
        parser: argparse.ArgumentParser = options.parser
        parser.error(str(error))


def _broker(options: argparse.Namespace) -> Broker | None:
    """Return where to publish events; a wrong URL ends the command with the usage.

    Raises:
        EdgeOCRError: The password can't be read.
    """
    parser: argparse.ArgumentParser = options.parser
    if options.mqtt is None:
        for name in ("--mqtt-password-file", "--mqtt-ca"):
            if getattr(options, name[2:].replace("-", "_")) is not None:
                parser.error(f"{name} needs --mqtt")
        return None
    from ..watch.outputs.mqtt import Broker
    from ..watch.outputs.mqtt.broker import read_password

    file = options.mqtt_password_file
    password = None if file is None else read_password(file)
    try:
        return Broker.parse(options.mqtt, password=password, authorities=options.mqtt_ca)
    except ValueError as error:
        parser.error(f"argument --mqtt: {error}")


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, not {text:.20}") from None


def _score(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, not {text:.20}") from None


def _region(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(
            f"must be left, top, width and height in pixels, such as 100,50,640,80, not {text:.40}"
        )
    return tuple(int(part[:9]) for part in parts)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        position = getattr(error, "pos", None)
        place = "" if position is None else f" at character {position + 1}"
        reason = getattr(error, "msg", None) or error
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a regular expression: {reason}{place}"
        ) from None
