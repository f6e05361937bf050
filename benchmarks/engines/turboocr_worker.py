"""Run TurboOCR's CPU engine, which is written in C++, with the given weights."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from . import measure

# The names of the files that the engine expects in its folder of models, by the model's name. Other
# names are those of models that it has settings of its own for, so it can't run other weights.
FILES = {
    "tiny": ("det_tiny.onnx", "rec_tiny.onnx", "keys_tiny.txt"),
    "small": ("det_small.onnx", "rec_small.onnx", "keys.txt"),
}


def start(request: measure.Request) -> tuple[measure.Read, measure.Lines]:
    """Construct the engine on a folder with the weights; see `measure.main`."""
    # ONNX Runtime inside the engine takes its number of threads from here.
    os.environ["ORT_NUM_THREADS"] = str(request["threads"])
    from turboocr_engine import OCR

    models = request["models"]
    folder = Path(models["detection"]).parent / f"turboocr-{request['name']}"
    if not folder.is_dir():
        folder.mkdir()
        given = models["detection"], models["recognition"], models["charset"]
        for path, name in zip(given, FILES[request["name"]], strict=True):
            shutil.copyfile(path, folder / name)
    engine = OCR(model=request["name"], backend="cpu", models_dir=str(folder), allow_download=False)
    return engine.read, _lines


def _lines(result: Any) -> list[measure.Line]:
    """Return the lines of the engine's result."""
    return [
        {"text": line.text, "polygon": [[float(x), float(y)] for x, y in line.box]}
        for line in result
    ]


if __name__ == "__main__":
    measure.main(start)
