"""What a caller may choose: providers for stages, and runtime options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.providers import provider_named


def for_bundle(provider: Any, **options: Any) -> Placement:
    return Placement.for_bundle(
        provider,
        RuntimeOptions(**options),
        path=Path("reader.edgeocr"),
        graphs_digest="d1" * 32,
        stages=["detection", "recognition"],
    )


def test_a_placement_knows_the_bundle_and_its_folder_of_engines(tmp_path: Path) -> None:
    placement = for_bundle("cpu", engine_cache=tmp_path)
    assert (placement.graphs_digest, placement.engine_root) == ("d1" * 32, tmp_path)


def test_stages_that_a_mapping_does_not_name_are_auto() -> None:
    placement = for_bundle({"recognition": "cpu"})
    assert placement.provider_of("recognition") == "cpu"
    assert placement.provider_of("detection") == "auto"
    assert for_bundle("cuda").provider_of("detection") == "cuda"


@pytest.mark.parametrize(
    ("provider", "error", "message"),
    [
        ("gpu", ValueError, "unknown provider 'gpu': choose one of auto, cpu, cuda"),
        ({"detection": "gpu"}, ValueError, "unknown provider 'gpu'"),
        ({"spotting": "cpu"}, ValueError, "no stage 'spotting' .* only detection, recognition"),
        (None, TypeError, "a name or a mapping"),
        (["cpu"], TypeError, "a name or a mapping"),
    ],
)
def test_a_wrong_choice_of_providers_is_refused(
    provider: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        for_bundle(provider)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"provider_options": 5}, TypeError, "a mapping for each provider"),
        ({"provider_options": {"cpu": 5}}, TypeError, "a mapping for each provider"),
        ({"provider_options": {"gpu": {}}}, ValueError, "unknown provider 'gpu'"),
        ({"provider_options": {"auto": {"x": 1}}}, ValueError, "unknown provider 'auto'"),
        (
            {"provider_options": {"tensorrt": {"trt_cuda_graph_enable": True}}},
            ValueError,
            "the option trt_cuda_graph_enable of tensorrt can't be used: .* a single input shape",
        ),
        ({"cpus": ()}, ValueError, "at least one CPU"),
        ({"cpus": "0-3"}, TypeError, "a sequence of numbers"),
    ],
)
def test_wrong_runtime_options_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        RuntimeOptions(**options)


@pytest.mark.parametrize("value", [False, 0, "0", "false"])
def test_a_refused_option_may_be_switched_off(value: object) -> None:
    RuntimeOptions(provider_options={"tensorrt": {"trt_cuda_graph_enable": value}})


@pytest.mark.parametrize(
    ("name", "fixed"),
    [("cpu", False), ("xnnpack", False), ("cuda", True), ("tensorrt", True), ("openvino", True)],
)
def test_shapes_are_fixed_unless_the_provider_takes_any(name: str, fixed: bool) -> None:
    provider = provider_named(name)
    assert Placement().fixes_shapes(provider, "detection") is fixed
    for wanted in (True, False):
        placement = Placement(options=RuntimeOptions(fixed_shapes=wanted))
        assert placement.fixes_shapes(provider, "detection") is wanted
    some = Placement(options=RuntimeOptions(fixed_shapes={"detection": not fixed}))
    assert some.fixes_shapes(provider, "detection") is not fixed
    assert some.fixes_shapes(provider, "recognition") is fixed
