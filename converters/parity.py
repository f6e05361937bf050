"""Does a graph compute what its original computes?

Two questions, asked on the same pictures: the edge graph against the plain graph (always), and
the plain graph against Paddle Inference running the original model (where Paddle is installed).
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr import images
from edgeocr.manifest import Check
from edgeocr.providers import import_onnxruntime

from .catalog import Entry
from .edge_graph import CONTRACTS, to_plain_input
from .errors import ParityError
from .paddle_model import PaddleModel, identify

# Of probabilities, so absolute.
TOLERANCE = 1e-5
# DB's sigmoid is steep enough to make more than that of float32 rounding: Paddle Inference with
# and without its graph passes differs from itself by up to 1.5e-5 on the v4 detector. A
# translation is as good as the original when it stays within this multiple of that.
SELF_DIFFERENCE_FACTOR = 5
# Whatever Paddle differs from itself by: more than this is a fault.
LIMIT = 1e-4
PICTURE = Path(__file__).parent.parent / "tests" / "images" / "sample.jpg"

Array: TypeAlias = NDArray[Any]
Runner: TypeAlias = Callable[[Array], list[Array]]


def probes(entry: Entry) -> list[NDArray[np.uint8]]:
    """Real inputs uint8 [N, H, W, 3] of three shapes, one of them a batch."""
    picture = images.load(PICTURE)
    if entry.task == "detection":
        sizes = [(1, 320, 448), (1, 480, 640), (2, 256, 192)]
        rows = (0, picture.shape[0])
    else:
        height, width = entry.stage["height"], entry.stage.get("width")
        sizes = [(n, height, width or w) for n, w in ((1, 320), (1, 624), (2, 160))]
        rows = (265, 310)  # a line of text
    cut = picture[slice(*rows)]
    made = []
    for number, height, width in sizes:
        first = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
        turned = np.rot90(first, 2)
        made.append(np.ascontiguousarray(np.stack([first, turned][:number])).astype(np.uint8))
    return made


def check_edge(entry: Entry, plain: bytes, edge: bytes) -> Check:
    """Compare edge and plain graph; raises `ParityError` when they differ.

    Maps may differ by `TOLERANCE`, indices not at all.
    """
    _, outputs = CONTRACTS[entry.task]
    run_plain, run_edge = onnx_runner(plain, None), onnx_runner(edge, outputs)
    worst = 0.0
    for batch in probes(entry):
        (expected,) = run_plain(to_plain_input(batch, entry.normalize))
        got = run_edge(batch)
        if entry.algorithm == "CTC":
            indices, scores = got
            if not np.array_equal(indices, expected.argmax(axis=2)):
                raise ParityError(f"{entry.name}: the edge graph's indices differ")
            worst = max(worst, _difference(scores, expected.max(axis=2)))
        else:
            worst = max(worst, _difference(got[0], expected.reshape(got[0].shape)))
    return _verdict(entry, "the plain graph", worst, TOLERANCE)


def check_paddle(entry: Entry, plain: bytes, folder: Path) -> Check:
    """Compare the plain graph with Paddle Inference on the model in `folder`.

    Returns what the manifest records: the figures, or why it was not run.
    Raises `ParityError` when they differ by more than `TOLERANCE`, or where Paddle differs from
    itself by more, by more than `SELF_DIFFERENCE_FACTOR` of that, and in any case by more than
    `LIMIT`.
    """
    model = identify(folder)
    if model.format == "onnx":
        return Check("not run", "published as ONNX, nothing was translated")
    if importlib.util.find_spec("paddle") is None:
        return Check("not run", "paddlepaddle is not installed")
    run_plain = onnx_runner(plain, None)
    run_paddle, run_passes = paddle_runner(model), paddle_runner(model, passes=True)
    worst, own = 0.0, 0.0
    for batch in probes(entry):
        x = to_plain_input(batch, entry.normalize)
        (expected,) = run_paddle(x)
        worst = max(worst, _difference(run_plain(x)[0], expected))
        own = max(own, _difference(run_passes(x)[0], expected))
    import paddle

    reference = f"Paddle Inference {paddle.__version__}"
    return _verdict(entry, reference, worst, tolerance(own))


def tolerance(own: float) -> float:
    """How far from Paddle a graph may be where Paddle is `own` from itself."""
    return min(max(TOLERANCE, SELF_DIFFERENCE_FACTOR * own), LIMIT)


def paddle_runner(model: PaddleModel, *, passes: bool = False) -> Runner:
    """Paddle Inference on the CPU without oneDNN: the program as it is, or after its passes."""
    from paddle import inference

    config = inference.Config(str(model.graph), str(model.parameters))
    config.disable_gpu()
    config.disable_mkldnn()
    config.switch_ir_optim(passes)
    config.disable_glog_info()
    predictor = inference.create_predictor(config)

    def run(x: Array) -> list[Array]:
        predictor.get_input_handle(predictor.get_input_names()[0]).copy_from_cpu(x)
        predictor.run()
        names = predictor.get_output_names()
        return [predictor.get_output_handle(name).copy_to_cpu() for name in names]

    return run


def onnx_runner(graph: bytes, outputs: list[str] | None) -> Runner:
    """ONNX Runtime on the CPU; `outputs` None for all of them."""
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(x: Array) -> list[Array]:
        result: list[Array] = session.run(outputs, {name: x})
        return result

    return run


def _difference(a: Array, b: Array) -> float:
    if a.shape != b.shape:
        raise ParityError(f"outputs of shapes {a.shape} and {b.shape} can't be equal")
    # NaN must fail, and NaN compares false: so it counts as infinite.
    return float(np.nan_to_num(np.abs(a.astype(np.float64) - b), nan=math.inf).max())


def _verdict(entry: Entry, reference: str, worst: float, allowed: float) -> Check:
    if worst > allowed:
        raise ParityError(
            f"{entry.name}: differs from {reference} by {worst:.1e}, allowed are {allowed:.1e}"
        )
    return Check(
        "passed",
        reference=reference,
        inputs=[list(batch.shape) for batch in probes(entry)],
        max_abs_difference_at_most=rounded_up(worst),
        tolerance=rounded_up(allowed),
    )


def rounded_up(figure: float) -> float:
    """The next of 1, 2, 5 · 10ⁿ: the last digits depend on the processor, a bundle must not."""
    if figure == 0:
        return 0.0
    decade = 10.0 ** math.floor(math.log10(max(figure, 1e-9)))
    return float(f"{next(step for step in (1, 2, 5, 10) if step * decade >= figure) * decade:.0e}")
