"""Measure `edgeocr watch` on rendered videos: python -m benchmarks watch [--scenes NAME…].

The texts in each frame are known, so events can be scored. Single frames are also read by
themselves with `OCR.read`, to compare CPU time and texts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from edgeocr import OCR, EdgeOCRError
from edgeocr.outputs.replacement import write_file
from edgeocr.watch import WatchOptions

from . import machine
from .inputs import MeasurementError
from .progress import say
from .reading_options import add_reading_options
from .watch_encoded import EncodedRow, encoded_table, measure_encoded
from .watch_loop import loop_table, measure_loop
from .watch_picture import draw_watch
from .watch_rows import Row, judgements, measure_scene, tables
from .watch_runs import watch_images
from .watch_scenes import SCENES, Scene

SEED = 23
# The scenes that are also written as files: one without changes, one that moves, one that changes.
ENCODED_SCENES = ("sign", "ticker-slow", "meter")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    names = [scene.name for scene in SCENES]
    parser.add_argument(
        "--scenes",
        nargs="+",
        choices=names,
        default=names,
        metavar="NAME",
        help=f"which scenes; default: all of {', '.join(names)}",
    )
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="length of each video; default: 8"
    )
    parser.add_argument(
        "--stride",
        type=int,
        default=3,
        help="read one of this many frames by itself, 1 for all of them; default: 3",
    )
    parser.add_argument("--seed", type=int, default=SEED, help=f"default: {SEED}")
    parser.add_argument(
        "--mistakes", action="store_true", help="list the events that are lost or wrong"
    )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="measure nothing, but draw the first of the scenes with its events into a PNG file",
    )
    add_reading_options(parser, repeat=3)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "results",
        metavar="DIR",
        help="folder for the result; default: benchmarks/results",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the tables and whether the aims are met, and write JSON."""
    try:
        with OCR(options.bundle, provider="cpu", threads=options.threads) as ocr:
            if options.picture is not None:
                _draw(ocr, options)
                return
            rows = list(_rows(ocr, options))
            loop, encoded = list(measure_loop(ocr)), list(_encoded(ocr, options))
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    result = {
        "bundle": ocr.bundle_name,
        "seconds": options.seconds,
        "stride": options.stride,
        "seed": options.seed,
        "threads": options.threads,
        "rounds": options.repeat,
        "machine": machine.describe(),
        **{
            name: [asdict(row) for row in each]
            for name, each in (("rows", rows), ("loop", loop), ("encoded", encoded))
        },
    }
    print("\n\n".join([*tables(rows), loop_table(loop), encoded_table(encoded)]))
    print("\n" + "\n".join(judgements(rows)))
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / f"watch-{ocr.bundle_name}-{machine.slug(machine.describe())}.json"
    write_file(file, (json.dumps(result, indent=1, ensure_ascii=False) + "\n").encode())
    print(f"written to {file}")


def _scenes(options: argparse.Namespace) -> list[Scene]:
    return [scene for scene in SCENES if scene.name in options.scenes]


def _rows(ocr: OCR, options: argparse.Namespace) -> Iterator[Row]:
    for scene in _scenes(options):
        say(f"{scene.name}: {scene.about}")
        video = scene.render(options.seconds, options.seed)
        row, mistakes = measure_scene(ocr, video, options.repeat, options.stride)
        if options.mistakes:
            print("\n".join([f"{scene.name}:", *(f"  {each}" for each in mistakes)]))
        yield row


def _encoded(ocr: OCR, options: argparse.Namespace) -> Iterator[EncodedRow]:
    for scene in _scenes(options):
        if scene.name in ENCODED_SCENES:
            say(f"{scene.name} as a file")
            yield from measure_encoded(ocr, scene.render(options.seconds, options.seed))


def _draw(ocr: OCR, options: argparse.Namespace) -> None:
    video = _scenes(options)[0].render(options.seconds, options.seed)
    told = watch_images(ocr, video.images, WatchOptions()).told
    picture = draw_watch(video, told)
    picture.quantize(128).save(options.picture, optimize=True)
    print(f"written to {options.picture}")
