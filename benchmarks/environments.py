"""The peers, and a virtual environment for each, made once and used again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

READY = "environment.json"


class EnvironmentFailedError(Exception):
    """A peer's environment can't be made; the message has pip's last words."""


@dataclass(frozen=True)
class Peer:
    """Another OCR engine.

    package: its name in the package registry, and here.
    requirement: what pip installs, pinned.
    worker: module in benchmarks/engines.
    shared: packages that it gets in the versions installed here, so that it is the engines that
        differ. "onnxruntime" is the CPU package, whichever package is installed here.
    bundles: whose weights it can run; None for all.
    orientation: whether it runs the classifier of upside-down lines.
    """

    package: str
    requirement: str
    worker: str
    shared: tuple[str, ...] = ()
    bundles: tuple[str, ...] | None = None
    orientation: bool = True

    def left_out(self, bundle: str, orientation: bool) -> str | None:
        """Why it can't be compared with a bundle; None when it can."""
        if self.bundles is not None and bundle not in self.bundles:
            return f"it runs the weights of {' and '.join(self.bundles)} only"
        if orientation and not self.orientation:
            return "it doesn't run the classifier"
        return None


PEERS = (
    Peer(
        "rapidocr",
        "rapidocr==3.10.0",
        "rapidocr_worker",
        ("onnxruntime", "numpy", "opencv-python-headless", "pyclipper", "shapely"),
    ),
    Peer(
        "rapidocrlite",
        "rapidocrlite==5.0.0a15",
        "rapidocrlite_worker",
        ("numpy",),
        bundles=("tiny", "small"),
        orientation=False,  # its interpreter has no HardSwish
    ),
    Peer(
        "faster-paddle",
        "faster-paddle==1.0.4",
        "faster_paddle_worker",
        bundles=("tiny", "small"),
        orientation=False,
    ),
)


def requirements(peer: Peer, onnxruntime: str) -> list[str]:
    """All that is pinned in the peer's environment.

    onnxruntime: version of the CPU package, whichever package is installed here.
    """
    pinned = [peer.requirement]
    for package in peer.shared:
        if package == "onnxruntime":
            pinned.append(f"{package}=={onnxruntime}")
            continue
        try:
            pinned.append(f"{package}=={version(package)}")
        except PackageNotFoundError:
            continue
    return pinned


def ensure(peer: Peer, onnxruntime: str, folder: Path, say: Callable[[str], None]) -> Path:
    """The Python of the peer's environment, which is made when it isn't there as it should be.

    folder: where environments are kept.

    Raises `EnvironmentFailedError`.
    """
    wanted = requirements(peer, onnxruntime)
    name = f"{peer.package}-py{sys.version_info.major}.{sys.version_info.minor}"
    environment = folder.resolve() / name
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = environment / READY
    if python.exists() and ready.is_file() and json.loads(ready.read_text()) == wanted:
        return python
    say(f"{peer.package}: making its environment with {', '.join(wanted)}")
    shutil.rmtree(environment, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(environment)], peer)
    _run([str(python), "-m", "pip", "install", "--disable-pip-version-check", *wanted], peer)
    # Written last: an environment without it was never finished.
    ready.write_text(json.dumps(wanted))
    return python


def clean_variables() -> dict[str, str]:
    """Environment variables without those that would let packages of elsewhere in."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "VIRTUAL_ENV")
    }


def _run(command: list[str], peer: Peer) -> None:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_variables(),
    )
    if done.returncode:
        words = "\n".join(done.stdout.strip().splitlines()[-10:])
        raise EnvironmentFailedError(
            f"{peer.package}: its environment can't be made, exit code {done.returncode} of "
            f"{' '.join(command[1:4])}:\n{words}"
        )
