"""The detectors of PP-OCRv3 to v6."""

from __future__ import annotations

from tests.zoo.network import Network
from tests.zoo.networks.db import DBHead, Detector
from tests.zoo.networks.db_necks import LKPAN, RSEFPN, LocalHead
from tests.zoo.networks.hgnet import HGNet, Stage
from tests.zoo.networks.lcnet_v3 import DETECTION, PPLCNetV3
from tests.zoo.networks.lcnet_v4 import DETECTION as V4_WIDTHS
from tests.zoo.networks.lcnet_v4 import PPLCNetV4
from tests.zoo.networks.mobilenet_v3 import StagedMobileNetV3

IMAGE = [([None, 3, -1, -1], "float32")]
PROBES = [(1, 3, 64, 96), (1, 3, 96, 32), (2, 3, 32, 64)]
# Two maps: half as many pixels.
SERVER_PROBES = [(1, 3, 32, 64), (1, 3, 64, 32), (2, 3, 32, 64)]


def v3_mobile(width):
    if width == "full":
        backbone, channels = StagedMobileNetV3("large", 0.5, disable_se=True), 96
    else:
        backbone, channels = StagedMobileNetV3("large", 0.05, disable_se=True, divisor=4), 16
    return Detector(backbone, RSEFPN(backbone.channels, channels), DBHead(channels))


def v4_mobile(width):
    """Make the detector of PP-OCRv4 mobile, which is PP-OCRv5 mobile's as well."""
    if width == "full":
        backbone, channels = PPLCNetV3(DETECTION, 0.75, (12, 18, 42, 360)), 96
    else:
        backbone, channels = PPLCNetV3(DETECTION, 0.05, (4, 5, 6, 12), divisor=4), 16
    return Detector(backbone, RSEFPN(backbone.channels, channels), DBHead(channels))


def v4_server(width):
    if width == "full":
        stem, middle, out = (64, 64, 128), (128, 160, 192, 224), (256, 512, 768, 1024)
    else:
        stem, middle, out = (3, 3, 4), (3, 4, 4, 5), (6, 8, 10, 12)
    stages = [
        Stage(middle[0], out[0], 1, None),
        Stage(middle[1], out[1], 1, 2),
        Stage(middle[2], out[2], 2, 2),
        Stage(middle[3], out[3], 1, 2),
    ]
    return server(HGNet(stem, stages), width)


def v5_server(width):
    if width == "full":
        stem, middle, out = (32, 48), (48, 96, 192, 384), (128, 512, 1024, 2048)
    else:
        stem, middle, out = (4, 4), (3, 4, 4, 5), (6, 8, 10, 12)
    stages = [
        Stage(middle[0], out[0], 1, None),
        Stage(middle[1], out[1], 1, 2),
        Stage(middle[2], out[2], 3, 2, kernel=5, light=True),
        Stage(middle[3], out[3], 1, 2, kernel=5, light=True),
    ]
    return server(HGNet(stem, stages), width)


def server(backbone, width):
    channels = 256 if width == "full" else 16
    return Detector(backbone, LKPAN(backbone.channels, channels), LocalHead(channels))


def v6(size):
    """Return what makes PP-OCRv6's detector of a size, in which `rep()` fuses all batch norms."""

    def build(width):
        if width == "full":
            backbone = PPLCNetV4(V4_WIDTHS[size])
            channels = {"tiny": 64, "small": 96, "medium": 256}[size]
        else:
            backbone, channels = PPLCNetV4((4, 8, 10, 12, 16)), 16
        if size == "medium":
            neck = LKPAN(backbone.channels, channels, separable=True)
        else:
            neck = RSEFPN(backbone.channels, channels, kernel={"tiny": 5, "small": 7}[size])
        return Detector(backbone, neck, DBHead(channels, fused=True))

    return build


def settings(name, resize, thresh=0.3, box_thresh=0.6, candidates=1000, unclip=1.5):
    """Return the inference.yml that PaddleOCR's export writes beside the PIR program."""
    shapes = [[1, 3, 32, 32], [1, 3, 736, 736], [1, 3, 4000, 4000]]
    return {
        "Global": {"model_name": name},
        "Hpi": {
            "backend_configs": {
                "paddle_infer": {"trt_dynamic_shapes": {"x": [list(shape) for shape in shapes]}},
                "tensorrt": {"dynamic_shapes": {"x": [list(shape) for shape in shapes]}},
            }
        },
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"DetLabelEncode": None},
                {"DetResizeForTest": resize},
                {
                    "NormalizeImage": {
                        "mean": [0.485, 0.456, 0.406],
                        "order": "hwc",
                        "scale": "1./255.",
                        "std": [0.229, 0.224, 0.225],
                    }
                },
                {"ToCHWImage": None},
                {"KeepKeys": {"keep_keys": ["image", "shape", "polys", "ignore_tags"]}},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": thresh,
            "box_thresh": box_thresh,
            "max_candidates": candidates,
            "unclip_ratio": unclip,
        },
    }


def network(name, build, probes, *arguments):
    return Network(build, "DB", IMAGE, probes, settings(name, *arguments))


V5 = ({"resize_long": 960},)
V6 = (None, 0.2, 0.45, 3000, 1.4)
NETWORKS = {
    name: network(name, build, probes, *arguments)
    for name, build, probes, arguments in [
        ("PP-OCRv3_mobile_det", v3_mobile, PROBES, (None,)),
        ("PP-OCRv4_mobile_det", v4_mobile, PROBES, (None,)),
        ("PP-OCRv4_server_det", v4_server, SERVER_PROBES, (None,)),
        ("PP-OCRv5_mobile_det", v4_mobile, PROBES, V5),
        ("PP-OCRv5_server_det", v5_server, SERVER_PROBES, V5),
        ("PP-OCRv6_tiny_det", v6("tiny"), PROBES, V6),
        ("PP-OCRv6_small_det", v6("small"), PROBES, V6),
        ("PP-OCRv6_medium_det", v6("medium"), PROBES, V6),
    ]
}
