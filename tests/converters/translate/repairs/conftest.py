"""Fixtures that the tests of repairs share: small programs, translated as they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from converters.paddle import pir
from converters.paddle.program import Program
from converters.translate import paddle2onnx
from tests.oracle.pir_case import Case
from tests.support.legacy_programs import write


@pytest.fixture
def lowered(pir_cases: dict[str, Case], tmp_path: Path) -> Callable[[str], Program]:
    """Return a function: name of a small PIR program → its legacy form, without any repair."""
    return lambda name: pir.lower(*pir_cases[name].write(tmp_path))


@pytest.fixture
def plain(translator: None, tmp_path: Path) -> Callable[[Program], bytes]:
    """Return a function that translates a program as it is, without any repair."""
    return lambda program: paddle2onnx.translate(*write(program, tmp_path))
