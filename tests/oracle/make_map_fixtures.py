"""Write tests/fixtures/{east,sast,pgnet,thinning}.npz, the results of PaddleOCR 2.10 for test maps.

The maps are those of tests/support/*_cases.py; the thinned masks are scikit-image's, with which
PaddleOCR thins.

Needs the environment of make_fixtures.py. Run it from the root of the checkout:

    oracle/bin/python -m tests.oracle.make_map_fixtures
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.oracle.reference import (
    east_post_process,
    pg_post_process,
    sast_post_process,
    stable_sorting,
)
from tests.support import east_cases, pgnet_cases, sast_cases, thinning_cases
from tests.support.ideal.pgnet import CHARACTERS
from tests.support.paths import FIXTURES


def main() -> None:
    """Write the files."""
    made = {"east": east(), "sast": sast(), "pgnet": pgnet(), "thinning": thinning()}
    for name, found in made.items():
        with stable_sorting():
            arrays: dict[str, Any] = dict(found)
        np.savez_compressed(FIXTURES / f"{name}.npz", **arrays)
        for key, value in arrays.items():
            print(name, key, len(value))


def east() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values of the arrays in east.npz."""
    decoder = east_post_process(
        **{
            name.replace("threshold", "thresh"): number
            for name, number in east_cases.NUMBERS.items()
        }
    )
    for name, (score, geometry) in east_cases.cases():
        with silence():
            found = np.array(decoder.detect(score[None], geometry)).reshape(-1, 9)
        yield f"{name}_quads", found[:, :8].reshape(-1, 4, 2).astype(np.float32)
        yield f"{name}_scores", found[:, 8].astype(np.float32)


def sast() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values of the arrays in sast.npz."""
    for kind, numbers in sast_cases.NUMBERS.items():
        decoder = sast_post_process(
            tcl_map_thresh=numbers["score_threshold"],
            nms_thresh=numbers["nms_threshold"],
            sample_pts_num=numbers["sample_points"],
            expand_scale=numbers["expand_scale"],
            shrink_ratio_of_width=numbers["shrink_ratio_of_width"],
        )
        points = 2 * int(numbers["sample_points"])
        for name, maps in sast_cases.cases():
            outputs = {
                "f_score": maps.tcl[None, None],
                "f_border": maps.border[None],
                "f_tvo": maps.tvo[None],
                "f_tco": maps.tco[None],
            }
            with silence():
                found = decoder(outputs, unclipped())[0]["points"]
            yield f"{name}_{kind}", np.array(found, np.float32).reshape(-1, points, 2)


def pgnet() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values of the arrays in pgnet.npz."""
    with tempfile.TemporaryDirectory() as folder:
        dictionary = Path(folder) / "characters.txt"
        dictionary.write_text("\n".join(CHARACTERS) + "\n")
        for gather in ("points", "align"):
            decoder = pg_post_process(
                character_dict_path=str(dictionary),
                valid_set="totaltext",
                score_thresh=pgnet_cases.NUMBERS["score_threshold"],
                mode="fast",
                point_gather_mode=None if gather == "points" else gather,
            )
            for name, maps in pgnet_cases.cases():
                outputs = {
                    "f_score": maps.score[None, None],
                    "f_border": maps.border[None],
                    "f_direction": maps.direction[None],
                    "f_char": maps.characters[None],
                }
                with silence():
                    found = decoder(outputs, unclipped())
                polygons = np.array(found["points"], np.float32).reshape(-1, 12, 2)
                yield f"{name}_{gather}_polygons", polygons
                yield f"{name}_{gather}_texts", np.array(found["texts"], str)


def thinning() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and values of the arrays in thinning.npz."""
    from skimage.morphology import thin

    for number, mask in enumerate(thinning_cases.masks()):
        yield f"{number:02}", np.packbits(thin(mask), axis=1)


def unclipped() -> Any:
    """Return the height, width and scales of a picture so large that it cuts off no polygon.

    Polygons are still cut off at its left and its top.
    """
    return np.array([[1e6, 1e6, 1.0, 1.0]])


def silence() -> contextlib.AbstractContextManager[Any]:
    """Return a context in which nothing is printed."""
    return contextlib.redirect_stdout(io.StringIO())


if __name__ == "__main__":
    main()
