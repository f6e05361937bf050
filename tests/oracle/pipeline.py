"""Read pictures with PaddleOCR 2.10's own processing around Paddle Inference.

Resizing, filters, crops and decoders are all PaddleOCR's; no code of edgeocr is used.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from tests.oracle import reference
from tests.zoo.export import infer

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
# SRN's output that its decoder looks at.
SRN_PREDICTION = 2
# PaddleOCR's probability from which the classifier turns a crop.
TURN_THRESHOLD = 0.9


class Found(NamedTuple):
    """Regions in image pixels [N, K, 2], and what a spotter reads in them."""

    regions: np.ndarray
    texts: list[str]


def detect(
    folder: Path, algorithm: str, image: np.ndarray, limit: dict[str, Any], numbers: dict[str, Any]
) -> Found:
    """Find the regions of an image, uint8 [H, W, 3] BGR.

    `limit` holds the arguments of DetResizeForTest or E2EResizeForTest, `numbers` those of the
    post-processing.
    """
    resize = _operators().E2EResizeForTest if algorithm == "PGNet" else None
    resize = (resize or _operators().DetResizeForTest)(**limit)
    # predict_e2e.py gives the network BGR, its training and evaluation RGB, as edgeocr does.
    given = image[..., ::-1] if algorithm == "PGNet" else image
    data = resize({"image": np.ascontiguousarray(given)})
    shape = data["shape"][None]
    array = normalized(data["image"])
    by_channels = {output.shape[1]: output for output in _run(folder, array)}
    outputs = {name: by_channels[channels] for name, channels in MAPS[algorithm].items()}
    with _silence(), reference.stable_sorting():
        decoder = DECODERS[algorithm](**numbers)
        if algorithm == "PGNet":
            found = decoder(outputs, shape)
            return Found(np.array(found["points"], np.float32), list(found["texts"]))
        points = decoder(outputs, shape)[0]["points"]
    if algorithm == "SAST" and numbers["sample_pts_num"] != 2:  # polygons
        kept = _detector().filter_tag_det_res_only_clip(points, image.shape)
        return Found(np.array(kept, np.float32), [])
    kept = _detector().filter_tag_det_res(points, image.shape)
    return Found(np.array(kept, np.float32).reshape(-1, 4, 2), [])


def prepared(operators: Sequence[dict[str, Any]], encoded: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Prepare a picture for a network with the operators that its inference.yml lists.

    Those that read labels or choose what goes on are left out.

    Args:
        operators: `PreProcess.transform_ops`: a name and its arguments each.
        encoded: The picture's file.

    Returns:
        The network's input, float32 [1, 3, H, W], and the sizes [1, K] that the decoder is given.
    """
    data: dict[str, Any] = {"image": encoded}
    for name, arguments in (each for operator in operators for each in operator.items()):
        if name.endswith("LabelEncode") or name == "KeepKeys":
            continue
        module = _augmentation("ct_process") if name == "ScaleAlignedShort" else _operators()
        data = getattr(module, name)(**(arguments or {}))(data)
    return np.ascontiguousarray(data["image"][None], np.float32), data["shape"][None]


def normalized(image: np.ndarray) -> np.ndarray:
    """Normalize an image, uint8 [H, W, 3], with ImageNet's numbers; return float32 [1, 3, H, W]."""
    data = _operators().NormalizeImage(scale="1./255.", order="hwc", **IMAGENET)({"image": image})
    array: np.ndarray = _operators().ToCHWImage()(data)["image"]
    return np.ascontiguousarray(array[None], np.float32)


def upright(folder: Path | None, crops: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Turn the crops of which the classifier is sure that they are upside down."""
    if folder is None or not crops:
        return list(crops)
    classifier = _tool("predict_cls").TextClassifier
    sizes = SimpleNamespace(cls_image_shape=[3, 48, 192])
    batch = np.stack([classifier.resize_norm_img(sizes, crop) for crop in crops])
    (probability,) = _run(folder, batch)
    turned = (probability.argmax(axis=1) == 1) & (probability[:, 1] > TURN_THRESHOLD)
    return [np.rot90(c, 2).copy() if t else c for c, t in zip(crops, turned, strict=True)]


def recognize(
    folder: Path, algorithm: str, shape: list[int], decoder: Any, crops: Sequence[np.ndarray]
) -> list[str]:
    """Read crops, uint8 [h, w, 3], one in each run.

    `shape` holds channels, height and width like PaddleOCR's rec_image_shape; `decoder` comes from
    `label_decode`.
    """
    reader = _tool("predict_rec").TextRecognizer
    # RARE's rule is the one for inputs of one width; PaddleOCR has none for STAR-Net's.
    rule = "RARE" if algorithm == "STAR-Net" else algorithm
    settings = SimpleNamespace(rec_algorithm=rule, rec_image_shape=shape, use_onnx=False)
    for name in ("resize_norm_img_srn", "srn_other_inputs"):
        setattr(settings, name, getattr(reader, name).__get__(settings))
    texts = []
    for crop in crops:
        if algorithm == "SRN":
            inputs = reader.process_image_srn(settings, crop, shape, 8, 25)
            found = decoder({"predict": _run(folder, *inputs)[SRN_PREDICTION]})
        else:
            ratio = max(shape[2] / shape[1], crop.shape[1] / crop.shape[0])
            (probability,) = _run(folder, reader.resize_norm_img(settings, crop, ratio)[None])
            found = decoder(probability)
        texts.append(found[0][0])
    return texts


def label_decode(algorithm: str, keys: Path, *, space: bool) -> Any:
    """Return PaddleOCR's decoder for the dictionary `keys`."""
    names = {"RARE": "AttnLabelDecode", "SRN": "SRNLabelDecode"}
    module = reference._module("ppocr.postprocess.rec_postprocess")
    decoder = getattr(module, names.get(algorithm, "CTCLabelDecode"))
    return decoder(character_dict_path=str(keys), use_space_char=space)


def crop(image: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """Cut out a quad as PaddleOCR does."""
    return reference.perspective_crop(image, quad)


MAPS: dict[str, dict[str, int]] = {
    "DB": {"maps": 1},
    "EAST": {"f_score": 1, "f_geo": 8},
    "SAST": {"f_score": 1, "f_border": 4, "f_tvo": 8, "f_tco": 2},
    "PGNet": {"f_score": 1, "f_border": 4, "f_char": 37, "f_direction": 2},
}
DECODERS = {
    "DB": reference.db_post_process,
    "EAST": reference.east_post_process,
    "SAST": reference.sast_post_process,
    "PGNet": reference.pg_post_process,
}


def _run(folder: Path, *arrays: np.ndarray) -> list[np.ndarray]:
    """Run a legacy export with Paddle Inference, and return its outputs."""
    given = [np.ascontiguousarray(array) for array in arrays]
    return infer(folder / "inference.pdmodel", [given])[0]


def _operators() -> ModuleType:
    return _augmentation("operators")


@cache
def _augmentation(name: str) -> ModuleType:
    """Import a file of ppocr/data/imaug alone: its package needs all that training needs."""
    reference._module("ppocr.utils.utility")  # puts PaddleOCR's folder on the path
    path = reference.paddleocr_folder() / "ppocr" / "data" / "imaug" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"paddleocr_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _tool(name: str) -> ModuleType:
    return reference._module(f"tools.infer.{name}")


@cache
def _detector() -> Any:
    """Return PaddleOCR's TextDetector without a network, for its filters."""
    # The real ppocr.data needs all that training needs.
    sys.modules["ppocr.data"] = SimpleNamespace(create_operators=None, transform=None)  # type: ignore[assignment]
    try:
        detector = _tool("predict_det").TextDetector
    finally:
        del sys.modules["ppocr.data"]
    return detector.__new__(detector)


def _silence() -> contextlib.AbstractContextManager[Any]:
    return contextlib.redirect_stdout(io.StringIO())
