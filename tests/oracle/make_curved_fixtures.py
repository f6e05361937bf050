"""Write tests/fixtures/{pse,ct,fce}.npz, the results of PaddleOCR 2.10 for test maps.

The maps are those of tests/support/curved_cases.py. Needs the environment of make_fixtures.py, and
a C++ compiler for PaddleOCR's extension. Run it from the root of the checkout:

    oracle/bin/python -m tests.oracle.make_curved_fixtures
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np

from tests.oracle.reference import ct_post_process, fce_post_process, pse_post_process
from tests.support import curved_cases
from tests.support.paths import FIXTURES

# A picture so large that it cuts off no region on the right and below, in PaddleOCR's form for PSE
# and FCE: height, width and scales.
UNCLIPPED = np.array([[1e6, 1e6, 1.0, 1.0]])


def main() -> None:
    """Write the files."""
    for name, cases in (("pse", pse), ("ct", ct), ("fce", fce)):
        arrays: dict[str, Any] = dict(cases())
        np.savez_compressed(FIXTURES / f"{name}.npz", **arrays)
        print(name, {key: value.shape for key, value in arrays.items()})


def pse() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values of the arrays in pse.npz."""
    for name, maps, settings in curved_cases.pse():
        for kind, shape in (("quads", "quad"), ("polygons", "poly")):
            decoder = pse_post_process(
                thresh=settings["threshold"],
                box_thresh=settings["box_threshold"],
                min_area=settings["minimum_area"],
                scale=settings["scale"],
                box_type=shape,
            )
            found = decoder({"maps": maps[None]}, UNCLIPPED)[0]
            yield from packed(f"{name}_{kind}", found["points"])
        yield f"{name}_scores", np.array(found["scores"], np.float32)


def ct() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values of the arrays in ct.npz; PaddleOCR returns no scores."""
    for name, maps, settings in curved_cases.ct():
        height, width = (4 * side for side in maps.shape[1:])
        shape = [height, width, 3, height, width, 3]
        outputs = {"maps": maps[None], "score": 1 / (1 + np.exp(-maps[None, 0]))}
        for kind, box in (("quads", "rect"), ("polygons", "poly")):
            decoder = ct_post_process(
                min_score=settings["score_threshold"],
                min_area=settings["minimum_area"],
                box_type=box,
            )
            yield from packed(f"{name}_{kind}", decoder(outputs, [shape])[0]["points"])


def fce() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values of the arrays in fce.npz."""
    for name, levels, settings in curved_cases.fce():
        for kind, shape in (("quads", "quad"), ("polygons", "poly")):
            decoder = fce_post_process(
                scales=settings["strides"],
                score_thr=settings["score_threshold"],
                nms_thr=settings["nms_threshold"],
                alpha=settings["region_power"],
                beta=settings["center_power"],
                box_type=shape,
            )
            outputs = {f"level_{i}": level[None] for i, level in enumerate(levels)}
            found = decoder(outputs, UNCLIPPED)[0]
            yield from packed(f"{name}_{kind}", found["points"])
            yield f"{name}_{kind}_scores", np.array(found["scores"], np.float32)


def packed(name: str, regions: Sequence[Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield regions of different lengths as one array of points and one of lengths."""
    points = [np.array(region, np.int32).reshape(-1, 2) for region in regions]
    yield f"{name}_points", np.concatenate([np.zeros((0, 2), np.int32), *points])
    yield f"{name}_lengths", np.array([len(each) for each in points], np.int32)


if __name__ == "__main__":
    with patch.dict("os.environ", {"GLOG_minloglevel": "2"}):
        main()
