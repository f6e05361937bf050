"""Run RapidOCR 3 on ONNX Runtime with the given weights and its own settings."""

from __future__ import annotations

from typing import Any

from . import measure


def start(request: measure.Request) -> tuple[measure.Read, measure.Lines]:
    """Construct the engine, which opens its models when it first needs them; see `measure.main`."""
    from rapidocr import RapidOCR

    models = request["models"]
    settings = {
        "Global.log_level": "error",
        "Global.use_cls": request["orientation"],
        "Det.model_path": models["detection"],
        "Rec.model_path": models["recognition"],
        "Rec.rec_keys_path": models["charset"],
        "EngineConfig.onnxruntime.intra_op_num_threads": request["threads"],
    }
    if models["orientation"] is not None:
        settings["Cls.model_path"] = models["orientation"]
    return RapidOCR(params=settings), _lines


def _lines(result: Any) -> list[measure.Line]:
    """Return the lines of the engine's result."""
    if result.boxes is None or result.txts is None:
        return []
    return [
        {"text": text, "polygon": box.tolist()}
        for box, text in zip(result.boxes, result.txts, strict=True)
    ]


if __name__ == "__main__":
    measure.main(start)
