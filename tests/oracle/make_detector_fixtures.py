"""Write tests/fixtures/detectors.npz: the regions that PaddleOCR 2.10 finds with four detectors.

They are PSE, FCE, CT and DB++. PaddleOCR prepares the pictures of tests/support/detectors.py as the
networks' inference.yml says, Paddle Inference runs the zoo's networks, and PaddleOCR decodes their
maps.

Needs the environment of make_fixtures.py, and a C++ compiler for PaddleOCR's extension. Run it from
the root of the checkout:

    oracle/bin/python -m tests.oracle.make_detector_fixtures
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import yaml

from tests.oracle.make_curved_fixtures import packed
from tests.oracle.pipeline import prepared
from tests.oracle.reference import (
    ct_post_process,
    db_post_process,
    fce_post_process,
    pse_post_process,
)
from tests.support.detectors import DETECTORS, Compared, folder
from tests.support.paths import FIXTURES
from tests.zoo.export import infer

TARGET = FIXTURES / "detectors.npz"


def main() -> None:
    """Write the file."""
    arrays: dict[str, Any] = {}
    for name, detector in DETECTORS.items():
        with tempfile.TemporaryDirectory() as temporary:
            export = folder(name, "legacy", Path(temporary, name))
            settings = yaml.safe_load((export / "inference.yml").read_text("utf-8"))
            encoded = cv2.imencode(".png", detector.picture())[1].tobytes()
            given, sizes = prepared(settings["PreProcess"]["transform_ops"], encoded)
            outputs = infer(export / "inference.pdmodel", [[given]])[0]
        regions = decoded(detector, outputs, sizes)
        print(name, given.shape, len(regions))
        arrays |= dict(packed(name, regions))
    np.savez_compressed(TARGET, **arrays)


def decoded(detector: Compared, outputs: list[np.ndarray], sizes: np.ndarray) -> list[Any]:
    """Return the regions that PaddleOCR's decoder finds in a network's outputs.

    Args:
        detector: The detector.
        outputs: The network's outputs for one picture.
        sizes: What the preparation says about the picture's sizes, [1, K].
    """
    numbers, box = detector.numbers, {"quad": "quad", "polygon": "poly"}[detector.shape]
    maps = {"maps": outputs[0]}
    decoder: Any
    if detector.algorithm == "PSE":
        decoder = pse_post_process(
            thresh=numbers["threshold"],
            box_thresh=numbers["box_threshold"],
            min_area=numbers["minimum_area"],
            scale=numbers["scale"],
            box_type=box,
        )
    elif detector.algorithm == "CT":
        maps["score"] = outputs[1]
        decoder = ct_post_process(
            min_score=numbers["score_threshold"], min_area=numbers["minimum_area"], box_type=box
        )
    elif detector.algorithm == "DB":
        decoder = db_post_process(
            thresh=numbers["threshold"],
            box_thresh=numbers["box_threshold"],
            unclip_ratio=numbers["unclip_ratio"],
            max_candidates=numbers["max_candidates"],
            box_type=box,
        )
    else:
        maps = {f"level_{i}": output for i, output in enumerate(outputs)}
        decoder = fce_post_process(
            scales=numbers["strides"],
            score_thr=numbers["score_threshold"],
            nms_thr=numbers["nms_threshold"],
            alpha=numbers["region_power"],
            beta=numbers["center_power"],
            box_type=box,
        )
    found: list[Any] = decoder(maps, sizes)[0]["points"]
    return found


if __name__ == "__main__":
    with patch.dict("os.environ", {"GLOG_minloglevel": "2"}):
        main()
