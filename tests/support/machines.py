"""Machines for tests: their files below /proc and /sys, their commands, and doctor's facts."""

from __future__ import annotations

from pathlib import Path

from edgeocr.device.machine import Machine
from edgeocr.doctor.facts import (
    CheckedBundle,
    Cores,
    Distributions,
    Facts,
    Nvidia,
    OnnxRuntime,
    Package,
    Python,
)

RASPBERRY_PI_4 = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\n"
    "Features\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"
    "Hardware\t: BCM2835\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n",
    "proc/meminfo": "MemTotal:         948304 kB\nMemFree:          211040 kB\n"
    "SwapTotal:             0 kB\nHugePages_Total:       0\n",
    "proc/self/cgroup": "0::/user.slice/user-1000.slice/user@1000.service\n",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n',
    "sys/devices/system/cpu/cpufreq/policy0/related_cpus": "0 1 2 3\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "600000\n",
    "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "1800000\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_driver": "cpufreq-dt\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48686\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
}
JETSON_ORIN_NANO = {
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit\0",
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 62.50\nFeatures\t: fp asimd evtstrm aes pmull "
    "sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp uscat ilrcpc flagm "
    "paca pacg\nCPU part\t: 0xd42\n",
    "proc/meminfo": "MemTotal:        7802196 kB\nSwapTotal:       3901088 kB\n",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, "
    "EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025\n"
    "# KERNEL_VARIANT: oot\nTARGET_USERSPACE_LIB_DIR=nvidia\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "47281\n",
    "sys/class/thermal/thermal_zone2/type": "cv0-thermal\n",
    "sys/class/thermal/thermal_zone2/temp": "-256000\n",
    "sys/class/thermal/thermal_zone8/type": "tj-thermal\n",
    "sys/class/thermal/thermal_zone8/temp": "49500\n",
    "sys/class/thermal/thermal_zone9/type": "PMIC-Die\n",
    "sys/class/thermal/thermal_zone9/temp": "100000\n",
}
SERVER = {
    "proc/cpuinfo": "processor\t: 0\nmodel\t\t: 106\nmodel name\t: Intel(R) Xeon(R) Gold 6338 CPU"
    " @ 2.00GHz\nflags\t\t: fpu sse4_2 f16c avx2 avx512f avx512vl avx512_vnni\n\n"
    "processor\t: 1\nmodel name\t: another\n",
    "proc/meminfo": "MemTotal:       263766580 kB\nSwapTotal:       8388604 kB\n",
    "proc/self/cgroup": "0::/system.slice/docker-0123.scope\n",
    "sys/fs/cgroup/system.slice/memory.max": "max\n",
    "sys/fs/cgroup/system.slice/docker-0123.scope/memory.max": "2147483648\n",
    "usr/lib/os-release": "NAME=Fedora\nPRETTY_NAME='Fedora Linux 41'\n",
    "sys/class/thermal/thermal_zone0/type": "acpitz\n",
    "sys/class/thermal/thermal_zone0/temp": "71000\n",
    "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
    "sys/class/thermal/thermal_zone1/temp": "62000\n",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "0\n",
    "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count": "7\n",
    "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "3\n",
    "sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count": "7\n",
}


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write a machine's files below a folder, and return the folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def command(folder: Path, name: str, script: str) -> None:
    """Write an executable shell script that stands in for a command."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def described(cpu: str, architecture: str) -> Machine:
    """Return the description of a machine with four CPUs and 8 GiB, whose board is unknown."""
    return Machine(
        cpu=cpu,
        architecture=architecture,
        bits=64,
        os="Debian GNU/Linux 12",
        kernel="Linux 6.6",
        python="3.11.2",
        board=None,
        l4t=None,
        jetpack=None,
        cpus=4,
        memory_bytes=8 << 30,
        memory_limit_bytes=None,
        swap_bytes=0,
    )


def healthy_facts() -> Facts:
    """Return the facts of a machine on which nothing is wrong."""
    names = {"cv2": "opencv-python-headless"}
    modules = ("numpy", "cv2", "onnxruntime", "pyclipper", "shapely")
    return Facts(
        edgeocr="0.2.0",
        python=Python("3.11.2", "CPython", "/usr/bin/python3"),
        packages={name: Package(names.get(name, name), "1.0", None) for name in modules},
        distributions=Distributions(
            onnxruntime={"onnxruntime": "1.22.0"}, opencv={"opencv-python-headless": "4.12.0.88"}
        ),
        onnxruntime=OnnxRuntime("1.22.0", None, ["CPUExecutionProvider"], {"cpu": None}),
        nvidia=Nvidia(None, None, [], None, None, None),
        device=described("A processor", "x86_64"),
        features={"avx2": True, "amx_int8": False},
        clocks={},
        cores=Cores(all=4, affinity=4, available=4, fast=None),
        temperature_c=None,
        throttling=None,
        power_mode=None,
        bundle=CheckedBundle("tiny.edgeocr", "tiny", "01" * 32, 6, None),
    )
