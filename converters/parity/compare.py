"""Check whether a graph computes what its original computes.

On the same pictures, the edge graph is compared with the plain graph (always), and both are
compared with Paddle Inference running the original model (where Paddle is installed).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeocr.bundle.provenance import Check

from ..edge_graph import CONTRACTS, to_edge_outputs, to_plain_inputs
from ..errors import ParityError
from ..graph.interface import Interface
from ..graph.runner import Array, Runner, onnx_runner
from ..model.network import Network
from .paddle_reference import Reference
from .probes import probes

# The allowed difference of probabilities, so an absolute number.
TOLERANCE = 1e-5
# The largest and the mean difference that is allowed between the edge graph and the plain graph.
# Rewrites sum in another order, and DB's sigmoid is steep: single pixels on its slope may differ by
# more than TOLERANCE, but the mean must stay far below.
EDGE_TOLERANCE, EDGE_MEAN_TOLERANCE = 1e-4, 1e-5
# DB's sigmoid is steep enough to make more than that of float32 rounding: Paddle Inference with
# and without its graph passes differs from itself by up to 1.5e-5 on the v4 detector. A
# translation is as good as the original when it stays within this multiple of what rounding does
# to the original on this processor, since each make of processor has kernels of its own. Graph
# passes leave some programs unchanged, so a nudge of the input counts too. The same rule for the
# mean catches wrong graphs: rounding affects single places, a wrong graph is wrong everywhere.
SELF_DIFFERENCE_FACTOR = 5
# However much Paddle differs from itself, a larger difference than this is a fault.
LIMIT = 1e-4
# Untrained weights amplify rounding, so for them the tolerance is a share of the output's largest
# value, and what rounding does to Paddle counts without a limit.
UNPUBLISHED_TOLERANCE = 1e-3

RunPaddle: TypeAlias = Callable[[list[list[Array]]], Reference]


@dataclass(frozen=True)
class Difference:
    """How far an output is from its reference, over all probes.

    Attributes:
        output: The output's name.
        shapes: The output's shape for each probe.
        max_abs: The largest absolute difference.
        mean_abs: The mean absolute difference.
        magnitude: The reference's largest absolute value.
        own: The largest difference that rounding makes to the reference; None if not measured.
        allowed: The limit of `max_abs`.
        allowed_mean: The limit of `mean_abs`, None for no limit.
        bound: The limit of `max_abs` on any processor; None where the limit depends on rounding.
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
        """Whether the differences are within their limits."""
        mean_fits = self.allowed_mean is None or self.mean_abs <= self.allowed_mean
        return math.isfinite(self.max_abs) and self.max_abs <= self.allowed and mean_fits

    @property
    def used(self) -> float:
        """The larger share of its limit that one of both differences uses."""
        limits = [(self.max_abs, self.allowed)]
        if self.allowed_mean is not None:
            limits.append((self.mean_abs, self.allowed_mean))
        return max(
            figure / allowed if allowed else math.inf if figure else 0.0
            for figure, allowed in limits
        )


@dataclass(frozen=True)
class Comparison:
    """A comparison of a graph's outputs with a reference's.

    Attributes:
        reference: What the graph is compared with.
        inputs: The shapes of the probes.
        differences: The difference of each output.
        indices_equal: Whether a recognition network makes the same choices, except where the
            reference itself chooses differently when it is run again; None for other networks.
    """

    reference: str
    inputs: list[list[int]]
    differences: list[Difference]
    indices_equal: bool | None = None

    @property
    def passed(self) -> bool:
        """Whether all differences are within their limits and no choice differs."""
        return all(item.passed for item in self.differences) and self.indices_equal is not False

    def check(self) -> Check:
        """Return what a manifest records: limits instead of figures, which depend on the processor.

        If a limit depends on rounding, no limit is recorded.
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
        """Say in a line whether the comparison passed, with the output nearest to its limit."""
        worst = max(self.differences, key=lambda item: item.used)
        mean = "" if worst.allowed_mean is None else f" and {worst.allowed_mean:.1e} allowed"
        indices = {True: "; indices equal", False: "; INDICES DIFFER", None: ""}
        return (
            f"{'passed' if self.passed else 'FAILED'}, {worst.output} is {worst.max_abs:.1e} from "
            f"{self.reference} where the largest value is {worst.magnitude:.3g} and "
            f"{worst.allowed:.1e} allowed, mean {worst.mean_abs:.1e}{mean}"
            f"{indices[self.indices_equal]}"
        )


def compare_edge(network: Network, interface: Interface, plain: bytes, edge: bytes) -> Comparison:
    """Compare the edge graph with the plain graph; only the order of sums may differ inside.

    Untrained weights amplify rounding. For them the limit depends on what rounding does to the
    plain graph, which ONNX Runtime computes in another order if it doesn't optimize the graph.
    """
    batches = probes(network, interface)
    feeds = [to_plain_inputs(batch, network.normalize, interface) for batch in batches]

    def reduced(run: Runner) -> list[dict[str, Array]]:
        return [
            to_edge_outputs(run(feed), network, interface, len(batch))
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
        # The limit of the mean catches wrong graphs, which are wrong nearly everywhere.
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
    network: Network, interface: Interface, plain: bytes, edge: bytes, run_paddle: RunPaddle
) -> tuple[Comparison, Comparison]:
    """Compare the plain and the edge graph with Paddle Inference.

    Args:
        network: What the network is.
        interface: The plain graph's interface.
        plain: The plain graph.
        edge: The edge graph.
        run_paddle: Returns Paddle's outputs for a list of inputs, see `paddle_reference.run`.

    Raises:
        ParityError: The outputs don't have the same number or shapes.
    """
    batches = probes(network, interface)
    feeds = [to_plain_inputs(batch, network.normalize, interface) for batch in batches]
    reference = run_paddle(feeds)
    _require_outputs(interface, reference)
    run = onnx_runner(plain, None)
    ours = [run(feed) for feed in feeds]
    title = f"Paddle Inference {reference.version}"

    def reduced(outputs: list[list[Array]]) -> list[dict[str, Array]]:
        return [
            to_edge_outputs(found, network, interface, len(batch))
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
        for i, port in enumerate(interface.outputs)
    ]
    got = _run_edge(network, edge, batches)
    of_edge = [
        _beside_paddle(
            network,
            name,
            _column(got, name),
            _column(expected, name),
            [_column(each, name) for each in reduced_again],
            # Rounding affects untrained weights twice: by the translation and by the order of sums.
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
    """Measure the difference of an output over all probes.

    Args:
        name: The output's name.
        got: The output for each probe.
        expected: The reference's output for each probe.
        allowed: The limit of the largest difference.
        allowed_mean: The limit of the mean difference, None for no limit.
        own: The largest difference that rounding makes to the reference.
        bound: The limit of the largest difference on any processor.
        relative: Multiply the limits by the reference's largest value where it exceeds 1.

    Raises:
        ParityError: The shapes differ.
    """
    for a, b in zip(got, expected, strict=True):
        if a.shape != b.shape:
            raise ParityError(f"{name}: the outputs have the shapes {a.shape} and {b.shape}")
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
    """Return all differences; those that aren't finite become infinite, so that they don't pass."""
    with np.errstate(invalid="ignore"):
        gaps: Array = np.abs(got.astype(np.float64) - expected)
    gaps[~np.isfinite(gaps)] = math.inf
    return gaps.reshape(-1)


def _require_outputs(interface: Interface, reference: Reference) -> None:
    found = {len(outputs) for outputs in reference.outputs}
    if found != {len(interface.outputs)}:
        raise ParityError(
            f"Paddle Inference gives {max(found)} outputs, the plain graph "
            f"{len(interface.outputs)}: not the same network"
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
    # NaN from Paddle's own graph passes tells nothing about rounding.
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
    """Return whether our choices of characters equal the reference's; None if there are none.

    Choices that the reference itself makes differently in one of its further runs don't count.
    """
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
    """Round a figure up to the next of 1, 2, 5 · 10ⁿ.

    The last digits depend on the processor, but a bundle must not. A probability of 1 may be some
    float32 steps larger, which is ignored.
    """
    if figure == 0:
        return 0.0
    least = figure * (1 - 1e-6)
    decade = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return float(f"{next(step for step in (1, 2, 5, 10) if step * decade >= least) * decade:.0e}")
