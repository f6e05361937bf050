"""The options with which sessions ask ONNX Runtime for providers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from edgeocr.device import nvidia
from edgeocr.runtime.engine_key import EngineKey
from edgeocr.runtime.job import Job
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.provider_options import Chain, provider_chain
from edgeocr.runtime.providers import PROVIDERS
from edgeocr.runtime.tensorrt_cache import BuiltEngines, EngineFolder
from tests.support.jobs import DETECTION

KEY = EngineKey("b" * 64, "NVIDIA Orin (x)", "8.7", "linux-aarch64", {}, {})
WITHOUT_SHAPES = replace(DETECTION, shapes=())
CUDA = dict(PROVIDERS["cuda"].options)


def chain(
    provider: str,
    job: Job = DETECTION,
    engines: EngineFolder | None = None,
    **options: Any,
) -> Chain:
    """Return the chain of a provider, for `options` of a `RuntimeOptions`."""
    placement = Placement(provider, RuntimeOptions(**options))
    return provider_chain(PROVIDERS[provider], placement, job, engines)


def test_cuda_gets_edgeocrs_options() -> None:
    ((name, options),) = chain("cuda")
    assert name == "CUDAExecutionProvider"
    assert options == {
        "enable_cuda_graph": "1",
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "0",
    }
    ((_, lower),) = chain("cuda", fp16=True)
    assert lower == {**options, "use_tf32": "1"}


def test_a_float16_graph_allows_lower_precision() -> None:
    ((_, options),) = chain("cuda", replace(DETECTION, precision="fp16"))
    assert options["use_tf32"] == "1"


def test_only_runs_of_fixed_shapes_are_recorded() -> None:
    for asked in (
        chain("cuda", fixed_shapes=False),
        chain("cuda", WITHOUT_SHAPES),
        chain("tensorrt"),
    ):
        assert not any("enable_cuda_graph" in options for _, options in asked)


def test_runs_are_not_recorded_by_versions_with_one_recording_for_all_shapes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onnxruntime, "__version__", "1.18.1")
    assert chain("cuda") == [("CUDAExecutionProvider", CUDA)]


def test_options_of_the_caller_override_edgeocrs() -> None:
    given = {"cuda": {"device_id": 1, "cudnn_conv_algo_search": "DEFAULT"}}
    ((_, options),) = chain("cuda", provider_options=given)
    assert options["device_id"] == "1" and options["cudnn_conv_algo_search"] == "DEFAULT"
    assert options["use_tf32"] == "0"
    ((_, options),) = chain("cpu", provider_options=given)
    assert options == {}


def test_tensorrt_gets_a_folder_for_engines_and_a_profile_of_shapes(tmp_path: Path) -> None:
    engines = BuiltEngines(tmp_path, KEY)
    asked = chain("tensorrt", engines=engines, fp16=True)
    (name, options), (next_name, next_options) = asked
    assert (name, next_name) == ("TensorrtExecutionProvider", "CUDAExecutionProvider")
    assert next_options == {**CUDA, "use_tf32": "1", "device_id": "0"}
    assert options == {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(engines.path),
        "trt_engine_cache_prefix": "detection",
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(engines.path),
        "trt_fp16_enable": "1",
        "trt_layer_norm_fp32_fallback": "1",
        # The strip is left out: its width by the others' height would need ten times the memory.
        "trt_profile_min_shapes": "image:1x544x544x3",
        "trt_profile_opt_shapes": "image:1x544x1216x3",
        "trt_profile_max_shapes": "image:1x1216x1216x3",
    }
    assert all(isinstance(value, str) for value in options.values())


def test_only_a_build_is_bounded_by_the_free_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvidia, "gpus", lambda: [nvidia.GPU("Orin", "8.7", 1 << 33, True)] * 2)
    monkeypatch.setattr(nvidia, "free_memory", lambda gpu: 1 << 30)
    engines = BuiltEngines(tmp_path, KEY)
    (_, options), _ = chain("tensorrt", engines=engines)
    assert options["trt_max_workspace_size"] == str(1 << 29)
    given = {"tensorrt": {"trt_max_workspace_size": 77, "trt_auxiliary_streams": 2}}
    (_, options), _ = chain("tensorrt", engines=engines, provider_options=given)
    assert options["trt_max_workspace_size"] == "77" and options["trt_auxiliary_streams"] == "2"
    engines.mark_warm("detection")
    (_, options), _ = chain("tensorrt", engines=engines)
    assert not {"trt_max_workspace_size", "trt_auxiliary_streams"} & options.keys()


def test_an_option_that_onnx_runtime_does_not_have_yet_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ONNX Runtime 1.17 refuses `use_tf32`, which is passed on only if the caller sets it."""
    monkeypatch.setattr(onnxruntime, "__version__", "1.17.3")
    for fp16 in (False, True):
        ((_, options),) = chain("cuda", fp16=fp16)
        assert options == {key: CUDA[key] for key in CUDA if key != "use_tf32"}
    ((_, options),) = chain("cuda", provider_options={"cuda": {"use_tf32": 0}})
    assert options["use_tf32"] == "0"


def test_tensorrt_gets_no_options_without_shapes_and_a_folder_for_engines() -> None:
    """ONNX Runtime would keep engines in its working folder, and fail on other shapes."""
    for (_, options), _ in (
        chain("tensorrt", WITHOUT_SHAPES),
        chain("tensorrt", fixed_shapes=False),
    ):
        assert options == {}


def test_tensorrt_and_its_helper_cuda_are_on_one_device() -> None:
    given = {"tensorrt": {"device_id": 1}, "cuda": {"enable_cuda_graph": 1}}
    (_, options), (_, cuda) = chain("tensorrt", provider_options=given)
    assert options["device_id"] == cuda["device_id"] == "1"
    assert "enable_cuda_graph" not in cuda


@pytest.mark.parametrize(
    ("value", "recorded"), [(True, True), ("true", True), (1, True), (0, False), (False, False)]
)
def test_recording_can_be_switched_off_by_the_caller(value: object, recorded: bool) -> None:
    ((_, options),) = chain("cuda", provider_options={"cuda": {"enable_cuda_graph": value}})
    assert options.get("enable_cuda_graph") == ("1" if recorded else None)
