"""OCR: load a picture, detect its regions, crop, orient and recognize them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Literal, NoReturn, overload

from .bundle.bundle import Bundle
from .bundle.postprocess_settings import Shape
from .decoding.limits import MAX_IMAGE_PIXELS, Limits, checked_pixels
from .device.cpus import checked, confined
from .errors import EdgeOCRError, printable
from .images import Image, Source, name_of
from .layout import ReadingOrder, analyse
from .memory import limit as memory_limits
from .memory.budget import MemoryBudget
from .memory.opening import Opening, OpenReader
from .memory.read_crops import read_each, read_together
from .page import Detections, Page
from .results.lines import Reading
from .runtime import stream
from .runtime.lifetime import Lifetime
from .runtime.options import RuntimeOptions
from .runtime.outcomes import OnError, check_several, handled, outcome
from .runtime.stopping import carried
from .runtime.stopwatch import Stopwatch
from .runtime.warm_up import WarmUpResult
from .stages.frames import counted
from .stages.loading import DRAWING_BYTES
from .stages.opening import Stage, check_options, open_bundle, wanted_stages
from .stages.reading import blocks_in_order, find_regions, read_lines, regions_in_order
from .stages.text_layer import page_of as page_of_text_layer
from .stages.words import detail_of


class OCR(AbstractContextManager["OCR"]):
    """A reader of pictures that runs the networks of one bundle. Threads may share it.

    In a forked process, the first call opens the stages again.

    >>> page = OCR().read("tests/images/sample.jpg")
    >>> print(page.text)

    Attributes:
        providers: The execution provider that each stage runs on, by stage.
        skipped_providers: Why "auto" did not use a better provider, one reason each.
        variants: The precision of the graph that was taken in each stage that has several.
        variant_reasons: Why it was taken, by stage; also for stages that were tuned.
        tuning: The file in which `edgeocr tune` kept what it found out, or why it is ignored.
        engine_folders: Folders in which TensorRT's engines are kept.
        threads: The number of CPU threads in use.
        upright: As it was given; so is `split_gaps`.
        bundle_name: Name of the bundle.
        bundle_digest: sha256 of the bundle's manifest, which covers all its files.
    """

    def __init__(
        self,
        bundle: str | os.PathLike[str] | Bundle | None = None,
        *,
        provider: str | Mapping[str, str] = "auto",
        threads: int | None = None,
        orientation: bool = True,
        upright: bool = True,
        unwarp: bool = True,
        shape: Shape | None = None,
        max_pixels: int | None = None,
        max_image_pixels: int | None = MAX_IMAGE_PIXELS,
        reading_order: ReadingOrder = "auto",
        restore_spaces: bool = True,
        split_gaps: bool = True,
        memory_limit: int | str | None = None,
        require_signature: str | os.PathLike[str] | bytes | None = None,
        expect_digest: str | None = None,
        runtime: RuntimeOptions | None = None,
    ) -> None:
        """Open a bundle.

        Args:
            bundle: Path of a bundle, an opened `Bundle`, or None for the one in the package.
            provider: Name of an execution provider such as "cpu", "cuda" or "tensorrt"; "auto" for
                the best that works here; or a mapping of stages to such names, as in
                {"recognition": "cpu"}.
            threads: CPU threads; by default the tuned or the bundle's number, or else all.
            orientation: Turn crops that are upside down, if the bundle has a classifier for that.
            upright: Find out whether a picture is turned by 90, 180 or 270 degrees, and read it the
                right way up; otherwise its lines are read as they stand.
            unwarp: Flatten bent pages, if the bundle has a network for that.
            shape: The shape of the regions to find, "quad" or "polygon"; by default the bundle's.
                Polygons follow curved lines and are straightened before they are read. EAST finds
                quads only, PGNet polygons only.
            max_pixels: The most pixels of one run of detection; by default the bundle's.
            max_image_pixels: The most pixels that a picture may have by its file's header, so that
                a small file can't fill the memory; None for no limit.
            reading_order: "rows" reads across the whole page, "columns" reads each column to its
                end, and "auto" decides by where the lines stand.
            restore_spaces: Add the spaces between Latin words that the network has left out.
            split_gaps: Cut lines that run over two columns of text or two cells of a table.
            memory_limit: What memory the process may hold, in bytes or as in "300MB" or "1.5GB";
                0 or "none" for no limit; by default the bundle's. To stay below it, pictures are
                detected at smaller sizes and fewer lines are read at a time. It is kept on Linux,
                on the CPU, by one `OCR` in a process, and counts what the process held before.
            require_signature: Path of a public key in PEM, or its content: the bundle is refused
                unless it is signed by this key.
            expect_digest: The digest in hexadecimal that the bundle must have, or it is refused.
            runtime: Further options of the execution providers.

        Raises:
            BundleError: The bundle can't be opened, or is not the expected one; a `SignatureError`
                if it is not signed as required.
            ProviderUnavailableError: The provider is not in this build of ONNX Runtime, or does not
                start here.
            GraphError: ONNX Runtime can't load one of the graphs.
            MemoryLimitError: The memory limit is too low for the bundle.
            ValueError: An argument has an impossible value.
        """
        check_options(threads, shape, reading_order)
        runtime = runtime or RuntimeOptions()
        self._cpus = None if runtime.cpus is None else checked(runtime.cpus)
        limit = memory_limits.parse(memory_limit)
        self._analyse = partial(analyse, reading_order=reading_order)
        opened = open_bundle(bundle, require_signature, expect_digest)
        stages, self.bundle_digest = opened.manifest.stages, opened.digest
        self.bundle_name = printable(opened.manifest.name)
        used = {"page_orientation": upright, "unwarping": unwarp, "orientation": orientation}
        wanted = wanted_stages(stages, max_pixels, used, restore_spaces=restore_spaces)
        opening = Opening.of(
            opened,
            wanted,
            provider,
            runtime,
            threads=threads,
            cpus=self._cpus,
            shape=shape,
            limit=limit,
            max_image_pixels=checked_pixels(max_image_pixels),
        )
        self.upright, self.split_gaps = upright, split_gaps
        self.threads, self.tuning = opening.threads, opening.tuned
        reader = opening.open(opened)
        self._life = Lifetime(reader, opening.reopen, "this OCR")
        self.providers = {name: stage.session.provider for name, stage in self.stages.items()}
        self.skipped_providers = reader.stages.skipped_providers
        self.variants = reader.stages.variants
        self.variant_reasons = reader.stages.variant_reasons
        self.engine_folders = reader.stages.engine_folders

    @property
    def stages(self) -> dict[str, Stage]:
        """The opened stages by name, such as a `Detector` and a `Recognizer`."""
        return self._life.opened().stages.by_name

    @property
    def memory_budget(self) -> MemoryBudget | None:
        """What the memory limit leaves for runs and pictures; None without a limit."""
        return self._life.opened().budget

    @property
    def limits(self) -> Limits:
        """How large files and pictures may be."""
        return self._life.opened().loader.limits

    @property
    def pages_at_once(self) -> int:
        """How many of several pages are read side by side: up to four, or two in limited memory."""
        return self._life.opened().pages_at_once

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: sessions and threads belong to one process."""
        raise TypeError("an OCR can't be pickled or copied: create one in each process")

    def __exit__(self, *_: object) -> None:
        """Close this `OCR`."""
        self.close()

    def close(self) -> None:
        """Free the sessions, their memory and the threads, once no thread uses them any more.

        Every later call raises `ClosedError`. Closing again does nothing.
        """
        self._life.close()

    @contextmanager
    def using(self) -> Iterator[OpenReader]:
        """Keep the stages and threads open while the block, in which the caller uses them, runs."""
        with self._life.using() as reader, confined(self._cpus), reader.pool.working():
            yield reader

    def warm_up(self) -> dict[str, WarmUpResult]:
        """Run each stage on every input shape that it can be given, and return what was done.

        Afterwards no page waits for an algorithm to be chosen or an engine to be built. A stage
        that takes any shape runs once. With TensorRT this builds the engines, which takes minutes,
        and keeps them; from then on "auto" uses TensorRT.

        Raises:
            GraphError: A network failed.
        """
        with self.using() as reader:
            stages = reader.stages.by_name.items()
            return {name: stage.session.warm_up() for name, stage in stages}

    def read(
        self,
        source: Source,
        *,
        words: bool = False,
        characters: bool = False,
        shape: Shape | None = None,
    ) -> Page:
        """Find and read all lines of a picture, or of its first frame if it has several.

        Args:
            source: A path or the bytes of a picture or PDF file, an open binary file, a PIL image,
                or an array: grey [H, W], BGR [H, W, 3] or BGRA [H, W, 4], uint8 or uint16.
            words: Give each line its words, and its characters if some are Chinese, Japanese or
                Korean. Attention, SRN and PGNet don't tell where characters stand, so their lines
                are divided evenly.
            characters: Give each line its words and its characters.
            shape: The shape of the regions to find; by default the one of this `OCR`.

        Raises:
            ValueError: The bundle's algorithm can't find regions of this shape.
            ImageError: The source is no image.
            StageMissingError: The bundle lacks a stage for reading.
            GraphError: A network failed.
            MemoryLimitError: The picture can't be read within the memory limit.
            ClosedError: This `OCR` is closed, or the interpreter is ending.
            ForkedError: The execution provider can't be used in a forked process.
        """
        watch = Stopwatch()
        detail = detail_of(words=words, characters=characters)
        self._life.check()
        if (page := page_of_text_layer(source, self._analyse, detail)) is not None:
            return page
        stages = self._life.opened().stages.finding(shape)
        with (  # load the picture; whatever fails below is raised as an error that names it
            self._life.using() as reader,
            reader.loader.picture(source, watch, stages.copies_bytes) as picture,
            reader.pool.working(),
        ):
            # Turn the page upright, flatten it, and find and read its lines.
            found = read_lines(
                stages,
                picture,
                watch,
                turn_pages=self.upright,
                # Within a memory limit, crops make their pixels each time they are needed.
                keep_pixels=reader.budget is None,
                split_gaps=self.split_gaps,
                detail=detail,
            )
            with watch("layout"):  # into reading order, and back to pixels of the source
                blocks = blocks_in_order(found, self._analyse)
        return Page(
            name_of(source),
            picture.width,
            picture.height,
            tuple(line for block in blocks for line in block.lines),
            watch.milliseconds,
            dict(self.providers),
            blocks,
            found.rotation,
            frames=counted(source, picture.frames),
            variants=dict(self.variants),
        )

    @overload
    def read_many(
        self,
        sources: Iterable[Source],
        *,
        on_error: Literal["return"] = "return",
        words: bool = ...,
        characters: bool = ...,
        shape: Shape | None = ...,
    ) -> Iterator[Page | EdgeOCRError]: ...
    @overload
    def read_many(
        self,
        sources: Iterable[Source],
        *,
        on_error: Literal["raise", "skip"],
        words: bool = ...,
        characters: bool = ...,
        shape: Shape | None = ...,
    ) -> Iterator[Page]: ...
    def read_many(
        self,
        sources: Iterable[Source],
        *,
        on_error: OnError = "return",
        words: bool = False,
        characters: bool = False,
        shape: Shape | None = None,
    ) -> Iterator[Page] | Iterator[Page | EdgeOCRError]:
        """Read pictures in their order, and all frames of each; `pages_at_once` at a time.

        Args:
            sources: Pictures as `read` takes them.
            on_error: What becomes of a picture that fails: "return" yields its error in its place,
                "skip" leaves it out, "raise" raises the error there and ends.
            words: As for `read`.
            characters: As for `read`.
            shape: As for `read`.

        Raises:
            TypeError: `sources` is a single picture.
            ValueError: `on_error` is none of the three.
        """
        check_several(sources, "read_many", "read", on_error)
        frames = self._life.opened().loader.frames(sources)
        self._life.check()
        read = partial(self.read, words=words, characters=characters, shape=shape)
        work = carried(partial(outcome, read))
        outcomes = stream.in_order(work, frames, self.pages_at_once)
        return handled(outcomes, on_error)

    def detect(self, source: Source, *, shape: Shape | None = None) -> Detections:
        """Find the regions with text, in reading order, without reading them.

        A spotting stage finds only what it can read, and its regions have the scores of their
        texts.

        Args:
            source: A picture as `read` takes it.
            shape: As for `read`.

        Raises:
            EdgeOCRError, ValueError: As for `read`.
        """
        watch = Stopwatch()
        stages = self._life.opened().stages.finding(shape)
        with self._life.using() as reader, reader.loader.picture(source, watch) as picture:
            found = find_regions(stages, picture.image, watch)
            with watch("layout"):
                regions = regions_in_order(found, self._analyse, picture.in_source)
        name, size, frames = name_of(source), picture.size, counted(source, picture.frames)
        return Detections(name, *size, regions, watch.milliseconds, dict(self.providers), frames)

    @overload
    def recognize(
        self, crops: Iterable[Source], *, on_error: Literal["raise", "skip"] = "raise"
    ) -> list[Reading]: ...
    @overload
    def recognize(
        self, crops: Iterable[Source], *, on_error: Literal["return"]
    ) -> list[Reading | EdgeOCRError]: ...
    def recognize(
        self, crops: Iterable[Source], *, on_error: OnError = "raise"
    ) -> list[Reading] | list[Reading | EdgeOCRError]:
        """Read crops that hold one upright line each.

        Args:
            crops: Pictures as `read` takes them.
            on_error: What becomes of a crop that fails: "raise" raises its error, "return" puts the
                error in its place, "skip" leaves it out.

        Returns:
            Texts and scores, in the order of the crops.

        Raises:
            EdgeOCRError: As for `read`, where `on_error` is "raise".
            TypeError: `crops` is a single picture.
            ValueError: `on_error` is none of the three.
        """
        check_several(crops, "recognize", "recognize([crop])", on_error)
        with self._life.using() as reader:
            if on_error == "raise":
                return read_together(reader, list(crops), self._cpus)
            return list(handled(read_each(reader, crops, self._cpus), on_error))

    def draw(
        self, source: Source, result: Page | Detections, *, texts: bool = False, words: bool = False
    ) -> Image:
        """Draw what was found in a picture, within the memory limit.

        Args:
            source: The picture that the result is of.
            result: What `read` or `detect` returned.
            texts: Add a sheet with the texts of a page at the right.
            words: Draw the words of a page, too, if its lines have words.

        Returns:
            uint8 [H, W, 3] BGR, or [H, 2 · W, 3] with texts.

        Raises:
            FontError: The texts can't be drawn.
            EdgeOCRError: As for `read`.
        """
        with (
            self._life.using() as reader,
            reader.loader.picture(source, Stopwatch(), DRAWING_BYTES) as picture,
        ):
            if isinstance(result, Page):
                return result.draw(picture.image, texts=texts, words=words)
            return result.draw(picture.image)
