"""Paddle's programs in both formats, which are translated, and inference.yml."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path

from converters.model import inference_yml
from converters.model.paddle_model import PaddleModel
from converters.translate import translate
from tests.oracle.pir_case import load
from tests.support.paths import FIXTURES, ZOO_EXPORTS

SMALL = ZOO_EXPORTS / "PP-OCRv6_tiny_rec"


@functools.cache
def place() -> Path:
    """Return the folder that programs are written to."""
    return Path(tempfile.mkdtemp(prefix="edgeocr-fuzz-"))


def seeds() -> list[bytes]:
    """Return the programs of single operators, and a network's files in all forms."""
    cases = load(FIXTURES / "pir_operators.npz").values()
    settings = next(ZOO_EXPORTS.rglob("inference.yml")).read_bytes()
    return [
        *(json.dumps(case.graph).encode() for case in list(cases)[::5]),
        (SMALL / "legacy" / "inference.pdmodel").read_bytes(),
        settings,
    ]


def read(content: bytes) -> None:
    """Translate a program, or read settings; the first byte tells which."""
    if content.lstrip()[:1] == b"{":
        path = place() / "inference.json"
        model = PaddleModel("paddle-pir", path)
    elif content[:1] == b"\n":  # the tag of a program's first block
        path = place() / "inference.pdmodel"
        model = PaddleModel("paddle-legacy", path, SMALL / "legacy" / "inference.pdiparams")
    else:
        path = place() / "inference.yml"
        path.write_bytes(content)
        inference_yml.read(path)
        return
    path.write_bytes(content)
    translate(model)
