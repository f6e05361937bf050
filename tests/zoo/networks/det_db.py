"""The detectors with DB before PP-OCRv3."""

from __future__ import annotations

from tests.zoo.network import Network
from tests.zoo.networks.db import DBFPN, DBHead, Detector
from tests.zoo.networks.mobilenet_v3 import StagedMobileNetV3
from tests.zoo.networks.resnet_vd import COMPACT, FULL, ResNetVd

IMAGE = [([None, 3, -1, -1], "float32")]
PROBES = [(1, 3, 64, 96), (1, 3, 96, 32), (2, 3, 32, 64)]


def joined(backbone, channels):
    neck = DBFPN(backbone.channels, channels)
    return Detector(backbone, neck, DBHead(neck.channels))


def det_mv3_db(width):
    if width == "full":
        return joined(StagedMobileNetV3("large", 0.5), 256)
    return joined(StagedMobileNetV3("large", 0.05, divisor=4), 16)


def det_r50_vd_db(width):
    if width == "full":
        return joined(ResNetVd(50, FULL), 256)
    return joined(ResNetVd(50, COMPACT), 16)


def ch_mobile(width):
    if width == "full":
        return joined(StagedMobileNetV3("large", 0.5, disable_se=True), 96)
    return joined(StagedMobileNetV3("large", 0.05, disable_se=True, divisor=4), 16)


NETWORKS = {
    "det_mv3_db": Network(det_mv3_db, "DB", IMAGE, PROBES),
    "det_r50_vd_db": Network(det_r50_vd_db, "DB", IMAGE, PROBES),
    "ch_ppocr_mobile_v2.0_det": Network(ch_mobile, "DB", IMAGE, PROBES),
}
