"""Videos in files: what encoding does to the events, and what decoding costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import cv2

from edgeocr import OCR
from edgeocr.watch import Frame, WatchOptions, events_of
from edgeocr.watch.sources import open_source

from .inputs import MeasurementError
from .watch_drawing import HEIGHT, WIDTH
from .watch_scoring import Told, score
from .watch_truth import FPS, Video

# Formats that OpenCV's wheels can write on every system: the ending of the file and the codec.
FORMATS = (("avi", "MJPG"), ("mp4", "mp4v"))


@dataclass(frozen=True)
class EncodedRow:
    """What became of a video that was written as a file and read back.

    Attributes:
        scene: Name of the scene.
        format: The codec.
        bits: Megabits per second of video.
        decode_cpu: CPU seconds for decoding a second of video, without looking at it.
        cpu: CPU seconds per second of video of a watch that looks at every frame, including
            decoding.
        precision, recall: As in `watch_scoring.Scored`.
        exact: How many of the events asked for have exactly the right text.
        asked: How many events are asked for.
    """

    scene: str
    format: str
    bits: float
    decode_cpu: float
    cpu: float
    precision: float
    recall: float
    exact: int
    asked: int


def measure_encoded(ocr: OCR, video: Video) -> Iterator[EncodedRow]:
    """Write a video in each format, watch the file, and yield a row for each format.

    Raises:
        MeasurementError: OpenCV can't write the format.
    """
    options = WatchOptions()
    with TemporaryDirectory() as folder:
        for ending, codec in FORMATS:
            path = Path(folder) / f"video.{ending}"
            _write(path, codec, video)
            decode = _decode(path)
            told, cpu = _watch(ocr, path, options)
            scored = score(video, told, options.patience)
            yield EncodedRow(
                video.name,
                codec,
                round(8e-6 * path.stat().st_size / video.seconds, 2),
                round(decode / video.seconds, 4),
                round(cpu / video.seconds, 4),
                round(scored.precision, 4),
                round(scored.recall, 4),
                scored.exact,
                len(scored.required),
            )


def _write(path: Path, codec: str, video: Video) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), float(FPS), (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise MeasurementError(f"this build of OpenCV can't write {codec} videos")
    for image in video.images:
        writer.write(image)
    writer.release()


def _decode(path: Path) -> float:
    """Return the CPU time of decoding all frames."""
    capture = cv2.VideoCapture(str(path))
    began = process_time()
    while capture.read()[0]:
        pass
    cpu = process_time() - began
    capture.release()
    return cpu


def _watch(ocr: OCR, path: Path, options: WatchOptions) -> tuple[list[Told], float]:
    newest = 0

    def noted(frames: Iterator[Frame]) -> Iterator[Frame]:
        nonlocal newest
        for frame in frames:
            newest = frame.number
            yield frame

    began = process_time()
    with open_source(path, options) as frames:
        told = [Told(event, newest) for event in events_of(noted(frames), ocr, options)]
    return told, process_time() - began


def encoded_table(rows: Sequence[EncodedRow]) -> str:
    """Format the rows as a table of Markdown."""
    lines = [
        "| Scene | Format | Mbit/s | Decoding | Watch with decoding | Precision | Recall | Exact |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {row.scene} | {row.format} | {row.bits:.1f} | {row.decode_cpu:.3f} s "
            f"| {row.cpu:.3f} s | {row.precision:.3f} | {row.recall:.3f} "
            f"| {row.exact} of {row.asked} |"
            for row in rows
        ),
    ]
    return "\n".join(lines)
