"""Read random pictures in many threads, with forks and interrupts, and find what leaks.

Usage: python -m benchmarks soak [--pictures N] [--threads N] [--seconds S].

The pictures are counted in windows. The last window is compared with the first one, which begins
after a warm-up: the command fails if the process holds more memory, descriptors or threads, if
reading has become slower, or if a picture gave another text than at the beginning.
"""

from __future__ import annotations

import _thread
import argparse
import faulthandler
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, perf_counter, sleep

from edgeocr import OCR, EdgeOCRError, ImageError
from edgeocr.memory.limit import release_unused, resident_bytes

from .inputs import positive
from .soak_pictures import Samples
from .windows import Window, findings

WINDOWS = 5
# The share of the pictures that are read before the first window.
WARM_UP = 0.1
# How much the last window may exceed the first: resident memory and the median time of a picture.
MOST_GROWTH, MOST_DRIFT = 0.1, 0.5
# Seconds between two disturbances, each of which is a fork, an abandoned stream or an interrupt.
PAUSE = 0.5
# Seconds after which a forked child, or the whole soak without any picture read, counts as hanging.
PATIENCE = 120.0
# Seconds between two samples of what the process holds. Before each, freed memory is given back to
# the system: the C library keeps what each of many threads has freed, which looks like a leak.
SAMPLING = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--bundle", help="path of a bundle; default: the package's own")
    parser.add_argument(
        "--pictures", type=positive, default=5000, help="number of pictures; default: 5000"
    )
    parser.add_argument("--threads", type=positive, default=16, help="reading threads; default: 16")
    parser.add_argument("--seconds", type=positive, help="end after so many seconds, if sooner")
    parser.add_argument("--seed", type=int, default=0, help="chooses the pictures; default: 0")
    parser.add_argument(
        "--growth",
        type=float,
        default=MOST_GROWTH,
        help="the share by which resident memory may grow; default: %(default)s",
    )
    parser.add_argument(
        "--drift",
        type=float,
        default=MOST_DRIFT,
        help="the share by which the median time of a picture may grow; default: %(default)s",
    )


def run(options: argparse.Namespace) -> None:
    """Run the soak and print its windows; the exit code is 1 if it has found something."""
    if not Path("/proc/self/fd").is_dir():
        raise SystemExit("error: only Linux tells what a process holds in /proc")
    samples = Samples(options.seed)
    with OCR(options.bundle, provider="cpu") as ocr:
        soak = Soak(ocr, samples)
        soak.read(options.pictures, options.threads, options.seconds, options.seed)
    windows = soak.windows()
    print("window  pictures  RSS MB  descriptors  threads  median ms")
    for number, window in enumerate(windows, 1):
        print(f"{number:6}  {window}")
    print(
        f"{soak.read_pictures} pictures, of which {soak.refused} were broken and refused; "
        f"{soak.forks} forks, {soak.abandoned} abandoned streams, {soak.interrupts} interrupts"
    )
    found = [*soak.failures, *findings(windows, options.growth, options.drift)]
    for each in found:
        print(f"found: {each}")
    raise SystemExit(1 if found else 0)


@dataclass(frozen=True)
class _Sample:
    """What the process holds at one moment: resident bytes, descriptors and threads."""

    read_pictures: int
    rss: int
    descriptors: int
    threads: int


@dataclass
class Soak:
    """One soak: threads that read, and a main thread that disturbs them.

    Attributes:
        ocr: Reads the pictures.
        samples: The pictures.
        milliseconds: The time of each picture that was read, in the order in which they ended.
        failures: What went wrong, as sentences.
        refused: How many broken pictures were refused.
        forks, abandoned, interrupts: How many disturbances of each kind there were.
    """

    ocr: OCR
    samples: Samples
    milliseconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    refused: int = 0
    forks: int = 0
    abandoned: int = 0
    interrupts: int = 0

    def __post_init__(self) -> None:
        """Read the drawn pictures once, in one thread, to know their texts."""
        self._expected = [self.ocr.read(each).text for each in self.samples.originals]
        self._held: list[_Sample] = []
        self._ended = threading.Event()

    @property
    def read_pictures(self) -> int:
        """How many pictures were read or refused."""
        return len(self.milliseconds)

    def read(self, pictures: int, threads: int, seconds: float | None, seed: int) -> None:
        """Read pictures in threads, and disturb them from this one, which must be the main thread.

        Args:
            pictures: How many pictures to read.
            threads: How many threads read.
            seconds: End after this time; None for no limit.
            seed: Chooses the disturbances.
        """
        end = None if seconds is None else monotonic() + seconds
        numbers = iter(range(pictures))  # its steps are atomic, so that threads can share it
        readers = [
            threading.Thread(target=self._read_some, args=(numbers,)) for _ in range(threads)
        ]
        watcher = threading.Thread(target=self._watch)
        for each in (*readers, watcher):
            each.start()
        chance = Random(seed)
        disturbances = (self._fork, self._abandon, self._interrupt)
        for number in count():
            if not any(each.is_alive() for each in readers):
                break
            if end is not None and monotonic() > end:
                break
            if number % 4:
                disturbances[number % 4 - 1](chance)
            sleep(PAUSE)
        for _ in numbers:  # leave nothing for the readers to begin
            pass
        for each in readers:
            each.join()
        self._ended.set()
        watcher.join()

    def windows(self) -> list[Window]:
        """Divide the pictures after the warm-up into windows; fewer if there are few pictures."""
        warm = int(self.read_pictures * WARM_UP)
        size = (self.read_pictures - warm) // WINDOWS
        windows = []
        for begin in range(warm, warm + size * WINDOWS, max(1, size)):
            held = [each for each in self._held if begin <= each.read_pictures < begin + size]
            if held:
                windows.append(
                    Window(
                        size,
                        median(each.rss for each in held),
                        min(each.descriptors for each in held),
                        min(each.threads for each in held),
                        median(self.milliseconds[begin : begin + size]),
                    )
                )
        return windows

    def _read_some(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            sample = self.samples.sample(number)
            start = perf_counter()
            try:
                text = self.ocr.read(sample.source).text
            except ImageError as error:
                self.refused += 1
                if not sample.broken:
                    self.failures.append(f"picture {number} was refused: {error}")
            except Exception as error:  # whatever it is, the soak has to report it
                self.failures.append(f"picture {number}: {type(error).__name__}: {error}")
            else:
                if sample.original is not None and text != self._expected[sample.original]:
                    self.failures.append(f"picture {number} gave another text than before")
            self.milliseconds.append(1000 * (perf_counter() - start))

    def _watch(self) -> None:
        """Note what the process holds, and end the process with a report if nothing goes on."""
        known, since = 0, monotonic()
        while not self._ended.wait(SAMPLING):
            release_unused()
            self._held.append(
                _Sample(
                    self.read_pictures,
                    resident_bytes(),
                    len(list(Path("/proc/self/fd").iterdir())),
                    len(list(Path("/proc/self/task").iterdir())),
                )
            )
            if self.read_pictures > known:
                known, since = self.read_pictures, monotonic()
            elif monotonic() - since > PATIENCE:
                print(f"found: nothing has been read for {PATIENCE:.0f} s", flush=True)
                faulthandler.dump_traceback()
                os._exit(1)

    def _fork(self, chance: Random) -> None:
        """Read a picture in a forked child, which must not hang."""
        self.forks += 1
        number = chance.randrange(len(self._expected))
        with warnings.catch_warnings():  # Python 3.12 warns of every fork with threads
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            faulthandler.dump_traceback_later(0.9 * PATIENCE)  # says where a child hangs
            try:
                text = self.ocr.read(self.samples.originals[number]).text
                os._exit(0 if text == self._expected[number] else 3)
            except EdgeOCRError:
                os._exit(4)
            finally:
                os._exit(5)
        end = monotonic() + PATIENCE
        while monotonic() < end:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                if status:
                    code = os.waitstatus_to_exitcode(status)
                    self.failures.append(f"a forked child ended with code {code}")
                return
            sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.failures.append(f"a forked child did not end within {PATIENCE:.0f} s")

    def _abandon(self, chance: Random) -> None:
        """Leave a stream in the middle: close it, or forget it."""
        self.abandoned += 1
        sources = [self.samples.sample(chance.randrange(1 << 30)).source for _ in range(6)]
        results = self.ocr.read_many(sources)
        for _ in islice(results, chance.randrange(4)):
            pass
        if chance.random() < 0.5:
            results.close()  # type: ignore[attr-defined]

    def _interrupt(self, chance: Random) -> None:
        """Read until a KeyboardInterrupt comes at a random moment, alone or in a stream."""
        self.interrupts += 1
        # A process that a shell starts in the background ignores Ctrl+C.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = threading.Timer(chance.uniform(0.01, 0.5), _thread.interrupt_main)
        originals = self.samples.originals
        try:
            timer.start()
            while True:
                if chance.random() < 0.5:
                    self.ocr.read(chance.choice(originals))
                else:
                    for _ in self.ocr.read_many(originals[:4]):
                        pass
        except KeyboardInterrupt:
            pass
        finally:
            timer.join()
            signal.signal(signal.SIGINT, before)
