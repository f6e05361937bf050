"""What `edgeocr watch` writes: its output, pictures of events, and messages to a broker."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..outputs.appending import AppendedFile
from ..outputs.devices import DeviceFile, is_device
from ..outputs.replacement import GrowingFile
from ..watch.outputs.formats import EventFormat, chosen
from ..watch.outputs.snapshots import Snapshots, path_in
from ..writers import jpeg
from .results import Sink, StandardOutput
from .signals import signals_deferred

if TYPE_CHECKING:
    from ..outputs.guard import OutputGuard
    from ..watch import Event, WatchOptions
    from ..watch.outputs.mqtt import Broker


class WatchResults:
    """All outputs of a watch, to which events are added.

    Attributes:
        description: Where the events go, as part of a sentence.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        watch_options: WatchOptions,
        broker: Broker | None,
        guard: OutputGuard,
    ) -> None:
        """Open the outputs.

        Args:
            options: The parsed arguments of the command.
            watch_options: The options of the watch.
            broker: Where to publish the events; None not to publish them.
            guard: Knows which files must not be replaced.

        Raises:
            EdgeOCRError: An output can't be written, or the library that publishes is missing.
        """
        format_ = chosen(options.format, options.output)
        self._failed = False
        if options.output is not None:
            guard.check(options.output, format_.is_ours, "--output")
        self._snapshots: Snapshots | None = None
        if options.snapshot is not None:
            guard.check(path_in(options.snapshot), jpeg.is_ours, "--snapshot")
            self._snapshots = Snapshots(options.snapshot, options.snapshots_kept)
        self._sink = _sink(options.output, format_, anew=options.overwrite)
        self._is_file = isinstance(self._sink, AppendedFile | GrowingFile)
        self._writer = format_.writer(self._sink, watch_options)
        self._publisher = None
        if broker is not None:
            from ..watch.outputs.mqtt import Publisher

            try:
                self._publisher = Publisher(broker)
            except BaseException:
                self._sink.discard()
                raise
        places = [f"{options.output or 'standard output'} as {format_.title}"]
        if self._snapshots is not None:
            places.append(f"{options.snapshot} as pictures")
        if broker is not None:
            places.append(str(broker))
        self.description = f"events go to {', '.join(places)}"

    def add(self, event: Event) -> None:
        """Write an event to all outputs immediately.

        Raises:
            OutputError: The output can't be written. If only a picture or a message can't be, this
                is logged, and the watch goes on.
            BrokenPipeError: The program that reads the output has ended.
        """
        more: dict[str, Any] = {}
        if self._snapshots is not None:
            more["snapshot"] = self._snapshots.write(event)
        if self._publisher is not None:
            self._publisher.add(event, more)
        try:
            with self._writing():
                self._writer.add(event, more)
        except Exception:
            self._failed = True
            raise

    def close(self, seconds: float | None) -> None:
        """Complete the outputs.

        Args:
            seconds: The time of the last frame; None if there was no frame.

        Raises:
            OutputError: The output can't be completed.
        """
        try:
            if not self._failed:
                with self._writing():
                    self._writer.close(seconds)
                    self._sink.commit()
        finally:
            self._sink.discard()
            if self._publisher is not None:
                self._publisher.close()

    def _writing(self) -> AbstractContextManager[None]:
        """Defer signals while a file is written; a pipe may block and must stay interruptible."""
        return signals_deferred() if self._is_file else nullcontext()


def _sink(path: Path | None, format_: EventFormat, *, anew: bool) -> Sink:
    if path is None:
        return StandardOutput(is_text=True)
    if is_device(path):
        return DeviceFile(path)
    return AppendedFile(path) if format_.grows and not anew else GrowingFile(path)
