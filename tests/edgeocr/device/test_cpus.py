"""How many CPUs count, and that threads stay on those that were chosen."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from edgeocr import EdgeOCRError
from edgeocr.device import cpus
from edgeocr.device.cpus import available_threads, confined, parse

needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here"
)


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree of control groups, and 64 CPUs that the process may run on."""
    monkeypatch.setattr(cpus, "CGROUPS", tmp_path / "groups")
    monkeypatch.setattr(cpus, "OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr(cpus, "_allowed", lambda: set(range(64)))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_this_process() -> None:
    assert 1 <= available_threads() <= (os.cpu_count() or 1)


@needs_affinity
def test_only_the_processors_that_the_process_may_use_count() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert available_threads() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_no_control_groups(groups: Path) -> None:
    assert available_threads() == 64


@pytest.mark.parametrize(
    ("limit", "threads"),
    [("max 100000", 64), ("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1),
     ("9900000 100000", 64), ("nonsense", 64)],
)  # fmt: skip
def test_version_2(groups: Path, limit: str, threads: int) -> None:
    write(groups / "own", "0::/\n")
    write(groups / "groups" / "cpu.max", limit + "\n")
    assert available_threads() == threads


def test_a_group_above_may_allow_less(groups: Path) -> None:
    write(groups / "own", "0::/system.slice/docker-1.scope\n")
    write(groups / "groups" / "system.slice" / "cpu.max", "300000 100000\n")
    write(groups / "groups" / "system.slice" / "docker-1.scope" / "cpu.max", "800000 100000\n")
    assert available_threads() == 3


def test_a_path_of_the_host_that_a_container_does_not_see(groups: Path) -> None:
    write(groups / "own", "0::/../../docker/0123\n")
    write(groups / "groups" / "cpu.max", "400000 100000\n")
    write(groups / "cpu.max", "100000 100000\n")  # outside: none of its groups
    assert available_threads() == 4


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize(("quota", "threads"), [("250000", 3), ("-1", 64)])
def test_version_1(groups: Path, folder: str, quota: str, threads: int) -> None:
    write(groups / "own", "9:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n")
    write(groups / "groups" / folder / "cpu.cfs_quota_us", quota + "\n")
    write(groups / "groups" / folder / "cpu.cfs_period_us", "100000\n")
    assert available_threads() == threads


@needs_affinity
@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0", (0,)), ("4-7", (4, 5, 6, 7)), ("7,0,2-3", (0, 2, 3, 7)), (" 1 , 2 ", (1, 2))],
)
def test_lists(monkeypatch: pytest.MonkeyPatch, text: str, numbers: tuple[int, ...]) -> None:
    monkeypatch.setattr(cpus, "_allowed", lambda: set(range(8)))
    assert parse(text) == numbers


@needs_affinity
@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "3-1", "1;2", "1,,2"])
def test_what_is_no_list(text: str) -> None:
    with pytest.raises(EdgeOCRError, match="written as in 0,2-3"):
        parse(text)


@needs_affinity
def test_a_list_without_end() -> None:
    with pytest.raises(EdgeOCRError, match="below 8192"):
        parse("0-99999999999")


@needs_affinity
def test_cpus_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "_allowed", lambda: {0, 3})
    with pytest.raises(EdgeOCRError, match=r"CPU 1 is none .* it may use 0, 3"):
        parse("0-3")


@needs_affinity
def test_threads_begun_while_confined_stay_there() -> None:
    allowed = os.sched_getaffinity(0)
    chosen = (max(allowed),)
    seen: list[set[int]] = []
    thread = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
    with confined(chosen):
        thread.start()
        assert os.sched_getaffinity(0) == set(chosen)
    thread.join()
    assert seen == [set(chosen)]
    assert os.sched_getaffinity(0) == allowed
    with confined(None):
        assert os.sched_getaffinity(0) == allowed


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n", True),
        ("flags : avx2 avx_vnni", True),
        ("flags : avx2 avx512f", False),
        ("Features : fp asimd asimddp", False),
        (None, False),
    ],
)
def test_vnni(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, has: bool) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(cpus, "CPUINFO", tmp_path / "cpuinfo")
    assert cpus.has_vnni.__wrapped__() is has
