"""Boot systemd in a folder, in namespaces of its own. It needs root and cgroup v2."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Seconds for a unit to start or to end.
PATIENCE = 60
# Mounts what systemd expects of a container, makes the folder the root, and starts it: ROOT UNIT.
# The root is changed with pivot_root, because after chroot nobody may make namespaces of users.
# Mounts are shared, so that credentials get into the namespace of a service. The terminal becomes
# the console, on which systemd tells what fails.
BOOT = r"""
set -euo pipefail
root=$1 unit=$2
mount --bind "$root" "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
touch "$root/dev/console"
mount --bind "$(tty)" "$root/dev/console"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
cd "$root"
mkdir -p old
pivot_root . old
exec env -i container=edgeocr PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /bin/sh -c \
    'umount -l /old; mount --make-rshared /
    exec /usr/lib/systemd/systemd --system --unit="$0" --show-status=no' "$unit"
"""


@dataclass(frozen=True)
class Booted:
    """A system that runs.

    Attributes:
        pid: The number that its first process has outside.
        log: The file with what it told on its console.
    """

    pid: int
    log: Path

    def run(self, *command: str) -> str:
        """Run a program of the system as root, and return what it prints."""
        entering = ["nsenter", "--target", str(self.pid), "--all", "--root", "--wd"]
        entering += ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        done = subprocess.run(
            [*entering, *command], capture_output=True, text=True, timeout=PATIENCE
        )
        return done.stdout + done.stderr

    def property(self, unit: str, name: str) -> str:
        """Return what `systemctl show` says of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            said = self.log.read_text(errors="replace")
            assert time.monotonic() < deadline, f"waited for too long: {said[-3000:]}"
            time.sleep(0.2)


@contextmanager
def booted(root: Path, unit: str, log: Path) -> Iterator[Booted]:
    """Boot systemd with a unit as its target while the block runs.

    Args:
        root: The folder; systemd is installed in it.
        unit: The unit.
        log: A file for what systemd tells.
    """
    group = Path(_mounted_cgroup2()) / f"edgeocr-{os.getpid()}"
    group.mkdir(exist_ok=True)
    unshare = "unshare --mount --uts --ipc --net --pid --cgroup --fork --kill-child"
    process = subprocess.Popen(
        # The first line moves the process into a control group of its own, which becomes the root
        # of those that systemd makes.
        [
            *("bash", "-c", 'echo $$ >"$1/cgroup.procs"; shift; exec script -qefc "$1" "$2"'),
            *("move", str(group), f'{unshare} bash -c "$BOOT" boot {root} {unit}', str(log)),
        ],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BOOT": BOOT, "SHELL": "/bin/bash"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        system = _descendant(process.pid, "systemd")
        try:
            yield Booted(system, log)
        finally:
            os.kill(system, signal.SIGKILL)  # and the kernel kills all others in its namespace
    finally:
        process.wait()
        for folder, _, _ in os.walk(group, topdown=False):
            Path(folder).rmdir()


def _mounted_cgroup2() -> str:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, folder, kind, *_ = line.split()
        if kind == "cgroup2":
            return folder
    raise AssertionError("this machine has no cgroup v2")


def _descendant(pid: int, name: str) -> int:
    """Wait for the first process below another that has a name, and return its number."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = [pid]
        for each in found:
            try:
                if Path(f"/proc/{each}/comm").read_text().strip() == name:
                    return each
                children = Path(f"/proc/{each}/task/{each}/children").read_text()
            except OSError:  # it has just ended
                continue
            found += map(int, children.split())
        time.sleep(0.1)
    raise AssertionError(f"{name} doesn't start")
