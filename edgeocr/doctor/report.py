"""The report of `edgeocr doctor` for people: sections of aligned rows, then what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ..device.machine import ClockPolicy, Throttling
from .examination import Examination
from .facts import Facts

# The rows of a section; a row whose value is None or empty is left out.
Rows: TypeAlias = Mapping[str, object]


def report(examination: Examination) -> str:
    """Return the facts, the recommendation, the problems and the hints as text."""
    facts = examination.facts
    sections: dict[str, Rows] = {
        f"edgeocr {facts.edgeocr}": _software(facts),
        "ONNX Runtime": _onnxruntime(facts),
        "Machine": _machine(facts),
        "NVIDIA": _nvidia(facts),
        "Bundle": _bundle(facts),
        "Recommended": {
            name: f"{each.value or 'none'}: {each.reason}"
            for name, each in vars(examination.recommended).items()
        },
    }
    blocks = [section(title, rows) for title, rows in sections.items()]
    blocks.append(listing("Problems", examination.problems))
    blocks.append(listing("Hints", examination.hints))
    if not examination.problems and not examination.hints:
        blocks.append("No problems found.")
    return "\n\n".join(filter(None, blocks))


def _bundle(facts: Facts) -> Rows:
    bundle = facts.bundle
    return {
        **vars(bundle),
        "variants": None,
        "engine_misfits": None,
        **bundle.variants,
        "engines": "; ".join(bundle.engines),
    }


def _software(facts: Facts) -> Rows:
    python, installed = facts.python, facts.distributions
    return {
        "Python": f"{python.implementation} {python.version}, {facts.device.bits} bits, "
        f"{python.executable}",
        **{
            name: package.version or package.error or "unknown version"
            for name, package in facts.packages.items()
        },
        "video": _listed(name if has else f"no {name}" for name, has in facts.video.items()),
        "installed": _listed(
            f"{name} {version}"
            for name, version in {**installed.onnxruntime, **installed.opencv}.items()
        ),
    }


def _onnxruntime(facts: Facts) -> Rows:
    return {
        "build": facts.onnxruntime.build,
        "built in": _listed(facts.onnxruntime.available),
        **{
            name: "starts" if reason is None else f"doesn't start: {reason}"
            for name, reason in facts.onnxruntime.started.items()
        },
    }


def _machine(facts: Facts) -> Rows:
    device, cores = facts.device, facts.cores
    limit = device.memory_limit_bytes
    temperature = facts.temperature_c
    return {
        "board": device.board,
        "Jetson": device.l4t and f"L4T {device.l4t}, JetPack {device.jetpack or 'unknown'}",
        "CPU": f"{device.cpu}, {device.architecture}",
        "features": _listed(name for name, has in facts.features.items() if has),
        "lacks": _listed(name for name, has in facts.features.items() if has is False),
        "cores": f"{cores.all}, allowed {cores.affinity}, usable {cores.available}"
        + (f", fast {cores.fast}" if cores.fast else ""),
        "clocks": _clocks(facts.clocks.values()),
        "memory": _gib(device.memory_bytes) + (f", limited to {_gib(limit)}" if limit else ""),
        "swap": _gib(device.swap_bytes),
        "system": _listed(filter(None, (device.os, device.kernel))),
        "temperature": None if temperature is None else f"{temperature:.0f} °C",
        "throttling": facts.throttling and _throttling(facts.throttling),
        "power mode": facts.power_mode,
    }


def _nvidia(facts: Facts) -> Rows:
    nvidia = facts.nvidia
    return {
        **{
            f"GPU {number}": f"{gpu.name}, compute {gpu.compute_capability}, "
            f"{_gib(gpu.memory_bytes)}"
            for number, gpu in enumerate(nvidia.gpus)
        },
        "driver": nvidia.driver
        and f"{nvidia.driver_release or 'unknown'}, for CUDA up to {nvidia.driver}",
        "CUDA": nvidia.cuda,
        "cuDNN": nvidia.cudnn,
        "TensorRT": nvidia.tensorrt,
    }


def section(title: str, rows: Rows) -> str:
    """Return a title and its rows; empty if nothing is known."""
    known = {name: str(value) for name, value in rows.items() if value not in (None, "")}
    if not known:
        return ""
    width = max(map(len, known))
    return "\n".join([title, *(f"  {name:{width}}  {value}" for name, value in known.items())])


def listing(title: str, sentences: Sequence[str]) -> str:
    """Return a title and sentences as a list; empty if there are none."""
    return "\n".join([title, *(f"  - {each}" for each in sentences)]) if sentences else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _gib(size: int | None) -> str:
    return "unknown" if size is None else f"{size / (1 << 30):.1f} GiB"


def _clocks(policies: Iterable[ClockPolicy]) -> str:
    """Return the clocks, equal ones together: on x86 each CPU has a clock of its own."""
    numbers: dict[str, int] = {}
    for policy in policies:
        words = f"up to {policy.max or '?'} MHz, governor {policy.governor or 'unknown'}"
        numbers[words] = numbers.get(words, 0) + len(policy.cpus)
    return "; ".join(f"{number} CPUs {words}" for words, number in numbers.items())


def _throttling(state: Throttling) -> str:
    return f"now: {_listed(state.now) or 'none'}; since boot: {_listed(state.since_boot) or 'none'}"
