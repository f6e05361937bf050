"""Bundles of whole systems, made without Paddle from the exports in tests/zoo and tests/trained.

edgeocr reads the same pictures with them as Paddle Inference with PaddleOCR's own processing did in
tests/oracle/make_system_fixtures.py.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr import Bundle
from edgeocr.images import Image
from tests.support.paths import FIXTURES, TRAINED_EXPORTS, ZOO_EXPORTS

ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyz"
# Random networks see the picture at its own size, rounded to their strides.
RESIZE = {"DB": {"limit": "max"}, "EAST": {"limit": "max"}, "SAST": {"limit_side": 256}}
# Networks without an inference.yml are known by their names in models.toml.
ENTRIES = {
    **{name: f"{name}_v2.0" for name in ("det_mv3_db", "det_r50_vd_db")},
    **{name: f"{name}_v2.0" for name in ("det_mv3_east", "det_r50_vd_east")},
    **{
        f"rec_{backbone}_{way}": f"rec_{backbone}_{way}_v2.0"
        for backbone in ("mv3", "r34_vd")
        for way in ("none_none_ctc", "none_bilstm_ctc", "tps_bilstm_ctc", "tps_bilstm_att")
    },
    "det_r50_vd_sast_icdar15": "det_r50_vd_sast_icdar15",
    "rec_r50_fpn_srn": "rec_r50_fpn_srn",
    "e2e_r50_vd_pg": "e2e_r50_vd_pg",
}


@dataclass(frozen=True)
class System:
    """A bundle's models, as folders below tests/zoo/exports or tests/trained/exports.

    Attributes:
        stages: The name of the network of each stage.
        numbers: Numbers of the detector's post-processing that replace those in the manifest.
        pictures: Names of the pictures in the fixture that it reads.
    """

    stages: dict[str, str]
    numbers: dict[str, float] = field(default_factory=dict)
    pictures: tuple[str, ...] = ("part",)

    @property
    def trained(self) -> bool:
        """Whether its networks are trained to find and read texts; others answer at random."""
        return all((TRAINED_EXPORTS / network).is_dir() for network in self.stages.values())


def _system(detection: str, recognition: str, threshold: float, **more: str) -> System:
    """Make a system of random networks, which find nothing with the thresholds of trained ones."""
    stages = {"detection": detection, **more, "recognition": recognition}
    if "east" in detection:
        return System(stages, {"score_threshold": threshold})
    # The maps are full of specks; with too many candidates PaddleOCR keeps only the lowest ones.
    numbers = {"threshold": threshold, "box_threshold": threshold / 2, "max_candidates": 100_000}
    return System(stages, numbers)


def _trained(kind: str, **stages: str) -> System:
    return System(stages, pictures=tuple(f"{kind} {number}" for number in range(3)))


SYSTEMS = {
    "DB, Rosetta": _system("det_mv3_db", "rec_mv3_none_none_ctc", 0.6),
    "DB, CRNN, ResNet": _system("det_r50_vd_db", "rec_r34_vd_none_bilstm_ctc", 0.7),
    "EAST, STAR-Net": _system("det_mv3_east", "rec_mv3_tps_bilstm_ctc", 0.8),
    "EAST, RARE, ResNet": _system("det_r50_vd_east", "rec_r34_vd_tps_bilstm_att", 0.6),
    "SAST, SRN": System(
        {"detection": "det_r50_vd_sast_icdar15", "recognition": "rec_r50_fpn_srn"},
        pictures=("sample",),
    ),
    "PGNet": System({"spotting": "e2e_r50_vd_pg"}),
    "PP-OCR 2.0 mobile": _system(
        "ch_ppocr_mobile_v2.0_det",
        "ch_ppocr_mobile_v2.0_rec",
        0.7,
        orientation="ch_ppocr_mobile_v2.0_cls",
    ),
    "PP-OCR 2.0 server": _system("det_r50_vd_db", "ch_ppocr_server_v2.0_rec", 0.8),
    **{
        f"PP-OCR{name}": _system(f"PP-OCR{name}_det", f"PP-OCR{name}_rec", threshold)
        for name, threshold in (
            ("v3_mobile", 0.8),
            ("v4_mobile", 0.9),
            ("v4_server", 0.5),
            ("v5_mobile", 0.7),
            ("v5_server", 0.3),
            ("v6_tiny", 0.3),
            ("v6_small", 0.5),
            ("v6_medium", 0.7),
        )
    },
    **{
        name: System({"recognition": network})
        for name, network in {
            "CRNN": "rec_mv3_none_bilstm_ctc",
            "Rosetta, ResNet": "rec_r34_vd_none_none_ctc",
            "STAR-Net, ResNet": "rec_r34_vd_tps_bilstm_ctc",
            "RARE": "rec_mv3_tps_bilstm_att",
        }.items()
    },
    "trained DB, CRNN": _trained("page", detection="db", recognition="crnn"),
    "trained DB, Rosetta": _trained("page", detection="db", recognition="rosetta"),
    "trained DB, SRN": _trained("page", detection="db", recognition="srn"),
    "trained EAST, STAR-Net": _trained("page", detection="east", recognition="star_net"),
    "trained EAST, RARE": _trained("page", detection="east", recognition="rare"),
    "trained SAST, CRNN": _trained("arcs", detection="sast", recognition="crnn"),
    "trained PGNet": _trained("arcs", spotting="pgnet"),
}


def strips(network: str, picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Cut parts of a picture that neither edgeocr nor PaddleOCR resizes or pads."""
    height, width = 48 if network.startswith("PP-OCRv") else 32, 100
    if network.startswith(("PP-OCRv", "ch_")):
        width = 320
    if network == "rec_r50_fpn_srn":
        height, width = 64, 256
    fixed = "tps" in network or height == 64
    widths = (width, width, width) if fixed else (width, width + 64, width)
    return [
        np.ascontiguousarray(picture[top : top + height, left : left + wide])
        for (top, left), wide in zip(((60, 0), (115, 60), (170, 0)), widths, strict=True)
    ]


def folder_of(network: str) -> Path:
    """Return the folder of an export: the PIR one if only that has an inference.yml."""
    if (TRAINED_EXPORTS / network).is_dir():
        return TRAINED_EXPORTS / network
    legacy, pir = ZOO_EXPORTS / network / "legacy", ZOO_EXPORTS / network / "pir"
    return pir if (pir / "inference.yml").is_file() else legacy


@cache
def bundle(name: str, detection: bool = True) -> Bundle:
    """Make and open the bundle of a system, once in a process.

    Args:
        name: One of `SYSTEMS`.
        detection: Include the detection stage, where the system has one.
    """
    # Imported here: the script of the oracle uses this module where pytest is missing.
    from tests.support import frozen

    system = SYSTEMS[name]
    with tempfile.TemporaryDirectory() as temporary:
        sources: dict[str, Any] = {
            stage: _source(network, Path(temporary) / stage)
            for stage, network in system.stages.items()
            if detection or stage != "detection"
        }
        made = frozen.frozen(Path(temporary) / "system.edgeocr", **sources)
        if system.trained:
            return made
        manifest = json.loads(made.manifest_text)
        if "detection" in sources:
            stage = manifest["stages"]["detection"]
            stage["postprocess"] |= system.numbers
            stage["resize"] |= RESIZE[stage["algorithm"]]
        if "recognition" in system.stages:
            manifest["stages"]["recognition"]["minimum_score"] = 0.0
        return frozen.stored(made, Path(temporary) / "random.edgeocr", json.dumps(manifest) + "\n")


def _source(network: str, folder: Path) -> str:
    """Copy a model and add the files that the zoo lacks; return it as `freeze` takes it."""
    shutil.copytree(folder_of(network), folder)
    if network in ENTRIES:
        (folder / "ic15_dict.txt").write_text("\n".join(ALPHANUMERIC) + "\n", "utf-8")
        return f"{ENTRIES[network]}={folder}"
    if not (folder / "inference.yml").exists():
        (folder / "inference.yml").write_text(json.dumps(YML[network]), "utf-8")
    return str(folder)


def _yml(model: str, operators: list[dict[str, Any]], post: dict[str, Any]) -> dict[str, Any]:
    """Return the inference.yml that PaddleOCR writes since version 3."""
    return {
        "Global": {"model_name": model},
        "PreProcess": {"transform_ops": [{"DecodeImage": {"img_mode": "BGR"}}, *operators]},
        "PostProcess": post,
    }


_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "scale": "1./255."}
_CTC = {
    "name": "CTCLabelDecode",
    "character_dict": list(ALPHANUMERIC),
    "use_space_char": False,
}
# The exports of PP-OCR 2.0 have no inference.yml, and the published networks other classes.
YML = {
    "ch_ppocr_mobile_v2.0_det": _yml(
        "ch_ppocr_mobile_v2.0_det",
        [{"DetResizeForTest": {"limit_side_len": 960, "limit_type": "max"}},
         {"NormalizeImage": _IMAGENET}],
        {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": 0.6, "unclip_ratio": 1.5},
    ),
    "ch_ppocr_mobile_v2.0_cls": _yml(
        "ch_ppocr_mobile_v2.0_cls",
        [{"ClsResizeImg": {"image_shape": [3, 48, 192]}}],
        {"name": "ClsPostProcess", "label_list": ["0", "180"]},
    ),
    **{
        name: _yml(name, [{"RecResizeImg": {"image_shape": [3, 32, 320]}}], _CTC)
        for name in ("ch_ppocr_mobile_v2.0_rec", "ch_ppocr_server_v2.0_rec")
    },
}  # fmt: skip


@cache
def stored() -> dict[str, np.ndarray]:
    """Return what PaddleOCR found and read, and the pictures that it was given, by name."""
    with np.load(FIXTURES / "systems.npz") as file:
        return {name: file[name] for name in file.files}


def picture(name: str) -> Image:
    """Return one of the pictures that PaddleOCR was given."""
    decoded = cv2.imdecode(stored()[f"picture {name}"], cv2.IMREAD_COLOR)
    return np.asarray(decoded, np.uint8)
