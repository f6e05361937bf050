"""The peers, and a virtual environment for each, which is made once and reused."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from converters import child_process

# This file marks a finished environment and lists what is installed in it.
READY = "environment.json"
# How many minor versions of Python are looked for, beginning with the oldest that is good enough.
NEWER_PYTHONS = 6


class EnvironmentFailedError(Exception):
    """A peer's environment can't be made; the message ends with pip's last output."""


@dataclass(frozen=True)
class Peer:
    """Another OCR engine.

    Attributes:
        package: Its name in the package registry, and in the results.
        requirement: What pip installs, with a pinned version.
        worker: Its module in benchmarks/engines.
        shared: Packages that it gets in the versions that are installed here, so that only the
            engines differ. "onnxruntime" means the CPU package, whichever one is installed here.
        bundles: The bundles whose weights it can run; None for all.
        orientation: Whether it can run the classifier of upside-down lines.
        python: The oldest Python 3 that it runs on, as its minor version.
    """

    package: str
    requirement: str
    worker: str
    shared: tuple[str, ...] = ()
    bundles: tuple[str, ...] | None = None
    orientation: bool = True
    python: int = 10

    def left_out(self, bundle: str, orientation: bool) -> str | None:
        """Return why the peer can't run a bundle's weights; None if it can.

        Args:
            bundle: Name of the bundle.
            orientation: Whether the classifier has to run.
        """
        if self.bundles is not None and bundle not in self.bundles:
            return f"it runs the weights of {' and '.join(self.bundles)} only"
        if orientation and not self.orientation:
            return "it doesn't run the classifier"
        if interpreter(self.python) is None:
            return f"it needs Python 3.{self.python} or later, which was not found"
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
    Peer(
        "turboocr-engine-cpu",
        "turboocr-engine-cpu==4.0.0a8",
        "turboocr_worker",
        bundles=("tiny", "small"),
        orientation=False,  # it has a classifier of other weights
        python=12,
    ),
)


@dataclass(frozen=True)
class Interpreter:
    """A Python that can make an environment.

    Attributes:
        path: Its program.
        minor: Its minor version, such as 12 of Python 3.12.
    """

    path: Path
    minor: int


@cache
def interpreter(oldest: int) -> Interpreter | None:
    """Return the Python that runs this, or another one if this is older than a minor version.

    Others are looked for in the folders of the PATH and among pyenv's versions.

    Args:
        oldest: The oldest minor version of Python 3 that is good enough.

    Returns:
        The oldest Python that is good enough if this one is not; None if there is none.
    """
    if sys.version_info.minor >= oldest:
        return Interpreter(Path(sys.executable), sys.version_info.minor)
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(oldest, oldest + NEWER_PYTHONS):
        name = f"python3.{minor}"
        in_path = shutil.which(name)
        places = [Path(in_path)] if in_path else []
        for path in [*places, *sorted(versions.glob(f"3.{minor}.*/bin/{name}"))]:
            # pyenv puts a program of that name into the PATH even if the version is not in use.
            if child_process.run([str(path), "-c", ""], 60).code == 0:
                return Interpreter(path, minor)
    return None


def requirements(peer: Peer, onnxruntime: str) -> list[str]:
    """List the pinned packages of a peer's environment.

    Args:
        peer: The peer.
        onnxruntime: Version of ONNX Runtime's CPU package.
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
    """Return the Python of a peer's environment; make the environment if it is missing or outdated.

    Args:
        peer: The peer.
        onnxruntime: Version of ONNX Runtime's CPU package.
        folder: Folder that holds the environments.
        say: Is told that an environment is being made, which takes minutes.

    Raises:
        EnvironmentFailedError: The environment can't be made.
    """
    wanted = requirements(peer, onnxruntime)
    with_python = interpreter(peer.python)
    if with_python is None:
        raise EnvironmentFailedError(f"{peer.package} needs Python 3.{peer.python} or later")
    name = f"{peer.package}-py3.{with_python.minor}"
    environment = folder.resolve() / name
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = environment / READY
    if python.exists() and ready.is_file() and json.loads(ready.read_text()) == wanted:
        return python
    say(f"{peer.package}: making an environment with {', '.join(wanted)}")
    shutil.rmtree(environment, ignore_errors=True)
    _run([str(with_python.path), "-m", "venv", str(environment)], peer)
    _run([str(python), "-m", "pip", "install", "--disable-pip-version-check", *wanted], peer)
    # This file is written last, so an environment without it is unfinished.
    ready.write_text(json.dumps(wanted))
    return python


def clean_variables() -> dict[str, str]:
    """Return the environment variables without those that would expose other packages to a peer."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "VIRTUAL_ENV")
    }


def _run(command: list[str], peer: Peer) -> None:
    """Run a command that makes an environment.

    Raises:
        EnvironmentFailedError: The command fails.
    """
    ended = child_process.run(command, None, variables=clean_variables())
    if ended.code != 0:
        raise EnvironmentFailedError(
            f"{peer.package}: the environment can't be made, because {' '.join(command[1:4])} "
            f"{ended}"
        )
