"""ONNX Runtime, imported when it is first needed."""

from __future__ import annotations

import os
from typing import Any

from ..errors import ProviderUnavailableError


def import_onnxruntime() -> Any:
    """The onnxruntime module; raises `ProviderUnavailableError` when it isn't installed.

    ONNX Runtime's wheels since 1.29 report their use to Microsoft, on Linux too, unless they are
    told not to before they are imported.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime

        onnxruntime.InferenceSession  # noqa: B018 - a half-removed package imports, empty
    except (ImportError, AttributeError) as error:
        raise ProviderUnavailableError(
            f"ONNX Runtime can't be imported ({error}): install it with "
            'pip install "edgeocr[cpu]", or "edgeocr[gpu]" for NVIDIA, never both; after a '
            "mix-up uninstall onnxruntime and onnxruntime-gpu first"
        ) from error
    return onnxruntime


def version() -> tuple[int, int]:
    """Major and minor version of ONNX Runtime."""
    major, minor, *_ = import_onnxruntime().__version__.split(".")
    return int(major), int(minor)
