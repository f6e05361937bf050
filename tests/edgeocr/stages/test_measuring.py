"""Measuring which graph is faster: what is measured, kept and used, and when nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeocr import OCR, Bundle, GraphError, RuntimeOptions, measure_variants
from edgeocr.stages import measuring
from edgeocr.variants.choice import Measurement
from edgeocr.variants.record import Key, load, save
from tests.support.packing import Files, packed
from tests.support.variants import NEEDED, broken, cpu_has, fleet


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache of the test's own, a CPU with the instructions for int8, and little time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cpu_has(monkeypatch, *NEEDED)
    monkeypatch.setattr("edgeocr.variants.timing.MOST_ROUNDS", 3)


@pytest.fixture
def path(embedded_files: Files, tmp_path: Path) -> Path:
    return packed(fleet(embedded_files), tmp_path / "fleet.edgeocr")


def unmeasurable(*_: object) -> None:
    pytest.fail("something was measured")


def test_what_is_measured_is_kept_and_used(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    measured = measure_variants(path)
    key = Key.of_this_device(Bundle.open(path).digest, RuntimeOptions())
    assert measured.new and measured.path == path.parent / f"fleet.variants-{key.name}.json"
    assert {name: list(times) for name, times in measured.milliseconds.items()} == {
        "recognition": ["int8", "fp32"]
    }
    times = measured.milliseconds["recognition"]
    with OCR(path, provider="cpu", threads=1) as ocr:
        said = " and ".join(f"{times[name]:.1f} ms" for name in ocr.variants.values())
        assert f"measured {said} against" in ocr.variant_reasons["recognition"]
    monkeypatch.setattr(measuring, "least_milliseconds", unmeasurable)
    again = measure_variants(path)
    assert not again.new and again.path == measured.path
    assert again.milliseconds == measured.milliseconds


def test_the_faster_graph_is_taken_afterwards(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    for full, less, taken in ((9.0, 4.0, "int8"), (4.0, 9.0, "fp32")):
        monkeypatch.setattr(
            measuring,
            "least_milliseconds",
            lambda runs, t=(less, full): dict(zip(runs, t, strict=True)),
        )
        measured = measure_variants(path)
        assert measured.path is not None
        with OCR(path, provider="cpu", threads=1) as ocr:
            assert ocr.variants == {"recognition": taken}
        measured.path.unlink()


def test_opening_measures_nothing(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(measuring, "least_milliseconds", unmeasurable)
    with OCR(path, provider="cpu", threads=1) as ocr:
        ocr.warm_up()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("wanted", ["fp32", {"recognition": "int8"}])
def test_nothing_is_measured_where_the_caller_has_decided(
    monkeypatch: pytest.MonkeyPatch, path: Path, wanted: str | dict[str, str]
) -> None:
    monkeypatch.setattr(measuring, "least_milliseconds", unmeasurable)
    assert not measure_variants(path, runtime=RuntimeOptions(variant=wanted)).milliseconds


def test_nothing_is_measured_where_a_single_graph_suits(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    cpu_has(monkeypatch)
    monkeypatch.setattr(measuring, "least_milliseconds", unmeasurable)
    measured = measure_variants(path)
    assert (measured.milliseconds, measured.path, measured.new) == ({}, None, False)


def test_a_bundle_with_one_graph_for_each_stage_never_looks_for_a_record(
    monkeypatch: pytest.MonkeyPatch, bundle: Bundle
) -> None:
    monkeypatch.setattr(measuring, "least_milliseconds", unmeasurable)
    monkeypatch.setattr(measuring, "load", unmeasurable)
    monkeypatch.setattr("edgeocr.variants.record.load", unmeasurable)
    assert measure_variants(bundle).milliseconds == {}
    OCR(bundle, provider="cpu", threads=1).close()


def test_what_is_measured_of_one_stage_is_added_to_what_is_known(path: Path) -> None:
    key = Key.of_this_device(Bundle.open(path).digest, RuntimeOptions())
    known = {"detection": Measurement({"fp32": 9.0, "int8": 8.0}, {"fp16": "no kernel"})}
    save(path, key, known)
    measured = measure_variants(path)
    assert measured.new and measured.milliseconds["detection"] == {"fp32": 9.0, "int8": 8.0}
    assert measured.failures == {"detection": {"fp16": "no kernel"}}
    times = Measurement(dict(measured.milliseconds["recognition"]))
    assert load(path, key) == (measured.path, {**known, "recognition": times})


@pytest.fixture
def broken_path(embedded_files: Files, tmp_path: Path) -> Path:
    """A bundle with a graph in int8 that ONNX Runtime refuses."""
    graph = broken(embedded_files["graphs/recognition.onnx"])
    return packed(fleet(embedded_files, graph), tmp_path / "broken.edgeocr")


def test_a_graph_that_does_not_start_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, broken_path: Path
) -> None:
    measured = measure_variants(broken_path)
    assert list(measured.milliseconds["recognition"]) == ["fp32"]
    reason = measured.failures["recognition"]["int8"]
    assert "can't load the graph" in reason and measured.path is not None
    monkeypatch.setattr(measuring, "open_stage", unmeasurable)
    again = measure_variants(broken_path)
    assert (again.failures, again.new) == (measured.failures, False)
    with OCR(broken_path, provider="cpu", threads=1) as ocr:
        said = ocr.variant_reasons["recognition"]
    assert said == f"fp32, the stage's own graph; not int8: measuring it failed: {reason}"


def test_a_graph_that_fails_in_its_run_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    usual = measuring._run_of_usual_size

    def run(stage: Any) -> Callable[[], object]:
        return fail if stage._stage.precision == "int8" else usual(stage)

    def fail() -> None:
        raise GraphError("no kernel")

    monkeypatch.setattr(measuring, "_run_of_usual_size", run)
    assert measure_variants(path).failures == {"recognition": {"int8": "no kernel"}}
    with OCR(path, provider="cpu", threads=1) as ocr:
        assert ocr.variants == {"recognition": "fp32"}


@pytest.mark.parametrize("where", ["open_stage", "least_milliseconds"])
def test_running_out_of_memory_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, path: Path, where: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise GraphError("Failed to allocate memory for requested buffer of size 9")

    with monkeypatch.context() as patch:
        patch.setattr(measuring, where, refused)
        measured = measure_variants(path)
    assert (measured.milliseconds, measured.failures, measured.new) == ({}, {}, False)
    assert list(path.parent.glob("*.json")) == []
    assert measure_variants(path).new


def test_what_is_measured_with_other_options_is_kept_by_itself(path: Path) -> None:
    options = RuntimeOptions(provider_options={"cpu": {"use_arena": "0"}})
    first, second = measure_variants(path), measure_variants(path, runtime=options)
    assert first.new and second.new and first.path != second.path
    assert not measure_variants(path, runtime=options).new
