"""What `edgeocr read`, `detect` and `recognize` do: sources in, results out, nothing lost."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO, TypeAlias

import cv2

from .. import images
from ..errors import EdgeOCRError, FontError, ImageError
from ..images import Image, Source
from ..memory.budget import Budget
from ..memory.loading import loaded
from ..ocr import OCR
from ..page import Line, Page, Reading
from ..runtime.stopwatch import Stopwatch
from ..writers import overlay
from .arguments import engine_options

NamedSource: TypeAlias = "tuple[str, Source | EdgeOCRError]"
# Crops that `recognize` reads together, so that all threads have work.
CROPS_AT_ONCE = 32
# Bytes that drawing an overlay takes for each pixel of its picture.
DRAWING = 14
# What `--output` writes when `--format` doesn't say.
FORMATS = {".json": "json", ".jsonl": "jsonl"}


@dataclass(frozen=True)
class Result:
    """What one source gave, ready to be written in each format."""

    data: dict[str, Any]
    text: str
    lines: tuple[Line, ...] = ()
    error: EdgeOCRError | None = None
    note: str = ""


def run(options: argparse.Namespace) -> int:
    """Run one of the three commands; returns the exit code 0, or 1 when a source failed."""
    sources = list(named_sources(options.sources))
    files = {Path(name).resolve() for name, _ in sources}
    if options.output is not None and options.output.resolve() in files:
        raise EdgeOCRError(f"{options.output} is one of the sources: --output would overwrite it")
    format_ = options.format or FORMATS.get(options.output and options.output.suffix, "text")
    ocr = open_ocr(
        options,
        orientation=options.command == "read" and not options.no_orientation,
        shape=getattr(options, "shape", None),
    )
    if options.verbose:
        providers = ", ".join(f"{stage} on {name}" for stage, name in ocr.providers.items())
        print(f"edgeocr: {providers}", file=sys.stderr)
        for reason in ocr.skipped_providers:
            print(f"edgeocr: passed over: {reason}", file=sys.stderr)
        if ocr.memory is not None:
            print(f"edgeocr: {ocr.memory.note()}", file=sys.stderr)
    work = {"read": _read, "detect": _detect, "recognize": _recognize}[options.command]
    # A single picture gives one JSON object; anything that can be several gives a list.
    several = len(sources) > 1 or any(Path(name).is_dir() for name in options.sources)
    failed = False
    with ExitStack() as stack:
        stream = _open_output(options.output, stack)
        stack.callback(stream.flush)  # here a full disk or a closed pipe can still be reported
        pictures = None
        if getattr(options, "overlay", None):
            pictures = _Overlays(
                options.overlay, files, ocr.memory, texts=options.command == "read"
            )
        collected: list[dict[str, Any]] = []
        if format_ == "json":  # also what was read before an interruption
            stack.callback(_write_json, stream, collected, several)
        progress = stack.enter_context(_Progress(len(sources), sys.stderr))
        for (name, source), result in zip(sources, work(ocr, sources), strict=True):
            if result.error is not None:
                failed = True
                progress.say(f"edgeocr: error: {result.data['error']}")
            elif pictures is not None and not isinstance(source, EdgeOCRError):
                for complaint in pictures.write(name, source, result.lines):
                    failed = True
                    progress.say(f"edgeocr: {complaint}")
            if options.verbose and result.note:
                progress.say(f"{name}: {result.note}")
            if format_ == "text":
                header = f"==> {name} <==\n" if several and result.error is None else ""
                stream.write(header + result.text)
            elif format_ == "jsonl":
                stream.write(json.dumps(result.data, ensure_ascii=False) + "\n")
            else:
                collected.append(result.data)
            progress.advance(name)
    return 1 if failed else 0


def open_ocr(options: argparse.Namespace, **given: Any) -> OCR:
    """The `OCR` that the command line's options ask for."""
    return OCR(options.bundle, provider=options.provider, **engine_options(options), **given)


def warm(options: argparse.Namespace) -> int:
    """Run one command, `edgeocr warm`; returns the exit code 0."""
    ocr = open_ocr(options)
    for reason in ocr.skipped_providers:
        print(f"edgeocr: passed over: {reason}", file=sys.stderr)
    for stage, done in ocr.warm_up().items():
        shapes = "1 input shape" if done.shapes == 1 else f"{done.shapes} input shapes"
        print(f"{stage}: {shapes} on {done.provider} in {done.seconds:.1f} s")
    for folder in ocr.engine_folders:
        print(f"engines: {folder}")
    return 0


def _write_json(stream: TextIO, collected: list[dict[str, Any]], several: bool) -> None:
    if several or collected:
        whole = collected if several else collected[0]
        stream.write(json.dumps(whole, ensure_ascii=False, indent=1) + "\n")


def named_sources(arguments: list[str]) -> Iterator[NamedSource]:
    """Command line arguments → sources: files as they are, folders' pictures, standard input."""
    for argument in arguments:
        if argument == "-":
            yield "-", sys.stdin.buffer.read()
        elif Path(argument).is_dir():
            inside = sorted(
                path
                for path in Path(argument).iterdir()
                if path.suffix.lower() in images.SUFFIXES and path.is_file()
            )
            yield from ((str(path), path) for path in inside)
            if not inside:
                known = " ".join(sorted(images.SUFFIXES))
                yield argument, ImageError(f"no pictures in this folder itself ({known})")
        else:
            yield argument, argument


def _read(ocr: OCR, sources: list[NamedSource]) -> Iterator[Result]:
    given = [source for _, source in sources if not isinstance(source, EdgeOCRError)]
    pages = ocr.read_many(given)
    for name, source in sources:
        page = source if isinstance(source, EdgeOCRError) else next(pages)
        if isinstance(page, EdgeOCRError):
            yield _failure(name, page)
        else:
            page = replace(page, source=name)
            text = page.text + "\n" if page.lines else ""
            yield Result(page.to_dict(), text, page.lines, note=_note(page))


def _detect(ocr: OCR, sources: list[NamedSource]) -> Iterator[Result]:
    for name, source in sources:
        try:
            regions, width, height = ocr.detect_sized(_given(source))
        except EdgeOCRError as error:
            yield _failure(name, error)
            continue
        data = {
            "source": name,
            "width": width,
            "height": height,
            "regions": [region.to_dict() for region in regions],
        }
        rows = [
            " ".join(f"{x:.1f},{y:.1f}" for x, y in region.quad.tolist()) + f"\t{region.score:.3f}"
            for region in regions
        ]
        lines = tuple(Line("", region.score, region.quad, region.polygon) for region in regions)
        yield Result(data, "".join(row + "\n" for row in rows), lines)


def _recognize(ocr: OCR, sources: list[NamedSource]) -> Iterator[Result]:
    if ocr.memory is not None:
        yield from _recognize_singly(ocr, sources)
        return
    for start in range(0, len(sources), CROPS_AT_ONCE):
        loaded: list[tuple[str, Image | EdgeOCRError]] = []
        for name, source in sources[start : start + CROPS_AT_ONCE]:
            try:
                loaded.append((name, images.load(_given(source))))
            except EdgeOCRError as error:
                loaded.append((name, error))
        crops = [crop for _, crop in loaded if not isinstance(crop, EdgeOCRError)]
        readings = iter(ocr.recognize(crops))
        for name, crop in loaded:
            if isinstance(crop, EdgeOCRError):
                yield _failure(name, crop)
            else:
                yield _reading(name, next(readings))


def _recognize_singly(ocr: OCR, sources: list[NamedSource]) -> Iterator[Result]:
    """Where there is a limit of memory: pictures are loaded when there is room for them."""
    for name, source in sources:
        try:
            yield _reading(name, ocr.recognize([_given(source)])[0])
        except EdgeOCRError as error:
            yield _failure(name, error)


def _reading(name: str, reading: Reading) -> Result:
    data = {"source": name, "text": reading.text, "score": round(reading.score, 4)}
    return Result(data, reading.text + "\n")


def _given(source: Source | EdgeOCRError) -> Source:
    if isinstance(source, EdgeOCRError):
        raise source
    return source


def _failure(name: str, error: EdgeOCRError) -> Result:
    message = str(error) if str(error).startswith(name) else f"{name}: {error}"
    return Result({"source": name, "error": message}, "", error=error)


def _note(page: Page) -> str:
    stages = ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in page.milliseconds.items())
    return f"{page.width} × {page.height}, {len(page.lines)} lines; {stages}"


def _open_output(path: Path | None, stack: ExitStack) -> TextIO:
    if path is None:
        # JSON is UTF-8 everywhere, and names of files may hold any bytes.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        return sys.stdout
    try:
        return stack.enter_context(path.open("w", encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise EdgeOCRError(f"{path}: can't be written: {error.strerror or error}") from error


class _Overlays:
    """Writes overlay pictures to a folder, each under its source's name."""

    def __init__(
        self, folder: Path, sources: set[Path], memory: Budget | None, *, texts: bool
    ) -> None:
        self._folder = folder
        self._sources = sources
        self._memory = memory
        self._texts = texts
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EdgeOCRError(f"{folder}: can't be made: {error.strerror or error}") from error

    def write(self, name: str, source: Source, lines: tuple[Line, ...]) -> Iterator[str]:
        """Draw and write one picture; yields what went wrong, in words."""
        path = self._folder / self._free_name("stdin" if name == "-" else Path(name).stem)
        if path.resolve() in self._sources:
            yield f"{path} is one of the sources: the overlay would overwrite it"
            return
        try:
            with loaded(source, self._memory, Stopwatch(), DRAWING) as picture:
                content = self._drawn(picture.image, tuple(picture.of_image(lines)))
            path.write_bytes(content)
        except (EdgeOCRError, MemoryError, cv2.error) as error:
            yield f"{path}: can't be drawn: {error}"
        except OSError as error:
            yield f"{path}: can't be written: {error.strerror or error}"

    def _drawn(self, image: Image, lines: tuple[Line, ...]) -> bytes:
        """The file's content."""
        try:
            picture = overlay.draw(image, lines, texts=self._texts)
        except FontError as error:
            if self._texts:
                print(f"edgeocr: overlay without texts: {error}", file=sys.stderr)
            self._texts = False
            picture = overlay.draw(image, lines, texts=False)
        encoded, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        if not encoded:
            raise OSError("OpenCV can't encode it")
        return content.tobytes()

    def _free_name(self, stem: str) -> str:
        name, number = f"{stem}.jpg", 2
        while name in self._taken:
            name, number = f"{stem}-{number}.jpg", number + 1
        self._taken.add(name)
        return name


class _Progress:
    """A bar on a terminal for more than one picture, else nothing."""

    WIDTH = 24

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total, self._done, self._stream = total, 0, stream
        self._shown = total > 1 and stream.isatty()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def advance(self, name: str) -> None:
        """One more picture is done."""
        self._done += 1
        if self._shown:
            bar = "█" * (self._done * self.WIDTH // self._total)
            row = f"{bar:·<{self.WIDTH}} {self._done}/{self._total} {Path(name).name}"
            self._stream.write(f"\r\x1b[K{row:.78}")
            self._stream.flush()

    def say(self, line: str) -> None:
        """Print a line without tearing the bar."""
        self._clear()
        print(line, file=self._stream)

    def _clear(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
