"""Where TensorRT engines are kept, and that other machines and versions don't get them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from edgeocr import EdgeOCRError
from edgeocr.device import nvidia
from edgeocr.device.nvidia import GPU
from edgeocr.runtime.engine_key import EngineKey
from edgeocr.runtime.job import Job
from edgeocr.runtime.tensorrt_cache import BuiltEngines, build_options, engine_root, has_engines

KEY = EngineKey(
    graphs="d1" * 32,
    gpu="NVIDIA Jetson Orin Nano",
    compute="8.7",
    platform="linux-aarch64",
    versions={"tensorrt": "10.3.0", "onnxruntime": "1.23.0", "cuda": "12.6"},
    options={"trt_fp16_enable": "1"},
)


@pytest.mark.parametrize(
    "change",
    [
        {"graphs": "d2" * 32},
        {"gpu": "NVIDIA L4"},
        {"compute": "8.9"},
        {"platform": "linux-x86_64"},
        {"versions": {**KEY.versions, "tensorrt": "10.4.0"}},
        {"versions": {**KEY.versions, "onnxruntime": "1.24.0"}},
        {"options": {}},
    ],
)
def test_every_change_of_the_key_gets_another_folder(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    kept, other = BuiltEngines(tmp_path, KEY), BuiltEngines(tmp_path, replace(KEY, **change))
    assert kept.path != other.path
    kept.mark_warm("detection")
    assert kept.is_warm("detection")
    assert not kept.is_warm("recognition") and not other.is_warm("detection")


def test_the_folder_is_named_after_graphs_and_gpu_and_holds_the_key(tmp_path: Path) -> None:
    kept = BuiltEngines(tmp_path, KEY)
    assert not kept.path.exists()
    assert kept.prepare() == kept.path == BuiltEngines(tmp_path, KEY).prepare()
    assert kept.path.name.startswith("d1d1d1d1d1d1-nvidia-jetson-orin-nano-")
    assert json.loads((kept.path / "key.json").read_text()) == asdict(KEY)


def test_the_order_of_versions_does_not_change_the_folder(tmp_path: Path) -> None:
    reordered = replace(KEY, versions=dict(sorted(KEY.versions.items())))
    assert list(reordered.versions) != list(KEY.versions)
    assert BuiltEngines(tmp_path, reordered).path == BuiltEngines(tmp_path, KEY).path


def test_engines_are_kept_where_chosen_or_beside_the_bundle_or_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle = tmp_path / "reader.edgeocr"
    assert engine_root(bundle, tmp_path / "mine") == tmp_path / "mine"
    assert engine_root(bundle) == tmp_path / "cache" / "edgeocr" / "engines"
    (tmp_path / "reader.engines").mkdir()
    assert engine_root(bundle) == tmp_path / "reader.engines"
    assert engine_root(bundle, str(tmp_path / "mine")) == tmp_path / "mine"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert engine_root(tmp_path / "other.edgeocr") == tmp_path / ".cache" / "edgeocr" / "engines"


def test_engines_of_a_bundle_that_is_a_folder_are_kept_beside_it(tmp_path: Path) -> None:
    (tmp_path / "v1.2.engines").mkdir()
    assert engine_root(tmp_path / "v1.2") == tmp_path / "v1.2.engines"


def test_engines_are_kept_nowhere_without_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert engine_root(tmp_path / "other.edgeocr") is None


def test_a_read_only_folder_is_not_marked_as_warm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = BuiltEngines(tmp_path, KEY)
    kept.prepare()

    def refuse(self: Path) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "touch", refuse)
    kept.mark_warm("detection")
    assert not kept.is_warm("detection")


def test_engines_of_a_bundle_are_found_by_the_digest_of_its_graphs(tmp_path: Path) -> None:
    assert not has_engines(tmp_path, KEY.graphs)
    BuiltEngines(tmp_path, KEY).prepare()
    assert has_engines(tmp_path, KEY.graphs)
    assert not has_engines(tmp_path, "d2" * 32)
    assert not has_engines(tmp_path / "nowhere", KEY.graphs)


def test_a_folder_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EdgeOCRError, match="choose another folder"):
        BuiltEngines(tmp_path / "file", KEY).prepare()


@pytest.fixture
def l4(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine whose only GPU is an L4; the versions of its libraries, which a test may change."""
    versions = {"tensorrt": "10.3.0"}
    monkeypatch.setattr(nvidia, "gpus", lambda: [GPU("L4", "8.9", 1 << 34)])
    monkeypatch.setattr(nvidia, "versions", lambda: versions)
    return versions


def test_the_key_for_a_gpu_depends_on_what_is_installed(l4: dict[str, str]) -> None:
    key = EngineKey.of_gpu("d1" * 32, 0, {})
    assert key is not None and (key.gpu, key.compute) == ("L4", "8.9")
    assert key.platform.startswith(f"{sys.platform}-")
    l4["tensorrt"] = "10.4.0"
    other = EngineKey.of_gpu("d1" * 32, 0, {})
    assert other is not None and other.name != key.name
    assert key.differences(key) == []
    assert key.differences(other) == ["TensorRT 10.3.0 instead of 10.4.0"]
    assert EngineKey.of_gpu("d1" * 32, 1, {}) is None  # there is one GPU


def test_what_does_not_change_an_engine_is_no_part_of_its_key(l4: dict[str, str]) -> None:
    """An engine must be found whatever memory was free, and wherever it lay, when it was built."""
    neutral = {
        "device_id": "1",
        "trt_max_workspace_size": "123",
        "trt_timing_cache_path": "x",
        "trt_detailed_build_log": "1",
    }
    key = EngineKey.of_gpu("d1" * 32, 0, {"trt_fp16_enable": "1"})
    assert key == EngineKey.of_gpu("d1" * 32, 0, {"trt_fp16_enable": "1", **neutral})
    for option in ("trt_builder_optimization_level", "trt_auxiliary_streams"):
        assert key != EngineKey.of_gpu("d1" * 32, 0, {"trt_fp16_enable": "1", option: "5"})


def test_all_differences_of_two_devices_are_named() -> None:
    here = EngineKey("d2" * 32, "NVIDIA L4", "8.9", "linux-x86_64", {"cuda": "12.8"}, {})
    assert KEY.differences(here) == [
        "NVIDIA Jetson Orin Nano 8.7 instead of NVIDIA L4 8.9",
        "linux-aarch64 instead of linux-x86_64",
        "TensorRT 10.3.0 instead of none",
        "CUDA 12.6 instead of 12.8",
        "ONNX Runtime 1.23.0 instead of none",
        "the options trt_fp16_enable=1 instead of none",
        "other graphs or input sizes",
    ]
    assert str(KEY) == (
        "NVIDIA Jetson Orin Nano (compute capability 8.7, linux-aarch64, TensorRT 10.3.0, "
        "CUDA 12.6, ONNX Runtime 1.23.0, trt_fp16_enable=1)"
    )


@pytest.mark.parametrize(
    ("integrated", "free", "options"),
    [
        (False, 5 << 30, {"trt_max_workspace_size": str(5 << 30)}),
        (False, None, {}),
        # A board keeps half of what is free for everything else.
        (True, 3 << 30, {"trt_max_workspace_size": str(3 << 29), "trt_auxiliary_streams": "0"}),
        (True, None, {"trt_auxiliary_streams": "0"}),
    ],
)
def test_a_build_is_bounded_by_the_free_memory(
    monkeypatch: pytest.MonkeyPatch, integrated: bool, free: int | None, options: dict[str, str]
) -> None:
    gpu = GPU("X", "8.7", 1 << 33, integrated)
    monkeypatch.setattr(nvidia, "gpus", lambda: [gpu])
    monkeypatch.setattr(nvidia, "free_memory", lambda asked: free if asked is gpu else 0)
    assert build_options(0) == options
    assert build_options(1) == {}


def test_engines_of_each_precision_have_names_of_their_own() -> None:
    jobs = [Job("recognition", "crops", None, precision=name) for name in ("fp32", "fp16", "int8")]
    assert [job.engine_name for job in jobs] == [
        "recognition",
        "recognition-fp16",
        "recognition-int8",
    ]
