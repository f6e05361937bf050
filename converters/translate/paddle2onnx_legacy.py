"""paddle2onnx 1.3.1: Paddle's legacy format (program + parameters), without Paddle."""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from ..errors import TranslationError
from . import process as worker

NAME = "paddle2onnx 1.3.1"
WORKER = Path(__file__).with_name("paddle2onnx_worker.py")
TIMEOUT_SECONDS = 600


class UnsupportedOperators(TranslationError):
    """The translator knows no ONNX form of these types of operators."""

    def __init__(self, types: list[str]) -> None:
        super().__init__(f"{NAME} has no ONNX form of {', '.join(types)}")
        self.types = types


def translate(program: Path, parameters: Path) -> bytes:
    """Legacy model → plain ONNX graph.

    The extension runs in a process of its own, because it aborts on what it doesn't understand.
    Raises `UnsupportedOperators`, or `TranslationError` with its last words.
    """
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        target = Path(folder) / "plain.onnx"
        command = [sys.executable, str(WORKER), str(_extension()), str(program), str(parameters)]
        command.append(str(target))
        ended = worker.run(command, TIMEOUT_SECONDS)
        if ended.code == 0 and target.is_file():
            return target.read_bytes()
        if found := re.search(r"not supported yet, including ([^\n]*)", ended.said):
            raise UnsupportedOperators(re.findall(r"\w+", found[1]))
        raise TranslationError(f"{NAME} {ended}")


def _extension() -> Path:
    spec = importlib.util.find_spec("paddle2onnx")
    if spec is None or not spec.submodule_search_locations:
        raise TranslationError(
            'paddle2onnx 1.3.1 is not installed: pip install ".[convert]" '
            "(it has wheels for Python 3.8 to 3.12)"
        )
    installed = version("paddle2onnx")
    if installed != "1.3.1":
        raise TranslationError(
            f"paddle2onnx {installed} is installed, the converters need 1.3.1: "
            'pip install "paddle2onnx==1.3.1"'
        )
    return next(Path(spec.submodule_search_locations[0]).glob("paddle2onnx_cpp2py_export*"))
