"""Counting the CPUs that a process may use, and binding threads to some of them."""

from __future__ import annotations

import os
import platform
import threading
from pathlib import Path

import pytest

from edgeocr import EdgeOCRError
from edgeocr.device import cpus
from edgeocr.device.cpus import (
    ARM_DOT_PRODUCTS,
    VNNI,
    available_threads,
    checked,
    confined,
    has_bf16,
    has_vnni,
    parse,
    present,
)
from tests.support.machines import JETSON_ORIN_NANO, RASPBERRY_PI_4, tree

needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here"
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a system without control groups, on which the process may use 64 CPUs."""
    monkeypatch.setattr(cpus, "_allowed", lambda: set(range(64)))
    return tmp_path


def test_this_process_may_use_at_least_one_cpu() -> None:
    assert 1 <= available_threads() <= (os.cpu_count() or 1)


@needs_affinity
def test_only_cpus_of_the_affinity_count() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert available_threads() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_all_allowed_cpus_count_without_control_groups(root: Path) -> None:
    assert available_threads(root) == 64


@pytest.mark.parametrize(
    ("limit", "threads"),
    [("max 100000", 64), ("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1),
     ("9900000 100000", 64), ("nonsense", 64)],
)  # fmt: skip
def test_control_groups_of_version_2_limit_the_threads(
    root: Path, limit: str, threads: int
) -> None:
    tree(root, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": f"{limit}\n"})
    assert available_threads(root) == threads


def test_a_parent_group_may_allow_less_than_the_own_group(root: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/system.slice/docker-1.scope\n",
        "sys/fs/cgroup/system.slice/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/system.slice/docker-1.scope/cpu.max": "800000 100000\n",
    }
    assert available_threads(tree(root, files)) == 3


def test_the_top_group_counts_in_a_container_that_only_knows_the_path_on_the_host(
    root: Path,
) -> None:
    files = {
        "proc/self/cgroup": "0::/../../docker/0123\n",
        "sys/fs/cgroup/cpu.max": "400000 100000\n",
        "sys/cpu.max": "100000 100000\n",  # outside of the control groups
    }
    assert available_threads(tree(root, files)) == 4


@pytest.mark.parametrize("folder", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize(("quota", "threads"), [("250000", 3), ("-1", 64)])
def test_control_groups_of_version_1_limit_the_threads(
    root: Path, folder: str, quota: str, threads: int
) -> None:
    files = {
        "proc/self/cgroup": "9:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n",
        f"sys/fs/cgroup/{folder}/cpu.cfs_quota_us": f"{quota}\n",
        f"sys/fs/cgroup/{folder}/cpu.cfs_period_us": "100000\n",
    }
    assert available_threads(tree(root, files)) == threads


@needs_affinity
@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0", (0,)), ("4-7", (4, 5, 6, 7)), ("7,0,2-3", (0, 2, 3, 7)), (" 1 , 2 ", (1, 2))],
)
def test_lists_of_cpus_are_parsed(
    monkeypatch: pytest.MonkeyPatch, text: str, numbers: tuple[int, ...]
) -> None:
    monkeypatch.setattr(cpus, "_allowed", lambda: set(range(8)))
    assert parse(text) == numbers


@needs_affinity
@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "3-1", "1;2", "1,,2"])
def test_a_text_that_is_no_list_of_cpus_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="written like 0,2-3"):
        parse(text)


@needs_affinity
def test_a_number_beyond_every_cpu_is_refused() -> None:
    with pytest.raises(ValueError, match="below 8192"):
        parse("0-99999999999")


@needs_affinity
def test_cpus_that_the_process_may_not_use_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "_allowed", lambda: {0, 3})
    with pytest.raises(ValueError, match="may not use CPU 1, only 0, 3"):
        parse("0-3")


@needs_affinity
def test_threads_started_in_the_block_stay_on_its_cpus() -> None:
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
def test_vnni_is_found_in_cpuinfo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, has: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    if text is not None:
        tree(tmp_path, {"proc/cpuinfo": text})
    assert has_vnni(tmp_path) is has


def test_a_processor_of_another_architecture_has_no_vnni(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert has_vnni(tree(tmp_path, {"proc/cpuinfo": "Features : fp asimd asimddp"})) is False


@pytest.mark.parametrize(
    ("board", "found"),
    [
        (RASPBERRY_PI_4, []),  # Cortex-A72
        (JETSON_ORIN_NANO, ["asimddp"]),  # Cortex-A78AE
        ({"proc/cpuinfo": "Features : fp asimd asimdhp asimddp i8mm"}, ["asimddp"]),
        ({}, []),
    ],
)
def test_dot_products_of_arm_are_found_in_cpuinfo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: dict[str, str], found: list[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert present([*VNNI, *ARM_DOT_PRODUCTS], tree(tmp_path, board)) == found


@pytest.mark.parametrize(
    ("features", "has"), [("asimd asimddp i8mm bf16", True), ("asimd asimddp", False)]
)
def test_bfloat16_of_an_arm_processor_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, features: str, has: bool
) -> None:
    root = tree(tmp_path, {"proc/cpuinfo": f"Features : fp {features}"})
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert has_bf16(root) is has


@needs_affinity
def test_an_empty_list_of_cpus_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one CPU"):
        checked([])


def test_a_system_without_affinity_refuses_every_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with pytest.raises(EdgeOCRError, match="can't bind threads"):
        checked([0])
