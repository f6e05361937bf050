"""Machines for tests: their trees of /proc and /sys, and commands that answer as theirs do."""

from __future__ import annotations

from pathlib import Path

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
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def command(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
