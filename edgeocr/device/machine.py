"""What this machine is and how it is doing: CPU, board, memory, clocks, temperature, throttling.

Read from the files of Linux below `root` and asked of the boards' own commands. Nothing here
raises: what can't be known, on other systems too, is None.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path("/")

# Folders that a user's PATH may lack: nvpmodel's, and vcgencmd's on older Raspberry Pi OS.
MORE_FOLDERS = "/usr/sbin", "/opt/vc/bin"

# JetPack of each release of Jetson Linux: developer.nvidia.com/embedded/jetson-linux-archive.
JETPACKS = {"32": "4", "34": "5", "35": "5", "36": "6", "38": "7"}

# Names in /proc/cpuinfo of what ONNX Runtime's int8 and float16 kernels can use.
X86_FEATURES = "avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "f16c"
ARM_FEATURES = "asimd", "asimddp", "asimdhp", "i8mm", "sve"

# Bits of `vcgencmd get_throttled`, and 16 higher the same at any time since boot:
# raspberrypi.com/documentation/computers/os.html#get_throttled.
THROTTLED = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}

# Zones of the processor, as Raspberry Pi, Jetson, Rockchip and x86 name them. Others may tell of
# a battery or a radio, and Jetson's PMIC-Die always says 100 °C.
PROCESSOR_ZONE = re.compile(r"cpu|soc|core|^tj|pkg", re.IGNORECASE)
# °C outside of which a sensor is off or broken: Jetson says -256 for a block without power.
POSSIBLE_C = 0, 125

# Cores below these shares of the best one's capacity, or of its clock where the kernel knows no
# capacity, count as slow. A55 beside A76 has 0.5 and 0.75, A78 beside X1 0.72 and 0.85, and
# favoured cores of one kind differ by a tenth.
SLOW_CAPACITY = 0.7
SLOW_CLOCK = 0.8


def describe(root: Path = ROOT) -> dict[str, Any]:
    """What the machine is, without anything that names a person or a host.

    cpu: model name, of a board the board's; architecture, kernel, python, bits (of Python);
    os: the distribution; board: for example "Raspberry Pi 5 Model B Rev 1.0"; l4t, jetpack: of a
    Jetson, for example "36.4.3" and "6"; cpus: logical ones, used or not; memory_bytes,
    swap_bytes; memory_limit_bytes: of the process's control group where that is less.
    """
    memory = _meminfo(root)
    total = memory.get("MemTotal")
    limit = _memory_limit(root)
    l4t = _l4t(root)
    board = _board(root)
    return {
        # Arm has no model name in cpuinfo, and x86 no board in the device tree.
        "cpu": board or _cpuinfo(root, "model name") or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "bits": 64 if sys.maxsize > 1 << 32 else 32,
        "os": _distribution(root),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "board": board,
        "l4t": l4t,
        "jetpack": JETPACKS.get(l4t.partition(".")[0]) if l4t else None,
        "cpus": os.cpu_count(),
        "memory_bytes": total,
        "memory_limit_bytes": limit if limit and total and limit < total else None,
        "swap_bytes": memory.get("SwapTotal"),
    }


def cpu_features(root: Path = ROOT, architecture: str | None = None) -> dict[str, bool | None]:
    """Instructions that matter for int8 and float16, those of this architecture only.

    x86: vector widths, dot products of int8 (VNNI, AMX), float16 conversion (f16c). Arm: NEON
    (asimd), dot products (asimddp), float16 arithmetic (asimdhp), products of int8 matrices
    (i8mm), SVE.
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
    there = set(row.split())
    if "neon" in there:  # what 32-bit kernels call it
        there.add("asimd")
    return {name: name in there for name in names}


def clocks_mhz(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Each cpufreq policy, that is CPUs that share a clock: its `cpus`, `current` and `max` MHz,
    `governor` and `driver`; see the kernel's admin-guide/pm/cpufreq.
    """
    found = {}
    for policy in _numbered(root / "sys/devices/system/cpu/cpufreq", "policy"):
        current = number_of(policy / "scaling_cur_freq")  # kHz
        most = number_of(policy / "cpuinfo_max_freq")
        found[policy.name] = {
            "cpus": [int(cpu) for cpu in (text_of(policy / "related_cpus") or "").split()],
            "current": None if current is None else round(current / 1000),
            "max": None if most is None else round(most / 1000),
            "governor": text_of(policy / "scaling_governor"),
            "driver": text_of(policy / "scaling_driver"),
        }
    return found


def fast_cpus(root: Path = ROOT) -> list[int] | None:
    """CPUs of the faster kind where there are several (big.LITTLE), else None.

    By the capacity that the kernel gives each CPU, or without by the highest clock.
    """
    capacity = {
        int(cpu.name[3:]): number_of(cpu / "cpu_capacity")
        for cpu in _numbered(root / "sys/devices/system/cpu", "cpu")
    }
    clock = {cpu: each["max"] for each in clocks_mhz(root).values() for cpu in each["cpus"]}
    for speeds, slow in ((capacity, SLOW_CAPACITY), (clock, SLOW_CLOCK)):
        known = {cpu: speed for cpu, speed in speeds.items() if speed}
        if known and len(known) == len(speeds):
            least = slow * max(known.values())
            fast = sorted(cpu for cpu, speed in known.items() if speed >= least)
            if len(fast) < len(known):
                return fast
    return None


def temperature_c(root: Path = ROOT) -> float | None:
    """The hottest thermal zone of the processor in °C; of any zone where none is named so."""
    zones = []
    for zone in _numbered(root / "sys/class/thermal", "thermal_zone"):
        milli = number_of(zone / "temp")
        if milli is not None and POSSIBLE_C[0] < milli / 1000 < POSSIBLE_C[1]:
            zones.append((milli / 1000, text_of(zone / "type") or ""))
    processor = [each for each in zones if PROCESSOR_ZONE.search(each[1])]
    return max(processor or zones)[0] if zones else None


def throttling(root: Path = ROOT) -> dict[str, list[str]] | None:
    """What slows the CPU down, as words: {"now": […], "since_boot": […]}, both empty if nothing.

    A Raspberry Pi's firmware says both. x86 counts since boot alone (thermal_throttle of each
    CPU); the count is the highest of any CPU, as CPUs of one core or package share theirs.
    """
    # Reading the file may clear the bits since boot, so the command goes first.
    answer = output_of("vcgencmd", "get_throttled")
    if answer is None:
        answer = text_of(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    if answer is not None:
        digits = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-f]+)", answer.strip(), re.IGNORECASE)
        if digits is None:
            return None
        bits = int(digits[1], 16)
        return {
            "now": [word for bit, word in THROTTLED.items() if bits >> bit & 1],
            "since_boot": [word for bit, word in THROTTLED.items() if bits >> bit + 16 & 1],
        }
    counts: dict[str, int] = {}
    for cpu in _numbered(root / "sys/devices/system/cpu", "cpu"):
        for what in ("core", "package"):
            count = number_of(cpu / f"thermal_throttle/{what}_throttle_count")
            if count is not None:
                counts[what] = max(counts.get(what, 0), count)
    if not counts:
        return None
    often = [f"{what} throttled {count} times" for what, count in counts.items() if count]
    return {"now": [], "since_boot": often}


def power_mode() -> str | None:
    """A Jetson's power mode by name, for example "MAXN" or "15W", as `nvpmodel -q` says it."""
    answer = output_of("nvpmodel", "-q")
    named = re.search(r"NV Power Mode: *(\S+)", answer or "")
    return named[1] if named else None


def program_of(name: str) -> str | None:
    """Path of a command, also of one that isn't on the user's PATH."""
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *MORE_FOLDERS])
    return shutil.which(name, path=folders)


def output_of(name: str, *arguments: str, timeout: float = 2.0) -> str | None:
    """Standard output of a command; None if it isn't there, fails or takes more seconds."""
    program = program_of(name)
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


def text_of(path: Path) -> str | None:
    """What is in a small file, without space around it; None if it can't be read."""
    try:
        # Strings of the device tree end with a zero byte.
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None


def number_of(path: Path) -> int | None:
    """The whole number that is all there is in a file, as in those of /sys; None otherwise."""
    try:
        return int(text_of(path) or "")
    except ValueError:
        return None


def _numbered(folder: Path, prefix: str) -> Iterator[Path]:
    """What is named `prefix` and a number, in the order of the numbers."""
    try:
        names = [each.name for each in folder.iterdir()]
    except OSError:
        return
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    for number in sorted(int(each) for each in numbers if each.isdecimal()):
        yield folder / f"{prefix}{number}"


def _cpuinfo(root: Path, wanted: str) -> str | None:
    """The first CPU's row of /proc/cpuinfo with this key; case counts."""
    for row in (text_of(root / "proc/cpuinfo") or "").splitlines():
        key, separator, value = row.partition(":")
        if separator and key.strip() == wanted:
            return value.strip()
    return None


def _board(root: Path) -> str | None:
    # In containers the device tree is masked, but cpuinfo of a Raspberry Pi names the board too.
    return text_of(root / "proc/device-tree/model") or _cpuinfo(root, "Model")


def _l4t(root: Path) -> str | None:
    """Jetson Linux, of a row such as `# R36 (release), REVISION: 4.3, GCID: …`."""
    row = text_of(root / "etc/nv_tegra_release") or ""
    found = re.match(r"# R(\d+) \(release\), REVISION: ([\d.]+)", row)
    return f"{found[1]}.{found[2]}" if found else None


def _distribution(root: Path) -> str | None:
    """PRETTY_NAME of os-release(5)."""
    text = text_of(root / "etc/os-release") or text_of(root / "usr/lib/os-release") or ""
    for row in text.splitlines():
        key, _, value = row.partition("=")
        if key == "PRETTY_NAME":
            try:
                return "".join(shlex.split(value)) or None
            except ValueError:  # a quote is missing
                return value
    return None


def _meminfo(root: Path) -> dict[str, int]:
    """Rows of /proc/meminfo in bytes."""
    rows = re.findall(r"^(\w+): +(\d+) kB", text_of(root / "proc/meminfo") or "", re.MULTILINE)
    return {key: int(kilobytes) << 10 for key, kilobytes in rows}


def _memory_limit(root: Path) -> int | None:
    """Bytes that the process's control group, and those above it, leave it; versions 1 and 2."""
    limits = []
    for row in (text_of(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = row.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the path may be the host's, which isn't there: its own group is the top.
        parts = () if ".." in Path(path).parts else Path(path.strip("/")).parts
        limits += [number_of(top.joinpath(*parts[:depth], name)) for depth in range(len(parts) + 1)]
    return min((limit for limit in limits if limit), default=None)
