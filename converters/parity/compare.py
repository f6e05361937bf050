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

from ..edge_graph import (
    CONTRACTS,
    compared,
    probabilities,
    to_compared,
    to_edge_outputs,
    to_plain_inputs,
)
from ..errors import ParityError
from ..graph.interface import Interface
from ..graph.runner import Array, onnx_runner
from ..model.families import FAMILIES
from ..model.network import Network
from .difference import Difference, difference
from .paddle_reference import Reference
from .probes import probes

# The allowed difference of probabilities, so an absolute number.
TOLERANCE = 1e-5
# The largest and the mean difference that is allowed between the edge graph and the plain graph.
# Rewrites sum in another order, and DB's sigmoid is steep: single pixels on its slope may differ by
# more than TOLERANCE, but the mean must stay far below.
EDGE_TOLERANCE, EDGE_MEAN_TOLERANCE = 1e-4, 1e-5
# DB's steep sigmoid turns the rounding of float32 into more than `TOLERANCE`: on the v4 detector,
# Paddle Inference with its graph passes differs from itself without them by up to 1.5e-5. A
# translation is as good as the original if it stays within this multiple of what rounding does to
# the original on the same processor, since each make of processor has kernels of its own. Graph
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


def compare_edge(
    network: Network, interface: Interface, plain: bytes, edge: bytes, *, least: bool = False
) -> Comparison:
    """Compare the edge graph with the plain graph; only the order of sums may differ inside.

    Untrained weights amplify rounding. For them the limit depends on what rounding does to the
    plain graph, which ONNX Runtime computes in another order if it doesn't optimize the graph; and
    classes count as equally good if their probabilities in the plain graph differ by less than it.

    Args:
        network: What the network is.
        interface: The plain graph's interface.
        plain: The plain graph.
        edge: The edge graph.
        least: Whether to compare on a single batch.
    """
    batches = probes(network, interface)[-1:] if least else probes(network, interface)
    feeds = [to_plain_inputs(batch, network.normalize, interface) for batch in batches]
    reduced = _reducer(network, interface, batches)
    run = onnx_runner(plain, None)
    given = [run(feed) for feed in feeds]
    expected, again = reduced(given), []
    if network.amplifies_rounding:
        unoptimized = onnx_runner(plain, None, optimized=False)
        again = [reduced([unoptimized(feed) for feed in feeds])]
    got = _run_edge(network, edge, batches, feeds)
    measured = []
    for name in compared(network):
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
                bound=None if network.amplifies_rounding else EDGE_TOLERANCE,
                relative=True,
            )
        )
    again += _near_choices(network, interface, given, got, expected, measured)
    return Comparison(
        "the plain graph", _shapes(batches), measured, _indices(got, expected, *again)
    )


def compare_paddle(
    network: Network, interface: Interface, plain: bytes, edge: bytes, run_paddle: RunPaddle
) -> tuple[Comparison, Comparison]:
    """Compare the plain and the edge graph with Paddle Inference.

    The same rule as in `compare_edge` holds for classes that an untrained network finds nearly
    equally probable.

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
    reduced = _reducer(network, interface, batches)
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
    got = _run_edge(network, edge, batches, feeds)
    of_edge = [
        _beside_paddle(
            network,
            name,
            _column(got, name),
            _column(expected, name),
            [_column(each, name) for each in reduced_again],
            # Rounding affects untrained weights twice: by the translation and by the order of sums.
            factor=SELF_DIFFERENCE_FACTOR * (2 if network.amplifies_rounding else 1),
        )
        for name in compared(network)
        if name != "indices"
    ]
    chosen = reduced(ours)
    near_plain, near_edge = (
        _near_choices(network, interface, reference.outputs, choices, expected, of_edge)
        for choices in (chosen, got)
    )
    return (
        Comparison(
            title,
            _shapes(batches),
            of_plain,
            _indices(chosen, expected, *reduced_again, *near_plain),
        ),
        Comparison(
            title, _shapes(batches), of_edge, _indices(got, expected, *reduced_again, *near_edge)
        ),
    )


def _reducer(
    network: Network, interface: Interface, batches: list[NDArray[np.uint8]]
) -> Callable[[list[list[Array]]], list[dict[str, Array]]]:
    """Return a function: the plain graph's outputs for each batch → what the edge graph gives."""

    def reduced(outputs: list[list[Array]]) -> list[dict[str, Array]]:
        return [
            to_edge_outputs(found, network, interface, len(batch))
            for found, batch in zip(outputs, batches, strict=True)
        ]

    return reduced


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
    least = (
        UNPUBLISHED_TOLERANCE * repeated[0].magnitude if network.amplifies_rounding else TOLERANCE
    )
    most = math.inf if network.amplifies_rounding else LIMIT
    allowed, allowed_mean = (min(max(least, factor * figure), most) for figure in (own, own_mean))
    bound = None if network.amplifies_rounding else LIMIT
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


def _near_choices(
    network: Network,
    interface: Interface,
    outputs: list[list[Array]],
    ours: list[dict[str, Array]],
    theirs: list[dict[str, Array]],
    measured: list[Difference],
) -> list[list[dict[str, Array]]]:
    """Return a further run of the reference that chooses as we do among nearly equal classes.

    Args:
        network: What the network is.
        interface: The interface of the reference.
        outputs: The reference's outputs for each batch.
        ours: The values that are compared with it.
        theirs: The reference's own, made from `outputs`.
        measured: The differences of the edge graph's outputs, whose limit tells what counts as
            nearly equal.

    Returns:
        The values of that run for each batch, in a list; an empty list for trained networks and
        for networks that don't recognize, whose choices have to be equal.
    """
    if not network.amplifies_rounding or network.task != "recognition":
        return []
    (limit,) = (item.allowed for item in measured)
    return [
        [
            _nearly_best(found, network, interface, mine, their, limit)
            for found, mine, their in zip(outputs, ours, theirs, strict=True)
        ]
    ]


def _nearly_best(
    outputs: list[Array],
    network: Network,
    interface: Interface,
    ours: dict[str, Array],
    theirs: dict[str, Array],
    limit: float,
) -> dict[str, Array]:
    """Return the reference's choices, but ours where it finds our class nearly as probable.

    Args:
        outputs: The reference's outputs for a batch.
        network: What the network is.
        interface: The interface of the reference.
        ours: The values that are compared with it.
        theirs: The reference's own, made from `outputs`.
        limit: By how much the probabilities may differ.
    """
    chosen = theirs["indices"]
    if (
        FAMILIES[network.algorithm].readout.chosen is not None
        or chosen.shape != ours["indices"].shape
    ):
        return theirs
    found = probabilities(outputs, network, interface, len(chosen))
    of_ours = np.take_along_axis(found, ours["indices"][..., None].astype(int), axis=2)[..., 0]
    near = found.max(axis=2) - of_ours <= limit
    return {**theirs, "indices": np.where(near, ours["indices"], chosen)}


def _run_edge(
    network: Network, edge: bytes, batches: list[NDArray[np.uint8]], feeds: list[list[Array]]
) -> list[dict[str, Array]]:
    names = list(CONTRACTS[network.algorithm][1])
    run = onnx_runner(edge, names, "edge graph")
    return [
        to_compared(dict(zip(names, run([batch]), strict=True)), network, feed)
        for batch, feed in zip(batches, feeds, strict=True)
    ]


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
