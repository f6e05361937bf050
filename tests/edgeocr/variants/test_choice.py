"""Which graph of a stage suits a device: by features, by measured times, and by the caller."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.manifest import Stage
from edgeocr.bundle.parse import parse
from edgeocr.runtime import int8
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.variants import choice
from edgeocr.variants.choice import PINNED, Choice, pins, ranked, reduced_to
from tests.support.packing import Files
from tests.support.variants import INT8, NEEDED, cpu_has, fleet, variant

FP16 = variant("recognition", "fp16", providers=["tensorrt", "cuda"])


@pytest.fixture
def stages(files: Files) -> dict[str, Stage]:
    """The embedded stages; recognition has graphs in fp32, fp16 and int8."""
    manifest = fleet(files, b"", [FP16, INT8])[MANIFEST]
    return parse(json.loads(manifest)).stages.present


@pytest.fixture
def stage(stages: dict[str, Stage]) -> Stage:
    return stages["recognition"]


@pytest.mark.parametrize("feature", NEEDED)
def test_a_cpu_with_one_of_the_features_takes_int8(
    monkeypatch: pytest.MonkeyPatch, stage: Stage, feature: str
) -> None:
    cpu_has(monkeypatch, feature)
    ranking = ranked(stage, "cpu")
    assert list(ranking.suited) == ["int8", "fp32"]
    assert ranking.suited["int8"] == f"the CPU has {feature}"
    assert ranking.unsuited == {"fp16": "it is for tensorrt and cuda, not for cpu"}


def test_int8_is_not_taken_where_onnx_runtime_is_wrong(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    cpu_has(monkeypatch, *NEEDED)
    monkeypatch.setattr(int8, "has_vnni", lambda: True)
    monkeypatch.setattr(choice, "version", lambda: (1, 24))
    ranking = ranked(stage, "cpu")
    assert list(ranking.suited) == ["fp32"] and ranking.unsuited["int8"] == int8.PROBLEM
    assert ranked(stage, "cpu", "int8").suited == {"int8": PINNED}


def test_a_cpu_without_the_features_takes_fp32(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    cpu_has(monkeypatch, "avx2")
    ranking = ranked(stage, "cpu")
    assert list(ranking.suited) == ["fp32"]
    assert ranking.unsuited["int8"] == "the CPU has none of avx512_vnni, asimddp"


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_gpu_takes_fp16_whatever_the_cpu_has(
    monkeypatch: pytest.MonkeyPatch, stage: Stage, provider: str
) -> None:
    cpu_has(monkeypatch, *NEEDED)
    ranking = ranked(stage, provider)
    assert list(ranking.suited) == ["fp16", "fp32"]
    assert ranking.unsuited == {"int8": f"it is for cpu, not for {provider}"}


def test_a_pinned_graph_is_the_only_one(stage: Stage) -> None:
    assert ranked(stage, "cuda", "int8").suited == {"int8": PINNED}


def test_a_name_for_all_stages_leaves_those_that_lack_it_as_they_are(
    stages: dict[str, Stage],
) -> None:
    assert pins(stages, None) == {}
    assert pins(stages, "int8") == {
        "detection": "fp32",
        "orientation": "fp32",
        "recognition": "int8",
    }
    assert set(pins(stages, "fp32").values()) == {"fp32"}
    assert pins(stages, {"recognition": "fp16"}) == {"recognition": "fp16"}


def test_a_name_that_no_stage_has_is_refused(stages: dict[str, Stage]) -> None:
    del stages["recognition"]
    with pytest.raises(ValueError, match="no stage of the bundle has a graph 'int8': detection"):
        pins(stages, "int8")
    with pytest.raises(ValueError, match="the stage 'detection' has no graph 'int8'"):
        pins(stages, {"detection": "int8"})
    with pytest.raises(ValueError, match="no stage 'spotting', only detection, orientation"):
        pins(stages, {"spotting": "fp32"})


@pytest.mark.parametrize("name", ["int4", "", {"detection": "auto"}])
def test_an_unknown_precision_is_refused_before_a_bundle_is_opened(name: object) -> None:
    with pytest.raises(ValueError, match=r"unknown variant '.*': choose one of fp32, int8"):
        RuntimeOptions(variant=name)  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", [8, ["int8"], {"detection": None}])
def test_a_precision_of_another_type_is_refused(variant: object) -> None:
    with pytest.raises(TypeError, match="variant must be a name, or one for each stage, not"):
        RuntimeOptions(variant=variant)  # type: ignore[arg-type]


def test_a_stage_is_reduced_to_one_of_its_graphs(stage: Stage) -> None:
    int8 = reduced_to(stage, "int8")
    assert (int8.graph, int8.precision, int8.variants) == (INT8["graph"], "int8", [])
    full = reduced_to(stage, "fp32")
    assert (full.graph, full.precision, full.variants) == (stage.graph, "fp32", [])


def test_a_graph_may_need_another_amount_of_memory(stage: Stage) -> None:
    fp16, int8 = stage.variants
    stage = replace(stage, activation_bytes=9, variants=[fp16, replace(int8, activation_bytes=20)])
    needed = {name: reduced_to(stage, name).activation_bytes for name in stage.graphs}
    assert needed == {"fp32": 9, "fp16": 9, "int8": 20}


def test_a_choice_says_why_in_words() -> None:
    choice = Choice("fp32", "the stage's own graph", {"int8": "the CPU has none of asimddp"})
    assert str(choice) == "fp32, the stage's own graph; not int8: the CPU has none of asimddp"
