"""What the doctor finds here, and on machines with something wrong."""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
from importlib import metadata
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgeocr import Bundle, __version__
from edgeocr.device import cpus, nvidia, readings
from edgeocr.device import machine as device
from edgeocr.doctor import facts as doctor
from edgeocr.doctor import findings
from tests.support.machines import JETSON_ORIN_NANO, RASPBERRY_PI_4, tree

MISSING_CUDA = "provider 'cuda' did not start here: libcudnn.so.9 is missing"


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    """The doctor's facts of this machine, looked at once for real."""
    return doctor.examine()


@pytest.fixture
def facts(here: dict[str, Any]) -> dict[str, Any]:
    """Facts of a machine with nothing wrong, to make something wrong in."""
    facts = copy.deepcopy(here)
    facts["distributions"] = {
        "onnxruntime": {"onnxruntime": "1.22.0"},
        "opencv": {"opencv-python-headless": "4.12.0.88"},
    }
    facts["onnxruntime"]["started"] = {"cpu": None}
    nothing = dict.fromkeys(("driver", "driver_release", "cuda", "cudnn", "tensorrt"))
    facts["nvidia"] = {**nothing, "gpus": []}
    facts["clocks"], facts["throttling"] = {}, None
    facts["device"] |= {
        "memory_bytes": 8 << 30, "memory_limit_bytes": None, "swap_bytes": 0, "bits": 64,
        "architecture": "x86_64", "l4t": None, "board": None,
    }  # fmt: skip
    facts["cores"] = {"all": 4, "affinity": 4, "available": 4, "fast": None}
    assert findings.problems(facts) == findings.hints(facts) == []
    return facts


def told(facts: dict[str, Any]) -> tuple[list[str], list[str]]:
    return findings.problems(facts), findings.hints(facts)


def quick(monkeypatch: pytest.MonkeyPatch, started: dict[str, str | None] | None = None) -> None:
    """Start no process: everything can be imported, and these providers start."""

    def packages() -> dict[str, dict[str, Any]]:
        return {
            name: {"distribution": distribution, "version": "1.0", "error": None}
            for name, (distribution, _) in doctor.MODULES.items()
        }

    monkeypatch.setattr(doctor, "_packages", packages)
    monkeypatch.setattr(doctor, "_started", lambda bundle: started or {"cpu": None})


def test_this_machine(here: dict[str, Any], bundle: Bundle) -> None:
    assert json.loads(json.dumps(here)) == here
    assert here["edgeocr"] == __version__
    assert here["python"]["executable"] == sys.executable
    for name in ("numpy", "onnxruntime", "pyclipper", "shapely"):
        found = here["packages"][name]
        assert (found["version"], found["error"]) == (version(name), None)
    assert here["packages"]["cv2"]["error"] is None
    assert "CPUExecutionProvider" in here["onnxruntime"]["available"]
    assert here["onnxruntime"]["started"]["cpu"] is None
    assert here["bundle"]["sha256"] == bundle.digest
    assert here["bundle"]["files"] == len(bundle.manifest.files)
    assert here["bundle"]["name"] == "tiny" and here["bundle"]["error"] is None
    assert here["cores"]["available"] == cpus.available_threads()
    assert here["recommended"]["provider"]["value"] in here["onnxruntime"]["started"]
    assert 1 <= here["recommended"]["threads"]["value"] <= cpus.available_threads()
    text = doctor.report(here)
    assert f"edgeocr {__version__}\n" in text and bundle.digest in text
    assert all(len(row) < 1000 for row in text.splitlines())


def test_the_command(
    here: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    well = here | {"problems": [], "hints": []}
    asked = []
    monkeypatch.setattr(doctor, "examine", lambda bundle: asked.append(bundle) or well)
    assert doctor.run(parser.parse_args([])) == 0
    assert capsys.readouterr().out.endswith("\nnothing wrong found\n")
    well["hints"] = ["slow: hurry"]
    assert doctor.run(parser.parse_args(["--bundle", "a.edgeocr"])) == 0
    assert capsys.readouterr().out.endswith("\nHints\n  - slow: hurry\n")
    well["problems"] = ["broken: mend it"]
    assert doctor.run(parser.parse_args(["--json"])) == 1
    assert json.loads(capsys.readouterr().out)["problems"] == ["broken: mend it"]
    assert asked == [None, "a.edgeocr", None]
    assert doctor.run(parser.parse_args([])) == 1
    assert "\nProblems\n  - broken: mend it\n\nHints\n" in capsys.readouterr().out


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


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_nothing_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in another way, and one of them ends the process that tries."""
    for name, (code, _) in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    facts = doctor.examine()
    assert {name: package["error"] for name, package in facts["packages"].items()} == {
        name: error for name, (_, error) in BROKEN.items()
    }
    assert facts["onnxruntime"]["started"] == {}
    assert facts["recommended"]["provider"]["value"] is None
    assert facts["bundle"]["error"] is None
    problems = {each.split()[0]: each for each in facts["problems"]}
    assert problems.keys() == BROKEN.keys()
    assert problems["numpy"].endswith("pip install --force-reinstall numpy")
    assert "opencv-python-headless, which needs no libGL" in problems["cv2"]
    assert "isn't for this CPU" in problems["onnxruntime"]
    assert all(error in doctor.report(facts) for _, error in BROKEN.values())


def test_an_import_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shapely.py").write_text("import time; time.sleep(60)")
    monkeypatch.syspath_prepend(str(tmp_path))
    answer = doctor._begin(doctor.IMPORT, "shapely", "Polygon", timeout=0.5)()
    assert answer == (None, "not done in 0.5 seconds")


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    listing = [
        SimpleNamespace(metadata={"Name": name}, version=version)
        for name, version in versions.items()
    ]
    # A folder of a package that was half removed has no name.
    listing.append(SimpleNamespace(metadata={"Name": None}, version=None))
    monkeypatch.setattr(metadata, "distributions", lambda: listing)


def test_packages_that_overwrite_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    installed(
        monkeypatch, onnxruntime="1.22.0", onnxruntime_gpu="1.21.1", onnxruntime_genai="0.8",
        opencv_python="4.12.0.88", **{"opencv-contrib-python": "4.12.0.88"}, numpy="2.2",
    )  # fmt: skip
    facts = doctor.examine()
    assert facts["distributions"]["onnxruntime"] == {
        "onnxruntime": "1.22.0", "onnxruntime-genai": "0.8", "onnxruntime-gpu": "1.21.1",
    }  # fmt: skip
    (problem,) = facts["problems"]
    assert "pip uninstall -y onnxruntime onnxruntime-gpu, then install one" in problem
    assert "genai" not in problem
    (hint,) = [each for each in facts["hints"] if "opencv" in each]
    assert "pip uninstall -y opencv-contrib-python opencv-python, then" in hint


def test_onnxruntime_that_is_not_installed(facts: dict[str, Any]) -> None:
    facts["distributions"]["onnxruntime"] = {}
    facts["packages"]["onnxruntime"]["error"] = "ModuleNotFoundError: No module named 'onnxruntime'"
    facts["onnxruntime"]["started"] = {}
    (problem,), _ = told(facts)
    assert 'pip install "edgeocr[cpu]", or "edgeocr[gpu]" for NVIDIA, never both' in problem


def test_a_broken_bundle(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bundle: Bundle,
    embedded_files: dict[str, bytes],
) -> None:
    """Providers are tried all the same, with the package's own."""
    tried = []
    quick(monkeypatch)
    monkeypatch.setattr(doctor, "_started", lambda path: tried.append(path) or {"cpu": None})
    for name, content in embedded_files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content + b"x" if name.endswith(".onnx") else content)
    facts = doctor.examine(str(tmp_path))
    assert "is not the file that was frozen" in facts["bundle"]["error"]
    assert facts["bundle"]["sha256"] is None
    (problem,) = facts["problems"]
    assert problem.startswith(f"the bundle doesn't open ({tmp_path}: ")
    facts = doctor.examine(str(tmp_path / "missing"))
    assert "no such bundle" in facts["problems"][0]
    assert tried == [str(bundle.path)] * 2


def test_a_throttled_raspberry_pi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]
) -> None:
    root = tree(tmp_path, RASPBERRY_PI_4)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(readings, "MORE_FOLDERS", ())
    facts["device"] = device.describe(root).to_dict() | {"architecture": "aarch64"}
    facts["features"] = device.cpu_features(root, "aarch64")
    facts["clocks"] = {name: each.to_dict() for name, each in device.clock_policies(root).items()}
    throttling = device.throttling(root)
    facts["throttling"] = None if throttling is None else throttling.to_dict()
    facts["clocks"]["policy0"]["governor"] = "powersave"
    problems, hints = told(facts)
    assert problems == []
    found = " | ".join(hints)
    for words in (
        "under-voltage now: use a supply", "under-voltage since boot", "926 MiB of memory and no",
        "slowed down now (throttled)", "governor is powersave",
    ):  # fmt: skip
        assert words in found
    text = doctor.report(facts)
    assert "now: under-voltage, throttled; since boot: under-voltage, throttled" in text
    assert "4 CPUs up to 1800 MHz, governor powersave" in text

    facts["distributions"]["onnxruntime"]["onnxruntime"] = "1.21.0"
    facts["packages"]["onnxruntime"]["error"] = "the process ended with SIGILL"
    (problem,), _ = told(facts)
    assert "illegal instruction on this CPU" in problem and "onnxruntime!=1.21.0" in problem
    facts["features"]["asimddp"] = True  # a Raspberry Pi 5, on which it works
    facts["packages"]["onnxruntime"]["error"] = None
    assert told(facts)[0] == []


def test_powersave_that_is_usual(facts: dict[str, Any]) -> None:
    policy = {"cpus": [0], "current": 800, "max": 4000, "governor": "powersave"}
    facts["clocks"] = {"policy0": policy | {"driver": "intel_pstate"}}
    assert told(facts) == ([], [])
    facts["clocks"] = {"policy0": policy | {"driver": "intel_cpufreq"}}
    assert len(told(facts)[1]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bits": 32}, "64-bit edition"),
        ({"memory_bytes": 512 << 20, "swap_bytes": None}, "512 MiB of memory and no swap"),
        ({"memory_bytes": 512 << 20, "swap_bytes": 1 << 30}, None),
        ({"memory_limit_bytes": 256 << 20}, "control group leaves 256 MiB"),
    ],
)
def test_memory(facts: dict[str, Any], change: dict[str, Any], words: str | None) -> None:
    facts["device"] |= change
    problems, hints = told(facts)
    assert problems == []
    assert [words in each for each in hints] == ([True] if words else [])


def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    orin = nvidia.GPU("Orin", "8.7", 8 << 30)
    libraries = {"cuda": "12.6", "cudnn": None, "tensorrt": "10.3.0"}
    monkeypatch.setattr(nvidia, "driver", lambda: (12, 6))
    monkeypatch.setattr(nvidia, "gpus", lambda: [orin])
    monkeypatch.setattr(nvidia, "libraries", lambda: libraries)


def test_a_gpu_on_which_cuda_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch)
    quick(monkeypatch, {"tensorrt": "no libnvinfer", "cuda": MISSING_CUDA, "cpu": None})
    facts = doctor.examine()
    (problem,) = facts["problems"]
    assert MISSING_CUDA in problem
    assert "driver for CUDA up to 12.6, cuda 12.6, cudnn none" in problem
    assert any(each.startswith("tensorrt is in this ONNX Runtime") for each in facts["hints"])
    assert facts["recommended"]["provider"]["value"] == "cpu"
    text = doctor.report(facts)
    assert "Orin, compute 8.7, 8.0 GiB" in text and f"doesn't start: {MISSING_CUDA}" in text


def test_a_gpu_that_is_used(facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch)
    facts["nvidia"] = doctor._nvidia()
    facts["onnxruntime"]["started"] = {"tensorrt": None, "cuda": None, "cpu": None}
    assert told(facts) == ([], [])
    provider = findings.recommended(facts)["provider"]
    assert provider["value"] == "cuda" and "edgeocr warm" in provider["reason"]


def test_a_gpu_and_the_package_for_the_cpu(
    facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpu(monkeypatch)
    facts["nvidia"] = doctor._nvidia()
    problems, (hint,) = told(facts)
    assert problems == []
    assert hint.endswith("pip uninstall -y onnxruntime, then pip install onnxruntime-gpu")
    facts["device"]["l4t"] = device.describe(tree(tmp_path, JETSON_ORIN_NANO)).l4t
    assert "JetPack" in told(facts)[1][0]


def test_a_provider_that_nobody_needs(facts: dict[str, Any]) -> None:
    facts["onnxruntime"]["started"] = {"cuda": MISSING_CUDA, "cpu": None}
    problems, (hint,) = told(facts)
    assert problems == [] and MISSING_CUDA in hint
    assert findings.recommended(facts)["provider"]["value"] == "cpu"


def test_no_provider_starts(facts: dict[str, Any]) -> None:
    facts["onnxruntime"]["started"] = {"cpu": "out of memory"}
    (problem,), _ = told(facts)
    assert "no provider starts (cpu: out of memory)" in problem
    assert findings.recommended(facts)["provider"]["value"] is None


@pytest.mark.parametrize(
    ("cores", "threads", "why"),
    [
        ({"all": 8, "affinity": 8, "available": 8, "fast": None}, 8, "all CPUs"),
        ({"all": 8, "affinity": 8, "available": 8, "fast": 4}, 4, "4 of the 8 CPUs"),
        ({"all": 8, "affinity": 8, "available": 2, "fast": 4}, 2, "leaves this process 2 of 8"),
        ({"all": 8, "affinity": 3, "available": 3, "fast": None}, 3, "leaves this process 3 of 8"),
    ],
)
def test_threads(
    facts: dict[str, Any], cores: dict[str, int | None], threads: int, why: str
) -> None:
    facts["cores"] = cores
    found = findings.recommended(facts)["threads"]
    assert found["value"] == threads and why in found["reason"]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no CPU affinity here")
def test_fast_cores_that_the_process_may_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4})
    monkeypatch.setattr(device, "fast_cpus", lambda: [4, 5, 6, 7])
    assert doctor._cores()["fast"] == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert doctor._cores()["fast"] is None
