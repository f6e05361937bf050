"""The claim that the machine is set up: what `edgeocr doctor` finds, and its problems."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from ..cell_process import CellFailedError, brief
from ..record import Table
from ..trial import Finding, Trial

# Hands this process's sys.path to the examining one, so that both use the same edgeocr.
PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; bundle = sys.argv[1]; "
    "sys.argv[:] = ['edgeocr', 'doctor', '--json', *(['--bundle', bundle] if bundle else [])]; "
    "from edgeocr.cli.main import main; sys.exit(main())"
)
# Seconds for the examination at least: each provider is started in a process of its own.
LEAST_S = 60.0


def try_doctor(trial: Trial) -> Finding:
    """Examine the machine in a process of its own, which may load broken drivers."""
    command = [sys.executable, "-c", PROGRAM, trial.bundle or "", *sys.path]
    patience = max(LEAST_S, trial.time.left)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=patience
        )
    except subprocess.TimeoutExpired:
        raise CellFailedError(f"edgeocr doctor did not end within {patience:.0f} s") from None
    try:
        examined = json.loads(done.stdout)
    except ValueError:
        end = brief(done.stderr.strip()[-500:])
        raise CellFailedError(f"edgeocr doctor ended with {done.returncode}: {end}") from None
    return finding(examined, trial.cells.main.setup.provider)


def finding(examined: Mapping[str, Any], provider: str) -> Finding:
    """Judge what `edgeocr doctor --json` has printed.

    Args:
        examined: The decoded JSON.
        provider: The provider that must start.
    """
    runtime, nvidia = _part(examined, "onnxruntime"), _part(examined, "nvidia")
    started = _part(runtime, "started")
    rows = [
        ["edgeocr", _text(examined.get("edgeocr"))],
        ["ONNX Runtime", _text(runtime.get("version"))],
        ["driver", _text(nvidia.get("driver_release"))],
        ["CUDA that the driver supports", _text(nvidia.get("driver"))],
        *[[label, _text(nvidia.get(name))] for name, label in LIBRARIES.items()],
    ]
    gpus = nvidia.get("gpus")
    for gpu in gpus if isinstance(gpus, list) else []:
        known = gpu if isinstance(gpu, Mapping) else {}
        words = f"{known.get('name')}, compute capability {known.get('compute')}"
        rows.append(["GPU", brief(words)])
    rows += [
        [f"provider {name}", "starts" if why is None else brief(str(why))]
        for name, why in started.items()
    ]
    listed = examined.get("problems")
    problems = [brief(str(each)) for each in listed] if isinstance(listed, list) else []
    rows += [["problem", each] for each in problems]
    hints = examined.get("hints")
    rows += [["hint", brief(str(each))] for each in (hints if isinstance(hints, list) else [])]
    table = Table("What edgeocr doctor found", ["part", "found"], rows)
    if provider not in started:
        problems.insert(0, f"the installed ONNX Runtime has no provider {provider!r}")
    elif started[provider] is not None:
        problems.insert(0, f"the provider {provider!r} doesn't start: {brief(started[provider])}")
    if problems:
        return Finding("fails", "; ".join(problems), [table])
    return Finding("holds", f"the provider {provider!r} starts, and there is no problem", [table])


LIBRARIES = {"cuda": "CUDA", "cudnn": "cuDNN", "tensorrt": "TensorRT"}


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = record.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: object) -> str | None:
    return None if value is None else brief(str(value))
