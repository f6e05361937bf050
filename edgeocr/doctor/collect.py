"""Collect the facts of `edgeocr doctor`.

This works even where NumPy or ONNX Runtime can't be imported: `attempts` tries the imports in other
processes.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field, replace

from ..bundle.bundle import Bundle
from ..device import cpus, machine
from ..errors import EdgeOCRError, printable
from ..runtime.diagnosis import distributions
from ..runtime.providers import PROVIDERS
from ..version import __version__
from .attempts import (
    BUILT_IN,
    ENGINES,
    IMPORT,
    IMPORT_TIMEOUT,
    START,
    START_TIMEOUT,
    TAKEN,
    begin,
)
from .facts import (
    CheckedBundle,
    Cores,
    Distributions,
    Facts,
    Nvidia,
    OnnxRuntime,
    Package,
    Python,
)

TENSORRT = PROVIDERS["tensorrt"]


@dataclass(frozen=True)
class Module:
    """A module that edgeocr imports.

    Attributes:
        distribution: The distribution that edgeocr asks for.
        proof: A name that the module defines; it is missing if a part of the module was deleted.
    """

    distribution: str
    proof: str


MODULES = {
    "numpy": Module("numpy", "ndarray"),
    "cv2": Module("opencv-python-headless", "imdecode"),
    "onnxruntime": Module("onnxruntime", "InferenceSession"),
    "pyclipper": Module("pyclipper", "PyclipperOffset"),
    "shapely": Module("shapely", "Polygon"),
}


@dataclass(frozen=True)
class Imports:
    """The results of trying to import the modules.

    Attributes:
        packages: The modules by name.
        build: What ONNX Runtime says about its build; None if unknown.
        available: ONNX Runtime's names of the providers that are built in.
        video: OpenCV's ways to take frames, and whether it was built with each.
    """

    packages: dict[str, Package]
    build: str | None = None
    available: tuple[str, ...] = ()
    video: dict[str, bool] = field(default_factory=dict)


def collect(bundle: str | None = None) -> Facts:
    """Look at the machine, the installed packages and a bundle.

    Args:
        bundle: Path of the bundle; by default the one in the package.
    """
    imports = _imports()
    checked = _check_bundle(bundle)
    usable = all(imports.packages[name].error is None for name in ("onnxruntime", "numpy"))
    if usable and checked.error is None:
        checked = _with_choices(checked)
    if checked.engines and TENSORRT.onnxruntime_name in imports.available:
        checked = replace(checked, engine_misfits=_engine_misfits(checked))
    # Providers are tried with a graph of the bundle, or of the package's own if the bundle is
    # broken.
    graph_from = checked.path if checked.error is None else _check_bundle(None).path
    return Facts(
        edgeocr=__version__,
        python=Python(platform.python_version(), platform.python_implementation(), sys.executable),
        packages=imports.packages,
        distributions=_distributions(),
        onnxruntime=OnnxRuntime(
            version=imports.packages["onnxruntime"].version,
            build=imports.build,
            available=list(imports.available),
            started=_started(graph_from) if usable and graph_from else {},
        ),
        nvidia=_nvidia(),
        device=machine.describe(),
        features=machine.cpu_features(),
        clocks=machine.clock_policies(),
        cores=_cores(),
        temperature_c=machine.temperature_c(),
        throttling=machine.throttling(),
        power_mode=machine.power_mode(),
        bundle=checked,
        video=imports.video,
    )


def _imports() -> Imports:
    """Try to import all modules at the same time."""
    waits = {
        name: begin(IMPORT, name, module.proof, timeout=IMPORT_TIMEOUT)
        for name, module in MODULES.items()
    }
    answers = {name: wait() for name, wait in waits.items()}
    packages = {
        name: Package(MODULES[name].distribution, (answer or {}).get("version"), error)
        for name, (answer, error) in answers.items()
    }
    runtime = answers["onnxruntime"][0] or {}
    video = (answers["cv2"][0] or {}).get("video", {})
    return Imports(packages, runtime.get("build"), tuple(runtime.get("available", ())), video)


def _distributions() -> Distributions:
    installed = distributions()

    def beginning(prefix: str) -> dict[str, str]:
        return {name: version for name, version in installed.items() if name.startswith(prefix)}

    return Distributions(onnxruntime=beginning("onnxruntime"), opencv=beginning("opencv-"))


def _check_bundle(path: str | None) -> CheckedBundle:
    """Open and verify a bundle, or the one in the package."""
    try:
        opened = Bundle.open(path) if path else Bundle.default()
    except EdgeOCRError as error:
        return CheckedBundle(path, name=None, sha256=None, files=None, error=str(error))
    return CheckedBundle(
        path=str(opened.path),
        name=opened.manifest.name,
        sha256=opened.digest,
        files=len(opened.manifest.files),
        error=None,
        engines=[printable(str(key)) for key in opened.manifest.engines],
        variants={
            name: f"one of {', '.join(stage.graphs)}"
            for name, stage in opened.manifest.stages.present.items()
            if stage.variants
        },
    )


def _with_choices(bundle: CheckedBundle) -> CheckedBundle:
    """Add which graphs this device takes and why, and what `edgeocr tune` has found out."""
    answer, error = begin(TAKEN, bundle.path or "", timeout=START_TIMEOUT)()
    if error is not None:
        unknown = f"unknown: {error}"
        return replace(bundle, variants=dict.fromkeys(bundle.variants, unknown), tuned=unknown)
    return replace(bundle, variants=answer["reasons"], tuned=answer["tuned"])


def _engine_misfits(bundle: CheckedBundle) -> list[str]:
    """Return why this device can't use the bundle's TensorRT engines, and what to do."""
    answer, error = begin(ENGINES, bundle.path or "", timeout=START_TIMEOUT)()
    if error is not None:
        return [f"the bundle's TensorRT engines can't be examined: {error}"]
    reasons: list[str] = answer
    return reasons


def _started(bundle: str) -> dict[str, str | None]:
    """Try to start each built-in provider on the bundle's smallest graph.

    Returns:
        Provider → None if it starts, else the reason why it does not.
    """
    names, error = begin(BUILT_IN, timeout=IMPORT_TIMEOUT)()
    if error is not None:
        return {"cpu": error}
    started: dict[str, str | None] = {}
    # One after the other, because a small device may not have the memory for two at once.
    for name in names:
        answer, error = begin(START, name, bundle, timeout=START_TIMEOUT)()
        started[name] = error if answer is None else answer["reason"]
    return started


def _nvidia() -> Nvidia:
    from ..device import nvidia

    driver = nvidia.driver()
    return Nvidia(
        driver=None if driver is None else ".".join(map(str, driver)),
        driver_release=nvidia.driver_release(),
        gpus=nvidia.gpus(),
        **nvidia.libraries(),
    )


def _cores() -> Cores:
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    fast = machine.fast_cpus()
    if fast is not None and allowed is not None:
        fast = [cpu for cpu in fast if cpu in allowed]
    return Cores(
        all=os.cpu_count(),
        affinity=None if allowed is None else len(allowed),
        available=cpus.available_threads(),
        fast=len(fast) if fast else None,
    )
