"""Run Paddle Inference in a process of its own, to compare graphs with it.

Paddle is a large native library that ends the process for a model it doesn't like, and the version
that reads a model may need other packages than ours. So it runs in any Python that has it.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import child_process
from ..child_process import ProcessResult
from ..errors import ParityError
from ..model.paddle_model import PaddleModel
from ..paddle.program import Program

WORKER = Path(__file__).with_name("paddle_worker.py")
TIMEOUT_SECONDS = 1800
NUDGE_STEPS = 8
# What a Python prints if it has Paddle, and if it has none.
HAS_PADDLE, NO_PADDLE = "it has paddlepaddle", "it has no paddlepaddle"
PROBE = (
    "from importlib.util import find_spec; "
    f"print({HAS_PADDLE!r} if find_spec('paddle') else {NO_PADDLE!r})"
)
PROBE_SECONDS = 60


@dataclass(frozen=True)
class Reference:
    """What Paddle Inference computed.

    Attributes:
        version: Paddle's version.
        outputs: The outputs for each probe.
        optimized: The same after Paddle's graph passes; None for a program that doesn't survive
            them, such as SRN's.
        nudged: The same for probes whose image was changed by `nudged`, which is about what
            summing a convolution's products in another order does to every layer.
    """

    version: str
    outputs: list[list[NDArray[Any]]]
    optimized: list[list[NDArray[Any]]] | None
    nudged: list[list[NDArray[Any]]]


class PaddleMissingError(ParityError):
    """There is no Paddle that can run this model; the message says how to get one."""


def require_paddle(python: Path) -> None:
    """Check, before any work is done, that a program is a Python that has Paddle.

    Paddle isn't loaded, which would take seconds.

    Raises:
        PaddleMissingError: It isn't; the message says what it is instead.
    """
    try:
        ended = child_process.run([str(python), "-c", PROBE], PROBE_SECONDS)
    except OSError as error:
        raise PaddleMissingError(f"{python} can't be run: {error.strerror}") from None
    *_, said = ["", *ended.output.strip().splitlines()]
    if said == HAS_PADDLE:
        return
    if said == NO_PADDLE:
        raise PaddleMissingError(
            f"{python} is a Python without paddlepaddle: install that into it, or name another one"
        )
    raise PaddleMissingError(
        f"{python} is not a Python: name the Python of an environment that has paddlepaddle"
    )


def run(model: PaddleModel, probes: list[list[NDArray[Any]]], python: Path | None) -> Reference:
    """Run a model with Paddle Inference on the CPU, without oneDNN.

    Args:
        model: The model.
        probes: For each run, the network's inputs in their order.
        python: A Python that has Paddle; None for this one.

    Raises:
        PaddleMissingError: There is no Paddle that can run the model.
        ParityError: Paddle failed; the message quotes what it printed last.
    """
    if python is None and importlib.util.find_spec("paddle") is None:
        raise PaddleMissingError(f"paddlepaddle is not installed: {_advice(model)}")
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as name:
        folder = Path(name)
        graph, parameters = model.graph, model.parameters
        if parameters is None:  # a file for each: Paddle Inference wants them in one
            graph, parameters = folder / "inference.pdmodel", folder / "inference.pdiparams"
            Program.read(model.graph, None).write(graph, parameters)
        every = [*probes, *([nudged(inputs[0]), *inputs[1:]] for inputs in probes)]
        feeds = {f"{p}.{i}": x for p, inputs in enumerate(every) for i, x in enumerate(inputs)}
        np.savez(folder / "inputs.npz", **feeds)  # type: ignore[arg-type]
        command = [str(python or sys.executable), str(WORKER), str(graph), str(parameters)]
        command += [name, str(len(probes))]
        try:
            ended = child_process.run(command, TIMEOUT_SECONDS)
        except OSError as error:
            raise ParityError(f"{command[0]} can't be run: {error.strerror}") from None
        if not (folder / "as_is.npz").is_file():
            raise _failure(model, ended)
        version, outputs = _load(folder / "as_is.npz", len(every))
        optimized = None
        if (folder / "optimized.npz").is_file():
            _, optimized = _load(folder / "optimized.npz", len(probes))
    return Reference(version, outputs[: len(probes)], optimized, outputs[len(probes) :])


def nudged(image: NDArray[Any]) -> NDArray[Any]:
    """Return an image with each value moved by up to `NUDGE_STEPS` float32 steps, always alike."""
    steps = np.random.default_rng(0).uniform(-NUDGE_STEPS, NUDGE_STEPS, image.shape)
    moved: NDArray[Any] = (image + steps * np.spacing(np.abs(image))).astype(image.dtype)
    return moved


def _failure(model: PaddleModel, ended: ProcessResult) -> ParityError:
    if "No module named 'paddle'" in ended.output:
        return PaddleMissingError(f"this Python has no paddlepaddle: {_advice(model)}")
    if "can't read PIR" in ended.output:
        return PaddleMissingError(f"{ended.output.strip().splitlines()[-1]}: {_advice(model)}")
    return ParityError(f"{model.graph}: Paddle Inference {ended}")


def _advice(model: PaddleModel) -> str:
    extra = "parity-pir" if model.format == "paddle-pir" else "parity"
    return (
        f'pip install ".[cpu,convert,{extra}]" here, or name a Python that has it with '
        "--paddle-python"
    )


def _load(path: Path, probes: int) -> tuple[str, list[list[NDArray[Any]]]]:
    with np.load(path) as file:
        arrays = dict(file)
    grouped: list[list[NDArray[Any]]] = []
    for probe in range(probes):
        outputs: list[NDArray[Any]] = []
        while (key := f"{probe}.{len(outputs)}") in arrays:
            outputs.append(arrays[key])
        grouped.append(outputs)
    return str(arrays["version"]), grouped
