"""onnxruntime-gpu on a machine without a GPU: the CPU reads, and errors name what is missing.

The fixture `driver` is a fake driver that only says which CUDA it can run. With it ONNX Runtime
loads its own libraries and reads the options that edgeocr sets, before it fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from edgeocr import OCR, ProviderUnavailableError
from edgeocr.device import nvidia
from edgeocr.runtime.diagnosis import distributions
from edgeocr.runtime.engine_key import EngineKey
from edgeocr.runtime.job import Job
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.provider_options import provider_chain
from edgeocr.runtime.providers import provider_named
from edgeocr.runtime.tensorrt_cache import BuiltEngines, build_options

pytestmark = pytest.mark.gpu_package

DRIVER = """
int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { *version = VERSION; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetName(char *name, int size, int device) { name[0] = 'X'; name[1] = 0; return 0; }
int cuDeviceTotalMem_v2(unsigned long *bytes, int device) { *bytes = 1UL << 33; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = 8; return 0; }
int cuDeviceGetPCIBusId(char *id, int size, int device) { id[0] = 0; return 0; }
int cuTensorMapEncodeTiled(void) { return 100; }
"""


@pytest.fixture(scope="module", autouse=True)
def environment() -> None:
    if "onnxruntime-gpu" not in distributions():
        pytest.fail("needs onnxruntime-gpu in the environment", pytrace=False)
    if nvidia.driver() is not None:
        pytest.fail("needs a machine without NVIDIA's driver", pytrace=False)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a libcuda.so.1 for CUDA 12.4."""
    folder = tmp_path_factory.mktemp("driver")
    (folder / "driver.c").write_text(DRIVER)
    made = [
        "cc", "-shared", "-fPIC", "-DVERSION=12040", "-Wl,-soname,libcuda.so.1",
        "-o", "libcuda.so.1", "driver.c",
    ]  # fmt: skip
    subprocess.run(made, cwd=folder, check=True)
    return folder


def edgeocr(driver: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgeocr", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(driver)},
    )


def read(driver: Path, pictures: Path, *arguments: str) -> str:
    """Run `edgeocr read` with a provider that doesn't start; return its only line of output."""
    done = edgeocr(driver, "read", str(pictures / "sample.jpg"), *arguments)
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def has_cuda() -> bool:
    """Tell whether CUDA's libraries are installed as packages."""
    return find_spec("nvidia") is not None


def test_auto_falls_back_to_the_cpu(pictures: Path) -> None:
    ocr = OCR()
    assert set(ocr.providers.values()) == {"cpu"}
    (reason,) = ocr.skipped_providers
    assert "'cuda' did not start here: the NVIDIA driver is missing" in reason
    assert "NO PARKING" in ocr.read(pictures / "sample.jpg").text


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_missing_driver_is_an_error(provider: str) -> None:
    with pytest.raises(ProviderUnavailableError, match="NVIDIA driver is missing"):
        OCR(provider=provider)


@pytest.mark.parametrize(
    ("provider", "with_cuda"),
    [
        ("cuda", "runs CUDA 12.4 at most and this onnxruntime-gpu needs CUDA 13"),
        ("tensorrt", "TensorRT is missing (libnvinfer.so)"),
    ],
)
def test_what_a_provider_lacks_is_named(
    driver: Path, pictures: Path, provider: str, with_cuda: str
) -> None:
    without_cuda = '.so.13 is missing: pip install "onnxruntime-gpu[cuda,cudnn]" brings'
    line = read(driver, pictures, "--provider", provider)
    assert (with_cuda if has_cuda() else without_cuda) in line


@pytest.mark.parametrize("more", [[], ["--fp16"], ["--provider-option", "cuda:gpu_mem_limit=9"]])
def test_cuda_knows_the_options_that_edgeocr_sets(
    driver: Path, pictures: Path, more: list[str]
) -> None:
    """ONNX Runtime reads the options before it looks for a GPU, so it is the GPU that fails."""
    if not has_cuda():
        pytest.skip("CUDA's libraries aren't here")
    assert "CUDA failure 35" in read(driver, pictures, "--provider", "cuda", *more)
    line = read(
        driver, pictures, "--provider", "cuda", "--provider-option", "cuda:no_such=1", *more
    )
    assert "one of its options is unknown or has a wrong value" in line and "no_such" in line


def test_tensorrt_knows_the_options_that_edgeocr_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "gpus", lambda: [nvidia.GPU("X", "8.7", 1 << 33, True)])
    monkeypatch.setattr(nvidia, "free_memory", lambda gpu: 1 << 30)
    engines = BuiltEngines(Path("x"), EngineKey("b", "g", "8.9", "linux-x86_64", {}, {}))
    job = Job("detection", "image", (1, 32, 32, 3), [(1, 32, 32, 3)])
    ((_, options), _) = provider_chain(
        provider_named("tensorrt"), Placement(options=RuntimeOptions(fp16=True)), job, engines
    )
    assert len(options) == 12 and build_options(0).keys() <= options.keys()
    folder = Path(import_onnxruntime().__file__).parent / "capi"
    library = (folder / "libonnxruntime_providers_tensorrt.so").read_bytes()
    for name in options:
        assert name.encode() + b"\0" in library


def test_doctor_calls_a_gpu_without_cuda_a_problem(driver: Path) -> None:
    done = edgeocr(driver, "doctor", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 1
    assert any("cuda" in problem.lower() for problem in facts["problems"])


def test_doctor_calls_a_missing_gpu_no_problem(tmp_path: Path) -> None:
    done = edgeocr(tmp_path, "doctor", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 0 and facts["problems"] == []
    assert any("cuda" in hint for hint in facts["hints"])
