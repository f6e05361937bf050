"""What the workers of the peers pass to their engines, and make of the results."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import environments
from benchmarks.engines import faster_paddle_worker, rapidocrlite_worker, turboocr_worker
from benchmarks.engines.measure import Models
from tests.support.engines import LOWER, REQUEST, SQUARE, line


@pytest.mark.parametrize("peer", environments.PEERS, ids=lambda peer: peer.package)
def test_worker_can_be_imported_without_its_engine(peer: environments.Peer) -> None:
    assert callable(import_module(f"benchmarks.engines.{peer.worker}").start)


def test_faster_paddle_worker_passes_the_request_and_returns_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    class OcrEngine:
        def __init__(self, **settings: Any) -> None:
            given.append(settings)

        def ocr(self, content: bytes) -> dict[str, Any]:
            given.append(content)
            two = {"topLeftCoord": (1, 2), "bottomRightCoord": (30, 4), "text": "two words"}
            one = {"topLeftCoord": (5, 60), "bottomRightCoord": (70, 80), "text": "one"}
            return {"text": "two words one", "bounds": {"0": two, "1": one}}

    monkeypatch.setitem(sys.modules, "faster_paddle", SimpleNamespace(OcrEngine=OcrEngine))
    (tmp_path / "a.jpg").write_bytes(b"picture")
    read, lines = faster_paddle_worker.start(REQUEST)
    assert lines(read(str(tmp_path / "a.jpg"))) == [
        {"text": "two words", "polygon": [[1, 2], [30, 2], [30, 4], [1, 4]]},
        {"text": "one", "polygon": [[5, 60], [70, 60], [70, 80], [5, 80]]},
    ]
    assert given == [{"model_size": "small", "threads": 3}, b"picture"]
    assert lines({"bounds": {}}) == []


def test_rapidocrlite_worker_passes_the_request_and_returns_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Any] = []
    boxes = np.array([SQUARE, LOWER], np.float32)

    class RapidOCR:
        def __init__(self, params: dict[str, Any]) -> None:
            given.append(params)

        def __call__(self, path: str) -> SimpleNamespace:
            return SimpleNamespace(boxes=boxes, txts=("above", path))

    monkeypatch.setitem(sys.modules, "rapidocr", SimpleNamespace(RapidOCR=RapidOCR))
    read, lines = rapidocrlite_worker.start(REQUEST)
    made = lines(read("a.jpg"))
    assert made == [line("above"), line("a.jpg", LOWER)]
    json.dumps(made)  # the polygons are lists, not arrays
    assert lines(SimpleNamespace(boxes=None, txts=None)) == []
    (settings,) = given
    assert settings["Global.use_cls"] is True
    assert settings["EngineConfig.onnxruntime.intra_op_num_threads"] == 3
    paths = {name: value for name, value in settings.items() if name.endswith("_path")}
    assert list(paths.values()) == ["det.onnx", "rec.onnx", "charset.txt", "cls.onnx"]


@pytest.mark.parametrize(
    ("bundle", "files"),
    [
        ("tiny", ["det_tiny.onnx", "keys_tiny.txt", "rec_tiny.onnx"]),
        ("small", ["det_small.onnx", "keys.txt", "rec_small.onnx"]),
    ],
)
def test_turboocr_worker_gives_the_engine_a_folder_of_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: str, files: list[str]
) -> None:
    given: list[Any] = []

    class OCR:
        def __init__(self, **settings: Any) -> None:
            given.append((settings, os.environ["ORT_NUM_THREADS"]))

        def read(self, path: str) -> list[SimpleNamespace]:
            return [SimpleNamespace(text=path, box=((0, 0), (100, 0), (100, 10), (0, 10)))]

    monkeypatch.setitem(sys.modules, "turboocr_engine", SimpleNamespace(OCR=OCR))
    monkeypatch.setenv("ORT_NUM_THREADS", "7")
    paths = {name: tmp_path / name for name in ("detection", "recognition", "charset")}
    for name, path in paths.items():
        path.write_text(name)
    models = Models(
        detection=str(paths["detection"]),
        recognition=str(paths["recognition"]),
        charset=str(paths["charset"]),
        orientation=None,
    )
    for _ in range(2):  # the second process finds the folder
        read, lines = turboocr_worker.start({**REQUEST, "name": bundle, "models": models})
    assert lines(read("a.jpg")) == [line("a.jpg")]
    settings, threads = given[0]
    folder = Path(settings.pop("models_dir"))
    assert settings == {"model": bundle, "backend": "cpu", "allow_download": False}
    assert threads == "3"
    assert sorted(path.name for path in folder.iterdir()) == files
    assert (folder / files[1]).read_text() == "charset"
    assert (folder / files[0]).read_text() == "detection"
