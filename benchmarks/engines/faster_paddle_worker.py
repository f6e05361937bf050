"""faster-paddle, a Rust engine with ONNX Runtime and the weights of tiny and small built in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import measure


def start(request: measure.Request) -> tuple[measure.Read, measure.Lines]:
    """Construct the engine with its own weights; only the size and the threads are ours."""
    import faster_paddle

    engine = faster_paddle.OcrEngine(model_size=request["name"], threads=request["threads"])
    return lambda path: engine.ocr(Path(path).read_bytes()), _lines


def _lines(result: Any) -> list[measure.Line]:
    lines: list[measure.Line] = []
    for found in result["bounds"].values():
        # It tells upright rectangles only.
        (left, top), (right, bottom) = found["topLeftCoord"], found["bottomRightCoord"]
        corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
        lines.append({"text": found["text"], "polygon": corners})
    return lines


if __name__ == "__main__":
    measure.main(start)
