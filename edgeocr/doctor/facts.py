"""The facts that `edgeocr doctor` collects, as dataclasses.

The names of the fields are the keys of `edgeocr doctor --json`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..device.machine import ClockPolicy, Machine, Throttling
    from ..device.nvidia import GPU


@dataclass(frozen=True)
class Python:
    """The Python that runs edgeocr.

    Attributes:
        version: Its version.
        implementation: Its implementation, for example "CPython".
        executable: The path of its program.
    """

    version: str
    implementation: str
    executable: str


@dataclass(frozen=True)
class Package:
    """A module that edgeocr imports.

    Attributes:
        distribution: The distribution that edgeocr asks for.
        version: The module's version; None if it has none or can't be imported.
        error: The reason why the module can't be imported; None if it can.
    """

    distribution: str
    version: str | None
    error: str | None


@dataclass(frozen=True)
class Distributions:
    """Installed distributions that share a module, of which only one should be installed.

    Attributes:
        onnxruntime: Name and version of each distribution of ONNX Runtime.
        opencv: Name and version of each distribution of OpenCV.
    """

    onnxruntime: dict[str, str]
    opencv: dict[str, str]


@dataclass(frozen=True)
class OnnxRuntime:
    """The ONNX Runtime that Python imports.

    Attributes:
        version: Its version; None if it can't be imported.
        build: What it says about its build; None if unknown.
        available: ONNX Runtime's names of the execution providers that are built in.
        started: For each provider that is built in, None if it starts, else the reason why not.
    """

    version: str | None
    build: str | None
    available: list[str]
    started: dict[str, str | None]


@dataclass(frozen=True)
class Nvidia:
    """NVIDIA's driver, GPUs and libraries.

    Attributes:
        driver: The newest version of CUDA that the driver supports; None without a driver.
        driver_release: The driver's version; None if unknown.
        gpus: The GPUs that this process may use.
        cuda: The version of CUDA's runtime; None if there is none.
        cudnn: The version of cuDNN; None if there is none.
        tensorrt: The version of TensorRT; None if there is none.
    """

    driver: str | None
    driver_release: str | None
    gpus: list[GPU]
    cuda: str | None
    cudnn: str | None
    tensorrt: str | None


@dataclass(frozen=True)
class Cores:
    """The numbers of logical CPUs.

    Attributes:
        all: All CPUs of the machine; None if unknown.
        affinity: The CPUs that this process may run on; None if unknown.
        available: The CPUs that this process can keep busy, after its control group's quota.
        fast: The allowed CPUs of the faster kind; None if all CPUs are of one kind.
    """

    all: int | None
    affinity: int | None
    available: int
    fast: int | None


@dataclass(frozen=True)
class CheckedBundle:
    """The bundle, after every file in it was verified.

    Attributes:
        path: Its path.
        name: Its name; None if it does not open.
        sha256: Its digest; None if it does not open.
        files: The number of its files; None if it does not open.
        error: The reason why it does not open; None if it does.
        variants: Which graph this device takes and why, for each stage that has several or that
            was tuned.
        tuned: The file with what `edgeocr tune` has found out on this device, or why it is ignored;
            None if the bundle does not open.
        variants: Which graph this device takes and why, for each stage that has several.
        engines: The devices that it has TensorRT engines for.
        engine_misfits: Why this device can't use these engines, and what to do, one reason each.
    """

    path: str | None
    name: str | None
    sha256: str | None
    files: int | None
    error: str | None
    variants: dict[str, str] = field(default_factory=dict)
    tuned: str | None = None
    engines: list[str] = field(default_factory=list)
    engine_misfits: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Facts:
    """Everything that `edgeocr doctor` looks at.

    Attributes:
        edgeocr: The version of edgeocr.
        python: The Python that runs it.
        packages: The modules that edgeocr imports, by name.
        distributions: Installed distributions that share a module.
        onnxruntime: ONNX Runtime and its execution providers.
        nvidia: NVIDIA's driver, GPUs and libraries.
        device: The machine.
        features: The CPU's instructions for int8 and float16; None where unknown.
        clocks: CPUs that share a clock, by the name of the policy.
        cores: The numbers of CPUs.
        temperature_c: The processor's temperature in degrees Celsius; None if unknown.
        throttling: What slows the device down; None if unknown.
        power_mode: The power mode of a Jetson; None elsewhere.
        bundle: The bundle.
        video: OpenCV's ways to take frames of videos and cameras, and whether it was built with
            each: FFMPEG for files and streams, V4L2 for cameras, GSTREAMER for pipelines.
    """

    edgeocr: str
    python: Python
    packages: dict[str, Package]
    distributions: Distributions
    onnxruntime: OnnxRuntime
    nvidia: Nvidia
    device: Machine
    features: dict[str, bool | None]
    clocks: dict[str, ClockPolicy]
    cores: Cores
    temperature_c: float | None
    throttling: Throttling | None
    power_mode: str | None
    bundle: CheckedBundle
    video: dict[str, bool] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as dictionaries, lists and plain values."""
        gpus = [gpu.to_dict() for gpu in self.nvidia.gpus]
        return asdict(self) | {"nvidia": asdict(self.nvidia) | {"gpus": gpus}}
