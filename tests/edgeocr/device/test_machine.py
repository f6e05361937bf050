"""What is read of machines: trees of /proc and /sys as boards and servers have them."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from edgeocr.device import machine as device
from tests.support.machines import JETSON_ORIN_NANO, RASPBERRY_PI_4, SERVER, command, tree

pytestmark = pytest.mark.usefixtures("commands")


def test_this_machine() -> None:
    everything = [
        device.describe(), device.cpu_features(), device.clocks_mhz(), device.fast_cpus(),
        device.temperature_c(), device.throttling(), device.power_mode(),
    ]  # fmt: skip
    json.dumps(everything)
    described = device.describe()
    assert described["architecture"] == platform.machine()
    assert described["cpu"] and described["python"] == platform.python_version()
    assert all(str(Path.home()) not in str(value) for value in described.values())


def test_nothing_is_known(tmp_path: Path) -> None:
    described = device.describe(tmp_path)
    unknown = {key for key, value in described.items() if value is None}
    assert unknown == {
        "os", "board", "l4t", "jetpack", "memory_bytes", "memory_limit_bytes", "swap_bytes",
    }  # fmt: skip
    assert set(device.cpu_features(tmp_path, "aarch64").values()) == {None}
    assert device.cpu_features(tmp_path, "riscv64") == {}
    assert device.clocks_mhz(tmp_path) == {}
    assert device.fast_cpus(tmp_path) is None
    assert device.temperature_c(tmp_path) is None
    assert device.throttling(tmp_path) is None
    assert device.power_mode() is None


def test_a_raspberry_pi_4(tmp_path: Path) -> None:
    root = tree(tmp_path, RASPBERRY_PI_4)
    described = device.describe(root)
    assert described["board"] == described["cpu"] == "Raspberry Pi 4 Model B Rev 1.4"
    assert described["os"] == "Debian GNU/Linux 12 (bookworm)"
    assert described["memory_bytes"] == 948304 * 1024
    assert described["swap_bytes"] == 0
    assert described["memory_limit_bytes"] is described["l4t"] is None
    assert device.cpu_features(root, "aarch64") == {
        "asimd": True, "asimddp": False, "asimdhp": False, "i8mm": False, "sve": False,
    }  # fmt: skip
    assert device.clocks_mhz(root) == {
        "policy0": {
            "cpus": [0, 1, 2, 3], "current": 600, "max": 1800, "governor": "ondemand",
            "driver": "cpufreq-dt",
        }
    }  # fmt: skip
    assert device.fast_cpus(root) is None
    assert device.temperature_c(root) == pytest.approx(48.686)


def test_a_board_whose_device_tree_is_masked(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/cpuinfo": RASPBERRY_PI_4["proc/cpuinfo"]})
    assert device.describe(root)["board"] == "Raspberry Pi 4 Model B Rev 1.4"


def test_a_jetson(tmp_path: Path, commands: Path) -> None:
    root = tree(tmp_path, JETSON_ORIN_NANO)
    described = device.describe(root)
    assert described["board"].startswith("NVIDIA Jetson Orin Nano")
    assert (described["l4t"], described["jetpack"]) == ("36.4.3", "6")
    features = device.cpu_features(root, "aarch64")
    assert features["asimddp"] and features["asimdhp"] and not features["i8mm"]
    # Neither the block without power nor the power chip's constant.
    assert device.temperature_c(root) == 49.5
    command(commands, "nvpmodel", 'test "$1" = -q && printf "NV Power Mode: MAXN_SUPER\\n2\\n"')
    assert device.power_mode() == "MAXN_SUPER"


@pytest.mark.parametrize("script", ["exit 1", "echo NVPM ERROR: no configuration", "true"])
def test_a_power_mode_that_nobody_tells(commands: Path, script: str) -> None:
    command(commands, "nvpmodel", script)
    assert device.power_mode() is None


def test_a_server(tmp_path: Path) -> None:
    root = tree(tmp_path, SERVER)
    described = device.describe(root)
    assert described["cpu"] == "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"
    assert described["board"] is None
    assert described["os"] == "Fedora Linux 41"
    assert described["memory_limit_bytes"] == 2 << 30
    assert device.cpu_features(root, "x86_64") == {
        "avx2": True, "avx512f": True, "avx512_vnni": True, "avx_vnni": False, "amx_int8": False,
        "f16c": True,
    }  # fmt: skip
    assert device.temperature_c(root) == 62
    assert device.throttling(root) == {
        "now": [],
        "since_boot": ["core throttled 3 times", "package throttled 7 times"],
    }


def test_the_group_of_a_container_is_the_top_that_it_sees(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": SERVER["proc/meminfo"],
        "proc/self/cgroup": "0::/../../docker/0123\n",
        "sys/fs/cgroup/memory.max": "536870912\n",
        "sys/memory.max": "1\n",  # outside: none of its groups
    }
    assert device.describe(tree(tmp_path, files))["memory_limit_bytes"] == 512 << 20


@pytest.mark.parametrize(
    ("limit", "known"), [("268435456", 256 << 20), ("9223372036854771712", None)]
)
def test_control_groups_of_version_1(tmp_path: Path, limit: str, known: int | None) -> None:
    files = {
        "proc/meminfo": SERVER["proc/meminfo"],
        "proc/self/cgroup": "11:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{limit}\n",
    }
    assert device.describe(tree(tmp_path, files))["memory_limit_bytes"] == known


def test_features_of_a_32_bit_system(tmp_path: Path) -> None:
    tree(tmp_path, {"proc/cpuinfo": "Features\t: half thumb neon vfpv4 crc32\n"})
    assert device.cpu_features(tmp_path, "armv7l")["asimd"] is True
    assert device.cpu_features(tmp_path, "armv7l")["asimddp"] is False


def policies(*kinds: tuple[str, int]) -> dict[str, str]:
    folder = "sys/devices/system/cpu/cpufreq"
    files = {}
    for related, mhz in kinds:
        first = related.split()[0]
        files[f"{folder}/policy{first}/related_cpus"] = f"{related}\n"
        files[f"{folder}/policy{first}/cpuinfo_max_freq"] = f"{mhz}000\n"
    return files


def test_clocks_tell_fast_cores(tmp_path: Path) -> None:
    """Rock 5B: RK3588 with A55 and two pairs of A76 that differ a little."""
    root = tree(tmp_path, policies(("0 1 2 3", 1800), ("4 5", 2400), ("6 7", 2352)))
    assert list(device.clocks_mhz(root)) == ["policy0", "policy4", "policy6"]
    assert device.fast_cpus(root) == [4, 5, 6, 7]


def test_favoured_cores_are_no_other_kind(tmp_path: Path) -> None:
    root = tree(tmp_path, policies(("0", 5100), ("1", 5100), ("2", 4900), ("10", 4800)))
    assert device.fast_cpus(root) is None
    assert device.clocks_mhz(root)["policy10"] == {
        "cpus": [10], "current": None, "max": 4800, "governor": None, "driver": None,
    }  # fmt: skip


def test_capacity_tells_where_clocks_are_near(tmp_path: Path) -> None:
    """Odroid N2: S922X with two A53 at 1.9 GHz and four A73 at 2.2 GHz."""
    files = policies(("0 1", 1896), ("2 3 4 5", 2208))
    assert device.fast_cpus(tree(tmp_path, files)) is None
    for cpu in range(6):
        files[f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity"] = "508\n" if cpu < 2 else "1024\n"
    assert device.fast_cpus(tree(tmp_path, files)) == [2, 3, 4, 5]


def test_zones_without_a_known_name(tmp_path: Path) -> None:
    files = {f"sys/class/thermal/thermal_zone{i}/temp": f"{t}\n" for i, t in enumerate((41, 55000))}
    files |= {"sys/class/thermal/thermal_zone2/temp": "140000\n"}
    assert device.temperature_c(tree(tmp_path, files)) == 55


@pytest.mark.parametrize(
    ("answer", "now", "since_boot"),
    [
        ("throttled=0x0", [], []),
        ("throttled=0x50005", ["under-voltage", "throttled"], ["under-voltage", "throttled"]),
        ("throttled=0xe0008", ["soft temperature limit"],
         ["frequency capped", "throttled", "soft temperature limit"]),
    ],
)  # fmt: skip
def test_what_a_raspberry_pi_says_of_throttling(
    commands: Path, tmp_path: Path, answer: str, now: list[str], since_boot: list[str]
) -> None:
    root = tree(tmp_path, {"sys/devices/platform/soc/soc:firmware/get_throttled": "2\n"})
    command(commands, "vcgencmd", f'test "$1" = get_throttled && echo {answer}')
    assert device.throttling(root) == {"now": now, "since_boot": since_boot}


def test_throttling_from_the_file(tmp_path: Path, commands: Path) -> None:
    root = tree(tmp_path, RASPBERRY_PI_4)
    command(commands, "vcgencmd", "echo VCHI initialization failed; exit 255")
    assert device.throttling(root) == {
        "now": ["under-voltage", "throttled"],
        "since_boot": ["under-voltage", "throttled"],
    }


def test_throttling_that_is_no_number(tmp_path: Path, commands: Path) -> None:
    command(commands, "vcgencmd", "echo error=1")
    assert device.throttling(tmp_path) is None


def test_a_command_that_hangs(commands: Path) -> None:
    command(commands, "slow", "exec sleep 20")
    assert device.output_of("slow", timeout=0.1) is None
    command(commands, "quick", 'echo "$1"')
    assert device.output_of("quick", "word") == "word\n"
