"""Read what a system tells about itself: small files below /proc and /sys, and commands.

Nothing here raises: what can't be read is None.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

# Folder below which the system's files are. Tests and containers may have them elsewhere.
ROOT = Path("/")

# Folders of commands that a user's PATH may lack: nvpmodel's, and vcgencmd's on older versions of
# Raspberry Pi OS.
MORE_FOLDERS: tuple[str, ...] = ("/usr/sbin", "/opt/vc/bin")


def find_program(name: str) -> str | None:
    """Return the path of a command, even if it isn't on the user's PATH."""
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *MORE_FOLDERS])
    return shutil.which(name, path=folders)


def command_output(name: str, *arguments: str, timeout: float = 2.0) -> str | None:
    """Run a command and return what it writes to standard output.

    Args:
        name: Name of the command.
        *arguments: Its arguments.
        timeout: Seconds after which the command is ended.

    Returns:
        The output; None if the command doesn't exist, fails or takes too long.
    """
    import subprocess  # it takes 4 ms to import, and reading pictures needs no command

    program = find_program(name)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def read_text(path: Path) -> str | None:
    """Return a small file's content, without the white space around it."""
    try:
        # Strings of the device tree end with a zero byte.
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None


def read_number(path: Path) -> int | None:
    """Return the whole number that is a file's only content, as in many files below /sys."""
    try:
        return int(read_text(path) or "")
    except ValueError:
        return None


def numbered(folder: Path, prefix: str) -> Iterator[Path]:
    """Yield the paths in a folder whose names are `prefix` and a number, by ascending number."""
    try:
        names = [each.name for each in folder.iterdir()]
    except OSError:
        return
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    for number in sorted(int(each) for each in numbers if each.isdecimal()):
        yield folder / f"{prefix}{number}"


def meminfo(root: Path = ROOT) -> dict[str, int]:
    """Return the rows of /proc/meminfo, in bytes; none on other systems."""
    rows = re.findall(r"^(\w+): +(\d+) kB", read_text(root / "proc/meminfo") or "", re.MULTILINE)
    return {key: int(kilobytes) << 10 for key, kilobytes in rows}
