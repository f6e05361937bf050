"""Write tests/fixtures/detectors.npz: the regions that PaddleOCR 2.10 finds with PSE and FCE.

PaddleOCR normalizes the picture of tests/support/detectors.py, Paddle Inference runs the zoo's
networks, and PaddleOCR decodes their maps.

Needs the environment of make_fixtures.py, and a C++ compiler for PaddleOCR's extension. Run it from
the root of the checkout:

    oracle/bin/python -m tests.oracle.make_detector_fixtures
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np

from tests.oracle.make_curved_fixtures import packed
from tests.oracle.pipeline import normalized
from tests.oracle.reference import fce_post_process, pse_post_process
from tests.support.detectors import DETECTORS, RandomDetector, picture
from tests.support.paths import FIXTURES, ZOO_EXPORTS
from tests.zoo.export import infer

TARGET = FIXTURES / "detectors.npz"


def main() -> None:
    """Write the file."""
    arrays: dict[str, Any] = {}
    for name, detector in DETECTORS.items():
        image = picture()
        program = ZOO_EXPORTS / name / "legacy" / "inference.pdmodel"
        outputs = infer(program, [[normalized(image)]])[0]
        regions = decoded(detector, outputs, *image.shape[:2])
        print(name, len(regions))
        arrays |= dict(packed(name, regions))
    np.savez_compressed(TARGET, **arrays)


def decoded(
    detector: RandomDetector, outputs: list[np.ndarray], height: int, width: int
) -> list[Any]:
    """Return the polygons that PaddleOCR's decoder finds in a network's outputs."""
    numbers, shape = detector.numbers, [height, width, 1.0, 1.0]
    if detector.algorithm == "PSE":
        maps = {"maps": outputs[0]}
        decoder = pse_post_process(
            thresh=numbers["threshold"],
            box_thresh=numbers["box_threshold"],
            min_area=numbers["minimum_area"],
            scale=numbers["scale"],
            box_type="poly",
        )
    else:
        maps = {f"level_{i}": output for i, output in enumerate(outputs)}
        decoder = fce_post_process(
            scales=numbers["strides"],
            score_thr=numbers["score_threshold"],
            nms_thr=numbers["nms_threshold"],
            alpha=numbers["region_power"],
            beta=numbers["center_power"],
            box_type="poly",
        )
    found: list[Any] = decoder(maps, np.array([shape]))[0]["points"]
    return found


if __name__ == "__main__":
    with patch.dict("os.environ", {"GLOG_minloglevel": "2"}):
        main()
