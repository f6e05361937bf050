"""Run faster-paddle, a Rust engine with its own ONNX Runtime and weights of tiny and small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import measure


def start(request: measure.Request) -> tuple[measure.Read, measure.Lines]:
    """Construct the engine with its own weights and settings; see `measure.main`.

    Only the size of the model and the number of threads come from the request.
    """
    import faster_paddle

    engine = faster_paddle.OcrEngine(model_size=request["name"], threads=request["threads"])
    return lambda path: engine.ocr(Path(path).read_bytes()), _lines


def _lines(result: Any) -> list[measure.Line]:
    """Return the lines of the engine's result, which has upright rectangles only."""
    lines: list[measure.Line] = []
    for found in result["bounds"].values():
        (left, top), (right, bottom) = found["topLeftCoord"], found["bottomRightCoord"]
        corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
        lines.append({"text": found["text"], "polygon": corners})
    return lines


if __name__ == "__main__":
    measure.main(start)
