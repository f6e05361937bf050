"""Time PaddleOCR 2.10's own post-processing on stored maps, in PaddleOCR's environment.

The arguments are the file of arrays that `benchmarks.decoders` wrote, the JSON file to write, how
often to decode each case, and after how many seconds to stop doing so. What is written is
{"case, variant": [number of texts, median seconds]}.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np


def main(maps: Path, target: Path, repeat: int, limit: float) -> None:
    """Time each case and write the results.

    What PaddleOCR prints is discarded, because it prints advice on each call.
    """
    spec = importlib.util.find_spec("paddleocr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"paddleocr is not installed for {sys.executable}")
    # `import paddleocr` needs the packages for training too; `ppocr.postprocess` alone does not.
    sys.path.insert(0, spec.submodule_search_locations[0])
    result = {}
    with np.load(maps) as file:
        arrays = {name: file[name] for name in file.files}
    for name, settings in json.loads(str(arrays.pop("cases"))).items():
        algorithm = name.split(" ")[0]
        own = {key.split("/")[1]: value for key, value in arrays.items() if key.startswith(name)}
        for label, run in DECODERS[algorithm](own, settings):
            seconds: list[float] = []
            with contextlib.redirect_stdout(io.StringIO()):
                found = run()
                while len(seconds) < repeat and sum(seconds) < limit:
                    start = perf_counter()
                    found = run()
                    seconds.append(perf_counter() - start)
            result[f"{name}, {label}"] = [found, median(seconds)]
    target.write_text(json.dumps(result), encoding="utf-8")


# Name of a variant → runs it once and returns the number of texts.
Runs = list[tuple[str, Callable[[], int]]]


def east(maps: dict[str, Any], settings: dict[str, Any]) -> Runs:
    """Prepare EAST with the suppression in Python and, if lanms-nova is installed, in C++."""
    module: Any = importlib.import_module("ppocr.postprocess.east_postprocess")
    decoder = module.EASTPostProcess(
        score_thresh=settings["score_threshold"],
        cover_thresh=settings["cover_threshold"],
        nms_thresh=settings["nms_threshold"],
    )
    outputs = {"f_score": maps["score"][None, None], "f_geo": maps["geometry"][None]}

    def run(compiled: bool) -> int:
        # The decoder checks for lanms-nova on each call and would install it. An ImportError makes
        # it use the suppression in Python.
        def check_install(*_: Any) -> None:
            if not compiled:
                raise ImportError

        module.check_install = check_install
        return len(decoder(outputs, SHAPE)[0]["points"])

    found: Runs = [("in Python", lambda: run(False))]
    if importlib.util.find_spec("lanms") is not None:
        found.append(("with lanms-nova", lambda: run(True)))
    return found


def sast(maps: dict[str, Any], settings: dict[str, Any]) -> Runs:
    """Prepare SAST."""
    module: Any = importlib.import_module("ppocr.postprocess.sast_postprocess")
    decoder = module.SASTPostProcess(
        tcl_map_thresh=settings["score_threshold"],
        nms_thresh=settings["nms_threshold"],
        sample_pts_num=settings["sample_points"],
        expand_scale=settings["expand_scale"],
        shrink_ratio_of_width=settings["shrink_ratio_of_width"],
    )
    outputs = {f"f_{name}": maps[name][None] for name in ("border", "tvo", "tco")}
    outputs["f_score"] = maps["tcl"][None, None]
    return [("in Python", lambda: len(decoder(outputs, SHAPE)[0]["points"]))]


def pgnet(maps: dict[str, Any], settings: dict[str, Any]) -> Runs:
    """Prepare PGNet in the mode that PaddleOCR calls fast, with its dictionary of 36 characters."""
    module: Any = importlib.import_module("ppocr.postprocess.pg_postprocess")
    dictionary = Path(module.__file__).parents[1] / "utils" / "ic15_dict.txt"
    decoder = module.PGPostProcess(
        str(dictionary), "totaltext", settings["score_threshold"], "fast"
    )
    outputs = {f"f_{name}": maps[name][None] for name in ("border", "direction")}
    outputs |= {"f_score": maps["score"][None, None], "f_char": maps["characters"][None]}
    return [("in Python", lambda: len(decoder(outputs, SHAPE)["points"]))]


def pse(maps: dict[str, Any], settings: dict[str, Any]) -> Runs:
    """Prepare PSE, whose C++ extension PaddleOCR compiles in its own folder when it is imported."""
    before = Path.cwd()
    os.chdir(sys.path[0])
    try:
        module: Any = importlib.import_module("ppocr.postprocess.pse_postprocess.pse_postprocess")
    finally:
        os.chdir(before)
    decoder = module.PSEPostProcess(
        thresh=settings["threshold"],
        box_thresh=settings["box_threshold"],
        min_area=settings["minimum_area"],
        scale=settings["scale"],
        box_type="poly",
    )
    outputs = {"maps": maps["kernels"][None]}
    return [("with C++", lambda: len(decoder(outputs, SHAPE)[0]["points"]))]


def fce(maps: dict[str, Any], settings: dict[str, Any]) -> Runs:
    """Prepare FCE."""
    module: Any = importlib.import_module("ppocr.postprocess.fce_postprocess")
    decoder = module.FCEPostProcess(
        scales=settings["strides"],
        score_thr=settings["score_threshold"],
        nms_thr=settings["nms_threshold"],
        alpha=settings["region_power"],
        beta=settings["center_power"],
        box_type="poly",
    )
    outputs = {name: level[None] for name, level in maps.items()}
    return [("in Python", lambda: len(decoder(outputs, SHAPE)[0]["points"]))]


def ct(maps: dict[str, Any], settings: dict[str, Any]) -> Runs:
    """Prepare CT."""
    module: Any = importlib.import_module("ppocr.postprocess.ct_postprocess")
    decoder = module.CTPostProcess(
        min_score=settings["score_threshold"], min_area=settings["minimum_area"], box_type="poly"
    )
    height, width = (4 * side for side in maps["maps"].shape[1:])
    outputs = {"maps": maps["maps"][None], "score": 1 / (1 + np.exp(-maps["maps"][None, 0]))}
    shape = [height, width, 3, height, width, 3]
    return [("in Python", lambda: len(decoder(outputs, [shape])[0]["points"]))]


# Height, width and both scales of a picture that is so large that no region is clipped.
SHAPE = np.array([[1e6, 1e6, 1.0, 1.0]])
DECODERS = {"EAST": east, "SAST": sast, "PSE": pse, "FCE": fce, "CT": ct, "PGNet": pgnet}

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
