"""ONNX Runtime, imported when it is first needed."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from typing import Any

from ..errors import ProviderUnavailableError

# The number of a run that is neither recorded as a CUDA graph nor replayed from one.
NO_GRAPH = "-1"
# ONNX Runtime's log level for fatal faults only. Its errors contain what else it would log.
FATAL_ONLY = 4


def import_onnxruntime() -> Any:
    """Import ONNX Runtime, with its telemetry switched off.

    ONNX Runtime's wheels since 1.29 report their use to Microsoft, on Linux too, unless they are
    told not to before they are imported.

    Returns:
        The module `onnxruntime`.

    Raises:
        ProviderUnavailableError: ONNX Runtime isn't installed, or its installation is damaged.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime

        # A package that has been removed in part is imported as an empty module.
        onnxruntime.InferenceSession  # noqa: B018
    except (ImportError, AttributeError) as error:
        raise ProviderUnavailableError(
            f"ONNX Runtime can't be imported ({error}): install it with "
            'pip install "edgeocr[cpu]", or "edgeocr[gpu]" for NVIDIA, never both; after a '
            "mix-up uninstall onnxruntime and onnxruntime-gpu first"
        ) from error
    return onnxruntime


def version() -> tuple[int, int]:
    """Return the major and minor version of ONNX Runtime."""
    major, minor, *_ = import_onnxruntime().__version__.split(".")
    return int(major), int(minor)


def preload_nvidia_libraries() -> None:
    """Load the libraries of NVIDIA's Python packages, if they are installed."""
    ort = import_onnxruntime()
    if hasattr(ort, "preload_dlls"):  # since ONNX Runtime 1.21
        # It prints which libraries are missing, but the session that needs them says so as well.
        with redirect_stdout(io.StringIO()):
            ort.preload_dlls()


def graph_run_options(number: str) -> Any:
    """Make the options of a run that is recorded as, or replayed from, a CUDA graph.

    Args:
        number: The graph's number, as text; `NO_GRAPH` for a plain run.

    Returns:
        An `onnxruntime.RunOptions`.
    """
    options = import_onnxruntime().RunOptions()
    options.add_run_config_entry("gpu_graph_id", number)
    return options
