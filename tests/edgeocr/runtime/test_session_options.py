"""The options that sessions are created with, as ONNX Runtime keeps them."""

from __future__ import annotations

import pytest

from edgeocr.runtime import int8
from edgeocr.runtime import session_options as module
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.providers import provider_named
from edgeocr.runtime.session_options import session_options

BF16 = "mlas.enable_gemm_fastmath_arm64_bfloat16"
SPINS, SPIN_TIME = "session.intra_op.allow_spinning", "session.intra_op.spin_duration_us"
EXACT_INT8 = "session.x64quantprecision"
IN_FLOAT32 = "session.disable_quant_qdq"


def entry(key: str, precision: str = "fp32", *, bf16: bool = False, threads: int = 1) -> str | None:
    """Return a configuration entry of a session on the CPU; None if it isn't set."""
    placement = Placement("cpu", RuntimeOptions(bf16=bf16))
    options = session_options(provider_named("cpu"), placement, precision, threads)
    try:
        return str(options.get_session_config_entry(key))
    except RuntimeError:
        return None


@pytest.mark.parametrize(
    ("wanted", "has", "value"), [(True, True, "1"), (False, True, None), (True, False, None)]
)
def test_bfloat16_is_multiplied_only_if_asked_for_and_only_where_the_cpu_can(
    monkeypatch: pytest.MonkeyPatch, wanted: bool, has: bool, value: str | None
) -> None:
    monkeypatch.setattr(module, "has_bf16", lambda: has)
    assert entry(BF16, bf16=wanted) == value


@pytest.mark.parametrize(
    ("release", "vnni", "value"),
    [
        ((1, 20), True, None),
        ((1, 21), True, "1"),
        ((1, 24), True, "1"),
        ((1, 24), False, None),
        ((1, 25), True, None),
    ],
)
def test_int8_is_computed_in_float32_where_onnx_runtime_is_wrong(
    monkeypatch: pytest.MonkeyPatch, release: tuple[int, int], vnni: bool, value: str | None
) -> None:
    for name in (module, int8):
        monkeypatch.setattr(name, "has_vnni", lambda: vnni)
    monkeypatch.setattr(module, "version", lambda: release)
    assert entry(IN_FLOAT32, "int8") == value


@pytest.mark.parametrize(
    ("precision", "vnni", "value"),
    [("int8", False, "1"), ("int8", True, None), ("fp32", False, None)],
)
def test_int8_is_summed_exactly_on_processors_without_vnni(
    monkeypatch: pytest.MonkeyPatch, precision: str, vnni: bool, value: str | None
) -> None:
    monkeypatch.setattr(module, "has_vnni", lambda: vnni)
    assert entry(EXACT_INT8, precision) == value


@pytest.mark.parametrize(
    ("threads", "ort", "spins", "time"),
    [(1, (1, 32), "0", None), (2, (1, 26), "1", "20"), (2, (1, 25), "0", None)],
)
def test_threads_spin_only_as_long_as_waking_takes(
    monkeypatch: pytest.MonkeyPatch,
    threads: int,
    ort: tuple[int, int],
    spins: str,
    time: str | None,
) -> None:
    monkeypatch.setattr(module, "version", lambda: ort)
    assert entry(SPINS, threads=threads) == spins
    assert entry(SPIN_TIME, threads=threads) == time
