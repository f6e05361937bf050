"""When a graph counts as computing what its original computes, and when not."""

import dataclasses
import math
from functools import partial
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from converters import edge_graph
from converters.errors import ParityError
from converters.graph.interface import Interface, examine
from converters.graph.runner import onnx_runner
from converters.model.network import Network
from converters.parity import compare as parity
from converters.parity.compare import Comparison
from converters.parity.difference import difference
from converters.parity.paddle_reference import Reference
from converters.parity.probes import probes
from tests.support.networks import likely
from tests.zoo.converted import converted
from tests.zoo.names import NAMES, OF_ALGORITHM

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

# The algorithms whose edge graphs are tampered with in the default run.
TAMPERED = {"DB", "SAST", "CTC", "SRN", "ViTSTR"}
INF, NAN = math.inf, math.nan
DETECTOR = """<ir_version: 8, opset_import: ["": 17]>
    net (float[N, 3, H, W] x) => (float[N, 1, H, W] y)
    <float[1, 3, 1, 1] w = {0.5, -1.0, 0.25}> { sum = Conv(x, w) y = Sigmoid(sum) }"""
READER = """<ir_version: 8, opset_import: ["": 17]>
    net (float[N, 3, 32, W] x) => (float[N, W, 3] y) {
        columns = ReduceMean<axes = [2], keepdims = 0>(x)
        steps = Transpose<perm = [0, 2, 1]>(columns)
        y = Softmax<axis = 2>(steps)
    }"""


def made(text: str, **changes: Any) -> tuple[Network, Interface, bytes, bytes]:
    """A network with its interface, plain graph and edge graph."""
    plain = parser.parse_model(text).SerializeToString()
    interface = examine(plain)
    known = dataclasses.replace(likely(interface), **changes)
    return known, interface, plain, edge_graph.make(plain, known, interface)


def beside(
    text: str, wrong: Any = None, optimized: Any = None, nudged: Any = None, **changes: Any
) -> Comparison:
    """The plain graph of `text` beside a Paddle that is wrong like that, and whose graph passes and
    rounding change it like that.
    """
    known, interface, plain, edge = made(text, **changes)

    def changed(outputs: list[list[np.ndarray]], how: Any) -> list[list[np.ndarray]]:
        return [[how(value) if how else value for value in each] for each in outputs]

    def run_paddle(feeds: list[list[np.ndarray]]) -> Reference:
        ours = [onnx_runner(plain, None)(feed) for feed in feeds]
        said = changed(ours, wrong)
        return Reference("9.9", said, changed(said, optimized), changed(said, nudged))

    of_plain, of_edge = parity.compare_paddle(known, interface, plain, edge, run_paddle)
    assert of_edge.passed if of_plain.passed else not (known.published and of_edge.passed)
    return of_plain


def plus(amount: float, share: float = 1.0) -> Any:
    """Adds to the first `share` of the values."""

    def change(value: np.ndarray) -> np.ndarray:
        flat = value.copy().reshape(-1)
        flat[: max(1, int(share * flat.size))] += np.float32(amount)
        return flat.reshape(value.shape)

    return change


@pytest.mark.parametrize(
    ("own", "wrong", "passed"),
    [
        (0, 0.9e-5, True),
        (0, 1.2e-5, False),
        (1e-6, 1.2e-5, False),  # five times that is less than the tolerance
        (1e-5, 4.5e-5, True),
        (1e-5, 5.5e-5, False),
        (1e-2, 9e-5, True),
        (1e-2, 1.2e-4, False),  # whatever Paddle's graph passes do to it
    ],
)
def test_published_weights_are_judged_strictly(own, wrong, passed):
    found = beside(DETECTOR, plus(wrong), optimized=plus(own), published=True)
    assert found.passed is passed
    (only,) = found.differences
    assert only.own == pytest.approx(own, abs=2e-7)
    assert only.allowed_mean is not None
    assert 1e-5 <= only.allowed <= 1e-4 and 1e-5 <= only.allowed_mean <= 1e-4


@pytest.mark.parametrize(
    ("own", "wrong", "passed"), [(1e-5, 4.5e-5, True), (1e-5, 5.5e-5, False), (1.0, 1.2e-4, False)]
)
def test_nudge_widens_the_limit_as_graph_passes_do(own, wrong, passed):
    """Graph passes leave some programs unchanged; a nudge changes the outputs of every program."""
    few = 1e-2
    found = beside(DETECTOR, plus(wrong, few), nudged=plus(own, few), published=True)
    assert found.passed is passed
    (only,) = found.differences
    assert only.bound == 1e-4 and only.allowed <= only.bound


def test_published_weights_that_are_wrong_everywhere_fail_by_the_mean():
    noise, wrong = plus(1e-5, 1e-3), plus(3e-5)
    found = beside(DETECTOR, wrong, optimized=noise, published=True)
    (only,) = found.differences
    assert only.allowed_mean is not None
    assert only.max_abs < only.allowed and only.mean_abs > only.allowed_mean
    assert not found.passed


@pytest.mark.parametrize(("wrong", "passed"), [(0.0, True), (2e-5, False)])
def test_program_without_graph_passes_is_judged_too(wrong, passed):
    known, interface, plain, edge = made(DETECTOR, published=True)
    run = onnx_runner(plain, None)

    def run_paddle(feeds: list[list[np.ndarray]]) -> Reference:
        said = [[plus(wrong)(*run(feed))] for feed in feeds]
        return Reference("9.9", said, None, said)

    found = parity.compare_paddle(known, interface, plain, edge, run_paddle)
    assert [comparison.passed for comparison in found] == [passed, passed]


@pytest.mark.parametrize("by", ["optimized", "nudged"])
@pytest.mark.parametrize(
    ("own", "wrong", "passed"),
    [(0, 0.9e-3, True), (0, 1.2e-3, False), (1e-2, 4.5e-2, True), (1e-2, 5.5e-2, False)],
)
def test_unpublished_weights_are_judged_by_what_rounding_does_to_them(by, own, wrong, passed):
    (only,) = beside(DETECTOR).differences
    largest, few = only.magnitude, 1e-3
    found = beside(DETECTOR, plus(wrong * largest, few), **{by: plus(own * largest, few)})
    assert found.passed is passed
    (only,) = found.differences
    assert only.own == pytest.approx(own * largest, rel=1e-3)
    assert only.allowed == pytest.approx(max(1e-3, 5 * own) * only.magnitude, rel=1e-3)


@pytest.mark.parametrize(("wrong", "passed"), [(9e-2, True), (11e-2, False)])
def test_unpublished_edge_graph_is_allowed_rounding_twice(wrong, passed):
    known, interface, plain, edge = made(DETECTOR)
    few = 1e-3

    def run_paddle(feeds: list[list[np.ndarray]]) -> Reference:
        ours = [onnx_runner(plain, None)(feed) for feed in feeds]
        own = 1e-2 * max(np.abs(value).max() for each in ours for value in each)
        said = [[plus(100 * wrong * own, few)(value) for value in each] for each in ours]
        again = [[plus(own, few)(value) for value in each] for each in said]
        return Reference("9.9", said, again, said)

    of_plain, of_edge = parity.compare_paddle(known, interface, plain, edge, run_paddle)
    assert (of_plain.passed, of_edge.passed) == (False, passed)


def test_error_everywhere_fails_despite_large_noise_in_places():
    few = 1e-3
    noise = plus(0.5, few)
    assert beside(DETECTOR, plus(0.5, few), optimized=noise).passed
    found = beside(DETECTOR, plus(0.01), optimized=noise)
    (only,) = found.differences
    assert only.allowed_mean is not None
    assert only.max_abs < only.allowed and only.mean_abs > only.allowed_mean
    assert not found.passed


def test_noise_that_is_not_finite_is_ignored():
    for change in ({"optimized": plus(NAN)}, {"nudged": plus(INF)}):
        found = beside(DETECTOR, plus(0.1), **change)
        assert found.differences[0].own == 0 and not found.passed
    assert not beside(DETECTOR, plus(NAN)).passed


def test_another_number_of_outputs_is_refused():
    def given(reference: Reference, _: object) -> Reference:
        return reference

    known, interface, plain, edge = made(DETECTOR)
    for number in (0, 2):
        reference = Reference("9.9", [[np.zeros(1)] * number] * 3, None, [])
        with pytest.raises(ParityError, match=f"gives {number} outputs, the plain graph 1"):
            parity.compare_paddle(known, interface, plain, edge, partial(given, reference))


def moved(*positions: int, by: int = 1) -> Any:
    """Makes another class the best one at these positions of each sequence."""

    def change(value: np.ndarray) -> np.ndarray:
        value = value.copy()
        for position in positions:
            value[:, position] = np.roll(value[:, position], by, axis=-1)
        return value

    return change


def test_choices_are_forgiven_where_paddle_does_not_repeat_its_own():
    assert beside(READER).indices_equal is True
    assert beside(READER, moved(3)).indices_equal is False
    assert beside(READER, moved(3), optimized=moved(3)).indices_equal is True
    assert beside(READER, moved(3), nudged=moved(3)).indices_equal is True
    assert beside(READER, moved(3), optimized=moved(4)).indices_equal is False
    assert beside(READER, moved(3, 4), optimized=moved(4), nudged=moved(3)).indices_equal is True
    assert beside(READER, moved(3, 5), optimized=moved(3), nudged=moved(4)).indices_equal is False


@pytest.mark.parametrize(("nudge", "equal"), [(moved(3), True), (moved(4), False)])
def test_other_choices_of_published_weights_are_allowed_where_a_nudge_changes_them(nudge, equal):
    """The comparison still fails if probabilities differ by more than the limit."""
    known, interface, plain, edge = made(READER, published=True)

    def run_paddle(feeds: list[list[np.ndarray]]) -> Reference:
        said = [[moved(3)(*onnx_runner(plain, None)(feed))] for feed in feeds]
        return Reference("9.9", said, said, [[nudge(value)] for (value,) in said])

    of_plain, of_edge = parity.compare_paddle(known, interface, plain, edge, run_paddle)
    assert of_plain.indices_equal is of_edge.indices_equal is equal
    assert not of_plain.passed


@pytest.mark.parametrize(
    ("published", "share", "equal"), [(False, 0.5, True), (False, 2, False), (True, 0.5, False)]
)
def test_untrained_weights_may_choose_another_class_that_is_nearly_as_probable(
    published, share, equal
):
    """The limit is a thousandth of the largest probability."""

    def second_wins(value: np.ndarray) -> np.ndarray:
        value = value.copy()
        column = value[:, 3]  # a view [N, classes]
        rows, order = np.arange(len(column)), column.argsort(axis=1)
        column[rows, order[:, -1]] = column[rows, order[:, -2]] - share * 1e-3 * value.max()
        return value

    assert beside(READER, second_wins, published=published).indices_equal is equal


def test_other_choices_fail_however_close_the_scores_are():
    expected = [{"indices": np.array([[1, 2, 0]])}]
    assert parity._indices([{"indices": np.array([[1, 2, 0]])}], expected) is True
    assert parity._indices([{"indices": np.array([[1, 2, 1]])}], expected) is False
    assert parity._indices([{"scores": np.zeros(1)}], [{"scores": np.zeros(1)}]) is None
    close = difference("scores", [np.zeros(3)], [np.zeros(3)], 1e-5)
    assert Comparison("R", [[1]], [close]).passed
    assert Comparison("R", [[1]], [close], True).passed
    assert not Comparison("R", [[1]], [close], False).passed


def constants(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    """Return the initializers, and the values of Constant nodes."""
    nodes = [node for node in graph.node if node.op_type == "Constant"]
    return [*graph.initializer, *(node.attribute[0].t for node in nodes)]


def scaled(tensor: onnx.TensorProto, factor: float) -> None:
    value = numpy_helper.to_array(tensor) * np.float32(factor)
    tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[] if kind in TAMPERED else [pytest.mark.stress])
        for kind in OF_ALGORITHM
    ],
)
def test_tampered_edge_graph_fails(kind):
    conversion = converted(OF_ALGORITHM[kind])
    known, interface, plain = conversion.network, conversion.interface, conversion.plain
    edge = edge_graph.make(plain, known, interface)  # rewriting would hide its constants
    beside_plain = parity.compare_edge(known, interface, plain, edge)
    assert beside_plain.passed and beside_plain.reference == "the plain graph"
    assert beside_plain.indices_equal is (True if known.task == "recognition" else None)
    wrong = onnx.load_from_string(edge)
    (std,) = (tensor for tensor in constants(wrong.graph) if tensor.name == "edge.std")
    scaled(std, 1.02)
    assert not parity.compare_edge(known, interface, plain, wrong.SerializeToString()).passed


def test_colours_in_another_order_fail():
    conversion = converted("e2e_r50_vd_pg")
    known = conversion.network
    assert known.normalize.colour == "RGB"
    other = dataclasses.replace(known, normalize=dataclasses.replace(known.normalize, colour="BGR"))
    edge = edge_graph.make(conversion.plain, other, conversion.interface)
    assert not parity.compare_edge(known, conversion.interface, conversion.plain, edge).passed


@pytest.mark.parametrize("kind", ["DB", "EAST", "CTC", "SRN"])
def test_plain_graph_with_other_weights_fails(kind):
    """The reference is the untampered graph's own outputs."""
    conversion = converted(OF_ALGORITHM[kind])
    known, interface = conversion.network, conversion.interface
    run = onnx_runner(conversion.plain, None)

    def run_paddle(feeds: list[list[np.ndarray]]) -> Reference:
        outputs = [run(feed) for feed in feeds]
        return Reference("9.9", outputs, None, outputs)

    arguments = (known, interface, conversion.plain, conversion.edge, run_paddle)
    assert all(comparison.passed for comparison in parity.compare_paddle(*arguments))
    model = onnx.load_from_string(conversion.plain)
    kernels = [tensor for tensor in constants(model.graph) if len(tensor.dims) == 4]
    scaled(kernels[len(kernels) // 2], 1.3)
    wrong = model.SerializeToString()
    edge = edge_graph.make(wrong, known, interface)
    found = parity.compare_paddle(known, interface, wrong, edge, run_paddle)
    assert [comparison.passed for comparison in found] == [False, False]


@pytest.mark.parametrize("name", NAMES)
def test_probes_are_pictures_that_the_network_takes(name):
    conversion = converted(name)
    batches = probes(conversion.network, conversion.interface)
    # UVDoc's large input has one size, so two batches show all.
    assert len(batches) == (2 if name == "UVDoc" else 3)
    assert max(len(batch) for batch in batches) > (
        1 if conversion.interface.image.shape[0] is None else 0
    )
    declared = conversion.interface.image.shape
    for batch in batches:
        assert batch.dtype == np.uint8 and batch.std() > 10
        assert declared[2] in (None, batch.shape[1]) and declared[3] in (None, batch.shape[2])
        if conversion.network.task in ("detection", "spotting"):
            assert {size % conversion.network.multiple for size in batch.shape[1:3]} == {0}
        if len(batch) > 1:
            assert (batch[0] != batch[1]).any()
    if conversion.network.width is None and None in declared[2:] and name != "UVDoc":
        assert len({batch.shape[1:] for batch in batches}) == 3


def test_probes_keep_a_fixed_batch():
    known, interface, *_ = made(DETECTOR.replace("float[N, 3, H, W] x", "float[4, 3, H, W] x"))
    assert [len(batch) for batch in probes(known, interface)] == [4, 4, 4]


def test_graphs_that_fail_are_errors():
    known, interface, plain, edge = made(DETECTOR)
    with pytest.raises(ParityError, match="the edge graph doesn't load"):
        parity.compare_edge(known, interface, plain, edge[:40])
    with pytest.raises(ParityError, match="the plain graph doesn't load"):
        parity.compare_edge(known, interface, b"", edge)
    with pytest.raises(ParityError, match="the edge graph doesn't run"):
        parity.compare_edge(known, interface, plain, plain)
