"""Error messages for a provider that is missing or doesn't start: the cause, and what to do.

The output is ONNX Runtime's own, from onnxruntime-gpu 1.31 and onnxruntime-openvino 1.24.
"""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from edgeocr.device import nvidia
from edgeocr.runtime import diagnosis
from edgeocr.runtime.diagnosis import did_not_start, distributions, not_built_in, runtimes
from edgeocr.runtime.providers import provider_named

LOADING = (
    "\x1b[1;31m2026-11-25 08:23:10 [E:onnxruntime:Default, provider_bridge_ort.cc:2458 operator()] "
    "onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : "
    "Failed to load library /x/onnxruntime/capi/libonnxruntime_providers_cuda.so with error: {}: "
    "cannot open shared object file: No such file or directory\n\x1b[m"
)
OLD_DRIVER = (
    "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; "
    "expr=cudaSetDevice(info_.device_id);"
)
HIDDEN = (
    'Failed to parse provider option "device_id": CUDA failure 100: no CUDA-capable device is '
    "detected ; expr=cudaSetDevice(device_id)"
)
UNKNOWN_OPTION = 'provider_options_utils.h:182 Parse Unknown provider option: "bogus".'
WRONG_VALUE = (
    'provider_options_utils.h:187 Parse Failed to parse provider option "cudnn_conv_algo_search"'
)
OPENVINO_OPTION = "CreateExecutionProviderFactoryInstance Invalid OpenVINO EP option: bogus"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server with a driver for CUDA 13 and a GPU, and nothing of CUDA installed."""
    monkeypatch.setattr(nvidia, "driver", lambda: (13, 0))
    monkeypatch.setattr(nvidia, "gpus", lambda: [nvidia.GPU("L4", "8.9", 1 << 34)])
    monkeypatch.setattr(nvidia, "libraries", lambda: dict.fromkeys(("cuda", "cudnn", "tensorrt")))
    monkeypatch.setattr(diagnosis, "JETSON", tmp_path / "nothing")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


def message_for(provider: str, output: str, built_for: str | None = "13.0") -> str:
    return did_not_start(provider_named(provider), output, built_for=built_for)


def test_a_missing_library_is_named_with_its_package() -> None:
    message = message_for("cuda", LOADING.format("libcublasLt.so.13"))
    assert message.startswith(
        "provider 'cuda' did not start here: libcublasLt.so.13 is missing: "
        'pip install "onnxruntime-gpu[cuda,cudnn]" brings the libraries of CUDA 13.0'
    )
    assert "ONNX Runtime said: " in message and "\x1b" not in message and "\n" not in message
    assert len(message) < 800


def test_another_version_of_cuda_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"cuda": "12.6", "cudnn": "9.3.0", "tensorrt": None}
    monkeypatch.setattr(nvidia, "libraries", lambda: here)
    message = message_for("cuda", LOADING.format("libcublasLt.so.13"))
    assert "built for another version than the installed 12.6" in message
    assert 'pip install "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27" fits what is installed' in message
    message = message_for("cuda", LOADING.format("libcudnn.so.9"))
    assert "libcudnn.so.9 is missing: pip install" in message


def test_a_missing_driver_is_named_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in ("cuda", "tensorrt", "tensorrt-rtx"):
        for library in ("libcuda.so.1", "libnvidia-ml.so.1"):
            assert "NVIDIA driver is missing" in message_for(provider, LOADING.format(library))
    monkeypatch.setattr(nvidia, "driver", lambda: None)
    message = message_for("cuda", "")
    assert "NVIDIA driver is missing" in message and "container toolkit" in message
    assert "ONNX Runtime said" not in message  # it has written nothing


def test_a_driver_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "driver", lambda: (12, 4))
    message = message_for("cuda", OLD_DRIVER)
    assert "runs CUDA 12.4 at most and this onnxruntime-gpu needs CUDA 13.0" in message
    assert "install driver 580 or newer, or pip install" in message
    assert '"onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27"' in message


def test_a_newer_minor_version_of_cuda_is_not_the_drivers_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nvidia, "driver", lambda: (12, 4))
    message = message_for("cuda", "CUDA failure 2: out of memory", built_for="12.8")
    assert "too little free memory" in message and "driver" not in message
    assert message_for("cuda", "CUDA failure 999: unknown", built_for="12.8").startswith(
        "provider 'cuda' did not start here: the cause is unknown. ONNX Runtime said: CUDA "
    )


@pytest.mark.parametrize("library", ["libcufft.so.11", "libcurand.so.10"])
def test_libraries_with_their_own_numbers_are_not_compared_with_cuda(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    here = {"cuda": "12.6", "cudnn": "9.3.0", "tensorrt": None}
    monkeypatch.setattr(nvidia, "libraries", lambda: here)
    message = message_for("cuda", LOADING.format(library), built_for="12.8")
    assert f"{library} is missing: pip install" in message


def test_a_gpu_that_is_hidden_from_the_process_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CUDA_VISIBLE_DEVICES" in message_for("cuda", HIDDEN)
    monkeypatch.setattr(nvidia, "gpus", list)
    assert "CUDA_VISIBLE_DEVICES" in message_for("cuda", "something else")
    assert "CUDA_VISIBLE_DEVICES" in message_for("cuda", HIDDEN)


def test_missing_tensorrt_is_named() -> None:
    message = message_for("tensorrt", LOADING.format("libnvinfer.so.10"))
    assert "TensorRT is missing (libnvinfer.so)" in message and "JetPack" in message


@pytest.mark.parametrize(
    ("provider", "output"),
    [("cuda", UNKNOWN_OPTION), ("cuda", WRONG_VALUE), ("openvino", OPENVINO_OPTION)],
)
def test_a_wrong_option_is_named(provider: str, output: str) -> None:
    assert "one of its options is unknown or has a wrong value" in message_for(provider, output)


def test_a_broken_engine_is_to_be_deleted() -> None:
    output = (
        "TensorRT EP could not deserialize engine from cache: /x/detection_1_0_fp16_sm87.engine"
    )
    message = message_for("tensorrt", output)
    assert "delete its folder and run edgeocr warm again" in message and "/x/detection" in message


def test_missing_cudnn_is_named() -> None:
    output = "cuDNN is not available. Install cuDNN, update the system library search path, or"
    assert "cuDNN is missing: pip install" in message_for("cuda", output)


def test_another_providers_output_is_quoted() -> None:
    message = message_for("openvino", "[ERROR] [OpenVINO] Device GPU is not available")
    assert "this device, or a library that it needs, may be missing" in message
    assert "Device GPU is not available" in message


def test_a_jetson_needs_nvidias_own_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "nothing").write_text("# R36 (release), REVISION: 4.3\n")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert "for this JetPack" in message_for("cuda", LOADING.format("libcudnn.so.9"))
    monkeypatch.setattr(diagnosis, "distributions", lambda: {"onnxruntime": "1.20.0"})
    message = not_built_in(provider_named("tensorrt"), "1.20.0")
    assert "pip uninstall -y onnxruntime, then install the onnxruntime-gpu wheel" in message


def test_the_cpu_package_has_to_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "distributions", lambda: {"onnxruntime": "1.32.0"})
    assert not_built_in(provider_named("cuda"), "1.32.0") == (
        "provider 'cuda' is not in the installed ONNX Runtime 1.32.0, the package onnxruntime: "
        'pip uninstall -y onnxruntime, then pip install "onnxruntime-gpu[cuda,cudnn]"'
    )
    assert "pip install onnxruntime-openvino" in not_built_in(provider_named("openvino"), "1.32.0")


def test_packages_side_by_side_have_to_be_uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"onnxruntime": "1.32.0", "onnxruntime-gpu": "1.31.1"}
    monkeypatch.setattr(diagnosis, "distributions", lambda: both)
    message = not_built_in(provider_named("cuda"), "1.32.0")
    assert "onnxruntime and onnxruntime-gpu are installed side by side" in message
    assert "pip uninstall -y onnxruntime onnxruntime-gpu, then pip install" in message


def test_a_plugin_is_installed_beside_the_cpu_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "distributions", lambda: {"onnxruntime": "1.32.0"})
    message = not_built_in(provider_named("tensorrt-rtx"), "1.32.0")
    assert "uninstall" not in message and "onnxruntime-ep-nv-tensorrt-rtx-cu13" in message


def test_one_distribution_of_onnx_runtime_is_installed_here() -> None:
    assert len(runtimes(distributions())) == 1
