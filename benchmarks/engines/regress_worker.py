"""The job of `benchmarks.regress`: reads one small picture with the edgeocr of a checkout.

Arguments: the checkout, a bundle, a picture, how often to read it, and the JSON file to write. Run
by its path with PYTHONPATH set to the checkout, so that the same worker measures any version.

The picture has two tilted lines. The bundle is the embedded one, except that detection takes the
picture at its own size: as it is it enlarges every picture to 736 pixels at least, and valgrind
emulates fused multiply-adds so slowly (50 ns for each number) that such a read takes minutes.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from time import process_time
from typing import TypedDict

import cv2

import edgeocr

# Whoever changes what is done here makes another job: count it up.
JOB = "two lines of sample.jpg, 1"
PICTURE = Path(__file__).parents[2] / "tests" / "images" / "sample.jpg"
TOP, LEFT, SIDE = 70, 640, 160
# A function of the C library that nobody else calls, and that Python calls with nothing around it.
MARK = "getppid"


class Read(TypedDict):
    """The lines that were read, and the CPU seconds of each read."""

    texts: list[str]
    seconds: list[float]


def prepare(checkout: Path, folder: Path) -> tuple[Path, Path]:
    """Write the bundle of the checkout, and the picture, into a new folder; returns their paths.

    Raises `OSError`, `ValueError` or `KeyError` when the checkout has no bundle as it is needed.
    """
    bundle, picture = folder / "bundle", folder / "picture.png"
    embedded = checkout / "edgeocr" / "bundles" / "tiny.edgeocr"
    if not zipfile.is_zipfile(embedded):
        raise ValueError(f"no bundle {embedded}")
    with zipfile.ZipFile(embedded) as archive:
        archive.extractall(bundle)
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["stages"]["detection"]["resize"]["limit_side"] = SIDE
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    image = cv2.imread(str(PICTURE))
    if image is None:
        raise ValueError(f"no picture {PICTURE}")
    cv2.imwrite(str(picture), image[TOP : TOP + SIDE, LEFT : LEFT + SIDE])
    return bundle, picture


def variables(checkout: Path) -> dict[str, str]:
    """The environment that the worker is run in."""
    # One thread everywhere and the same hashes. From 1.29 on ONNX Runtime reports to its maker now
    # and then, in a thread of its own, which would be counted too.
    return {
        **os.environ,
        "PYTHONPATH": str(checkout),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OPENCV_FOR_THREADS_NUM": "1",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def mark() -> None:
    """Call `MARK` of the C library, where callgrind stores its counts and begins again."""
    os.getppid()


def main(checkout: Path, bundle: str, picture: str, reads: int, target: Path) -> None:
    """Read and write what came out."""
    package = Path(edgeocr.__file__).resolve().parent
    if package.parent != checkout.resolve():
        raise SystemExit(f"this is the edgeocr of {package}, not of {checkout}")
    ocr = edgeocr.OCR(bundle, provider="cpu", threads=1)
    read: Read = {"texts": [], "seconds": []}
    for _ in range(reads):
        mark()
        start = process_time()
        page = ocr.read(picture)
        read["seconds"].append(process_time() - start)
        read["texts"] = [line.text for line in page.lines]
    mark()
    target.write_text(json.dumps(read), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
