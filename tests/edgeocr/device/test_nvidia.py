"""Asking NVIDIA's driver and libraries, which fakes with the same C functions stand in for."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeocr.device import nvidia
from edgeocr.device.nvidia import GPU


class FakeDriver:
    """Stands in for libcuda on a machine with one GPU, an Orin."""

    version = 12060
    initialized = 0

    def cuDriverGetVersion(self, pointer: Any) -> int:
        pointer._obj.value = self.version
        return 0

    def cuInit(self, flags: int) -> int:
        return self.initialized

    def cuDeviceGetCount(self, pointer: Any) -> int:
        pointer._obj.value = 1
        return 0

    def cuDeviceGet(self, pointer: Any, number: int) -> int:
        pointer._obj.value = number
        return 0

    def cuDeviceGetName(self, buffer: Any, size: int, device: ctypes.c_int) -> int:
        assert size == 256 and device.value == 0
        buffer.value = b"Orin"
        return 0

    def cuDeviceTotalMem_v2(self, pointer: Any, device: ctypes.c_int) -> int:
        pointer._obj.value = 8 << 30
        return 0

    def cuDeviceGetAttribute(self, pointer: Any, attribute: int, device: ctypes.c_int) -> int:
        pointer._obj.value = {18: 1, 75: 8, 76: 7}[attribute]  # CUDA's numbers of the three
        return 0

    def cuDeviceGetPCIBusId(self, buffer: Any, size: int, device: ctypes.c_int) -> int:
        buffer.value = b"0000:01:00.0"
        return 0


class FakeManagement:
    """Stands in for NVML on a machine whose only GPU has 5 GiB of free memory."""

    initialized = 0
    shut_down = False

    def nvmlInit_v2(self) -> int:
        return self.initialized

    def nvmlDeviceGetHandleByPciBusId_v2(self, bus_id: bytes, pointer: Any) -> int:
        pointer._obj.value = 1
        return 0 if bus_id == b"0000:01:00.0" else 6  # NVML_ERROR_NOT_FOUND

    def nvmlDeviceGetMemoryInfo(self, handle: Any, pointer: Any) -> int:
        pointer._obj.total, pointer._obj.free, pointer._obj.used = 8 << 30, 5 << 30, 3 << 30
        return 0

    def nvmlShutdown(self) -> int:
        self.shut_down = True
        return 0


class FakeFunction:
    """Stands in for a C function that returns a number, or writes it where pointers say."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __call__(self, *pointers: Any) -> int:
        for pointer in pointers:
            pointer._obj.value = self.value
        return 0 if pointers else self.value


def install(monkeypatch: pytest.MonkeyPatch, libraries: dict[str, Any]) -> None:
    monkeypatch.setattr(nvidia, "_load", libraries.get)
    monkeypatch.setattr(nvidia, "_load_packaged", lambda name: None)


def test_the_driver_tells_its_version_and_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, {nvidia.DRIVER: FakeDriver()})
    assert nvidia.driver() == (12, 6)
    (gpu,) = nvidia.gpus()
    assert gpu == GPU("Orin", "8.7", 8 << 30, integrated=True, bus_id="0000:01:00.0")
    assert gpu.to_dict() == {"name": "Orin", "compute": "8.7", "memory_bytes": 8 << 30}


def test_nvml_tells_the_free_memory_of_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    management = FakeManagement()
    install(monkeypatch, {nvidia.MANAGEMENT: management})
    card = GPU("L4", "8.9", 24 << 30, bus_id="0000:01:00.0")
    assert nvidia.free_memory(card) == 5 << 30
    assert management.shut_down
    # A part of the card has no more than its own memory.
    assert nvidia.free_memory(replace(card, memory_bytes=1 << 30)) == 1 << 30
    assert nvidia.free_memory(replace(card, bus_id="0000:02:00.0")) is None
    assert nvidia.free_memory(replace(card, bus_id="")) is None
    management.initialized = 999
    assert nvidia.free_memory(card) is None
    install(monkeypatch, {})
    assert nvidia.free_memory(card) is None


def test_a_board_shares_the_memory_that_linux_calls_available(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, {nvidia.MANAGEMENT: FakeManagement()})
    monkeypatch.setattr(nvidia, "meminfo", lambda: {"MemFree": 1 << 28, "MemAvailable": 3 << 30})
    orin = GPU("Orin", "8.7", 8 << 30, integrated=True, bus_id="0000:00:00.0")
    assert nvidia.free_memory(orin) == 3 << 30
    monkeypatch.setattr(nvidia, "meminfo", dict)
    assert nvidia.free_memory(orin) is None


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\n"
         "GCC version:  gcc version 12.2.0\n", "550.54.14"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build\n",
         "540.4.0"),
        ("something else", None),
    ],
)  # fmt: skip
def test_the_drivers_release_is_read_from_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, release: str | None
) -> None:
    monkeypatch.setattr(nvidia, "RELEASE", tmp_path / "version")
    assert nvidia.driver_release() is None
    nvidia.RELEASE.write_text(text)
    assert nvidia.driver_release() == release


def test_a_driver_without_a_gpu_tells_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FakeDriver()
    driver.initialized = 100  # CUDA_ERROR_NO_DEVICE
    install(monkeypatch, {nvidia.DRIVER: driver})
    assert nvidia.driver() == (12, 6)
    assert nvidia.gpus() == []


def test_everything_is_empty_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, {})
    assert nvidia.driver() is None
    assert nvidia.gpus() == []
    assert nvidia.libraries() == {"cuda": None, "cudnn": None, "tensorrt": None}
    assert nvidia.versions() == {}


@pytest.mark.parametrize(
    ("library", "function", "number", "name", "version"),
    [
        ("libcudart.so.13", "cudaRuntimeGetVersion", 13000, "cuda", "13.0"),
        ("libcudart.so.12", "cudaRuntimeGetVersion", 12060, "cuda", "12.6"),
        ("libcudnn.so.9", "cudnnGetVersion", 92801, "cudnn", "9.28.1"),
        ("libcudnn.so.8", "cudnnGetVersion", 8907, "cudnn", "8.9.7"),
        ("libnvinfer.so.10", "getInferLibVersion", 100300, "tensorrt", "10.3.0"),
        ("libnvinfer.so.8", "getInferLibVersion", 8602, "tensorrt", "8.6.2"),
    ],
)
def test_versions_of_libraries_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    function: str,
    number: int,
    name: str,
    version: str,
) -> None:
    fake = type("Library", (), {function: FakeFunction(number)})()
    install(monkeypatch, {library: fake})
    assert nvidia.versions() == {name: version}
