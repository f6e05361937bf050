"""Bring wheels to a machine without a network: in pieces that are not too large, with checksums.

Usage: python -m benchmarks wheels pack DIR --python 3.12 --platform PLATFORM [PACKAGE …] on a
machine with a network, then python3 -m benchmarks wheels join DIR on the other one. `join` needs
nothing but Python.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

CHECKOUT = Path(__file__).parent.parent
# What a machine with an NVIDIA GPU needs: edgeocr itself runs from the checkout.
PACKAGES = (
    *("onnxruntime-gpu[cuda,cudnn]", "numpy", "opencv-python-headless", "pyclipper"),
    "shapely",
)
# The checkout, packed beside the wheels.
ARCHIVE = "checkout.tar.gz"
# Where the checksums of all pieces and of the files that they make up stand, in the form that
# `sha256sum -c` reads.
PIECES_SUMS, FILES_SUMS = "pieces.sha256", "files.sha256"
# The folder of the joined files.
JOINED = "joined"
MIB = 1 << 20
# The largest piece in MiB.
MOST_MIB = 60
# Bytes that are read at a time.
BLOCK = 1 << 20
# A platform of Linux by the version of its C library, and what such platforms were called before.
MANYLINUX = re.compile(r"manylinux_2_(?P<minor>[0-9]+)_(?P<architecture>\w+)")
OLD_NAMES = ("manylinux2014", "manylinux2010", "manylinux1", "linux")
PIECE = re.compile(r"(?P<file>.+)\.part[0-9]{3}")
ROW = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>[^/\\]+)")


class WheelsError(Exception):
    """Wheels can't be packed or joined; the message says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    steps = parser.add_subparsers(dest="step", required=True)
    pack = steps.add_parser("pack", help="download wheels and divide them into pieces")
    pack.add_argument("folder", type=Path, metavar="DIR", help="folder for the pieces")
    pack.add_argument(
        "packages",
        nargs="*",
        metavar="PACKAGE",
        help=f"what to download; default: {' '.join(PACKAGES)}",
    )
    pack.add_argument(
        "--python", required=True, metavar="3.N", help="the other machine's version of Python"
    )
    pack.add_argument(
        "--platform",
        nargs="+",
        required=True,
        metavar="TAG",
        help="platforms of the wheels, such as manylinux_2_28_x86_64 or manylinux_2_28_aarch64",
    )
    pack.add_argument(
        "--wheels",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="further wheels to pack, such as one of onnxruntime_gpu for a Jetson",
    )
    pack.add_argument(
        "--piece",
        type=int,
        default=MOST_MIB,
        metavar="MIB",
        help="the largest piece in MiB; default: %(default)s",
    )
    join = steps.add_parser("join", help="check the pieces and put the files together again")
    join.add_argument("folder", type=Path, metavar="DIR", help="folder with the pieces")


def run(options: argparse.Namespace) -> None:
    """Pack or join, and print what to do next."""
    try:
        if options.step == "pack":
            names = _pack(options)
            print(f"{len(names)} files in {options.folder}: copy the folder to the other machine,")
            print(f"unpack {ARCHIVE} there, and run in it: python3 -m benchmarks wheels join DIR")
        else:
            wheels = join(options.folder)
            found = options.folder / JOINED
            print(f"{len(wheels)} files in {found}, all with the right checksum. Install them with")
            print(f"  pip install --no-index {found}/*.whl")
    except WheelsError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _pack(options: argparse.Namespace) -> list[str]:
    if options.piece < 1:
        raise WheelsError(f"--piece must be at least 1, not {options.piece}")
    with tempfile.TemporaryDirectory(prefix="edgeocr-wheels-") as scratch:
        packages = options.packages or PACKAGES
        download = download_command(packages, options.python, options.platform, Path(scratch))
        done = subprocess.run(download, capture_output=True, text=True)
        if done.returncode:
            raise WheelsError(
                "pip can't download the packages; give other values for --python or --platform: "
                + " ".join(done.stderr.split())[-600:]
            )
        archive = Path(scratch, ARCHIVE)
        git = ["git", "-C", str(CHECKOUT), "archive", "--format=tar.gz", "-o", str(archive), "HEAD"]
        if shutil.which("git") is None or subprocess.run(git, capture_output=True).returncode:
            raise WheelsError(f"{CHECKOUT} is no checkout of git, so it can't be packed")
        files = sorted([*Path(scratch).iterdir(), *options.wheels], key=lambda path: path.name)
        return split(files, options.folder, options.piece * MIB)


def download_command(
    packages: Sequence[str], python: str, platforms: Sequence[str], folder: Path
) -> list[str]:
    """Return the command that downloads wheels for another machine.

    Args:
        packages: What to download, with everything that it needs.
        python: The other machine's version of Python, such as "3.12".
        platforms: Platforms that its Python accepts.
        folder: Gets the wheels.

    Raises:
        WheelsError: `python` is no version of Python.
    """
    if re.fullmatch(r"3\.[0-9]+", python) is None:
        raise WheelsError(f"--python must be like 3.12, not {python!r}")
    abi = "cp" + python.replace(".", "")
    tags = dict.fromkeys(tag for platform in platforms for tag in accepted(platform))
    chosen = [word for tag in tags for word in ("--platform", tag)]
    return [
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check"),
        *("--only-binary=:all:", "--implementation", "cp", "--python-version", python),
        *("--abi", abi, "--abi", "abi3", "--abi", "none", *chosen),
        *("--dest", str(folder), *packages),
    ]


def accepted(platform: str) -> list[str]:
    """Return the platforms of wheels that run on a platform, which pip doesn't find out itself.

    Args:
        platform: Such as "manylinux_2_28_x86_64", whose second number is that of its C library: a
            wheel that needs an older one runs there, too (PEP 600).
    """
    match = MANYLINUX.fullmatch(platform)
    if match is None:
        return [platform]
    newest, architecture = int(match["minor"]), match["architecture"]
    tags = [f"manylinux_2_{minor}_{architecture}" for minor in range(newest, 4, -1)]
    return [*tags, *(f"{name}_{architecture}" for name in OLD_NAMES)]


def split(files: Sequence[Path], folder: Path, most: int) -> list[str]:
    """Copy files into a folder, in pieces where they are large, with checksums.

    Args:
        files: The files, whose names differ.
        folder: The folder, which is made if it doesn't exist.
        most: The largest piece in bytes.

    Returns:
        The names of all files that were written, those with checksums among them.

    Raises:
        WheelsError: The folder holds something else, or can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise WheelsError(f"{folder} is not empty: choose a new folder")
        pieces, whole = [], []
        for path in files:
            total = hashlib.sha256()
            alone = path.stat().st_size <= most
            for number, content in enumerate(_blocks(path, most)):
                name = path.name if alone else f"{path.name}.part{number:03}"
                digest = hashlib.sha256()
                with (folder / name).open("wb") as piece:
                    for block in content:
                        piece.write(block)
                        digest.update(block)
                        total.update(block)
                pieces.append(f"{digest.hexdigest()}  {name}")
            whole.append(f"{total.hexdigest()}  {path.name}")
        (folder / PIECES_SUMS).write_text("\n".join(pieces) + "\n")
        (folder / FILES_SUMS).write_text("\n".join(whole) + "\n")
    except OSError as error:
        raise WheelsError(f"{error.filename or folder}: {error.strerror}") from None
    return sorted(path.name for path in folder.iterdir())


def join(folder: Path) -> list[str]:
    """Check the pieces in a folder, and put the files together in its folder `JOINED`.

    Args:
        folder: What `split` has filled.

    Returns:
        The names of the files.

    Raises:
        WheelsError: A piece is missing or damaged, or the files can't be written.
    """
    try:
        pieces, whole = (_sums(folder / name) for name in (PIECES_SUMS, FILES_SUMS))
        made = folder / JOINED
        made.mkdir(exist_ok=True)
        for name, expected in whole.items():
            parts = [each for each in pieces if _file_of(each) == name]
            digest = hashlib.sha256()
            unfinished = made / f"{name}.unfinished"
            with unfinished.open("wb") as file:
                for part in sorted(parts):
                    own = hashlib.sha256()
                    for content in _blocks(folder / part, sys.maxsize):
                        for block in content:
                            file.write(block)
                            own.update(block)
                            digest.update(block)
                    if own.hexdigest() != pieces[part]:
                        raise WheelsError(f"{part} is damaged: copy this piece again")
            if digest.hexdigest() != expected:
                raise WheelsError(f"{name} is not what was packed: copy {PIECES_SUMS} again")
            unfinished.replace(made / name)
    except FileNotFoundError as error:
        raise WheelsError(f"{error.filename} is missing: copy it again") from None
    except OSError as error:
        raise WheelsError(f"{error.filename or folder}: {error.strerror}") from None
    return list(whole)


def _sums(path: Path) -> dict[str, str]:
    """Read checksums by the names of files."""
    found = {}
    for number, row in enumerate(path.read_text().splitlines(), 1):
        if (match := ROW.fullmatch(row)) is None:
            raise WheelsError(f"{path}, line {number}: not a checksum and the name of a file")
        found[match["name"]] = match["sha256"]
    return found


def _file_of(piece: str) -> str:
    """Return the name of the file that a piece belongs to."""
    match = PIECE.fullmatch(piece)
    return piece if match is None else match["file"]


def _blocks(path: Path, most: int) -> Iterator[Iterator[bytes]]:
    """Yield the pieces of a file, each as blocks that must be read before the next piece."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for begin in range(0, max(1, size), most):
            end = min(size, begin + most)
            yield _blocks_until(file, end)


def _blocks_until(file: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield what a file holds from where it stands to a place, in blocks."""
    while content := file.read(min(BLOCK, end - file.tell())):
        yield content
