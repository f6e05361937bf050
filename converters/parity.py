"""Does a graph compute what its original computes?

Two questions, asked on the same pictures: the edge graph against the plain graph (always), and both
against Paddle Inference running the original model (where Paddle is installed).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr import images
from edgeocr.provenance import Check

from .edge_graph import CONTRACTS, sizes, to_edge_outputs, to_plain_inputs
from .errors import ParityError
from .network import Network
from .onnx_runner import Array, Runner, onnx_runner
from .paddle_reference import Reference
from .signature import Signature

# Of probabilities, so absolute.
TOLERANCE = 1e-5
# Of the edge graph beside the plain one, largest and mean. Rewrites take sums in another order, and
# DB's sigmoid is steep: single pixels on its slope may be further off than the tolerance, the mean
# may not be anywhere near.
EDGE_TOLERANCE, EDGE_MEAN_TOLERANCE = 1e-4, 1e-5
# DB's sigmoid is steep enough to make more than that of float32 rounding: Paddle Inference with
# and without its graph passes differs from itself by up to 1.5e-5 on the v4 detector. A
# translation is as good as the original when it stays within this multiple of what rounding does
# to the original, on the processor at hand: each make has kernels of its own. Graph passes change
# nothing of some programs, so a nudge of the input counts too. The mean has the same rule and keeps
# it honest: rounding strikes single places, a wrong graph is wrong nearly everywhere.
SELF_DIFFERENCE_FACTOR = 5
# Whatever Paddle differs from itself by: more than this is a fault.
LIMIT = 1e-4
# Weights that nobody trained amplify rounding, so this is a share of the output's largest value,
# and what rounding does to Paddle counts without a limit.
UNPUBLISHED_TOLERANCE = 1e-3
PICTURE = Path(__file__).parent.parent / "tests" / "images" / "sample.jpg"
TEXT_ROWS = slice(265, 310)  # a line of text

RunPaddle: TypeAlias = Callable[[list[list[Array]]], Reference]


@dataclass(frozen=True)
class Difference:
    """How far one output is from its reference, over all probes.

    shapes: of the output, one for each probe.
    max_abs, mean_abs: of the difference. magnitude: the reference's largest absolute value.
    own: the largest that rounding does to the reference; None where it was not asked.
    allowed, allowed_mean: what `max_abs` and `mean_abs` may be; None for no limit.
    bound: what `max_abs` may be at most on any processor; None where it counts what rounding does.
    """

    output: str
    shapes: list[list[int]]
    max_abs: float
    mean_abs: float
    magnitude: float
    own: float | None
    allowed: float
    allowed_mean: float | None
    bound: float | None

    @property
    def relative(self) -> float:
        """The largest difference as a share of the magnitude."""
        return self.max_abs / self.magnitude if self.magnitude else self.max_abs

    @property
    def passed(self) -> bool:
        mean_fits = self.allowed_mean is None or self.mean_abs <= self.allowed_mean
        return math.isfinite(self.max_abs) and self.max_abs <= self.allowed and mean_fits

    @property
    def used(self) -> float:
        """The larger one of both differences as a share of what it may be."""
        limits = [(self.max_abs, self.allowed)]
        if self.allowed_mean is not None:
            limits.append((self.mean_abs, self.allowed_mean))
        return max(
            figure / allowed if allowed else math.inf if figure else 0.0
            for figure, allowed in limits
        )


@dataclass(frozen=True)
class Comparison:
    """The outputs of a graph beside a reference's.

    inputs: shapes of the probes.
    indices_equal: a recognition network's choices are the same, but for those that the reference
        doesn't repeat itself; None for other networks.
    """

    reference: str
    inputs: list[list[int]]
    differences: list[Difference]
    indices_equal: bool | None = None

    @property
    def passed(self) -> bool:
        return all(item.passed for item in self.differences) and self.indices_equal is not False

    def check(self) -> Check:
        """What a manifest records of it: nothing that depends on the processor, so the bounds in
        place of the figures, and none where there are none.
        """
        bounds = [item.bound for item in self.differences if item.bound is not None]
        bound = rounded_up(max(bounds)) if len(bounds) == len(self.differences) else None
        return Check(
            "passed",
            reference=self.reference,
            inputs=self.inputs,
            max_abs_difference_at_most=bound,
            tolerance=bound,
        )

    def __str__(self) -> str:
        worst = max(self.differences, key=lambda item: item.used)
        mean = "" if worst.allowed_mean is None else f" and {worst.allowed_mean:.1e} allowed"
        indices = {True: "; indices equal", False: "; INDICES DIFFER", None: ""}
        return (
            f"{'passed' if self.passed else 'FAILED'}, {worst.output} is {worst.max_abs:.1e} from "
            f"{self.reference} where the largest value is {worst.magnitude:.3g} and "
            f"{worst.allowed:.1e} allowed, mean {worst.mean_abs:.1e}{mean}"
            f"{indices[self.indices_equal]}"
        )


def probes(network: Network, signature: Signature) -> list[NDArray[np.uint8]]:
    """Real inputs uint8 [N, H, W, 3] of three shapes, one of them a batch.

    Where the graph itself fixes the size all have it, and then two are batches.
    """
    picture = images.load(PICTURE)
    height, width = sizes(signature, network)
    if network.task in ("detection", "spotting"):
        wanted = [(1, 320, 448), (1, 480, 640), (2, 256, 192)]
        if network.multiple > 32:
            wanted = [(1, 256, 384), (1, 384, 640), (2, 256, 256)]
    elif None not in signature.image.shape[2:]:
        wanted = [(1, 0, 0), (2, 0, 0), (3, 0, 0)]
    else:
        wanted = [(1, 48, 320), (1, 48, 624), (2, 48, 160)]
    if network.task in ("recognition", "orientation"):
        picture = picture[TEXT_ROWS]
    made = []
    for number, high, wide in wanted:
        size = (width or wide, height or high)
        first = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        views = itertools.cycle([first, np.rot90(first, 2), first[:, ::-1]])
        batch = list(itertools.islice(views, signature.image.shape[0] or number))
        made.append(np.ascontiguousarray(np.stack(batch)).astype(np.uint8))
    return made


def compare_edge(network: Network, signature: Signature, plain: bytes, edge: bytes) -> Comparison:
    """Edge graph against plain graph: nothing but the interface and the order of sums may differ.

    Weights that nobody trained amplify rounding; for them it counts what rounding does to the plain
    graph, which ONNX Runtime computes in another order when it doesn't optimize it.
    """
    batches = probes(network, signature)
    feeds = [to_plain_inputs(batch, network.normalize, signature) for batch in batches]

    def reduced(run: Runner) -> list[dict[str, Array]]:
        return [
            to_edge_outputs(run(feed), network, signature, len(batch))
            for feed, batch in zip(feeds, batches, strict=True)
        ]

    expected = reduced(onnx_runner(plain, None))
    again = [] if network.published else [reduced(onnx_runner(plain, None, optimized=False))]
    got = _run_edge(network, edge, batches)
    measured = []
    for name in CONTRACTS[network.algorithm][1]:
        if name == "indices":
            continue
        values = _column(expected, name)
        own = [difference(name, _column(each, name), values, math.inf) for each in again]
        # The mean keeps it honest: a wrong graph is wrong nearly everywhere.
        allowed, allowed_mean = (
            max([tolerance, *(SELF_DIFFERENCE_FACTOR * each for each in figures)])
            for tolerance, figures in (
                (EDGE_TOLERANCE, [item.max_abs for item in own]),
                (EDGE_MEAN_TOLERANCE, [item.mean_abs for item in own]),
            )
        )
        column = _column(got, name)
        rounding = own[0].max_abs if own else None
        measured.append(
            difference(
                name,
                column,
                values,
                allowed,
                allowed_mean,
                rounding,
                bound=EDGE_TOLERANCE if network.published else None,
                relative=True,
            )
        )
    return Comparison(
        "the plain graph", _shapes(batches), measured, _indices(got, expected, *again)
    )


def compare_paddle(
    network: Network, signature: Signature, plain: bytes, edge: bytes, run_paddle: RunPaddle
) -> tuple[Comparison, Comparison]:
    """Plain and edge graph against Paddle Inference.

    run_paddle: gives Paddle's outputs for a list of inputs, see `paddle_reference.run`.
    """
    batches = probes(network, signature)
    feeds = [to_plain_inputs(batch, network.normalize, signature) for batch in batches]
    reference = run_paddle(feeds)
    _require_outputs(signature, reference)
    run = onnx_runner(plain, None)
    ours = [run(feed) for feed in feeds]
    title = f"Paddle Inference {reference.version}"

    def reduced(outputs: list[list[Array]]) -> list[dict[str, Array]]:
        return [
            to_edge_outputs(found, network, signature, len(batch))
            for found, batch in zip(outputs, batches, strict=True)
        ]

    again = [reference.optimized or reference.outputs, reference.nudged]
    expected, reduced_again = reduced(reference.outputs), [reduced(each) for each in again]
    of_plain = [
        _beside_paddle(
            network,
            port.name,
            _column(ours, i),
            _column(reference.outputs, i),
            [_column(each, i) for each in again],
        )
        for i, port in enumerate(signature.outputs)
    ]
    got = _run_edge(network, edge, batches)
    of_edge = [
        _beside_paddle(
            network,
            name,
            _column(got, name),
            _column(expected, name),
            [_column(each, name) for each in reduced_again],
            # Rounding strikes untrained weights twice: translated, and in another order of sums.
            factor=SELF_DIFFERENCE_FACTOR * (1 if network.published else 2),
        )
        for name in CONTRACTS[network.algorithm][1]
        if name != "indices"
    ]
    return (
        Comparison(
            title, _shapes(batches), of_plain, _indices(reduced(ours), expected, *reduced_again)
        ),
        Comparison(title, _shapes(batches), of_edge, _indices(got, expected, *reduced_again)),
    )


def difference(
    name: str,
    got: list[Array],
    expected: list[Array],
    allowed: float,
    allowed_mean: float | None = None,
    own: float | None = None,
    *,
    bound: float | None = None,
    relative: bool = False,
) -> Difference:
    """Measure one output over all probes; raises `ParityError` when shapes differ.

    relative: what is allowed is of the largest value where that is more than 1.
    """
    for a, b in zip(got, expected, strict=True):
        if a.shape != b.shape:
            raise ParityError(f"{name}: outputs of the shapes {a.shape} and {b.shape}")
    gaps = np.concatenate([_gaps(a, b) for a, b in zip(got, expected, strict=True)])
    magnitude = float(max(np.abs(b).max(initial=0.0) for b in expected))
    factor = max(1.0, magnitude) if relative else 1.0
    return Difference(
        name,
        [list(a.shape) for a in got],
        float(gaps.max(initial=0.0)),
        float(gaps.mean()) if gaps.size else 0.0,
        magnitude,
        own,
        allowed * factor,
        None if allowed_mean is None else allowed_mean * factor,
        None if bound is None else bound * factor,
    )


def _gaps(got: Array, expected: Array) -> Array:
    """The differences one after the other; infinite where one isn't finite, which must not pass."""
    with np.errstate(invalid="ignore"):
        gaps: Array = np.abs(got.astype(np.float64) - expected)
    gaps[~np.isfinite(gaps)] = math.inf
    return gaps.reshape(-1)


def _require_outputs(signature: Signature, reference: Reference) -> None:
    found = {len(outputs) for outputs in reference.outputs}
    if found != {len(signature.outputs)}:
        raise ParityError(
            f"Paddle Inference gives {max(found)} outputs, the plain graph "
            f"{len(signature.outputs)}: not the same network"
        )


def _beside_paddle(
    network: Network,
    name: str,
    got: list[Array],
    expected: list[Array],
    again: list[list[Array]],
    factor: float = SELF_DIFFERENCE_FACTOR,
) -> Difference:
    repeated = [difference(name, each, expected, math.inf) for each in again]
    # Where Paddle's own graph passes make no number of it, that says nothing of rounding.
    finite = [item for item in repeated if math.isfinite(item.max_abs)]
    own = max((item.max_abs for item in finite), default=0.0)
    own_mean = max((item.mean_abs for item in finite), default=0.0)
    least = TOLERANCE if network.published else UNPUBLISHED_TOLERANCE * repeated[0].magnitude
    most = LIMIT if network.published else math.inf
    allowed, allowed_mean = (min(max(least, factor * figure), most) for figure in (own, own_mean))
    bound = LIMIT if network.published else None
    return difference(name, got, expected, allowed, allowed_mean, own, bound=bound)


def _indices(
    got: list[dict[str, Array]],
    expected: list[dict[str, Array]],
    *again: list[dict[str, Array]],
) -> bool | None:
    """Whether the choices are equal, where Paddle repeats its own."""
    if "indices" not in expected[0]:
        return None
    for probe, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
        wrong = ours["indices"] != theirs["indices"]
        for each in again:
            wrong &= each[probe]["indices"] == theirs["indices"]
        if wrong.any():
            return False
    return True


def _run_edge(
    network: Network, edge: bytes, batches: list[NDArray[np.uint8]]
) -> list[dict[str, Array]]:
    names = list(CONTRACTS[network.algorithm][1])
    run = onnx_runner(edge, names, "edge graph")
    return [dict(zip(names, run([batch]), strict=True)) for batch in batches]


def _column(outputs: list[Any], key: int | str) -> list[Array]:
    return [found[key] for found in outputs]


def _shapes(batches: list[NDArray[np.uint8]]) -> list[list[int]]:
    return [list(batch.shape) for batch in batches]


def rounded_up(figure: float) -> float:
    """The next of 1, 2, 5 · 10ⁿ: the last digits depend on the processor, a bundle must not. A
    probability of 1 may be some float32 steps more, which counts for nothing.
    """
    if figure == 0:
        return 0.0
    least = figure * (1 - 1e-6)
    decade = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return float(f"{next(step for step in (1, 2, 5, 10) if step * decade >= least) * decade:.0e}")
