"""Where engines are kept, and that another machine or version doesn't get them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgeocr import EdgeOCRError
from edgeocr.runtime import tensorrt_cache as engines
from edgeocr.runtime.tensorrt_cache import Engines, place

KEY: dict[str, Any] = engines.key(
    "d1" * 32,
    ("NVIDIA Jetson Orin Nano", "8.7"),
    {"tensorrt": "10.3.0", "onnxruntime": "1.23.0", "cuda": "12.6"},
    {"trt_fp16_enable": "1"},
)


def test_the_key_says_all_that_an_engine_depends_on() -> None:
    assert KEY == {
        "bundle": "d1" * 32,
        "gpu": "NVIDIA Jetson Orin Nano",
        "compute": "8.7",
        "versions": {"cuda": "12.6", "onnxruntime": "1.23.0", "tensorrt": "10.3.0"},
        "options": {"trt_fp16_enable": "1"},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"bundle": "d2" * 32},
        {"gpu": "NVIDIA L4"},
        {"compute": "8.9"},
        {"versions": {**KEY["versions"], "tensorrt": "10.4.0"}},
        {"versions": {**KEY["versions"], "onnxruntime": "1.24.0"}},
        {"options": {}},
    ],
)
def test_whatever_changes_gets_another_folder(tmp_path: Path, change: dict[str, Any]) -> None:
    kept, other = Engines(tmp_path, KEY), Engines(tmp_path, {**KEY, **change})
    assert kept.folder != other.folder
    kept.mark_warm("detection")
    assert kept.is_warm("detection")
    assert not kept.is_warm("recognition") and not other.is_warm("detection")


def test_the_folder(tmp_path: Path) -> None:
    kept = Engines(tmp_path, KEY)
    assert not kept.folder.exists()
    assert kept.prepare() == kept.folder == Engines(tmp_path, KEY).prepare()
    assert kept.folder.name.startswith("d1d1d1d1d1d1-nvidia-jetson-orin-nano-")
    assert json.loads((kept.folder / "key.json").read_text()) == KEY


def test_where_engines_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle = tmp_path / "reader.edgeocr"
    assert place(bundle, tmp_path / "mine") == tmp_path / "mine"
    assert place(bundle) == tmp_path / "cache" / "edgeocr" / "engines"
    (tmp_path / "reader.engines").mkdir()
    assert place(bundle) == tmp_path / "reader.engines"
    assert place(bundle, str(tmp_path / "mine")) == tmp_path / "mine"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert place(tmp_path / "other.edgeocr") == tmp_path / ".cache" / "edgeocr" / "engines"


def test_beside_a_folder_and_without_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "v1.2.engines").mkdir()
    assert place(tmp_path / "v1.2") == tmp_path / "v1.2.engines"

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert place(tmp_path / "other.edgeocr") is None


def test_engines_that_come_with_a_bundle_may_be_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Engines(tmp_path, KEY)
    kept.prepare()

    def refuse(self: Path) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "touch", refuse)
    kept.mark_warm("detection")
    assert not kept.is_warm("detection")


def test_whether_there_are_any(tmp_path: Path) -> None:
    assert not engines.any_of(tmp_path, KEY["bundle"])
    Engines(tmp_path, KEY).prepare()
    assert engines.any_of(tmp_path, KEY["bundle"])
    assert not engines.any_of(tmp_path, "d2" * 32)
    assert not engines.any_of(tmp_path / "nowhere", KEY["bundle"])


def test_a_place_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EdgeOCRError, match="choose another folder"):
        Engines(tmp_path / "file", KEY).prepare()
