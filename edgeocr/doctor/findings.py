"""What `edgeocr doctor` concludes from its facts: problems, hints and a recommendation.

The rules see only `Facts`, never the machine itself. Each sentence says what is wrong and, after
its colon, what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..device.cpus import VNNI
from ..device.machine import Throttling
from ..runtime.diagnosis import JETPACK, runtimes
from ..runtime.int8 import PROBLEM, RIGHT_SINCE, WRONG_SINCE
from .facts import Cores, Facts

# The wheel of onnxruntime 1.21.0 for aarch64 contains instructions that Armv8.0 lacks.
ILLEGAL_INSTRUCTION = "https://github.com/microsoft/onnxruntime/issues/23957"
ONE_EXTRA = 'pip install "edgeocr[cpu]", or "edgeocr[gpu]" for NVIDIA, but never both'
HEADLESS = "pip install opencv-python-headless"

# Bytes. Boards with less memory, such as the Raspberry Pi Zero 2 W, are meant to have swap.
LITTLE_MEMORY = 1 << 30

# Drivers whose governor "powersave" chooses the clock by load instead of keeping it low: see
# admin-guide/pm/intel_pstate and admin-guide/pm/amd-pstate of the kernel's documentation.
LOAD_DRIVEN = ("intel_pstate", "amd-pstate-epp")
GOVERNOR = "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor"


@dataclass(frozen=True)
class Recommendation:
    """A setting that fits this machine.

    Attributes:
        value: The value; None if nothing works.
        reason: Why the value fits.
    """

    value: str | int | None
    reason: str


@dataclass(frozen=True)
class Recommended:
    """The settings that fit this machine.

    Attributes:
        provider: The execution provider.
        threads: The number of CPU threads.
    """

    provider: Recommendation
    threads: Recommendation


def problems(facts: Facts) -> list[str]:
    """Return what keeps edgeocr from reading, or from using a GPU that is there."""
    return [*_runtimes(facts), *_imports(facts), *_bundle(facts), *_providers(facts)]


def hints(facts: Facts) -> list[str]:
    """Return what works and could be better, or makes times doubtful."""
    return [
        *_unused(facts),
        *facts.bundle.engine_misfits,
        *_opencv(facts),
        *_memory(facts),
        *_int8(facts),
        *_slowed(facts),
    ]


def recommend(facts: Facts) -> Recommended:
    """Return the execution provider and the number of threads that fit this machine."""
    return Recommended(_provider(facts), _threads(facts.cores))


def _provider(facts: Facts) -> Recommendation:
    started = {name for name, reason in facts.onnxruntime.started.items() if reason is None}
    provider = None
    if "cuda" in started:
        provider, reason = "cuda", "it starts here and needs no preparation"
    elif "cpu" in started:
        provider, reason = "cpu", "CUDA is not in this ONNX Runtime, or does not start"
    else:
        reason = "no provider starts here"
    if "tensorrt" in started:
        reason += "; tensorrt starts too and may be faster after `edgeocr warm`"
    return Recommendation(provider, reason)


def _threads(cores: Cores) -> Recommendation:
    available, fast = cores.available, cores.fast
    if fast is not None and fast < available:
        allowed = cores.affinity or available
        return Recommendation(
            fast,
            f"{fast} of the {allowed} CPUs are of the faster kind, and would wait for the others",
        )
    if available < (cores.all or 0):
        return Recommendation(
            available,
            f"affinity or a control group leaves this process {available} of {cores.all} CPUs",
        )
    return Recommendation(available, "all CPUs")


def _runtimes(facts: Facts) -> Iterator[str]:
    yield from _side_by_side(runtimes(facts.distributions.onnxruntime), "install one of them")
    if _lacks_instructions(facts):
        yield (
            "onnxruntime 1.21.0 for aarch64 ends with an illegal instruction on this CPU, see "
            f"{ILLEGAL_INSTRUCTION}: pip install 'onnxruntime!=1.21.0'"
        )


def _lacks_instructions(facts: Facts) -> bool:
    """Return whether this is onnxruntime 1.21.0 on Armv8.0, which has no dot product.

    The Raspberry Pi 4 and older boards have such CPUs.
    """
    return (
        facts.device.architecture == "aarch64"
        and facts.features.get("asimddp") is False
        and facts.distributions.onnxruntime.get("onnxruntime") == "1.21.0"
    )


def _imports(facts: Facts) -> Iterator[str]:
    installed = runtimes(facts.distributions.onnxruntime)
    for name, package in facts.packages.items():
        error, distribution = package.error, package.distribution
        if error is None or (name == "onnxruntime" and _lacks_instructions(facts)):
            continue
        if name == "onnxruntime":
            if not installed:
                yield f"onnxruntime can't be imported ({error}): {ONE_EXTRA}"
                continue
            distribution = installed[0]
        if "libGL" in error:
            several = " ".join(facts.distributions.opencv)
            remedy = f"pip uninstall -y {several}, then {HEADLESS}, which needs no libGL"
        elif "SIGILL" in error:
            remedy = f"its wheel isn't for this CPU, install another version of {distribution}"
        else:
            remedy = f"pip install --force-reinstall {distribution}"
        yield f"{name} can't be imported ({error}): {remedy}"


def _bundle(facts: Facts) -> Iterator[str]:
    if facts.bundle.error is not None:
        yield (
            f"the bundle doesn't open ({facts.bundle.error}): copy or freeze it again; pip install "
            "--force-reinstall edgeocr restores the one in the package"
        )


def _providers(facts: Facts) -> Iterator[str]:
    started, nvidia = facts.onnxruntime.started, facts.nvidia
    if started and None not in started.values():
        reasons = "; ".join(f"{name}: {reason}" for name, reason in started.items())
        yield f"no provider starts ({reasons}): pip install --force-reinstall {_installed(facts)}"
    if nvidia.gpus and started.get("cuda") is not None:
        yield (
            f"there is a GPU, and CUDA doesn't start on it ({started['cuda']}). Found here: "
            f"driver for CUDA up to {nvidia.driver or 'none'}, cuda {nvidia.cuda or 'none'}, "
            f"cudnn {nvidia.cudnn or 'none'}: install what is missing"
        )


def _installed(facts: Facts) -> str:
    return " ".join(runtimes(facts.distributions.onnxruntime)) or "onnxruntime"


def _unused(facts: Facts) -> Iterator[str]:
    started, gpus = facts.onnxruntime.started, facts.nvidia.gpus
    if gpus and started and "cuda" not in started:
        install = JETPACK if facts.device.l4t else "pip install onnxruntime-gpu"
        yield (
            f"there is a GPU, {gpus[0].name}, that this ONNX Runtime is not built for: "
            f"pip uninstall -y {_installed(facts)}, then {install}"
        )
    for name, reason in started.items():
        is_problem = name == "cpu" or (name == "cuda" and gpus)
        if reason is not None and not is_problem:
            yield f"{name} is in this ONNX Runtime but doesn't start, so it isn't used: {reason}"


def _opencv(facts: Facts) -> Iterator[str]:
    yield from _side_by_side(list(facts.distributions.opencv), HEADLESS)


def _side_by_side(distributions: Sequence[str], remedy: str) -> Iterator[str]:
    """Yield what is wrong if there are several distributions that share a module."""
    if len(distributions) > 1:
        yield (
            f"{' and '.join(distributions)} are installed side by side and overwrite each other's "
            f"files: pip uninstall -y {' '.join(distributions)}, then {remedy}"
        )


def _int8(facts: Facts) -> Iterator[str]:
    release = re.match(r"(\d+)\.(\d+)", facts.onnxruntime.version or "")
    has_vnni = any(facts.features.get(name) for name in VNNI)
    if release and has_vnni and WRONG_SINCE <= (int(release[1]), int(release[2])) < RIGHT_SINCE:
        yield f"{PROBLEM}; until then, graphs in int8 are computed in float32"


def _memory(facts: Facts) -> Iterator[str]:
    device = facts.device
    total, limit = device.memory_bytes, device.memory_limit_bytes
    if total is not None and total < LITTLE_MEMORY and not device.swap_bytes:
        yield (
            f"there are {total >> 20} MiB of memory and no swap, so that a large picture may end "
            "the process: add swap, such as zram"
        )
    if limit is not None and limit < LITTLE_MEMORY:
        yield (
            f"the control group leaves {limit >> 20} MiB of memory, so that a large picture may "
            "end the process: raise the container's limit"
        )
    if device.bits == 32:
        yield (
            "this is a 32-bit Python, for which ONNX Runtime is no longer built: install the "
            "64-bit edition of the system"
        )


def _slowed(facts: Facts) -> Iterator[str]:
    throttling = facts.throttling or Throttling([], [])
    for when, words in (("now", throttling.now), ("since boot", throttling.since_boot)):
        if "under-voltage" in words:
            yield f"under-voltage {when}: use a supply and cable made for this board"
        if heat := [word for word in words if word != "under-voltage"]:
            yield f"slowed down {when} ({', '.join(heat)}): cool it better and check its supply"
    if any(
        policy.governor == "powersave" and policy.driver not in LOAD_DRIVEN
        for policy in facts.clocks.values()
    ):
        yield (
            "the clock governor is powersave, which stays at the lowest clock: "
            f"echo schedutil | sudo tee {GOVERNOR}"
        )
