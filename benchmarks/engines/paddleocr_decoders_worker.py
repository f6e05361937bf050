"""Times PaddleOCR 2.10's own post-processing on stored maps; runs in its environment.

Arguments: a file of arrays that `benchmarks.decoders` wrote, how often to repeat, and the JSON file
to write: {case: [regions, median seconds]}.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np


def main(maps: Path, repeat: int, target: Path) -> None:
    """Time each case, silently: PaddleOCR prints an advice each time."""
    spec = importlib.util.find_spec("paddleocr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("paddleocr is not installed here")
    # `import paddleocr` wants all that training needs; `ppocr.postprocess` alone does not.
    sys.path.insert(0, spec.submodule_search_locations[0])
    result = {}
    with np.load(maps) as file:
        arrays = {name: file[name] for name in file.files}
    for name, numbers in json.loads(str(arrays.pop("cases"))).items():
        algorithm = name.split(" ")[0]
        own = {key.split("/")[1]: value for key, value in arrays.items() if key.startswith(name)}
        for label, run in DECODERS[algorithm](own, numbers):
            seconds, found = [], 0
            with contextlib.redirect_stdout(io.StringIO()):
                run()
                for _ in range(repeat):
                    start = perf_counter()
                    found = run()
                    seconds.append(perf_counter() - start)
            result[f"{name}, {label}"] = [found, median(seconds)]
    target.write_text(json.dumps(result), encoding="utf-8")


Runs = list[tuple[str, Callable[[], int]]]


def east(maps: dict[str, Any], numbers: dict[str, Any]) -> Runs:
    """With the suppression in Python, and in C++ where lanms-nova is installed."""
    module: Any = importlib.import_module("ppocr.postprocess.east_postprocess")
    decoder = module.EASTPostProcess(
        score_thresh=numbers["score_threshold"],
        cover_thresh=numbers["cover_threshold"],
        nms_thresh=numbers["nms_threshold"],
    )
    outputs = {"f_score": maps["score"][None, None], "f_geo": maps["geometry"][None]}

    def run(compiled: bool) -> int:
        # It asks for the package on each call and installs it where it is missing.
        def asked(*_: Any) -> None:
            if not compiled:
                raise ImportError

        module.check_install = asked
        return len(decoder(outputs, SHAPE)[0]["points"])

    found: Runs = [("in Python", lambda: run(False))]
    if importlib.util.find_spec("lanms") is not None:
        found.append(("with lanms-nova", lambda: run(True)))
    return found


def sast(maps: dict[str, Any], numbers: dict[str, Any]) -> Runs:
    """As it is."""
    module: Any = importlib.import_module("ppocr.postprocess.sast_postprocess")
    decoder = module.SASTPostProcess(
        tcl_map_thresh=numbers["score_threshold"],
        nms_thresh=numbers["nms_threshold"],
        sample_pts_num=numbers["sample_points"],
        expand_scale=numbers["expand_scale"],
        shrink_ratio_of_width=numbers["shrink_ratio_of_width"],
    )
    outputs = {f"f_{name}": maps[name][None] for name in ("border", "tvo", "tco")}
    outputs["f_score"] = maps["tcl"][None, None]
    return [("in Python", lambda: len(decoder(outputs, SHAPE)[0]["points"]))]


def pgnet(maps: dict[str, Any], numbers: dict[str, Any]) -> Runs:
    """The way that it calls fast, with the 36 characters of its dictionary for English."""
    module: Any = importlib.import_module("ppocr.postprocess.pg_postprocess")
    dictionary = Path(module.__file__).parents[1] / "utils" / "ic15_dict.txt"
    decoder = module.PGPostProcess(str(dictionary), "totaltext", numbers["score_threshold"], "fast")
    outputs = {f"f_{name}": maps[name][None] for name in ("border", "direction")}
    outputs |= {"f_score": maps["score"][None, None], "f_char": maps["characters"][None]}
    return [("in Python", lambda: len(decoder(outputs, SHAPE)["points"]))]


# A picture's height and width, and its scales; nothing is cut off.
SHAPE = np.array([[1e6, 1e6, 1.0, 1.0]])
DECODERS = {"EAST": east, "SAST": sast, "PGNet": pgnet}

if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
