"""Run what .ci/image has built, as a container engine would.

It runs in namespaces of its own, with a root that can't be written to. That needs root, and the
programs unshare and nsenter of util-linux.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Seconds for a service to start or to end, also on emulated Arm.
PATIENCE = 300
# Lets programs of a new network namespace reach each other on the loopback device.
LOOPBACK = (
    "import fcntl, socket, struct; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1))"
)
# Mounts what a container has, and runs its command: ROOT FILES USER FOLDER VARIABLES COMMAND. FILES
# is a folder whose files appear in /run/secrets, or take the place of the bundle.
START = r"""
set -euo pipefail
root=$1 files=$2 user=$3 folder=$4 variables=$5
shift 5
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
cp -r "$files/secrets" "$root/run/secrets"
chown -R "$user" "$root/run/secrets"
if [ -e "$files/bundle.edgeocr" ]; then
    mount --bind "$files/bundle.edgeocr" "$root/srv/bundle.edgeocr"
fi
for mounted in "" /dev /run; do mount -o remount,bind,ro "$root$mounted"; done
"$PYTHON" -c "$LOOPBACK"
mapfile -t variables <<<"$variables"
exec env -i "${variables[@]}" "$(command -v chroot)" "$root" /usr/bin/setpriv \
    --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all \
    env --chdir "$folder" "$@"
"""
# Sends one request from the network namespace that it runs in: METHOD PATH HEADERS, body by stdin.
CLIENT = """
import http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=300)
method, path, headers = sys.argv[1:]
connection.request(method, path, sys.stdin.buffer.read() or None, json.loads(headers))
response = connection.getresponse()
sys.stdout.buffer.write(str(response.status).encode() + b"\\n" + response.read())
"""


def request(
    pid: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Send a request to port 8000 of the network namespace of a process; return status and body."""
    done = subprocess.run(
        [
            *("nsenter", "--target", str(pid), "--net", sys.executable, "-ISc", CLIENT),
            *(method, path, json.dumps(dict(headers or {}))),
        ],
        input=body,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr.decode()
    status, _, answer = done.stdout.partition(b"\n")
    return int(status), answer


@dataclass(frozen=True)
class Container:
    """A container that runs.

    Attributes:
        process: The process that waits for it; its standard error is the container's.
        image: Its image.
    """

    process: subprocess.Popen[str]
    image: Image

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, or fail with what the container said if it ends before."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self.process.poll() is not None:
                raise AssertionError(f"the container has ended: {self.process.communicate()[1]}")
            assert time.monotonic() < deadline, "waited for too long"
            time.sleep(0.2)

    @property
    def pid(self) -> int:
        """The number that its first process has outside."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        self.wait_until(lambda: bool(children.read_text()))
        return int(children.read_text().split()[0])

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a further command in the container, as its user."""
        user, group = self.image.settings["User"].split(":")
        entering = ["nsenter", "--target", str(self.pid), "--all", "--root", "--wd"]
        entering += ["--setuid", user, "--setgid", group, "env", "-i", *self.image.settings["Env"]]
        return subprocess.run([*entering, *command], capture_output=True, text=True, timeout=60)

    def is_healthy(self) -> bool:
        """Run the image's own check."""
        kind, *command = self.image.settings["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.execute(*command).returncode == 0


@dataclass(frozen=True)
class Image:
    """An image as a folder.

    Attributes:
        root: Its root.
        settings: What the image says of its command, user, variables and check.
    """

    root: Path
    settings: dict[str, Any]

    @classmethod
    def load(cls, root: Path) -> Image:
        """Load what .ci/image has written."""
        return cls(root, json.loads(root.with_name(f"{root.name}.json").read_text("utf-8")))

    @contextmanager
    def running(
        self,
        files: Path,
        arguments: Sequence[str] | None = None,
        entrypoint: Sequence[str] | None = None,
    ) -> Iterator[Container]:
        """Run the image while the block runs.

        Args:
            files: A folder; what is in `secrets` in it appears in /run/secrets, and
                `bundle.edgeocr` takes the place of the bundle.
            arguments: What takes the place of the image's CMD.
            entrypoint: What takes the place of its ENTRYPOINT.
        """
        (files / "secrets").mkdir(exist_ok=True)
        settings = self.settings
        command = [
            *(settings["Entrypoint"] if entrypoint is None else entrypoint),
            *(settings["Cmd"] if arguments is None else arguments),
        ]
        process = subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork"),
                *("bash", "-c", START, "start", str(self.root), str(files)),
                *(settings["User"], settings["WorkingDir"], "\n".join(settings["Env"])),
                *command,
            ],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LOOPBACK": LOOPBACK,
                "PYTHON": sys.executable,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Container(process, self)
        finally:
            # With its first process the kernel kills everything in the container. `--kill-child` of
            # unshare does not work here: a process that becomes another user forgets it.
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            for pid in children.read_text().split() if process.poll() is None else []:
                os.kill(int(pid), signal.SIGKILL)
            process.kill()
            process.wait()
