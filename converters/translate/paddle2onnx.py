"""Run paddle2onnx 1.3.1, which translates Paddle's legacy format, in a child process."""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from .. import child_process
from ..errors import TranslationError

# Manifests and reports record this name.
NAME = "paddle2onnx 1.3.1"
WORKER = Path(__file__).with_name("paddle2onnx_worker.py")
TIMEOUT_SECONDS = 600


class UnsupportedOperatorsError(TranslationError):
    """The translator doesn't know some types of operators, which `types` lists."""

    def __init__(self, types: list[str]) -> None:
        """Name the types of operators."""
        super().__init__(f"{NAME} can't translate the operators {', '.join(types)}")
        self.types = types


def translate(program: Path, parameters: Path) -> bytes:
    """Translate a legacy model into a plain ONNX graph.

    The extension module runs in a child process, because it aborts the process that it runs in if
    a model confuses it.

    Args:
        program: The inference.pdmodel.
        parameters: The inference.pdiparams.

    Returns:
        The ONNX file.

    Raises:
        UnsupportedOperatorsError: If the translator doesn't know some operators.
        TranslationError: If it isn't installed, crashes or fails; the message quotes its output.
    """
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        target = Path(folder) / "plain.onnx"
        command = [sys.executable, str(WORKER), str(_extension()), str(program), str(parameters)]
        command.append(str(target))
        result = child_process.run(command, TIMEOUT_SECONDS)
        if result.code == 0 and target.is_file():
            return target.read_bytes()
        if found := re.search(r"not supported yet, including ([^\n]*)", result.output):
            raise UnsupportedOperatorsError(re.findall(r"\w+", found[1]))
        raise TranslationError(f"{NAME} {result}")


def _extension() -> Path:
    """Find the file of paddle2onnx's extension module, and check its version."""
    spec = importlib.util.find_spec("paddle2onnx")
    if spec is None or not spec.submodule_search_locations:
        raise TranslationError(
            'paddle2onnx 1.3.1 is not installed: pip install ".[convert]" '
            "(it has wheels for Python 3.8 to 3.12)"
        )
    installed = version("paddle2onnx")
    if installed != "1.3.1":
        raise TranslationError(
            f"paddle2onnx {installed} is installed, but the converters need 1.3.1: "
            'pip install "paddle2onnx==1.3.1"'
        )
    return next(Path(spec.submodule_search_locations[0]).glob("paddle2onnx_cpp2py_export*"))
