"""Write tests/fixtures/systems.npz: what Paddle Inference and PaddleOCR 2.10 read.

The systems are those of tests/support/systems.py. The script needs the environment of
make_fixtures.py. Run it from the root of the checkout:

    oracle/bin/python -m tests.oracle.make_system_fixtures
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from tests.oracle.pipeline import crop, detect, label_decode, recognize, upright
from tests.support.paths import FIXTURES, IMAGES, TRAINED_EXPORTS, ZOO_EXPORTS
from tests.support.systems import ALPHANUMERIC, SYSTEMS, System, strips
from tests.trained import pages, words

TARGET = FIXTURES / "systems.npz"
# Number and seed of the pages with arcs; no training uses this seed.
ARCS = (3, 2028)

# PaddleOCR's numbers where a system doesn't change them.
NUMBERS: dict[str, dict[str, Any]] = {
    "DB": {"thresh": 0.3, "box_thresh": 0.6, "unclip_ratio": 1.5, "max_candidates": 1000},
    "EAST": {"score_thresh": 0.8, "cover_thresh": 0.1, "nms_thresh": 0.2},
    "SAST": {"tcl_map_thresh": 0.5, "nms_thresh": 0.2, "sample_pts_num": 2},
    "PGNet": {"valid_set": "totaltext", "score_thresh": 0.5, "mode": "fast"},
}
# PaddleOCR's names of edgeocr's numbers.
NAMES = {
    "threshold": "thresh",
    "box_threshold": "box_thresh",
    "score_threshold": "score_thresh",
    "max_candidates": "max_candidates",
}


def main() -> None:
    """Write the file."""
    arrays: dict[str, Any] = {}
    images = {}
    for name, image in pictures():
        arrays[f"picture {name}"] = cv2.imencode(".png", image)[1].ravel()
        images[name] = image
    for number, (_, _, texts) in enumerate(pages.arcs(*ARCS)):
        arrays[f"picture arcs {number}, texts"] = np.array(texts, str)
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.txt"
        for name, system in SYSTEMS.items():
            capitals = system.trained and "spotting" not in system.stages
            characters = ALPHANUMERIC.upper() if capitals else ALPHANUMERIC
            keys.write_text("\n".join(characters) + "\n")
            if "recognition" in system.stages and not system.trained:
                texts = read(system, strips(system.stages["recognition"], images["sample"]), keys)
                arrays[f"{name}/strips"] = np.array(texts, str)
                print(f"{name}, strips: {texts}")
            if system.stages.keys() == {"recognition"}:
                continue
            for picture in system.pictures:
                regions, texts = find(system, images[picture], keys)
                # PaddleOCR doesn't straighten polygons, so only quads are read.
                quads = regions.shape[1] == 4
                if system.trained and quads and "recognition" in system.stages:
                    texts = read(system, [crop(images[picture], quad) for quad in regions], keys)
                arrays[f"{name}/{picture}/regions"] = regions
                arrays[f"{name}/{picture}/texts"] = np.array(texts, str)
                print(f"{name}, {picture}: {len(regions)} regions, {texts}")
    np.savez_compressed(TARGET, **arrays)


def pictures() -> Iterator[tuple[str, np.ndarray]]:
    """Yield parts of the sample picture, and rendered pages that no network was trained on."""
    sample = cv2.imread(str(IMAGES / "sample.jpg"))
    assert sample is not None
    yield "sample", sample[100:420, 200:648]
    yield "part", sample[200:360, 360:616]
    for number, (arcs, _, _) in enumerate(pages.arcs(*ARCS)):
        yield f"page {number}", page(number)
        yield f"arcs {number}", arcs


def page(seed: int) -> np.ndarray:
    """Draw ten clean words of six characters, which all recognizers of tests/trained can read."""
    canvas = np.full((320, 448, 3), 238, np.uint8)
    for place, word in enumerate(words.clean(10, 1000 + seed)):
        height = 26 + 3 * (place % 4)
        width = round(word.crop.shape[1] * height / word.crop.shape[0])
        top, left = 16 + 60 * (place // 2), 24 + 216 * (place % 2)
        sized = cv2.resize(word.crop, (width, height), interpolation=cv2.INTER_AREA)
        canvas[top : top + height, left : left + width] = sized
    return canvas


def find(system: System, image: np.ndarray, keys: Path) -> tuple[np.ndarray, list[str]]:
    """Return the regions of an image, and what a spotter reads in them."""
    network = system.stages.get("spotting") or system.stages["detection"]
    algorithm, limit, numbers = detection(network)
    for field, value in system.numbers.items():
        numbers["tcl_map_thresh" if algorithm == "SAST" else NAMES[field]] = value
    if algorithm == "PGNet":
        numbers["character_dict_path"] = str(keys)
    return detect(folder_of(network), algorithm, image, limit, numbers)


def read(system: System, crops: Sequence[np.ndarray], keys: Path) -> list[str]:
    """Read crops with a system's recognizer."""
    network = system.stages["recognition"]
    algorithm, shape = recognition(network)
    orientation = system.stages.get("orientation")
    crops = upright(folder_of(orientation) if orientation else None, crops)
    # PaddleX adds the space to what these networks' inference.yml lists.
    decoder = label_decode(algorithm, keys, space=network.startswith("PP-OCRv"))
    return recognize(folder_of(network), algorithm, shape, decoder, crops)


def detection(network: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return algorithm, resizing and numbers of a detector."""
    if (path := TRAINED_EXPORTS / network / "inference.yml").exists():
        settings = yaml.safe_load(path.read_text())
        post = dict(settings["PostProcess"])
        post.pop("character_dict", None)
        if post["name"] == "PGPostProcess":
            post["valid_set"] = "totaltext"
        operators = {k: v for op in settings["PreProcess"]["transform_ops"] for k, v in op.items()}
        resize = operators.get("DetResizeForTest") or operators["E2EResizeForTest"]
        algorithm = post.pop("name").removesuffix("PostProcess").replace("PG", "PGNet")
        return algorithm, dict(resize), post
    algorithm = next(
        (
            name
            for key, name in (("east", "EAST"), ("sast", "SAST"), ("_pg", "PGNet"))
            if key in network
        ),
        "DB",
    )
    limit: dict[str, Any] = {"limit_side_len": 960, "limit_type": "max"}
    numbers = dict(NUMBERS[algorithm])
    if network.startswith("PP-OCRv6"):
        numbers |= {"unclip_ratio": 1.4, "max_candidates": 3000}
    if algorithm == "SAST":
        limit = {"resize_long": 256}
    if algorithm == "PGNet":
        limit = {"max_side_len": 768, "valid_set": "totaltext"}
    return algorithm, limit, numbers


def recognition(network: str) -> tuple[str, list[int]]:
    """Return algorithm and input shape of a recognizer."""
    if network in ("srn", "rec_r50_fpn_srn"):
        return "SRN", [1, 64, 256]
    if network == "rare" or network.endswith("_att"):
        return "RARE", [3, 32, 100]
    if network == "star_net" or "_tps_" in network:
        return "STAR-Net", [3, 32, 100]
    if network.startswith("PP-OCRv"):
        return "CTC", [3, 48, 320]
    return "CTC", [3, 32, 320 if network.startswith("ch_") else 100]


def folder_of(network: str) -> Path:
    """Return the folder of a network's legacy export."""
    trained = TRAINED_EXPORTS / network
    return trained if trained.is_dir() else ZOO_EXPORTS / network / "legacy"


if __name__ == "__main__":
    main()
