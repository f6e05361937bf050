"""The table of providers, and the shapes that each is given."""

from __future__ import annotations

import pytest

from edgeocr.runtime.providers import (
    PROVIDERS,
    check_provider_choice,
    fallback_order,
    provider_named,
)
from tests.support.jobs import SHAPES


def test_every_provider_is_found_by_its_name() -> None:
    assert all(provider_named(name).name == name for name in PROVIDERS)


def test_onnx_runtimes_names_are_all_different() -> None:
    assert len({each.onnxruntime_name for each in PROVIDERS.values()}) == len(PROVIDERS)


def test_every_helper_is_a_provider() -> None:
    assert {each.helper for each in PROVIDERS.values()} - {None} <= PROVIDERS.keys()


@pytest.mark.parametrize("name", ["", "gpu", "CUDA", "CPUExecutionProvider"])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(name: str) -> None:
    for look_up in (provider_named, check_provider_choice):
        with pytest.raises(ValueError, match=f"unknown provider {name!r}") as caught:
            look_up(name)
        assert all(known in str(caught.value) for known in PROVIDERS)


def test_auto_is_a_choice_and_not_a_provider() -> None:
    check_provider_choice("auto")
    with pytest.raises(ValueError, match="unknown provider 'auto'"):
        provider_named("auto")


def test_the_cpu_is_the_last_fallback_unless_the_bundle_names_it() -> None:
    assert fallback_order(None) == ("tensorrt", "cuda", "cpu")
    assert fallback_order(["coreml"]) == ("coreml", "cpu")
    assert fallback_order(["cpu", "cuda"]) == ("cpu", "cuda")


def test_tensorrt_gets_no_pictures_of_extreme_proportions() -> None:
    assert provider_named("tensorrt").shapes_for(SHAPES) == SHAPES[:3]
    assert provider_named("tensorrt").shapes_for(SHAPES[2:]) == SHAPES[2:3]
    assert provider_named("tensorrt").shapes_for(SHAPES[3:]) == SHAPES[3:]
    assert provider_named("tensorrt").shapes_for([]) == []
    assert provider_named("cuda").shapes_for(SHAPES) == SHAPES


def test_tensorrt_gets_lines_of_every_length() -> None:
    lines = [(n, 48, width, 3) for width in (96, 3216) for n in (1, 4)]
    assert provider_named("tensorrt").shapes_for(lines) == lines
