"""The CPUs that this process may use: affinity, control groups, and lists that a caller chooses."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ..errors import EdgeOCRError
from .control_groups import cpu_quota
from .readings import ROOT, read_text

# Linux supports no more CPUs than this.
MOST_CPUS = 8192
# x86's instructions for dot products of int8; ONNX Runtime's int8 kernels use either.
VNNI = ("avx512_vnni", "avx_vnni")
# Arm's instructions for the same, which Cortex-A76 has and Cortex-A72 lacks.
ARM_DOT_PRODUCTS = ("asimddp",)


def available_threads(root: Path = ROOT) -> int:
    """Return how many logical CPUs this process can keep busy.

    These are the CPUs that it may run on, limited by the quota of its control group, as containers
    have one. A fraction of a CPU counts as a whole one.
    """
    allowed = len(_allowed()) or os.cpu_count() or 1
    quota = cpu_quota(root)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def physical_cores(cpus: Iterable[int], root: Path = ROOT) -> int:
    """Return on how many cores some logical CPUs are.

    Args:
        cpus: Numbers of CPUs.
        root: The folder below which the system's files are.

    Returns:
        The number of cores; the number of CPUs on systems that don't say which share a core.
    """
    siblings = root / "sys/devices/system/cpu"
    return len(
        {
            read_text(siblings / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu)
            for cpu in cpus
        }
    )


def usable_cpus() -> tuple[int, ...]:
    """Return the numbers of the CPUs that this process may run on; empty if unknown."""
    return tuple(sorted(_allowed()))


@cache
def has_vnni(root: Path = ROOT) -> bool:
    """Return whether an x86 processor says that it has AVX-VNNI or AVX-512 VNNI.

    On other architectures, and on systems that don't say, the answer is False.
    """
    return bool(present(VNNI, root))


def present(names: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return those of some features that the CPU says it has.

    Args:
        names: The features, as `machine.cpu_features` names them. Those of other architectures and
            unknown ones count as missing, and so do all of them on systems that don't say.
        root: The folder below which the system's files are.
    """
    # Only int8 graphs and bundles with several graphs need this module: importing it takes 4 ms.
    from .machine import cpu_features

    features = cpu_features(root)
    return [name for name in names if features.get(name)]


@cache
def has_bf16(root: Path = ROOT) -> bool:
    """Return whether an Arm processor says that it multiplies matrices of bfloat16.

    On other architectures, and on systems that don't say, the answer is False.
    """
    return bool(present(["bf16"], root))


def parse(text: str) -> tuple[int, ...]:
    """Parse a list of CPUs as Linux writes it.

    Args:
        text: For example "4-7" or "0,2-3".

    Returns:
        The numbers in ascending order.

    Raises:
        ValueError: `text` isn't such a list, or names a CPU that this process may not use.
        EdgeOCRError: This system can't bind threads to CPUs.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, separator, last = part.strip().partition("-")
        if not first.isdecimal() or (separator and not last.isdecimal()):
            raise ValueError(f"a list of CPUs must be written like 0,2-3, not {text!r}")
        if max(int(first), int(last or first)) >= MOST_CPUS:
            raise ValueError(f"the numbers of CPUs must be below {MOST_CPUS}, not {text!r}")
        numbers = range(int(first), int(last or first) + 1)
        if not numbers:
            raise ValueError(f"a list of CPUs must be written like 0,2-3, not {text!r}")
        found.update(numbers)
    return checked(found)


def checked(cpus: Iterable[int]) -> tuple[int, ...]:
    """Check that this process may use some CPUs.

    Args:
        cpus: Numbers of CPUs.

    Returns:
        The numbers in ascending order.

    Raises:
        ValueError: There is no number, or this process may not use one of the CPUs.
        EdgeOCRError: This system can't bind threads to CPUs.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise EdgeOCRError("this system can't bind threads to CPUs: leave out the list of CPUs")
    chosen = set(cpus)
    if not chosen:
        raise ValueError("a list of CPUs must name at least one CPU")
    if forbidden := chosen - _allowed():
        raise ValueError(
            f"this process may not use CPU {min(forbidden)}, only "
            + ", ".join(map(str, sorted(_allowed())))
        )
    return tuple(sorted(chosen))


@contextmanager
def confined(cpus: tuple[int, ...] | None) -> Iterator[None]:
    """Bind this thread, and the threads that it starts in the block, to some CPUs.

    Args:
        cpus: Numbers of CPUs; None changes nothing.
    """
    if cpus is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _allowed() -> set[int]:
    """Return the CPUs that this process may run on; an empty set if the system doesn't say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
