"""Test that every network of the zoo is converted to a checked edge graph."""

import numpy as np
import onnx
import pytest

from converters.edge_graph import CONTRACTS
from converters.graph.runner import onnx_runner
from converters.parity.probes import probes
from tests.zoo.converted import CONVERTED, STATED, converted, parameters
from tests.zoo.names import EVERY, EXPORTS, IN_BOTH, NAMES, OF_ALGORITHM

# The default run and the stress stage convert one network of each algorithm from PIR; `-m pir`
# converts the others.
EACH_FORMAT = [
    *parameters(CONVERTED),
    *(
        pytest.param(name, "pir", marks=pytest.mark.pir)
        for name in IN_BOTH
        if (name, "pir") not in CONVERTED
    ),
]


# Networks that Paddle exports in the legacy format only, see tests/zoo/README.md.
ONLY_LEGACY = {"rec_r31_robustscanner"}


def test_every_network_of_the_zoo_has_both_formats_and_outputs():
    assert set(OF_ALGORITHM.values()) <= set(NAMES)
    assert set(NAMES) - set(IN_BOTH) == ONLY_LEGACY
    assert set(OF_ALGORITHM) == set(CONTRACTS)
    for name in NAMES:
        assert (EXPORTS / name / "outputs.npz").is_file()
    assert all((EXPORTS / name / form / "inference.pdiparams").is_file() for name, form in EVERY)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), EACH_FORMAT)
def test_every_network_converts(name, form):
    conversion = converted(name, form)
    beside = conversion.edge_graph
    assert beside.passed, str(beside)
    # UVDoc's large input has one size, so two batches show all.
    assert len(beside.inputs) == (2 if name == "UVDoc" else 3)
    assert all(item.magnitude > 0 for item in beside.differences)
    assert conversion.network.name == name
    assert not conversion.network.published
    own = conversion.model.settings
    # PaddleOCR exports no dictionary where a configuration relies on its own list of 36 characters.
    assumed = (
        own is not None
        and conversion.network.task == "recognition"
        and "character_dict" not in own.read_text("utf-8")
    )
    assert len(conversion.notes) == assumed
    assert all("has no character_dict" in note for note in conversion.notes)
    source = "its inference.yml" if own else "--algorithm" if name in STATED else "its graph: "
    assert conversion.network.known_by.startswith(source)
    checks = conversion.checks
    assert checks["edge_graph"].status == "passed"
    assert (checks["paddle"].status, checks["paddle"].reason) == ("not run", "not asked")
    onnx.checker.check_model(onnx.load_from_string(conversion.edge), full_check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "form"), parameters((name, "pir") for name in OF_ALGORITHM.values() if name in IN_BOTH)
)
def test_both_formats_give_the_same_edge_graph(name, form):
    """The weights are the same, so only rounding may differ, where the operators differ."""
    legacy, pir = converted(name, "legacy"), converted(name, form)
    assert legacy.network.normalize == pir.network.normalize
    pictures = probes(pir.network, pir.interface)[0]  # its inference.yml may fix the size
    outputs = list(CONTRACTS[legacy.network.algorithm][1])
    first, second = (onnx_runner(c.edge, outputs)([pictures]) for c in (legacy, pir))
    for output, ours, theirs in zip(outputs, first, second, strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, output
        gap = np.abs(ours.astype(np.float64) - theirs)
        assert gap.mean() <= 1e-4 * np.abs(ours).max(), output
