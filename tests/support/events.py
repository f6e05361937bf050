"""Events that tests make up."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeocr.postprocess.geometry import Float32
from edgeocr.watch import Event
from edgeocr.watch.events import Kind

# 2026-11-29T08:30:00Z, in seconds since 1970.
MOMENT = 1795941000.0


def quad(left: float, top: float, width: float = 80, height: float = 20) -> Float32:
    """Return the corners of a level box, clockwise from the top left."""
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def event(kind: Kind, text: str = "text", seconds: float = 0.0, **fields: Any) -> Event:
    """Return an event of track 1 with a level quad, which the fields may change."""
    known: dict[str, Any] = {
        "track": 1,
        "score": 0.98765,
        "quad": quad(10, 10),
        "frame": round(seconds * 25),
        "time": MOMENT + seconds,
    }
    return Event(kind=kind, text=text, seconds=seconds, **{**known, **fields})
