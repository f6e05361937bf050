"""Make programs of a few operators in Paddle's legacy format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from converters.paddle.files import FEED_LIST, FETCH_LIST
from converters.paddle.program import Program

Build = Callable[[Program], list[str]]


def network(inputs: dict[str, tuple[list[int], str]], build: Build) -> Program:
    """Make a program.

    Args:
        inputs: Shape and dtype of each input, by its name.
        build: Adds the operators to the program, and returns the names of the outputs.
    """
    program = Program.empty()
    for name, kind in (("feed", FEED_LIST), ("fetch", FETCH_LIST)):
        program.block.vars.add(name=name, persistable=True).type.type = kind
    for column, (name, (shape, dtype)) in enumerate(inputs.items()):
        program.add_variable(name, shape, dtype)
        program.add_operator("feed", {"X": ["feed"]}, {"Out": [name]}, {"col": column})
    for column, name in enumerate(build(program)):
        program.add_operator("fetch", {"X": [name]}, {"Out": ["fetch"]}, {"col": column})
    return program


def write(program: Program, folder: Path) -> tuple[Path, Path]:
    """Write inference.pdmodel and inference.pdiparams, and return their paths."""
    files = folder / "inference.pdmodel", folder / "inference.pdiparams"
    program.write(*files)
    return files
