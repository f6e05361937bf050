"""The options that providers are given, the shapes, and what can't be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from edgeocr import OCR, Bundle, EdgeOCRError
from edgeocr.runtime.placement import Job, Placement, shapes_for
from edgeocr.runtime.provider_options import OPTIONS, chain
from edgeocr.runtime.tensorrt_cache import Engines

SHAPES = [(1, 544, 544, 3), (1, 544, 1216, 3), (1, 1216, 544, 3), (1, 288, 3104, 3)]
DETECTION = Job("detection", "image", (1, 544, 736, 3), SHAPES)


def test_cuda_options() -> None:
    ((name, options),) = chain("cuda", Placement(), DETECTION, None)
    assert name == "CUDAExecutionProvider"
    assert options == {
        "enable_cuda_graph": "1",
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "0",
    }
    ((_, lower),) = chain("cuda", Placement(fp16=True), DETECTION, None)
    assert lower == {**options, "use_tf32": "1"}


def test_runs_of_any_shape_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in versions that have one recording for all shapes."""
    for placement, job in (
        (Placement(few_shapes=False), DETECTION),
        (Placement(), DETECTION._replace(shapes=())),
        (Placement("tensorrt"), DETECTION),
    ):
        asked = chain("cuda" if placement.provider == "auto" else "tensorrt", placement, job, None)
        assert not any("enable_cuda_graph" in options for _, options in asked)
    monkeypatch.setattr(onnxruntime, "__version__", "1.18.1")
    ((_, options),) = chain("cuda", Placement(), DETECTION, None)
    assert options == OPTIONS["cuda"]


def test_given_options_count_more() -> None:
    given = {"cuda": {"device_id": 1, "cudnn_conv_algo_search": "DEFAULT"}}
    ((_, options),) = chain("cuda", Placement(options=given), DETECTION, None)
    assert options["device_id"] == "1" and options["cudnn_conv_algo_search"] == "DEFAULT"
    assert options["use_tf32"] == "0"
    ((_, options),) = chain("cpu", Placement(options=given), DETECTION, None)
    assert options == {}


def test_tensorrt_options(tmp_path: Path) -> None:
    kept = Engines(tmp_path, {"bundle": "b" * 64, "gpu": "NVIDIA Orin (x)"})
    asked = chain("tensorrt", Placement(fp16=True), DETECTION, kept)
    (name, options), (next_name, next_options) = asked
    assert (name, next_name) == ("TensorrtExecutionProvider", "CUDAExecutionProvider")
    assert next_options == {**OPTIONS["cuda"], "use_tf32": "1", "device_id": "0"}
    assert options == {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(kept.folder),
        "trt_engine_cache_prefix": "detection",
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(kept.folder),
        "trt_fp16_enable": "1",
        # The strip is left out: its width by the others' height would need the memory of ten.
        "trt_profile_min_shapes": "image:1x544x544x3",
        "trt_profile_opt_shapes": "image:1x544x1216x3",
        "trt_profile_max_shapes": "image:1x1216x1216x3",
    }
    assert all(isinstance(value, str) for value in options.values())


def test_tensorrt_without_shapes_or_a_place_for_engines() -> None:
    """ONNX Runtime would keep the engines in the folder that it happens to run in, and fail on
    shapes outside of a profile.
    """
    for placement, job in (
        (Placement(), DETECTION._replace(shapes=())),
        (Placement(few_shapes=False), DETECTION),
    ):
        (_, options), _ = chain("tensorrt", placement, job, None)
        assert options == {}


def test_tensorrt_and_the_cuda_behind_it_are_on_one_device() -> None:
    placement = Placement(options={"tensorrt": {"device_id": 1}, "cuda": {"enable_cuda_graph": 1}})
    (_, options), (_, cuda) = chain("tensorrt", placement, DETECTION, None)
    assert options["device_id"] == cuda["device_id"] == "1"
    assert "enable_cuda_graph" not in cuda


@pytest.mark.parametrize(
    ("value", "recorded"), [(True, True), ("true", True), (1, True), (0, False), (False, False)]
)
def test_recording_can_be_switched_off(value: object, recorded: bool) -> None:
    placement = Placement(options={"cuda": {"enable_cuda_graph": value}})
    ((_, options),) = chain("cuda", placement, DETECTION, None)
    assert options.get("enable_cuda_graph") == ("1" if recorded else None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"provider": None}, "a name or a mapping"),
        ({"provider": ["cpu"]}, "a name or a mapping"),
        ({"provider_options": {"cpu": 5}}, "a mapping for each provider"),
        ({"provider_options": {"auto": {"x": 1}}}, "a mapping for each provider"),
        ({"provider_options": {"tensorrt": {"trt_cuda_graph_enable": True}}}, "one input shape"),
        ({"provider": {"spotting": "cpu"}}, "the bundle has no stage 'spotting'"),
    ],
)
def test_what_cannot_be_asked_for(bundle: Bundle, given: dict[str, Any], said: str) -> None:
    with pytest.raises(EdgeOCRError, match=said):
        OCR(bundle, **given)


def test_shapes_of_lines_are_not_cut_for_tensorrt() -> None:
    lines = [(n, 48, width, 3) for width in (240, 3216) for n in (1, 4)]
    assert shapes_for("tensorrt", lines) == lines
    assert shapes_for("tensorrt", SHAPES) == SHAPES[:3]
    assert shapes_for("cuda", SHAPES) == SHAPES
    assert shapes_for("tensorrt", []) == []


@pytest.mark.parametrize(("provider", "few"), [("cpu", False), ("xnnpack", False), ("cuda", True),
                                               ("tensorrt", True), ("openvino", True)])  # fmt: skip
def test_who_is_given_few_shapes(provider: str, few: bool) -> None:
    assert Placement().wants_few_shapes(provider) is few
    assert Placement(few_shapes=True).wants_few_shapes(provider)
    assert not Placement(few_shapes=False).wants_few_shapes(provider)
