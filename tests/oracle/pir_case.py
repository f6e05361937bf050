"""Describe the cases of `pir_cases`, and read and write the file that holds them all.

Tests read the file with this module, so it does not import Paddle.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Run(NamedTuple):
    """The inputs of a run in the program's order, and Paddle Inference's outputs."""

    inputs: list[np.ndarray]
    outputs: list[np.ndarray]


@dataclass(frozen=True)
class Case:
    """An exported program: the contents of inference.json and inference.pdiparams, and its runs."""

    name: str
    graph: dict[str, Any]
    parameters: bytes
    runs: list[Run]

    @property
    def operations(self) -> list[dict[str, Any]]:
        """The operators in `graph`, which a test may look at or change."""
        found: list[dict[str, Any]] = self.graph["program"]["regions"][0]["blocks"][0]["ops"]
        return found

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both files, and return their paths."""
        graph, parameters = folder / "inference.json", folder / "inference.pdiparams"
        graph.write_text(json.dumps(self.graph), "utf-8")
        parameters.write_bytes(self.parameters)
        return graph, parameters


def save(path: Path, cases: Iterable[Case]) -> None:
    """Write cases as one text and all arrays one after the other, which compresses well."""
    content = bytearray()

    def place(array: np.ndarray) -> list[Any]:
        content.extend(array.tobytes())
        return [str(array.dtype), list(array.shape), len(content) - array.nbytes]

    listed = [
        {
            "name": case.name,
            "graph": case.graph,
            "parameters": place(np.frombuffer(case.parameters, np.uint8)),
            "runs": [[[place(array) for array in arrays] for arrays in run] for run in case.runs],
        }
        for case in cases
    ]
    text = json.dumps(listed, separators=(",", ":")).encode()
    arrays: dict[str, Any] = {
        "cases": np.frombuffer(text, np.uint8),
        "content": np.frombuffer(content, np.uint8),
    }
    np.savez_compressed(path, **arrays)


def load(path: Path) -> dict[str, Case]:
    """Read the cases, by their names."""
    with np.load(path) as file:
        listed, content = json.loads(file["cases"].tobytes()), file["content"].tobytes()

    def array(dtype: str, shape: list[int], offset: int) -> np.ndarray:
        count = int(np.prod(shape))
        return np.frombuffer(content, dtype, count, offset).reshape(shape)

    return {
        entry["name"]: Case(
            entry["name"],
            entry["graph"],
            array(*entry["parameters"]).tobytes(),
            [Run(*([array(*item) for item in items] for items in run)) for run in entry["runs"]],
        )
        for entry in listed
    }


@dataclass(frozen=True)
class Input:
    """The input of a case.

    Attributes:
        shape: A negative size is declared as one that varies: -3 is 3 in the first run and 4 in the
            second.
        dtype: Type of the values.
        low: Least value.
        high: Greatest value.
        distinct: No value occurs twice, for operators that would have to choose between equal ones.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = -3
    high: float = 3
    distinct: bool = False

    @property
    def declared(self) -> list[int | None]:
        """The shape as Paddle declares it, with None for sizes that vary."""
        return [size if size > 0 else None for size in self.shape]

    def value(self, seed: str, run: int) -> np.ndarray:
        """Draw the values of a run; floats are multiples of 1/16, which compress well."""
        rng = np.random.RandomState(zlib.crc32(f"{seed} {run}".encode()))
        shape = [size if size > 0 else run - size for size in self.shape]
        drawn: np.ndarray
        if self.distinct:
            drawn = rng.permutation(int(np.prod(shape))).reshape(shape) / 16 - 1
        elif self.dtype == "bool":
            drawn = rng.uniform(size=shape) < 0.5
        elif self.dtype.startswith("float"):
            drawn = np.round(rng.uniform(self.low, self.high, shape) * 16) / 16
        else:
            drawn = rng.randint(int(self.low), int(self.high) + 1, shape)
        return np.asarray(drawn, self.dtype)


@dataclass
class Cases:
    """The cases of a module: for each name what makes the function or layer, and the inputs."""

    found: dict[str, tuple[Callable[[], Any], tuple[Input, ...]]] = field(default_factory=dict)

    def function(self, name: str, function: Callable[..., Any], *inputs: Input) -> None:
        """Add a case of a function."""
        self.layer(name, lambda: function, *inputs)

    def layer(self, name: str, make: Callable[[], Any], *inputs: Input) -> None:
        """Add a case of a layer, or of whatever `make` returns."""
        if name in self.found:
            raise ValueError(f"two cases are named {name}")
        self.found[name] = (make, inputs)


def floats(*shape: int, low: float = -3, high: float = 3) -> Input:
    return Input(shape, "float32", low, high)


def distinct(*shape: int) -> Input:
    return Input(shape, distinct=True)


def positive(*shape: int) -> Input:
    return Input(shape, "float32", 0.25, 4)


def doubles(*shape: int) -> Input:
    return Input(shape, "float64")


def ints(*shape: int, low: int = -9, high: int = 9, dtype: str = "int64") -> Input:
    return Input(shape, dtype, low, high)


def bools(*shape: int) -> Input:
    return Input(shape, "bool")
