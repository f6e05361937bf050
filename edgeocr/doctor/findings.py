"""What `edgeocr doctor` concludes from its facts: what is broken, could be better, and fits best.

Rules on the dictionary of `doctor.examine`, without a look at the machine. Each sentence says what
is wrong, and behind its colon what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..runtime.diagnosis import JETPACK, RUNTIMES

# Of onnxruntime 1.21.0's wheel for aarch64: it has instructions that Armv8.0 lacks.
ILLEGAL_INSTRUCTION = "https://github.com/microsoft/onnxruntime/issues/23957"
NEITHER_BOTH = 'pip install "edgeocr[cpu]", or "edgeocr[gpu]" for NVIDIA, never both'
HEADLESS = "pip install opencv-python-headless"

# Bytes; boards with less, such as Raspberry Pi Zero 2 W, are meant to have swap.
LITTLE_MEMORY = 1 << 30

# Drivers whose "powersave" is no fixed low clock but chooses by load: the kernel's documents
# admin-guide/pm/intel_pstate and admin-guide/pm/amd-pstate.
CHOOSING_DRIVERS = ("intel_pstate", "amd-pstate-epp")
GOVERNOR = "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor"


def problems(facts: dict[str, Any]) -> list[str]:
    """What is broken: it keeps edgeocr from reading, or from the GPU that is there."""
    return [*_runtimes(facts), *_imports(facts), *_bundle(facts), *_providers(facts)]


def hints(facts: dict[str, Any]) -> list[str]:
    """What works and could be better, or makes times doubtful."""
    return [*_unused(facts), *_opencv(facts), *_memory(facts), *_slowed(facts)]


def recommended(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`provider` and `threads`, each with a `value` and its `reason`; None where nothing starts."""
    started = {name for name, reason in facts["onnxruntime"]["started"].items() if reason is None}
    provider: str | None = None
    if "cuda" in started:
        provider, reason = "cuda", "it starts here, and needs no preparation"
    elif "cpu" in started:
        provider, reason = "cpu", "CUDA isn't in this ONNX Runtime, or doesn't start"
    else:
        reason = "no provider starts here"
    if "tensorrt" in started:
        reason += "; tensorrt starts too and is worth it after `edgeocr warm`"
    threads, why = _threads(facts["cores"])
    return {
        "provider": {"value": provider, "reason": reason},
        "threads": {"value": threads, "reason": why},
    }


def rivals(distributions: dict[str, str]) -> list[str]:
    """Those distributions of ONNX Runtime that all write the folder `onnxruntime`."""
    return [name for name in distributions if name in RUNTIMES]


def _threads(cores: dict[str, Any]) -> tuple[int, str]:
    available, fast = cores["available"], cores["fast"]
    if fast is not None and fast < available:
        return fast, (
            f"{fast} of the {cores['affinity'] or available} CPUs are of the faster kind, and "
            "would wait for the others"
        )
    if available < (cores["all"] or 0):
        return available, (
            f"affinity or a control group leaves this process {available} of {cores['all']} CPUs"
        )
    return available, "all CPUs"


def _runtimes(facts: dict[str, Any]) -> Iterator[str]:
    several = rivals(facts["distributions"]["onnxruntime"])
    if len(several) > 1:
        yield (
            f"{' and '.join(several)} are installed side by side and overwrite each other's "
            f"files: pip uninstall -y {' '.join(several)}, then install one of them"
        )
    if _lacks_instructions(facts):
        yield (
            "onnxruntime 1.21.0 for aarch64 ends with an illegal instruction on this CPU, see "
            f"{ILLEGAL_INSTRUCTION}: pip install 'onnxruntime!=1.21.0'"
        )


def _lacks_instructions(facts: dict[str, Any]) -> bool:
    """onnxruntime 1.21.0 on Armv8.0, as of Raspberry Pi 4 and older, which has no dot product."""
    return (
        facts["device"]["architecture"] == "aarch64"
        and facts["features"].get("asimddp") is False
        and facts["distributions"]["onnxruntime"].get("onnxruntime") == "1.21.0"
    )


def _imports(facts: dict[str, Any]) -> Iterator[str]:
    installed = rivals(facts["distributions"]["onnxruntime"])
    for name, package in facts["packages"].items():
        error = package["error"]
        if error is None or (name == "onnxruntime" and _lacks_instructions(facts)):
            continue
        distribution = package["distribution"]
        if name == "onnxruntime":
            if not installed:
                yield f"onnxruntime can't be imported ({error}): {NEITHER_BOTH}"
                continue
            distribution = installed[0]
        if "libGL" in error:
            several = " ".join(facts["distributions"]["opencv"])
            mend = f"pip uninstall -y {several}, then {HEADLESS}, which needs no libGL"
        elif "SIGILL" in error:
            mend = f"its wheel isn't for this CPU, install another release of {distribution}"
        else:
            mend = f"pip install --force-reinstall {distribution}"
        yield f"{name} can't be imported ({error}): {mend}"


def _bundle(facts: dict[str, Any]) -> Iterator[str]:
    error = facts["bundle"]["error"]
    if error is not None:
        yield (
            f"the bundle doesn't open ({error}): copy or freeze it again; the package's own comes "
            "back with pip install --force-reinstall edgeocr"
        )


def _providers(facts: dict[str, Any]) -> Iterator[str]:
    started, nvidia = facts["onnxruntime"]["started"], facts["nvidia"]
    if started and None not in started.values():
        said = "; ".join(f"{name}: {reason}" for name, reason in started.items())
        installed = " ".join(rivals(facts["distributions"]["onnxruntime"])) or "onnxruntime"
        yield f"no provider starts ({said}): pip install --force-reinstall {installed}"
    if nvidia["gpus"] and started.get("cuda") is not None:
        found = ", ".join(f"{name} {nvidia[name] or 'none'}" for name in ("cuda", "cudnn"))
        yield (
            f"there is a GPU, and CUDA doesn't start on it ({started['cuda']}). Found here: "
            f"driver for CUDA up to {nvidia['driver'] or 'none'}, {found}: install what is missing"
        )


def _unused(facts: dict[str, Any]) -> Iterator[str]:
    started, gpus = facts["onnxruntime"]["started"], facts["nvidia"]["gpus"]
    if gpus and started and "cuda" not in started:
        installed = " ".join(rivals(facts["distributions"]["onnxruntime"])) or "onnxruntime"
        install = JETPACK if facts["device"]["l4t"] else "pip install onnxruntime-gpu"
        yield (
            f"there is a GPU, {gpus[0]['name']}, that this ONNX Runtime isn't built for: "
            f"pip uninstall -y {installed}, then {install}"
        )
    for name, reason in started.items():
        is_problem = name == "cpu" or (name == "cuda" and gpus)
        if reason is not None and not is_problem:
            yield f"{name} is in this ONNX Runtime and doesn't start, so it isn't used: {reason}"


def _opencv(facts: dict[str, Any]) -> Iterator[str]:
    several = list(facts["distributions"]["opencv"])
    if len(several) > 1:
        yield (
            f"{' and '.join(several)} are installed side by side and overwrite each other's "
            f"files: pip uninstall -y {' '.join(several)}, then {HEADLESS}"
        )


def _memory(facts: dict[str, Any]) -> Iterator[str]:
    device = facts["device"]
    total, limit = device["memory_bytes"], device["memory_limit_bytes"]
    if total is not None and total < LITTLE_MEMORY and not device["swap_bytes"]:
        yield (
            f"{total >> 20} MiB of memory and no swap, so that a large picture may end the "
            "process: add swap, such as zram"
        )
    if limit is not None and limit < LITTLE_MEMORY:
        yield (
            f"the control group leaves {limit >> 20} MiB of memory, so that a large picture may "
            "end the process: raise the container's limit"
        )
    if device["bits"] == 32:
        yield (
            "a 32-bit Python, for which nobody builds ONNX Runtime any more: install the system's "
            "64-bit edition"
        )


def _slowed(facts: dict[str, Any]) -> Iterator[str]:
    throttling = facts["throttling"] or {"now": [], "since_boot": []}
    for when, words in (("now", throttling["now"]), ("since boot", throttling["since_boot"])):
        if "under-voltage" in words:
            yield f"under-voltage {when}: use a supply and cable made for this board"
        if heat := [word for word in words if word != "under-voltage"]:
            yield f"slowed down {when} ({', '.join(heat)}): cool it better and check its supply"
    slow = [
        policy
        for policy in facts["clocks"].values()
        if policy["governor"] == "powersave" and policy["driver"] not in CHOOSING_DRIVERS
    ]
    if slow:
        yield (
            "the clock governor is powersave, which stays at the lowest clock: "
            f"echo schedutil | sudo tee {GOVERNOR}"
        )
