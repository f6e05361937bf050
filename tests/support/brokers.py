"""A broker of MQTT on loopback: the program mosquitto, with a configuration of the test's."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 20


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition that another thread or process brings about."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, f"{what} took more than {PATIENCE} seconds"
        time.sleep(0.01)


class Mosquitto:
    """A broker that can be started and stopped again and again, on the same port."""

    def __init__(self, folder: Path, *settings: str, anonymous: bool = True) -> None:
        """Write the configuration.

        Args:
            folder: A folder of its own.
            *settings: Further lines of the configuration.
            anonymous: Whether clients need no user.
        """
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {str(anonymous).lower()}",
            "user root",
            *settings,
        ]
        self._config.write_text("\n".join([*lines, ""]), "utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the broker, and wait until it listens."""
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program is not None, "the program mosquitto is not installed"
        self._process = subprocess.Popen(
            [program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._listens, "starting mosquitto")

    def stop(self) -> None:
        """End the broker, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def _listens(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "mosquitto has ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
