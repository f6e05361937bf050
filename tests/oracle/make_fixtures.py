"""Write tests/fixtures: what Paddle Inference and PaddleOCR 2.10 say about the test pictures.

Needs Python 3.11 and, in an environment of its own:

    python -m venv oracle
    oracle/bin/pip install paddlepaddle==2.6.2 numpy==1.26.4 opencv-python-headless==4.10.0.84 \
        shapely==2.2.0 pyclipper==1.4.0 scikit-image==0.26.0 pillow
    oracle/bin/pip install --no-deps paddleocr==2.10.0

Run it from the root of the checkout:

    oracle/bin/python -m tests.oracle.make_fixtures --models DIR \
        --det ch_PP-OCRv4_det_infer --rec ch_PP-OCRv4_rec_infer \
        --cls ch_ppocr_mobile_v2_cls_infer --keys ppocr_keys_v1.txt

DIR holds the Paddle inference models, each a folder with inference.pdmodel and
inference.pdiparams. The result is the same to the byte on every run on one machine.
tests/fixtures/README.md says what every array is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.oracle.pictures import (
    Picture,
    line_crop,
    lines_nearest,
    read_pictures,
    resize_for_detection,
    text_window,
)
from tests.oracle.reference import (
    CROP_MEAN,
    CROP_STD,
    DETECTION_MEAN,
    DETECTION_STD,
    Network,
    ctc_label_decode,
    db_post_process,
)

Arrays = dict[str, Any]

PICTURES = ("sample", "receipt", "poster")
# Fixture, picture, side in pixels, and whether that is the longer side; the lines of text for
# ctc.npz come from the first three. The last two are small, so lines run into each other: they
# have holes, low scores and regions that the oracle rejects.
DB_MAPS = (
    ("sample", "sample", 736, False),
    ("receipt", "receipt", 736, False),
    ("poster", "poster", 960, True),
    ("sample_small", "sample", 288, False),
    ("receipt_small", "receipt", 128, False),
)
LINES_PER_PICTURE = 4
LONGEST = 100_000
SPARSE_FLOOR = 1e-7

_PLAIN = {"thresh": 0.3, "box_thresh": 0.6, "unclip_ratio": 1.5, "max_candidates": 1000}
DB_SETTINGS: dict[str, dict[str, Any]] = {
    "quad_fast": {**_PLAIN, "box_type": "quad", "score_mode": "fast", "use_dilation": False},
    "quad_slow": {**_PLAIN, "box_type": "quad", "score_mode": "slow", "use_dilation": False},
    "quad_fast_dilation": {
        **_PLAIN,
        "box_type": "quad",
        "score_mode": "fast",
        "use_dilation": True,
    },
    "poly": {**_PLAIN, "box_type": "poly", "score_mode": "fast", "use_dilation": False},
    "quad_fast_low": {
        "thresh": 0.2,
        "box_thresh": 0.4,
        "unclip_ratio": 1.4,
        "max_candidates": 1000,
        "box_type": "quad",
        "score_mode": "fast",
        "use_dilation": False,
    },
}


def save(path: Path, arrays: Arrays) -> None:
    """Write the arrays as a compressed npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    print(f"{path}  {path.stat().st_size} bytes")
    for key, array in arrays.items():
        print(f"    {key}  {array.dtype} {list(array.shape)}")


def detection_arrays(network: Network, optimized: Network, pictures: list[Picture]) -> Arrays:
    """Return parts of pictures, one a batch of two, with the detector's probability maps.

    The largest difference to the optimized network is kept as well, which is Paddle's own rounding.
    """
    sample, receipt, poster = pictures
    inputs = (
        text_window(sample, 192, 256)[None],
        text_window(receipt, 160, 320)[None],
        np.stack([text_window(sample, 96, 160), text_window(poster, 96, 160)]),
    )
    arrays: Arrays = {}
    for number, images in enumerate(inputs):
        arrays[f"image_{number}"] = images
        arrays[f"map_{number}"] = network(images)
        own = np.abs(optimized(images) - arrays[f"map_{number}"]).max()
        arrays[f"self_difference_{number}"] = np.asarray(own, np.float32)
    return arrays


def recognition_arrays(network: Network, pictures: list[Picture]) -> Arrays:
    """Return lines of three widths, one a batch of two, with their sparse probabilities."""
    arrays: Arrays = {}
    for number, (width, count) in enumerate(((96, 1), (160, 2), (320, 1))):
        crops = lines_nearest(pictures, width, width, count)
        probability = network(crops)
        flat = probability.reshape(-1)
        kept = np.flatnonzero(flat >= SPARSE_FLOOR)
        arrays |= {
            f"crops_{number}": crops,
            f"shape_{number}": np.array(probability.shape, np.int32),
            f"flat_{number}": kept.astype(np.int32),
            f"value_{number}": flat[kept],
            f"indices_{number}": probability.argmax(axis=2).astype(np.int32),
            f"scores_{number}": probability.max(axis=2),
        }
    return arrays


def orientation_arrays(network: Network, pictures: list[Picture]) -> Arrays:
    """Return two lines upright and upside down, with the classifier's probabilities.

    The second line is the longest one. It is squeezed, so that the classifier is less sure of it.
    """
    upright = np.concatenate(
        [lines_nearest(pictures, natural, 192, 1) for natural in (192, LONGEST)]
    )
    crops = np.concatenate([upright, upright[:, ::-1, ::-1]])
    return {"crops": crops, "probability": network(crops)}


def db_arrays(network: Network, picture: Picture, resized: NDArray[np.uint8]) -> Arrays:
    """Return a quantized map with the oracle's regions and scores for each setting."""
    quantized = np.round(network(resized[None])[0, 0] * 255).astype(np.uint8)
    probability = quantized.astype(np.float32) / np.float32(255)
    height, width = picture.pixels.shape[:2]
    arrays: Arrays = {
        "probability_u8": quantized,
        "source_size": np.array([height, width], np.int32),
        "ratio": np.array([resized.shape[0] / height, resized.shape[1] / width]),
        "settings": np.array(json.dumps(DB_SETTINGS, sort_keys=True)),
    }
    for name, settings in DB_SETTINGS.items():
        regions, scores = db_regions(db_post_process(**settings), probability, height, width)
        if settings["box_type"] == "poly":
            lengths = [len(region) for region in regions]
            points = [np.array(region).reshape(-1, 2) for region in regions]
            arrays[f"{name}_points"] = np.concatenate([np.zeros((0, 2)), *points]).astype(np.int32)
            arrays[f"{name}_lengths"] = np.array(lengths, np.int32)
        else:
            arrays[f"{name}_boxes"] = np.array(regions, np.int32).reshape(-1, 4, 2)
        arrays[f"{name}_scores"] = np.array(scores, np.float64)
    return arrays


def db_regions(
    oracle: Any, probability: NDArray[np.float32], height: int, width: int
) -> tuple[list[Any], list[float]]:
    """Do what DBPostProcess.__call__ does, but keep the scores; check the regions against it."""
    mask = probability > oracle.thresh
    if oracle.dilation_kernel is not None:
        mask = cv2.dilate(mask.astype(np.uint8), oracle.dilation_kernel)
    polygons = oracle.box_type == "poly"
    find = oracle.polygons_from_bitmap if polygons else oracle.boxes_from_bitmap
    regions, scores = find(probability, mask, width, height)
    called = oracle({"maps": probability[None, None]}, [(height, width, 1.0, 1.0)])
    for region, other in zip(regions, called[0]["points"], strict=True):
        np.testing.assert_array_equal(region, other)
    return list(regions), scores


def in_reading_order(quads: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Choose `count` quads, spread evenly from the top of the picture to its bottom."""
    order = np.lexsort((quads[:, 0, 0], quads[:, 0, 1]))
    spread = np.unique(np.linspace(0, len(order) - 1, count).round().astype(int))
    return quads[order[spread]]


def synthetic_steps() -> list[tuple[str, list[int], list[float]]]:
    """Return name, indices and scores of rows that no picture gives; class 0 is the blank."""
    return [
        ("synthetic: all blank", [0] * 8, [0.9] * 8),
        ("synthetic: one character", [0, 0, 7, 0, 0], [0.9, 0.8, 0.75, 0.6, 0.5]),
        ("synthetic: repeats touching", [7, 7, 7, 9, 9], [0.5, 0.9, 0.7, 0.6, 0.8]),
        (
            "synthetic: repeats parted by blanks",
            [7, 0, 7, 7, 0, 0, 7],
            [0.5, 1, 0.9, 0.7, 1, 1, 0.6],
        ),
        ("synthetic: every step the same", [11] * 10, [0.5 + 0.04 * step for step in range(10)]),
        ("synthetic: spaces at both ends", [-1, 7, -1, -1, 9, -1], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]),
    ]


def ctc_arrays(network: Network, keys: Path, lines: list[tuple[str, NDArray[np.uint8]]]) -> Arrays:
    """Return each line's best index and score per step, and CTCLabelDecode's text and score."""
    decode = ctc_label_decode(keys)
    classes = len(decode.character)
    rows = [(source, network(crop[None])) for source, crop in lines]
    for source, steps, step_scores in synthetic_steps():
        probability = np.zeros((1, len(steps), classes), np.float32)
        probability[0, np.arange(len(steps)), steps] = step_scores
        rows.append((source, probability))
    lengths = [probability.shape[1] for _, probability in rows]
    indices = np.zeros((len(rows), max(lengths)), np.int32)
    scores = np.zeros((len(rows), max(lengths)), np.float32)
    texts, text_scores = [], []
    for row, (_, probability) in enumerate(rows):
        if probability.shape[2] != classes:
            raise SystemExit(f"the network has {probability.shape[2]} classes, {keys} {classes}")
        indices[row, : lengths[row]] = probability[0].argmax(axis=1)
        scores[row, : lengths[row]] = probability[0].max(axis=1)
        [(text, score)] = decode(probability)
        texts.append(text)
        text_scores.append(score)
    return {
        "indices": indices,
        "scores": scores,
        "lengths": np.array(lengths, np.int32),
        "texts": np.array(texts),
        "text_scores": np.array(text_scores, np.float64),
        "sources": np.array([source for source, _ in rows]),
        "classes": np.array(classes, np.int32),
    }


def main() -> None:
    """Read the arguments and write every fixture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=Path, default=Path(), help="folder of the models")
    parser.add_argument("--det", type=Path, required=True, help="detector, seen from --models")
    parser.add_argument("--rec", type=Path, required=True, help="recognizer, seen from --models")
    parser.add_argument("--cls", type=Path, required=True, help="classifier, seen from --models")
    parser.add_argument("--keys", type=Path, required=True, help="the recognizer's characters")
    parser.add_argument("--images", type=Path, default=Path("tests/images"))
    parser.add_argument("--out", type=Path, default=Path("tests/fixtures"))
    arguments = parser.parse_args()

    detector = Network(arguments.models / arguments.det, DETECTION_MEAN, DETECTION_STD)
    recognizer = Network(arguments.models / arguments.rec, CROP_MEAN, CROP_STD)
    classifier = Network(arguments.models / arguments.cls, CROP_MEAN, CROP_STD)
    pictures = read_pictures(arguments.images, PICTURES)

    plain = arguments.out / "paddle_inference"
    # As edgeocr's edge graph normalizes; the maps for DB come from the model card's numbers.
    as_edge, optimized = (
        Network(arguments.models / arguments.det, CROP_MEAN, CROP_STD, passes)
        for passes in (False, True)
    )
    save(plain / "detection.npz", detection_arrays(as_edge, optimized, pictures))
    save(plain / "recognition.npz", recognition_arrays(recognizer, pictures))
    save(plain / "orientation.npz", orientation_arrays(classifier, pictures))

    lines = []
    for name, source, side, longer in DB_MAPS:
        picture = pictures[PICTURES.index(source)]
        resized = resize_for_detection(picture.pixels, side, longer)
        arrays = db_arrays(detector, picture, resized)
        save(arguments.out / "db" / f"{name}.npz", arrays)
        if name in PICTURES:
            quads = in_reading_order(arrays["quad_fast_boxes"], LINES_PER_PICTURE)
            for number, quad in enumerate(quads):
                lines.append((f"{name}: {number}", line_crop(picture.pixels, quad)))
    save(
        arguments.out / "ctc.npz", ctc_arrays(recognizer, arguments.models / arguments.keys, lines)
    )


if __name__ == "__main__":
    main()
