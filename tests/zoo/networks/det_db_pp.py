"""DB++, which is DB with deformable convolutions and attention over the levels of its neck."""

from __future__ import annotations

from tests.zoo.network import Network
from tests.zoo.networks.db import DBFPN, DBHead, Detector
from tests.zoo.networks.det_curved import IMAGE, PROBES, settings
from tests.zoo.networks.resnet_vd import FULL, NARROW, ResNetVd

# The means of DB++'s own normalization; it divides by nothing.
MEAN = [0.48109378172549, 0.45752457890196, 0.40787054090196]


def det_r50_db_pp(width):
    widths, channels = (FULL, 256) if width == "full" else (NARROW, 16)
    backbone = ResNetVd(50, widths, vd=False, offset_groups=1)
    neck = DBFPN(backbone.channels, channels, fused=True)
    return Detector(backbone, neck, DBHead(neck.channels))


SETTINGS = settings(
    {"DetResizeForTest": {"image_shape": [1152, 2048]}},
    {
        "name": "DBPostProcess",
        "thresh": 0.3,
        "box_thresh": 0.6,
        "max_candidates": 1000,
        "unclip_ratio": 1.5,
    },
    {"mean": MEAN, "std": [1.0, 1.0, 1.0], "scale": "1./255.", "order": "hwc"},
)
NETWORKS = {"det_r50_db++_icdar15": Network(det_r50_db_pp, "DB", IMAGE, PROBES, SETTINGS)}
