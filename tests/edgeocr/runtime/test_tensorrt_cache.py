"""Where TensorRT engines are kept, and that other machines and versions don't get them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from edgeocr import EdgeOCRError
from edgeocr.device import nvidia
from edgeocr.device.nvidia import GPU
from edgeocr.runtime.job import Job
from edgeocr.runtime.tensorrt_cache import (
    EngineFolder,
    EngineKey,
    engine_root,
    folder_for_gpu,
    has_engines,
)

KEY = EngineKey(
    bundle="d1" * 32,
    gpu="NVIDIA Jetson Orin Nano",
    compute="8.7",
    versions={"tensorrt": "10.3.0", "onnxruntime": "1.23.0", "cuda": "12.6"},
    options={"trt_fp16_enable": "1"},
)


@pytest.mark.parametrize(
    "change",
    [
        {"bundle": "d2" * 32},
        {"gpu": "NVIDIA L4"},
        {"compute": "8.9"},
        {"versions": {**KEY.versions, "tensorrt": "10.4.0"}},
        {"versions": {**KEY.versions, "onnxruntime": "1.24.0"}},
        {"options": {}},
    ],
)
def test_every_change_of_the_key_gets_another_folder(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    kept, other = EngineFolder(tmp_path, KEY), EngineFolder(tmp_path, replace(KEY, **change))
    assert kept.path != other.path
    kept.mark_warm("detection")
    assert kept.is_warm("detection")
    assert not kept.is_warm("recognition") and not other.is_warm("detection")


def test_the_folder_is_named_after_bundle_and_gpu_and_holds_the_key(tmp_path: Path) -> None:
    kept = EngineFolder(tmp_path, KEY)
    assert not kept.path.exists()
    assert kept.prepare() == kept.path == EngineFolder(tmp_path, KEY).prepare()
    assert kept.path.name.startswith("d1d1d1d1d1d1-nvidia-jetson-orin-nano-")
    assert json.loads((kept.path / "key.json").read_text()) == asdict(KEY)


def test_the_order_of_versions_does_not_change_the_folder(tmp_path: Path) -> None:
    reordered = replace(KEY, versions=dict(sorted(KEY.versions.items())))
    assert list(reordered.versions) != list(KEY.versions)
    assert EngineFolder(tmp_path, reordered).path == EngineFolder(tmp_path, KEY).path


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
    kept = EngineFolder(tmp_path, KEY)
    kept.prepare()

    def refuse(self: Path) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "touch", refuse)
    kept.mark_warm("detection")
    assert not kept.is_warm("detection")


def test_engines_of_a_bundle_are_found_by_its_digest(tmp_path: Path) -> None:
    assert not has_engines(tmp_path, KEY.bundle)
    EngineFolder(tmp_path, KEY).prepare()
    assert has_engines(tmp_path, KEY.bundle)
    assert not has_engines(tmp_path, "d2" * 32)
    assert not has_engines(tmp_path / "nowhere", KEY.bundle)


def test_a_folder_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EdgeOCRError, match="choose another folder"):
        EngineFolder(tmp_path / "file", KEY).prepare()


def test_the_folder_for_a_gpu_depends_on_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"tensorrt": "10.3.0"}
    monkeypatch.setattr(nvidia, "gpus", lambda: [GPU("L4", "8.9", 1 << 34)])
    monkeypatch.setattr(nvidia, "versions", lambda: versions)
    folder = folder_for_gpu(tmp_path, "d1" * 32, 0, {})
    assert folder is not None and folder.path.parent == tmp_path
    versions = {"tensorrt": "10.4.0"}
    other = folder_for_gpu(tmp_path, "d1" * 32, 0, {})
    assert other is not None and other.path != folder.path
    assert folder_for_gpu(tmp_path, "d1" * 32, 1, {}) is None  # there is one GPU


def test_engines_of_each_precision_have_names_of_their_own() -> None:
    jobs = [Job("recognition", "crops", None, precision=name) for name in ("fp32", "fp16", "int8")]
    assert [job.engine_name for job in jobs] == [
        "recognition",
        "recognition-fp16",
        "recognition-int8",
    ]
