"""The job of `benchmarks.regress`: read one small picture with the edgeocr of a checkout.

The arguments are the root of the checkout, a bundle, a picture, how often to read it, and the JSON
file to write. The worker is started by its path with PYTHONPATH set to the checkout, so that the
same worker measures any version.

The picture has two tilted lines. The bundle is the embedded one, but its detection takes the
picture in its own size. Otherwise it would enlarge the picture to a side of at least 736 pixels,
and the read would take minutes, because valgrind emulates fused multiply-adds slowly (50 ns for
each number).
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

# Name of the job. Raise its number with every change of the work, so that old counts are not used.
JOB = "two lines of sample.jpg, 1"
PICTURE = Path(__file__).parents[2] / "tests" / "images" / "sample.jpg"
# The part of the picture that is read, in pixels.
TOP, LEFT, SIDE = 70, 640, 160
# The function of the C library at which callgrind separates its counts. Nothing else calls it, and
# Python calls it directly.
MARK = "getppid"


class JobResult(TypedDict):
    """What the worker writes.

    Attributes:
        texts: The lines that were read.
        seconds: CPU seconds of each read.
    """

    texts: list[str]
    seconds: list[float]


def prepare(checkout: Path, folder: Path) -> tuple[Path, Path]:
    """Write the bundle of a checkout and the picture into a new folder.

    Args:
        checkout: Root of the checkout.
        folder: The folder to make.

    Returns:
        The paths of the bundle, which is a folder, and of the picture.

    Raises:
        OSError: A file can't be read or written.
        ValueError: The checkout has no bundle, or the picture is missing.
        KeyError: The bundle's manifest has other keys.
    """
    bundle, picture = folder / "bundle", folder / "picture.png"
    prepare_bundle(checkout / "edgeocr" / "bundles" / "tiny.edgeocr", bundle)
    prepare_picture(picture)
    return bundle, picture


def prepare_bundle(archive: Path, folder: Path) -> None:
    """Unpack a bundle, and let its detection take the picture in its own size.

    Args:
        archive: The bundle, one file.
        folder: The folder to make.

    Raises:
        OSError: A file can't be read or written.
        ValueError: The archive is not a bundle.
        KeyError: The bundle's manifest has other keys.
    """
    if not zipfile.is_zipfile(archive):
        raise ValueError(f"{archive} is not a bundle")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["stages"]["detection"]["resize"]["limit_side"] = SIDE
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def prepare_picture(path: Path) -> None:
    """Write the picture.

    Args:
        path: The PNG file to write.

    Raises:
        ValueError: The picture that it is part of is missing.
    """
    image = cv2.imread(str(PICTURE))
    if image is None:
        raise ValueError(f"{PICTURE} is not a picture")
    cv2.imwrite(str(path), image[TOP : TOP + SIDE, LEFT : LEFT + SIDE])


def variables(checkout: Path) -> dict[str, str]:
    """Return the environment variables of the worker.

    They give every library one thread and Python always the same hashes. ONNX Runtime from 1.29 on
    sends telemetry in a thread of its own, which would be counted too, so it is switched off.
    """
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
    """Call the function `MARK`, at which callgrind writes its counts to a file and resets them."""
    os.getppid()


def main(checkout: Path, bundle: str, picture: str, reads: int, target: Path) -> None:
    """Read the picture and write a `JobResult`.

    Args:
        checkout: Root of the checkout that edgeocr must come from.
        bundle: Path of the bundle.
        picture: Path of the picture.
        reads: How often to read it.
        target: The JSON file to write.
    """
    package = Path(edgeocr.__file__).resolve().parent
    if package.parent != checkout.resolve():
        raise SystemExit(f"edgeocr was imported from {package}, not from {checkout}")
    ocr = edgeocr.OCR(bundle, provider="cpu", threads=1)
    result: JobResult = {"texts": [], "seconds": []}
    for _ in range(reads):
        mark()
        start = process_time()
        page = ocr.read(picture)
        result["seconds"].append(process_time() - start)
        result["texts"] = [line.text for line in page.lines]
    mark()
    target.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
