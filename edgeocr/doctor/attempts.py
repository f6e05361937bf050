"""Try imports and starts of providers, each in a process of its own, since they may crash or hang.

`edgeocr doctor` is needed most where a module can't be imported, or ends the process that imports
it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

# Limits in seconds. On a Raspberry Pi with a slow card an import takes several, and TensorRT takes
# much longer to start.
IMPORT_TIMEOUT = 60
START_TIMEOUT = 180

# The most characters of an error that are kept. NumPy's errors are pages long, with the cause at
# the beginning.
ERROR_CHARACTERS = 600

# The program of the new process is BEGIN, one of the five codes that define `attempt`, and END. It
# gets this process's sys.path.
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
    if name == "cv2":
        registry = module.videoio_registry
        names = [n for n in ("FFMPEG", "V4L2", "GSTREAMER") if hasattr(module, f"CAP_{n}")]
        answer["video"] = {n: registry.hasBackend(getattr(module, f"CAP_{n}")) for n in names}
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
    stages = bundle.manifest.stages.present.values()
    graph = min((bundle.read(stage.graph) for stage in stages), key=len)
    return {"reason": probe(provider, graph)}
"""
TAKEN = """
def attempt(path):
    from edgeocr import OCR
    ocr = OCR(path)
    return {"reasons": ocr.variant_reasons, "tuned": str(ocr.tuning)}
"""
ENGINES = """
def attempt(path):
    from edgeocr import Bundle
    from edgeocr.runtime.engines_here import misfits
    from edgeocr.runtime.options import RuntimeOptions
    from edgeocr.runtime.placement import Placement
    bundle = Bundle.open(path, all_graphs=False)
    stages = list(bundle.manifest.stages.present)
    placement = Placement.for_bundle(
        "auto", RuntimeOptions(), path=bundle.path, graphs_digest=bundle.graphs_digest,
        stages=stages, shipped_engines=bundle.shipped_engines,
    )
    return misfits(placement, stages)
"""
# Libraries may print too, so the answer is the last line.
END = """
try:
    outcome = [attempt(*arguments), None]
except Exception as error:
    outcome = [None, f"{type(error).__name__}: {error}"]
print()
print(json.dumps(outcome))
"""

# Waits for the attempt and returns its answer and None, or None and the reason why it failed.
Wait: TypeAlias = Callable[[], "tuple[Any, str | None]"]


def begin(code: str, *arguments: str, timeout: float) -> Wait:
    """Begin an attempt in a new process.

    Args:
        code: One of `IMPORT`, `BUILT_IN`, `START`, `TAKEN` and `ENGINES`.
        *arguments: The arguments of its function `attempt`.
        timeout: Seconds after which the attempt counts as failed.

    Returns:
        A function that waits for the attempt.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code + END, json.dumps([sys.path, *arguments])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
    )

    def wait() -> tuple[Any, str | None]:
        try:
            output, log = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, f"no answer within {timeout} seconds"
        if process.returncode < 0:
            return None, f"the process ended with {signal.Signals(-process.returncode).name}"
        try:
            answer, error = json.loads(output.decode(errors="replace").splitlines()[-1])
        except (ValueError, IndexError):
            words = " ".join(log.decode(errors="replace").split())[-ERROR_CHARACTERS:]
            ending = f"the process ended with code {process.returncode}"
            return None, f"{ending}: {words or 'it printed nothing'}"
        return answer, None if error is None else " ".join(error.split())[:ERROR_CHARACTERS]

    return wait
