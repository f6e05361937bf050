"""The memory that can still be taken, on the machine and in a control group."""

from __future__ import annotations

from pathlib import Path

from edgeocr.device import machine


def test_available_memory_is_the_smaller_of_the_machines_and_the_groups(tmp_path: Path) -> None:
    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert machine.available_memory(tmp_path) is None
    write("proc/meminfo", "MemTotal: 8000 kB\nMemAvailable:    4000 kB\n")
    assert machine.available_memory(tmp_path) == 4000 << 10
    write("proc/self/cgroup", "0::/box\n")
    write("sys/fs/cgroup/box/memory.max", f"{3000 << 10}\n")
    write("sys/fs/cgroup/box/memory.current", f"{1000 << 10}\n")
    assert machine.available_memory(tmp_path) == 2000 << 10
    write("sys/fs/cgroup/box/memory.stat", f"anon 1\ninactive_file {500 << 10}\n")
    assert machine.available_memory(tmp_path) == 2500 << 10
    write("sys/fs/cgroup/box/memory.max", "max\n")
    assert machine.available_memory(tmp_path) == 4000 << 10
    write("proc/self/cgroup", "3:memory:/\n")
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", f"{1500 << 10}\n")
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", f"{2000 << 10}\n")
    assert machine.available_memory(tmp_path) == 0
