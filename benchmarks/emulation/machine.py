"""An emulated 64-bit Arm machine: a folder that QEMU's user emulation runs programs in.

The folder is Debian bookworm, which Raspberry Pi OS is built on. Its packages are only unpacked,
because Python needs none of their installation scripts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from converters import child_process

from .boards import Processor
from .counts import Row, parse
from .errors import EmulationError

SUITE = "bookworm"
PYTHON = "3.11"  # bookworm's
PACKAGES = ("python3-minimal", "libpython3-stdlib")
# Platforms of the wheels that work with bookworm's C library, from the newest on.
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in (28, 27, 17)] + ["manylinux2014_aarch64"]
# The packages that edgeocr runs on. A count depends on their versions.
WHEELS = ("numpy", "onnxruntime", "opencv-python-headless", "pyclipper", "shapely")
# Debian's packages that a count depends on.
DEBIAN = (f"libpython{PYTHON}-minimal", "libc6", "libstdc++6")
PROGRAMS = ("debootstrap", "dpkg-deb", "qemu-aarch64", "cc", "chroot", "ldd")
INSTALL = "apt-get install --no-install-recommends debootstrap qemu-user gcc libc6-dev"
# This file is written last, so a folder without it is unfinished.
READY = "edgeocr-machine.json"
PLUGIN = Path(__file__).with_name("count.c")
SECONDS = 3600
# Debian's packages of programs are in these folders, which a user's PATH may lack.
SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


class Machine:
    """An emulated machine.

    Attributes:
        root: The folder that is its root.
    """

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        """Describe a machine; nothing is made yet.

        Args:
            root: The folder for it; `make` fills it if it is missing, unfinished or outdated.
            say: Is told what takes long.
        """
        self.root, self._say = root, say

    def make(self) -> None:
        """Make the machine, unless it is there: Debian, QEMU and the plugin.

        Raises:
            EmulationError: A program is missing or fails, or this process isn't root's.
        """
        _check_possible()
        wanted = {
            "suite": SUITE,
            "packages": list(PACKAGES),
            "plugin": PLUGIN.read_text("utf-8"),
            "qemu": qemu_version(),  # the machine has a copy, and `conditions` names this one
        }
        ready = self.root / READY
        if ready.is_file() and json.loads(ready.read_text("utf-8")) == wanted:
            return
        self._say(f"making an emulated machine in {self.root}")
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        _run(
            *("debootstrap", "--arch=arm64", "--foreign", "--variant=minbase"),
            *(f"--include={','.join(PACKAGES)}", SUITE, str(self.root)),
        )
        for package in sorted((self.root / "var/cache/apt/archives").glob("*.deb")):
            _run("dpkg-deb", "-x", str(package), str(self.root))
        self._copy_qemu()
        plugin = str(self.root / "opt" / "count.so")
        (self.root / "opt").mkdir(exist_ok=True)
        (self.root / "proc").mkdir(exist_ok=True)
        _run("cc", "-O2", "-shared", "-fPIC", "-o", plugin, str(PLUGIN))
        cores = self.root / "sys/devices/system/cpu"
        cores.mkdir(parents=True)
        for name in ("possible", "present"):
            (cores / name).write_text("0-3\n")
        ready.write_text(json.dumps(wanted), encoding="utf-8")

    def install(self, folder: str, requirements: Sequence[str]) -> None:
        """Install wheels for aarch64, unless they are there.

        Args:
            folder: Name of a folder in /opt of the machine, for PYTHONPATH.
            requirements: What pip installs; nothing is built from sources.

        Raises:
            EmulationError: pip fails, for example because there is no such wheel.
        """
        ready = self.root / "opt" / f"{folder}.json"
        if ready.is_file() and json.loads(ready.read_text("utf-8")) == list(requirements):
            return
        self._say(f"installing {', '.join(requirements)} for aarch64")
        target = self.root / "opt" / folder
        ready.unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        _run(
            *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check"),
            *("--target", str(target), "--no-compile", "--only-binary=:all:"),
            *("--implementation", "cp", "--python-version", PYTHON),
            *(f"--platform={each}" for each in PLATFORMS),
            *requirements,
        )
        ready.write_text(json.dumps(list(requirements)), encoding="utf-8")

    def conditions(self) -> dict[str, str]:
        """Return the versions of QEMU and of Debian's packages that a count depends on."""
        found = {"qemu": qemu_version()}
        for name in DEBIAN:
            (package,) = (self.root / "var/cache/apt/archives").glob(f"{name}_*_arm64.deb")
            found[name] = package.name.split("_")[1].replace("%3a", ":")
        return found

    def run(
        self,
        processor: Processor,
        command: Sequence[str],
        variables: Mapping[str, str] | None = None,
        *,
        counted: bool = True,
        clock: bool = False,
    ) -> list[Row]:
        """Run a program in the machine and count its instructions.

        Args:
            processor: The processor to emulate.
            command: The program's path in the machine, and its arguments.
            variables: Its environment variables; it has no others.
            counted: Whether to count at all.
            clock: Also count where the program reads the clock.

        Returns:
            The rows of counts.

        Raises:
            EmulationError: The program fails.
        """
        (self.root / "proc" / "cpuinfo").write_text(processor.cpuinfo())
        counts = self.root / "tmp" / "counts"
        counts.unlink(missing_ok=True)
        qemu = ["/usr/bin/qemu-aarch64", "-cpu", processor.name]
        if counted:
            qemu += ["-plugin", f"/opt/count.so,out=/tmp/counts{',times=1' if clock else ''}"]
        # `env` also removes the variables that child_process.run sets. Without a PATH it can't
        # find chroot.
        chroot = shutil.which("chroot", path=SYSTEM_PATH) or "chroot"
        ended = child_process.run(
            ["env", "-i", "HOME=/tmp"]
            + [f"{name}={value}" for name, value in (variables or {}).items()]
            + [chroot, str(self.root), *qemu, *command],
            SECONDS,
        )
        if ended.code != 0:
            raise EmulationError(f"{processor.name}: {' '.join(command[:3])} {ended}")
        return parse(counts.read_text("utf-8")) if counted else []

    def _copy_qemu(self) -> None:
        """Copy QEMU and the libraries of this machine that it needs.

        They don't get in the way of Debian's, whose folders are named after the architecture.
        """
        program = shutil.which("qemu-aarch64", path=SYSTEM_PATH)
        assert program is not None, "_check_possible has found it"
        libraries = re.findall(r"(/\S+) \(0x", _run("ldd", program))
        for library in libraries:
            target = self.root / library.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
        shutil.copy(program, self.root / "usr" / "bin" / "qemu-aarch64")


def installed_wheels() -> dict[str, str]:
    """Return the versions of `WHEELS` that are installed here.

    Raises:
        EmulationError: One of them is missing.
    """
    try:
        return {name: version(name) for name in WHEELS}
    except PackageNotFoundError as error:
        raise EmulationError(
            f"{error.name} isn't installed here, whose version the emulated machine would get: "
            'pip install ".[cpu]"'
        ) from None


def qemu_version() -> str:
    """Return the version of this machine's QEMU.

    Raises:
        EmulationError: It fails.
    """
    return _run("qemu-aarch64", "--version").splitlines()[0].removeprefix("qemu-aarch64 version ")


def _check_possible() -> None:
    """Check that a machine can be made and run here.

    Raises:
        EmulationError: It can't; the message says what is missing.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise EmulationError("an emulated machine needs root on Debian or Ubuntu: use sudo")
    missing = [name for name in PROGRAMS if shutil.which(name, path=SYSTEM_PATH) is None]
    if missing:
        raise EmulationError(f"{', '.join(missing)} not found: {INSTALL}")
    if "-plugin" not in _run("qemu-aarch64", "--help"):
        raise EmulationError("this qemu-aarch64 was built without plugins, unlike Debian's")


def _run(*command: str) -> str:
    """Run a program of this machine and return what it printed.

    Raises:
        EmulationError: It fails.
    """
    ended = child_process.run(list(command), SECONDS, variables={**os.environ, "PATH": SYSTEM_PATH})
    # qemu-aarch64 --help ends with 1.
    if ended.code != 0 and "--help" not in command:
        raise EmulationError(f"{' '.join(command[:4])} {ended}")
    return ended.output
