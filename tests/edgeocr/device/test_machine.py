"""Describing machines, from trees of /proc and /sys as boards and servers have them."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path

import pytest

from edgeocr.device import machine, readings
from edgeocr.device.machine import ClockPolicy, Throttling
from tests.support.machines import JETSON_ORIN_NANO, RASPBERRY_PI_4, SERVER, command, tree

pytestmark = pytest.mark.usefixtures("commands")


def test_this_machine_is_described_as_json_and_without_names() -> None:
    throttling = machine.throttling()
    everything = [
        asdict(machine.describe()), machine.cpu_features(), machine.fast_cpus(),
        [asdict(policy) for policy in machine.clock_policies().values()],
        machine.temperature_c(), throttling and asdict(throttling), machine.power_mode(),
    ]  # fmt: skip
    json.dumps(everything)
    described = asdict(machine.describe())
    assert described["architecture"] == platform.machine()
    assert described["cpu"] and described["python"] == platform.python_version()
    assert all(str(Path.home()) not in str(value) for value in described.values())


def test_a_system_without_files_is_described_with_none(tmp_path: Path) -> None:
    described = asdict(machine.describe(tmp_path))
    unknown = {key for key, value in described.items() if value is None}
    assert unknown == {
        "os", "board", "l4t", "jetpack", "memory_bytes", "memory_limit_bytes", "swap_bytes",
    }  # fmt: skip
    assert set(machine.cpu_features(tmp_path, "aarch64").values()) == {None}
    assert machine.cpu_features(tmp_path, "riscv64") == {}
    assert machine.clock_policies(tmp_path) == {}
    assert machine.fast_cpus(tmp_path) is None
    assert machine.temperature_c(tmp_path) is None
    assert machine.throttling(tmp_path) is None
    assert machine.power_mode() is None


def test_a_raspberry_pi_4_is_described(tmp_path: Path) -> None:
    root = tree(tmp_path, RASPBERRY_PI_4)
    described = machine.describe(root)
    assert described.board == described.cpu == "Raspberry Pi 4 Model B Rev 1.4"
    assert described.os == "Debian GNU/Linux 12 (bookworm)"
    assert described.memory_bytes == 948304 * 1024
    assert described.swap_bytes == 0
    assert described.memory_limit_bytes is None and described.l4t is None
    assert machine.cpu_features(root, "aarch64") == {
        "asimd": True, "asimddp": False, "asimdhp": False, "bf16": False, "i8mm": False,
        "sve": False,
    }  # fmt: skip
    assert machine.clock_policies(root) == {
        "policy0": ClockPolicy([0, 1, 2, 3], 600, 1800, "ondemand", "cpufreq-dt")
    }
    assert machine.fast_cpus(root) is None
    assert machine.temperature_c(root) == pytest.approx(48.686)


def test_cpuinfo_names_a_board_whose_device_tree_is_hidden(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/cpuinfo": RASPBERRY_PI_4["proc/cpuinfo"]})
    assert machine.describe(root).board == "Raspberry Pi 4 Model B Rev 1.4"


def test_a_jetson_is_described(tmp_path: Path, commands: Path) -> None:
    root = tree(tmp_path, JETSON_ORIN_NANO)
    described = machine.describe(root)
    assert (described.board or "").startswith("NVIDIA Jetson Orin Nano")
    assert (described.l4t, described.jetpack) == ("36.4.3", "6")
    features = machine.cpu_features(root, "aarch64")
    assert features["asimddp"] and features["asimdhp"] and not features["i8mm"]
    # Neither the block without power nor the power chip's constant.
    assert machine.temperature_c(root) == 49.5
    command(commands, "nvpmodel", 'test "$1" = -q && printf "NV Power Mode: MAXN_SUPER\\n2\\n"')
    assert machine.power_mode() == "MAXN_SUPER"


@pytest.mark.parametrize("script", ["exit 1", "echo NVPM ERROR: no configuration", "true"])
def test_power_mode_is_unknown_where_nvpmodel_does_not_name_it(commands: Path, script: str) -> None:
    command(commands, "nvpmodel", script)
    assert machine.power_mode() is None


def test_a_server_is_described(tmp_path: Path) -> None:
    root = tree(tmp_path, SERVER)
    described = machine.describe(root)
    assert described.cpu == "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"
    assert described.board is None
    assert described.os == "Fedora Linux 41"
    assert described.memory_limit_bytes == 2 << 30
    assert machine.cpu_features(root, "x86_64") == {
        "avx2": True, "avx512f": True, "avx512_vnni": True, "avx_vnni": False, "amx_int8": False,
        "f16c": True,
    }  # fmt: skip
    assert machine.temperature_c(root) == 62
    assert machine.throttling(root) == Throttling(
        [], ["core throttled 3 times", "package throttled 7 times"]
    )


def test_the_memory_limit_of_a_container_is_at_the_top_of_its_tree(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": SERVER["proc/meminfo"],
        "proc/self/cgroup": "0::/../../docker/0123\n",
        "sys/fs/cgroup/memory.max": "536870912\n",
        "sys/memory.max": "1\n",  # outside: none of its groups
    }
    assert machine.describe(tree(tmp_path, files)).memory_limit_bytes == 512 << 20


@pytest.mark.parametrize(
    ("limit", "known"), [("268435456", 256 << 20), ("9223372036854771712", None)]
)
def test_control_groups_of_version_1_limit_the_memory(
    tmp_path: Path, limit: str, known: int | None
) -> None:
    files = {
        "proc/meminfo": SERVER["proc/meminfo"],
        "proc/self/cgroup": "11:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{limit}\n",
    }
    assert machine.describe(tree(tmp_path, files)).memory_limit_bytes == known


def test_a_32_bit_kernel_calls_asimd_neon(tmp_path: Path) -> None:
    tree(tmp_path, {"proc/cpuinfo": "Features\t: half thumb neon vfpv4 crc32\n"})
    assert machine.cpu_features(tmp_path, "armv7l")["asimd"] is True
    assert machine.cpu_features(tmp_path, "armv7l")["asimddp"] is False


def policies(*kinds: tuple[str, int]) -> dict[str, str]:
    folder = "sys/devices/system/cpu/cpufreq"
    files = {}
    for related, mhz in kinds:
        first = related.split()[0]
        files[f"{folder}/policy{first}/related_cpus"] = f"{related}\n"
        files[f"{folder}/policy{first}/cpuinfo_max_freq"] = f"{mhz}000\n"
    return files


def test_clocks_tell_fast_cores_from_slow_ones(tmp_path: Path) -> None:
    """Rock 5B: RK3588 with A55 and two pairs of A76 that differ a little."""
    root = tree(tmp_path, policies(("0 1 2 3", 1800), ("4 5", 2400), ("6 7", 2352)))
    assert list(machine.clock_policies(root)) == ["policy0", "policy4", "policy6"]
    assert machine.fast_cpus(root) == [4, 5, 6, 7]


def test_favoured_cores_are_not_another_kind(tmp_path: Path) -> None:
    root = tree(tmp_path, policies(("0", 5100), ("1", 5100), ("2", 4900), ("10", 4800)))
    assert machine.fast_cpus(root) is None
    assert machine.clock_policies(root)["policy10"] == ClockPolicy([10], max=4800)


def test_capacity_tells_fast_cores_where_clocks_are_close(tmp_path: Path) -> None:
    """Odroid N2: S922X with two A53 at 1.9 GHz and four A73 at 2.2 GHz."""
    files = policies(("0 1", 1896), ("2 3 4 5", 2208))
    assert machine.fast_cpus(tree(tmp_path, files)) is None
    for cpu in range(6):
        files[f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity"] = "508\n" if cpu < 2 else "1024\n"
    assert machine.fast_cpus(tree(tmp_path, files)) == [2, 3, 4, 5]


def test_the_hottest_zone_counts_if_none_has_a_processors_name(tmp_path: Path) -> None:
    files = {f"sys/class/thermal/thermal_zone{i}/temp": f"{t}\n" for i, t in enumerate((41, 55000))}
    files |= {"sys/class/thermal/thermal_zone2/temp": "140000\n"}
    assert machine.temperature_c(tree(tmp_path, files)) == 55


@pytest.mark.parametrize(
    ("answer", "now", "since_boot"),
    [
        ("throttled=0x0", [], []),
        ("throttled=0x50005", ["under-voltage", "throttled"], ["under-voltage", "throttled"]),
        ("throttled=0xe0008", ["soft temperature limit"],
         ["frequency capped", "throttled", "soft temperature limit"]),
    ],
)  # fmt: skip
def test_a_raspberry_pis_command_tells_its_throttling(
    commands: Path, tmp_path: Path, answer: str, now: list[str], since_boot: list[str]
) -> None:
    root = tree(tmp_path, {"sys/devices/platform/soc/soc:firmware/get_throttled": "2\n"})
    command(commands, "vcgencmd", f'test "$1" = get_throttled && echo {answer}')
    assert machine.throttling(root) == Throttling(now, since_boot)


def test_a_raspberry_pis_file_tells_its_throttling_if_the_command_fails(
    tmp_path: Path, commands: Path
) -> None:
    root = tree(tmp_path, RASPBERRY_PI_4)
    command(commands, "vcgencmd", "echo VCHI initialization failed; exit 255")
    causes = ["under-voltage", "throttled"]
    assert machine.throttling(root) == Throttling(causes, causes)


def test_an_answer_that_is_no_number_tells_no_throttling(tmp_path: Path, commands: Path) -> None:
    command(commands, "vcgencmd", "echo error=1")
    assert machine.throttling(tmp_path) is None


def test_a_command_that_hangs_is_ended(commands: Path) -> None:
    command(commands, "slow", "exec sleep 20")
    assert readings.command_output("slow", timeout=0.1) is None
    command(commands, "quick", 'echo "$1"')
    assert readings.command_output("quick", "word") == "word\n"
