"""What this machine is and how it is doing: CPU, board, memory, clocks, temperature, throttling.

All of it is read from the files of Linux below `root`, and from commands that come with the boards.
Nothing here raises: what can't be read, as on other systems, is None.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from .control_groups import memory_left, memory_limit
from .readings import ROOT, command_output, meminfo, numbered, read_number, read_text

# Major version of Jetson Linux → of JetPack (developer.nvidia.com/embedded/jetson-linux-archive).
JETPACKS = {"32": "4", "34": "5", "35": "5", "36": "6", "38": "7"}

# Instructions that ONNX Runtime's int8 and float16 kernels can use, as /proc/cpuinfo names them.
X86_FEATURES = "avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "f16c"
ARM_FEATURES = "asimd", "asimddp", "asimdhp", "bf16", "i8mm", "sve"

# Bits of `vcgencmd get_throttled`; 16 bits higher are the same causes at any time since boot
# (raspberrypi.com/documentation/computers/os.html#get_throttled).
THROTTLED = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}

# The names that Raspberry Pi, Jetson, Rockchip and x86 have for the processor's thermal zones.
# Other zones may be those of a battery or a radio, and Jetson's PMIC-Die always says 100 °C.
PROCESSOR_ZONE = re.compile(r"cpu|soc|core|^tj|pkg", re.IGNORECASE)
# A sensor outside of these °C is off or broken: Jetson says -256 for a block without power.
POSSIBLE_C = 0, 125

# Cores below these shares of the best core's capacity, or of its clock where the kernel knows no
# capacity, count as slow. A55 beside A76 has 0.5 and 0.75, A78 beside X1 has 0.72 and 0.85, and
# favoured cores of one kind differ by a tenth.
SLOW_CAPACITY = 0.7
SLOW_CLOCK = 0.8


@dataclass(frozen=True)
class Machine:
    """What a machine is, without anything that names a person or a host.

    Attributes:
        cpu: Name of the CPU's model; on a board the board's name.
        architecture: For example "x86_64" or "aarch64".
        bits: Bits of Python's pointers, 32 or 64.
        os: Name of the distribution.
        kernel: Name and release of the kernel.
        python: Version of Python.
        board: For example "Raspberry Pi 5 Model B Rev 1.0".
        l4t: Version of Jetson Linux, for example "36.4.3".
        jetpack: Major version of JetPack, for example "6".
        cpus: Number of logical CPUs, whether or not this process may use them.
        memory_bytes: Bytes of memory.
        memory_limit_bytes: Bytes that the process's control group allows it, if that is less.
        swap_bytes: Bytes of swap.
    """

    cpu: str
    architecture: str
    bits: int
    os: str | None
    kernel: str
    python: str
    board: str | None
    l4t: str | None
    jetpack: str | None
    cpus: int | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    swap_bytes: int | None


@dataclass(frozen=True)
class ClockPolicy:
    """A cpufreq policy: CPUs that share a clock (the kernel's admin-guide/pm/cpufreq).

    Reports record the fields by their names.

    Attributes:
        cpus: Numbers of the CPUs.
        current: The clock now, in MHz; None if unknown.
        max: The highest clock, in MHz; None if unknown.
        governor: What chooses the clock, for example "schedutil"; None if unknown.
        driver: The kernel's driver, for example "cpufreq-dt"; None if unknown.
    """

    cpus: list[int]
    current: int | None = None
    max: int | None = None
    governor: str | None = None
    driver: str | None = None


@dataclass(frozen=True)
class Throttling:
    """The causes that slow the CPU down; both lists are empty if nothing does.

    Reports record the fields by their names.

    Attributes:
        now: What slows it down now, for example "under-voltage".
        since_boot: What has slowed it down at any time since the machine was started.
    """

    now: list[str]
    since_boot: list[str]


def describe(root: Path = ROOT) -> Machine:
    """Describe this machine."""
    memory = meminfo(root)
    total = memory.get("MemTotal")
    limit = memory_limit(root)
    l4t = _l4t(root)
    board = _board(root)
    return Machine(
        # Arm has no model name in cpuinfo, and x86 no board in the device tree.
        cpu=board or _cpuinfo(root, "model name") or platform.processor() or platform.machine(),
        architecture=platform.machine(),
        bits=64 if sys.maxsize > 1 << 32 else 32,
        os=_distribution(root),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        board=board,
        l4t=l4t,
        jetpack=JETPACKS.get(l4t.partition(".")[0]) if l4t else None,
        cpus=os.cpu_count(),
        memory_bytes=total,
        memory_limit_bytes=limit if limit and total and limit < total else None,
        swap_bytes=memory.get("SwapTotal"),
    )


def cpu_features(root: Path = ROOT, architecture: str | None = None) -> dict[str, bool | None]:
    """Find the CPU's instructions that matter for int8, float16 and bfloat16.

    On x86 these are vector widths, dot products of int8 (VNNI, AMX) and float16 conversion (f16c);
    on Arm NEON (asimd), dot products (asimddp), float16 arithmetic (asimdhp), products of
    matrices of bfloat16 (bf16) and of int8 (i8mm), and SVE.

    Args:
        root: The folder below which the system's files are.
        architecture: The architecture, by default this machine's.

    Returns:
        Feature → whether the CPU has it, for the features of its architecture.
    """
    architecture = (architecture or platform.machine()).lower()
    names: tuple[str, ...]
    if architecture in ("x86_64", "amd64", "i686", "i386"):
        names, key = X86_FEATURES, "flags"
    elif architecture.startswith(("aarch64", "arm")):
        names, key = ARM_FEATURES, "Features"
    else:
        return {}
    row = _cpuinfo(root, key)
    if row is None:
        return dict.fromkeys(names)
    present = set(row.split())
    if "neon" in present:  # the name that 32-bit kernels have for asimd
        present.add("asimd")
    return {name: name in present for name in names}


def clock_policies(root: Path = ROOT) -> dict[str, ClockPolicy]:
    """List the cpufreq policies by name, such as "policy0"."""
    found = {}
    for policy in numbered(root / "sys/devices/system/cpu/cpufreq", "policy"):
        current = read_number(policy / "scaling_cur_freq")  # kHz
        most = read_number(policy / "cpuinfo_max_freq")
        found[policy.name] = ClockPolicy(
            cpus=[int(cpu) for cpu in (read_text(policy / "related_cpus") or "").split()],
            current=None if current is None else round(current / 1000),
            max=None if most is None else round(most / 1000),
            governor=read_text(policy / "scaling_governor"),
            driver=read_text(policy / "scaling_driver"),
        )
    return found


def fast_cpus(root: Path = ROOT) -> list[int] | None:
    """List the CPUs of the fastest kind, on processors that have several kinds (big.LITTLE).

    What counts is the capacity that the kernel gives each CPU, or if it gives none the highest
    clock.

    Returns:
        Numbers of the CPUs; None if all CPUs are of one kind.
    """
    capacity = {
        int(cpu.name[3:]): read_number(cpu / "cpu_capacity")
        for cpu in numbered(root / "sys/devices/system/cpu", "cpu")
    }
    clock = {cpu: each.max for each in clock_policies(root).values() for cpu in each.cpus}
    for speeds, slow in ((capacity, SLOW_CAPACITY), (clock, SLOW_CLOCK)):
        known = {cpu: speed for cpu, speed in speeds.items() if speed}
        if known and len(known) == len(speeds):
            least = slow * max(known.values())
            fast = sorted(cpu for cpu, speed in known.items() if speed >= least)
            if len(fast) < len(known):
                return fast
    return None


def temperature_c(root: Path = ROOT) -> float | None:
    """Return the temperature of the processor's hottest thermal zone, in °C.

    If no zone has a processor's name, all zones count.
    """
    zones = []
    for zone in numbered(root / "sys/class/thermal", "thermal_zone"):
        milli = read_number(zone / "temp")
        if milli is not None and POSSIBLE_C[0] < milli / 1000 < POSSIBLE_C[1]:
            zones.append((milli / 1000, read_text(zone / "type") or ""))
    processor = [each for each in zones if PROCESSOR_ZONE.search(each[1])]
    return max(processor or zones)[0] if zones else None


def throttling(root: Path = ROOT) -> Throttling | None:
    """Return what slows the CPU down; None if the machine doesn't say.

    A Raspberry Pi's firmware tells the causes now and those since boot. x86 only counts events
    since boot, in `thermal_throttle` of each CPU. The highest count of all CPUs is taken, because
    the CPUs of a core or package share one count.
    """
    # Reading the file may clear the bits since boot, so the command is asked first.
    answer = command_output("vcgencmd", "get_throttled")
    if answer is None:
        answer = read_text(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    if answer is not None:
        digits = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-f]+)", answer.strip(), re.IGNORECASE)
        if digits is None:
            return None
        bits = int(digits[1], 16)
        return Throttling(
            now=[cause for bit, cause in THROTTLED.items() if bits >> bit & 1],
            since_boot=[cause for bit, cause in THROTTLED.items() if bits >> bit + 16 & 1],
        )
    counts: dict[str, int] = {}
    for cpu in numbered(root / "sys/devices/system/cpu", "cpu"):
        for part in ("core", "package"):
            count = read_number(cpu / f"thermal_throttle/{part}_throttle_count")
            if count is not None:
                counts[part] = max(counts.get(part, 0), count)
    if not counts:
        return None
    return Throttling(
        now=[],
        since_boot=[f"{part} throttled {n} times" for part, n in counts.items() if n],
    )


def available_memory(root: Path = ROOT) -> int | None:
    """Return how many bytes of memory can be taken without swapping; None if unknown."""
    free = [meminfo(root).get("MemAvailable"), memory_left(root)]
    return min((each for each in free if each is not None), default=None)


def power_mode() -> str | None:
    """Return the name of a Jetson's power mode, for example "MAXN" or "15W"."""
    answer = command_output("nvpmodel", "-q")
    named = re.search(r"NV Power Mode: *(\S+)", answer or "")
    return named[1] if named else None


def _cpuinfo(root: Path, wanted: str) -> str | None:
    """Return the first value that /proc/cpuinfo has for a key; case counts."""
    for row in (read_text(root / "proc/cpuinfo") or "").splitlines():
        key, separator, value = row.partition(":")
        if separator and key.strip() == wanted:
            return value.strip()
    return None


def _board(root: Path) -> str | None:
    # Containers hide the device tree, but a Raspberry Pi's cpuinfo names the board too.
    return read_text(root / "proc/device-tree/model") or _cpuinfo(root, "Model")


def _l4t(root: Path) -> str | None:
    """Return the version of Jetson Linux, from a row such as `# R36 (release), REVISION: 4.3`."""
    row = read_text(root / "etc/nv_tegra_release") or ""
    found = re.match(r"# R(\d+) \(release\), REVISION: ([\d.]+)", row)
    return f"{found[1]}.{found[2]}" if found else None


def _distribution(root: Path) -> str | None:
    """Return the PRETTY_NAME of os-release(5)."""
    text = read_text(root / "etc/os-release") or read_text(root / "usr/lib/os-release") or ""
    for row in text.splitlines():
        key, _, value = row.partition("=")
        if key == "PRETTY_NAME":
            try:
                return "".join(shlex.split(value)) or None
            except ValueError:  # a quote is missing
                return value
    return None
