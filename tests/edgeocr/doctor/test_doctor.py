"""What `edgeocr doctor` finds here, and on machines with something wrong."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgeocr import Bundle, __version__
from edgeocr.device import cpus, machine, readings
from edgeocr.doctor import collect, findings
from edgeocr.doctor.attempts import IMPORT, begin
from edgeocr.doctor.collect import MODULES, Imports
from edgeocr.doctor.examination import Examination, conclude, examine
from edgeocr.doctor.facts import Cores, Facts, Package
from edgeocr.doctor.report import report
from tests.support.machines import RASPBERRY_PI_4, healthy_facts, tree
from tests.support.packing import STUB, Files, packed
from tests.support.variants import NEEDED, fleet


@pytest.fixture(scope="module")
def here() -> Examination:
    """Return the examination of this machine, made once and for real."""
    return examine()


@pytest.fixture
def facts() -> Facts:
    """Return the facts of a machine with nothing wrong."""
    return healthy_facts()


def found(facts: Facts) -> tuple[list[str], list[str]]:
    return findings.problems(facts), findings.hints(facts)


def starting(facts: Facts, started: Mapping[str, str | None]) -> Facts:
    """Return facts in which these providers start, or do not for a reason."""
    return replace(facts, onnxruntime=replace(facts.onnxruntime, started=dict(started)))


def installed_runtime(facts: Facts, versions: dict[str, str], error: str | None) -> Facts:
    """Return facts with these distributions of ONNX Runtime, and an error of importing it."""
    package = replace(facts.packages["onnxruntime"], error=error)
    return replace(
        facts,
        distributions=replace(facts.distributions, onnxruntime=versions),
        packages={**facts.packages, "onnxruntime": package},
    )


def without_processes(
    monkeypatch: pytest.MonkeyPatch, started: dict[str, str | None] | None = None
) -> None:
    """Let every import succeed and these providers start, without starting a process."""
    packages = {name: Package(each.distribution, "1.0", None) for name, each in MODULES.items()}
    monkeypatch.setattr(collect, "_imports", lambda: Imports(packages))
    monkeypatch.setattr(collect, "_started", lambda bundle: started or {"cpu": None})


@pytest.mark.slow
def test_facts_of_this_machine_are_right(here: Examination, bundle: Bundle) -> None:
    facts = here.facts
    assert facts.edgeocr == __version__
    assert facts.python.executable == sys.executable
    for name in ("numpy", "onnxruntime", "pyclipper", "shapely"):
        package = facts.packages[name]
        assert (package.version, package.error) == (version(name), None)
    assert facts.packages["cv2"].error is None
    assert "CPUExecutionProvider" in facts.onnxruntime.available
    assert facts.onnxruntime.started["cpu"] is None
    assert facts.bundle.sha256 == bundle.digest
    assert facts.bundle.files == len(bundle.manifest.files)
    assert facts.bundle.name == "tiny" and facts.bundle.error is None
    assert facts.cores.available == cpus.available_threads()
    assert here.recommended.provider.value in facts.onnxruntime.started
    assert here.recommended.threads.value in range(1, cpus.available_threads() + 1)
    record = here.to_dict()
    assert json.loads(json.dumps(record)) == record
    text = report(here)
    assert f"edgeocr {__version__}\n" in text and bundle.digest in text
    assert all(len(row) < 1000 for row in text.splitlines())


def test_healthy_machine_has_no_findings(facts: Facts) -> None:
    assert found(facts) == ([], [])
    text = report(conclude(facts))
    assert text.endswith("\n\nNo problems found.")
    assert "Jetson" not in text


BROKEN = {
    "numpy": ("raise ImportError('libopenblas.so.0: cannot open\\n\\nshared object file')",
              "ImportError: libopenblas.so.0: cannot open shared object file"),
    "cv2": ("raise ImportError('libGL.so.1: cannot open shared object file')",
            "ImportError: libGL.so.1: cannot open shared object file"),
    "onnxruntime": ("import os, signal; os.kill(os.getpid(), signal.SIGILL)",
                    "the process ended with SIGILL"),
    "pyclipper": ("import os, sys; print('bad end', file=sys.stderr, flush=True); os._exit(3)",
                  "the process ended with code 3: bad end"),
    "shapely": ("", "AttributeError: module 'shapely' has no attribute 'Polygon'"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_each_failing_import_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each module fails in another way, and one of them ends the process that imports it."""
    for name, (code, _) in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    examination = examine()
    facts = examination.facts
    assert {name: package.error for name, package in facts.packages.items()} == {
        name: error for name, (_, error) in BROKEN.items()
    }
    assert facts.onnxruntime.started == {}
    assert examination.recommended.provider.value is None
    assert facts.bundle.error is None
    problems = {each.split()[0]: each for each in examination.problems}
    assert problems.keys() == BROKEN.keys()
    assert problems["numpy"].endswith("pip install --force-reinstall numpy")
    assert "opencv-python-headless, which needs no libGL" in problems["cv2"]
    assert "isn't for this CPU" in problems["onnxruntime"]
    assert all(error in report(examination) for _, error in BROKEN.values())


def test_import_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shapely.py").write_text("import time; time.sleep(60)")
    monkeypatch.syspath_prepend(str(tmp_path))
    answer = begin(IMPORT, "shapely", "Polygon", timeout=0.5)()
    assert answer == (None, "no answer within 0.5 seconds")


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    listing = [
        SimpleNamespace(metadata={"Name": name}, version=version)
        for name, version in versions.items()
    ]
    # The folder of a package that was removed by half has no name.
    listing.append(SimpleNamespace(metadata={"Name": None}, version=None))
    monkeypatch.setattr(metadata, "distributions", lambda: listing)


def test_packages_that_overwrite_each_other_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    without_processes(monkeypatch)
    installed(
        monkeypatch, onnxruntime="1.22.0", onnxruntime_gpu="1.21.1", onnxruntime_genai="0.8",
        opencv_python="4.12.0.88", **{"opencv-contrib-python": "4.12.0.88"}, numpy="2.2",
    )  # fmt: skip
    examination = examine()
    assert examination.facts.distributions.onnxruntime == {
        "onnxruntime": "1.22.0", "onnxruntime-genai": "0.8", "onnxruntime-gpu": "1.21.1",
    }  # fmt: skip
    (problem,) = examination.problems
    assert "pip uninstall -y onnxruntime onnxruntime-gpu, then install one" in problem
    assert "genai" not in problem
    (hint,) = [each for each in examination.hints if "opencv" in each]
    assert "pip uninstall -y opencv-contrib-python opencv-python, then" in hint


def test_missing_onnxruntime_is_a_problem(facts: Facts) -> None:
    error = "ModuleNotFoundError: No module named 'onnxruntime'"
    (problem,), _ = found(starting(installed_runtime(facts, {}, error), {}))
    assert 'pip install "edgeocr[cpu]", or "edgeocr[gpu]" for NVIDIA, but never both' in problem


def test_broken_bundle_is_a_problem_and_providers_are_tried_with_another(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bundle: Bundle,
    embedded_files: dict[str, bytes],
) -> None:
    tried: list[str] = []

    def start(path: str) -> dict[str, str | None]:
        tried.append(path)
        return {"cpu": None}

    without_processes(monkeypatch)
    monkeypatch.setattr(collect, "_started", start)
    for name, content in embedded_files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content + b"x" if name.endswith(".onnx") else content)
    examination = examine(str(tmp_path))
    assert "is not the file that was frozen" in (examination.facts.bundle.error or "")
    assert examination.facts.bundle.sha256 is None
    (problem,) = [each for each in examination.problems if "bundle" in each]
    assert problem.startswith(f"the bundle doesn't open ({tmp_path}: ")
    examination = examine(str(tmp_path / "missing"))
    assert any("no such bundle" in each for each in examination.problems)
    assert tried == [str(bundle.path)] * 2


def test_throttled_raspberry_pi_has_hints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: Facts
) -> None:
    root = tree(tmp_path, RASPBERRY_PI_4)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(readings, "MORE_FOLDERS", ())
    clocks = {
        name: replace(policy, governor="powersave")
        for name, policy in machine.clock_policies(root).items()
    }
    facts = replace(
        facts,
        device=replace(machine.describe(root), architecture="aarch64"),
        features=machine.cpu_features(root, "aarch64"),
        clocks=clocks,
        throttling=machine.throttling(root),
    )
    problems, hints = found(facts)
    assert problems == []
    together = " | ".join(hints)
    for words in (
        "under-voltage now: use a supply", "under-voltage since boot", "926 MiB of memory and no",
        "slowed down now (throttled)", "governor is powersave",
    ):  # fmt: skip
        assert words in together
    text = report(conclude(facts))
    assert "now: under-voltage, throttled; since boot: under-voltage, throttled" in text
    assert "4 CPUs up to 1800 MHz, governor powersave" in text
    assert "No problems found" not in text and "\n\nHints\n" in text

    facts = installed_runtime(facts, {"onnxruntime": "1.21.0"}, "the process ended with SIGILL")
    (problem,), _ = found(facts)
    assert "illegal instruction on this CPU" in problem and "onnxruntime!=1.21.0" in problem
    # A Raspberry Pi 5 has the instructions.
    newer = installed_runtime(facts, {"onnxruntime": "1.21.0"}, None)
    assert found(replace(newer, features={**facts.features, "asimddp": True}))[0] == []


def test_equal_clocks_are_listed_together(facts: Facts) -> None:
    clocks = {
        f"policy{number}": machine.ClockPolicy([number], 800, mhz, "performance", "acpi-cpufreq")
        for number, mhz in enumerate((4000, 3000, 4000, 4000, 3000))
    }
    text = report(conclude(replace(facts, clocks=clocks)))
    assert (
        "3 CPUs up to 4000 MHz, governor performance; 2 CPUs up to 3000 MHz, governor performance"
    ) in text


def test_powersave_is_a_hint_unless_its_driver_chooses_by_load(facts: Facts) -> None:
    for driver, number in (("intel_pstate", 0), ("intel_cpufreq", 1)):
        policy = machine.ClockPolicy([0], 800, 4000, "powersave", driver)
        assert len(found(replace(facts, clocks={"policy0": policy}))[1]) == number


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bits": 32}, "64-bit edition"),
        ({"memory_bytes": 512 << 20, "swap_bytes": None}, "512 MiB of memory and no swap"),
        ({"memory_bytes": 512 << 20, "swap_bytes": 1 << 30}, None),
        ({"memory_limit_bytes": 256 << 20}, "control group leaves 256 MiB"),
    ],
)
def test_little_memory_is_a_hint(facts: Facts, change: dict[str, Any], words: str | None) -> None:
    problems, hints = found(replace(facts, device=replace(facts.device, **change)))
    assert problems == []
    if words is None:
        assert hints == []
    else:
        (hint,) = hints
        assert words in hint


def test_no_starting_provider_is_a_problem(facts: Facts) -> None:
    facts = starting(facts, {"cpu": "out of memory"})
    (problem,), _ = found(facts)
    assert re.search(r"\n +provider +none: ", report(conclude(facts)))
    assert "no provider starts (cpu: out of memory)" in problem
    assert findings.recommend(facts).provider.value is None


@pytest.mark.parametrize(
    ("cores", "threads", "why"),
    [
        (Cores(all=8, affinity=8, available=8, fast=None), 8, "all CPUs"),
        (Cores(all=8, affinity=8, available=8, fast=4), 4, "4 of the 8 CPUs"),
        (Cores(all=8, affinity=8, available=2, fast=4), 2, "leaves this process 2 of 8"),
        (Cores(all=8, affinity=3, available=3, fast=None), 3, "leaves this process 3 of 8"),
    ],
)
def test_recommended_threads_follow_from_the_cores(
    facts: Facts, cores: Cores, threads: int, why: str
) -> None:
    recommended = findings.recommend(replace(facts, cores=cores)).threads
    assert recommended.value == threads and why in recommended.reason


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no CPU affinity here")
def test_fast_cores_that_the_process_may_not_use_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4})
    monkeypatch.setattr(machine, "fast_cpus", lambda: [4, 5, 6, 7])
    assert collect._cores().fast == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert collect._cores().fast is None


@pytest.mark.slow
def test_the_graph_that_this_device_takes_is_reported_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, embedded_files: Files, tmp_path: Path
) -> None:
    without_processes(monkeypatch)
    path = packed(fleet(embedded_files), tmp_path / "fleet.edgeocr")
    examination = examine(str(path))
    words = examination.facts.bundle.variants["recognition"]
    has = cpus.present(NEEDED)
    assert words.startswith(f"int8, the CPU has {has[0]}" if has else "fp32, the stage's own graph")
    assert re.search(f"recognition +{re.escape(words)}\n", report(examination))
    assert examination.to_dict()["bundle"]["variants"] == {"recognition": words}


def test_a_graph_that_cannot_be_tried_is_reported_as_unknown(
    monkeypatch: pytest.MonkeyPatch, files: Files, tmp_path: Path
) -> None:
    without_processes(monkeypatch)
    monkeypatch.setattr(collect, "begin", lambda *_, **__: lambda: (None, "it crashed"))
    path = packed(fleet(files, STUB), tmp_path / "fleet.edgeocr")
    assert examine(str(path)).facts.bundle.variants == {"recognition": "unknown: it crashed"}
