"""edgeocr doctor: what a bug report needs, what is wrong here, and what to do about it.

It is needed most where something can't be imported, or ends the process when it is. So every
import and every provider is tried in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from ..bundle.bundle import Bundle
from ..device import cpus
from ..device import machine as device
from ..errors import EdgeOCRError
from ..version import __version__
from . import findings

# Module → the distribution that edgeocr asks for, and what a half-removed module lacks.
MODULES = {
    "numpy": ("numpy", "ndarray"),
    "cv2": ("opencv-python-headless", "imdecode"),
    "onnxruntime": ("onnxruntime", "InferenceSession"),
    "pyclipper": ("pyclipper", "PyclipperOffset"),
    "shapely": ("shapely", "Polygon"),
}

# Seconds; on a Raspberry Pi with a slow card an import takes some, and TensorRT's start many.
IMPORT_TIMEOUT = 60
START_TIMEOUT = 180

# How much of an error is told; NumPy's is pages long and says what it is at its beginning.
WORDS = 600

# What a process of its own does: `attempt` of one of the three, with this process's sys.path.
BEGIN = (
    "import importlib, json, sys\npath, *arguments = json.loads(sys.argv[1])\nsys.path[:] = path\n"
)
IMPORT = """
def attempt(name, proof):
    module = importlib.import_module(name)
    getattr(module, proof)
    answer = {"version": getattr(module, "__version__", None)}
    if name == "onnxruntime":
        answer["build"] = getattr(module, "get_build_info", lambda: None)()
        answer["available"] = module.get_available_providers()
    return answer
"""
BUILT_IN = """
def attempt():
    from edgeocr.runtime.start import built_in
    return built_in()
"""
START = """
def attempt(provider, path):
    from edgeocr.bundle.bundle import Bundle
    from edgeocr.runtime.start import probe
    bundle = Bundle.open(path)
    stages = [stage for stage in vars(bundle.manifest.stages).values() if stage is not None]
    graph = min((bundle.read(stage.graph) for stage in stages), key=len)
    return {"reason": probe(provider, graph)}
"""
# Libraries print too, so the answer is the last line.
END = """
try:
    outcome = [attempt(*arguments), None]
except Exception as error:
    outcome = [None, f"{type(error).__name__}: {error}"]
print()
print(json.dumps(outcome))
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `edgeocr doctor`."""
    parser.add_argument("--json", action="store_true", help="all facts, for a program")
    parser.add_argument(
        "--bundle", metavar="PATH", help="bundle to check; default: the one in the package"
    )


def run(options: argparse.Namespace) -> int:
    """Print what was found; 1 when something is broken, else 0."""
    facts = examine(options.bundle)
    print(json.dumps(facts, indent=2, ensure_ascii=False) if options.json else report(facts))
    return 1 if facts["problems"] else 0


def examine(bundle: str | None = None) -> dict[str, Any]:
    """Everything that `edgeocr doctor` knows, as JSON can hold it.

    Of what is told, `problems` and `hints` are sentences, `recommended` has a value and a reason
    of `provider` and `threads`, and `onnxruntime.started` has each provider that is built in, with
    None where it starts and else the reason why it doesn't.
    """
    packages = _packages()
    checked = _bundle(bundle)
    usable = not any(packages[name]["error"] for name in ("onnxruntime", "numpy"))
    # A broken bundle doesn't keep the others from being tried: the package's own will do.
    graph_from = checked["path"] if checked["error"] is None else _bundle(None)["path"]
    facts: dict[str, Any] = {
        "edgeocr": __version__,
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "executable": sys.executable,
        },
        "packages": {
            name: {key: package[key] for key in ("distribution", "version", "error")}
            for name, package in packages.items()
        },
        "distributions": _distributions(),
        "onnxruntime": {
            "version": packages["onnxruntime"]["version"],
            "build": packages["onnxruntime"].get("build"),
            "available": packages["onnxruntime"].get("available", []),
            "started": _started(graph_from) if usable and graph_from else {},
        },
        "nvidia": _nvidia(),
        "device": device.describe().to_dict(),
        "features": device.cpu_features(),
        "clocks": {name: each.to_dict() for name, each in device.clock_policies().items()},
        "cores": _cores(),
        "temperature_c": device.temperature_c(),
        "throttling": None if (slowed := device.throttling()) is None else slowed.to_dict(),
        "power_mode": device.power_mode(),
        "bundle": checked,
    }
    facts["recommended"] = findings.recommended(facts)
    facts["problems"] = findings.problems(facts)
    facts["hints"] = findings.hints(facts)
    return facts


def _packages() -> dict[str, dict[str, Any]]:
    """Each module's version, or why it can't be imported; all are tried at the same time."""
    attempts = {
        name: _begin(IMPORT, name, proof, timeout=IMPORT_TIMEOUT)
        for name, (_, proof) in MODULES.items()
    }
    found = {}
    for name, attempt in attempts.items():
        answer, error = attempt()
        found[name] = {
            "distribution": MODULES[name][0],
            "version": None,
            "error": error,
            **(answer or {}),
        }
    return found


def _distributions() -> dict[str, dict[str, str]]:
    """Name → version of all distributions of ONNX Runtime and OpenCV, of which one should be."""
    from importlib import metadata  # takes longer to import than all of this

    found: dict[str, dict[str, str]] = {"onnxruntime": {}, "opencv": {}}
    for each in metadata.distributions():
        name = (each.metadata["Name"] or "").lower().replace("_", "-")
        for family, begin in (("onnxruntime", "onnxruntime"), ("opencv", "opencv-")):
            if name.startswith(begin):
                found[family].setdefault(name, each.version)
    return {family: dict(sorted(versions.items())) for family, versions in found.items()}


def _bundle(path: str | None) -> dict[str, Any]:
    """Open and verify the bundle, or the one in the package."""
    unknown = dict.fromkeys(("name", "sha256", "files"))
    try:
        opened = Bundle.open(path) if path else Bundle.default()
    except EdgeOCRError as error:
        return {"path": path, **unknown, "error": str(error)}
    return {
        "path": str(opened.path),
        "name": opened.manifest.name,
        "sha256": opened.digest,
        "files": len(opened.manifest.files),
        "error": None,
    }


def _started(bundle: str) -> dict[str, str | None]:
    """Each provider of this ONNX Runtime: None when it starts with the bundle's smallest graph,
    else the reason.
    """
    names, error = _begin(BUILT_IN, timeout=IMPORT_TIMEOUT)()
    if error is not None:
        return {"cpu": error}
    started = {}
    for name in names:  # one after the other: a small device has memory for one
        answer, error = _begin(START, name, bundle, timeout=START_TIMEOUT)()
        started[name] = error if answer is None else answer["reason"]
    return started


def _begin(code: str, *arguments: str, timeout: float) -> Callable[[], tuple[Any, str | None]]:
    """Begin an attempt in a process of its own; what comes back waits for (answer, error)."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code + END, json.dumps([sys.path, *arguments])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
    )

    def wait() -> tuple[Any, str | None]:
        try:
            output, words = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, f"not done in {timeout} seconds"
        if process.returncode < 0:
            return None, f"the process ended with {signal.Signals(-process.returncode).name}"
        try:
            answer, error = json.loads(output.decode(errors="replace").splitlines()[-1])
        except (ValueError, IndexError):
            last = " ".join(words.decode(errors="replace").split())[-WORDS:] or "without a word"
            return None, f"the process ended with code {process.returncode}: {last}"
        return answer, None if error is None else " ".join(error.split())[:WORDS]

    return wait


def _nvidia() -> dict[str, Any]:
    """Driver, as the newest CUDA that it can do, GPUs, and the libraries found."""
    from ..device import nvidia

    driver = nvidia.driver()
    return {
        "driver": None if driver is None else ".".join(map(str, driver)),
        "driver_release": nvidia.driver_release(),
        "gpus": [gpu.to_dict() for gpu in nvidia.gpus()],
        **nvidia.libraries(),
    }


def _cores() -> dict[str, int | None]:
    """Logical CPUs: all, those of the process's affinity, `available` after its control group's
    quota too, and how many of the allowed are of the faster kind where there are several.
    """
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    fast = device.fast_cpus()
    if fast is not None and allowed is not None:
        fast = [cpu for cpu in fast if cpu in allowed]
    return {
        "all": os.cpu_count(),
        "affinity": None if allowed is None else len(allowed),
        "available": cpus.available_threads(),
        "fast": len(fast) if fast else None,
    }


def report(facts: dict[str, Any]) -> str:
    """The facts for people: sections of aligned rows, then what is wrong."""
    python, cores, machine = facts["python"], facts["cores"], facts["device"]
    runtime, nvidia, checked = facts["onnxruntime"], facts["nvidia"], facts["bundle"]
    version = f"{python['implementation']} {python['version']}, {machine['bits']} bits"
    sections = {
        f"edgeocr {facts['edgeocr']}": {
            "Python": f"{version}, {python['executable']}",
            **{
                name: package["version"] or package["error"] or "unknown version"
                for name, package in facts["packages"].items()
            },
            "installed": _listed(
                f"{name} {version}"
                for family in facts["distributions"].values()
                for name, version in family.items()
            ),
        },
        "ONNX Runtime": {
            "build": runtime["build"],
            "built in": _listed(runtime["available"]),
            **{
                name: "starts" if reason is None else f"doesn't start: {reason}"
                for name, reason in runtime["started"].items()
            },
        },
        "machine": {
            "board": machine["board"],
            "Jetson": machine["l4t"] and f"L4T {machine['l4t']}, JetPack {machine['jetpack']}",
            "CPU": f"{machine['cpu']}, {machine['architecture']}",
            "features": _listed(name for name, there in facts["features"].items() if there),
            "lacks": _listed(n for n, there in facts["features"].items() if there is False),
            "cores": f"{cores['all']}, allowed {cores['affinity']}, usable {cores['available']}"
            + (f", fast {cores['fast']}" if cores["fast"] else ""),
            "clocks": _clocks(facts["clocks"]),
            "memory": _gib(machine["memory_bytes"])
            + (
                f", limited to {_gib(machine['memory_limit_bytes'])}"
                if machine["memory_limit_bytes"]
                else ""
            ),
            "swap": _gib(machine["swap_bytes"]),
            "system": _listed(filter(None, (machine["os"], machine["kernel"]))),
            "temperature": facts["temperature_c"] and f"{facts['temperature_c']:.0f} °C",
            "throttling": facts["throttling"] and _throttling(**facts["throttling"]),
            "power mode": facts["power_mode"],
        },
        "NVIDIA": {
            **{
                f"GPU {i}": f"{gpu['name']}, compute {gpu['compute']}, {_gib(gpu['memory_bytes'])}"
                for i, gpu in enumerate(nvidia["gpus"])
            },
            "driver": nvidia["driver"]
            and f"{nvidia['driver_release'] or 'unknown'}, for CUDA up to {nvidia['driver']}",
            **{name: nvidia.get(name) for name in ("cuda", "cudnn", "tensorrt")},
        },
        "bundle": {
            "path": checked["path"],
            "name": checked["name"],
            "sha256": checked["sha256"],
            "files": checked["files"],
            "error": checked["error"],
        },
        "recommended": {
            name: f"{each['value'] or 'none'}: {each['reason']}"
            for name, each in facts["recommended"].items()
        },
    }
    blocks = [_section(title, rows) for title, rows in sections.items()]
    for title in ("problems", "hints"):
        if facts[title]:
            blocks.append(
                "\n".join([title.capitalize(), *(f"  - {each}" for each in facts[title])])
            )
    if not facts["problems"] and not facts["hints"]:
        blocks.append("nothing wrong found")
    return "\n\n".join(filter(None, blocks))


def _section(title: str, rows: dict[str, Any]) -> str:
    """Nothing for what isn't known, and no section when nothing is."""
    known = {name: str(value) for name, value in rows.items() if value not in (None, "")}
    width = max(map(len, known), default=0)
    return "\n".join(
        [title, *(f"  {name:{width}}  {value}" for name, value in known.items())] * bool(known)
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _gib(size: int | None) -> str:
    return "unknown" if size is None else f"{size / (1 << 30):.1f} GiB"


def _clocks(policies: dict[str, dict[str, Any]]) -> str:
    """Policies that say the same together, as on x86 where each CPU has its own."""
    alike: dict[str, int] = {}
    for each in policies.values():
        words = f"up to {each['max'] or '?'} MHz, governor {each['governor'] or 'unknown'}"
        alike[words] = alike.get(words, 0) + len(each["cpus"])
    return "; ".join(f"{count} CPUs {words}" for words, count in alike.items())


def _throttling(now: list[str], since_boot: list[str]) -> str:
    return f"now: {_listed(now) or 'none'}; since boot: {_listed(since_boot) or 'none'}"
