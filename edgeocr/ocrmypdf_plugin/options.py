"""The options of edgeocr among those of ocrmypdf."""

from __future__ import annotations

from typing import Any


def is_chosen(options: Any) -> bool:
    """Tell whether edgeocr shall read; `--ocr-engine` may choose another engine."""
    return options is None or getattr(options, "ocr_engine", "auto") == "auto"


def option(options: Any, name: str) -> Any:
    """Return an option of `add_options`, which callers of ocrmypdf's API may leave out."""
    return getattr(options, f"edgeocr_{name}", None)
