"""The recognizers of PP-OCRv3 to v6, of whose heads only the one for CTC is exported."""

from __future__ import annotations

import string
from typing import Any

from tests.zoo.network import Network
from tests.zoo.networks.hgnet import HGNet, Stage
from tests.zoo.networks.lcnet_v3 import RECOGNITION, PPLCNetV3
from tests.zoo.networks.rec_backbones import LastAverage, LinePPLCNetV4, MobileNetV1Enhance
from tests.zoo.networks.rec_parts import CHINESE, CTCHead, Recognizer, ToSequence
from tests.zoo.networks.rec_svtr import GuidedCTCHead, LightSVTREncoder, SVTREncoder

LINE = [([None, 3, 48, -1], "float32")]
LINES = [(1, 3, 48, 96), (1, 3, 48, 164), (3, 3, 48, 64)]
CLASSES = {
    "PP-OCRv3_mobile_rec": CHINESE,
    "PP-OCRv4_mobile_rec": CHINESE,
    "PP-OCRv4_server_rec": CHINESE,
    "PP-OCRv5_mobile_rec": 18385,
    "PP-OCRv5_server_rec": 18385,
    "PP-OCRv6_tiny_rec": 6906,
    "PP-OCRv6_small_rec": 18710,
    "PP-OCRv6_medium_rec": 18710,
}
CHARACTERS = string.digits + string.ascii_lowercase
HGNET_SMALL = [
    Stage(128, 256, 1, (2, 1)),
    Stage(160, 512, 1, (1, 2)),
    Stage(192, 768, 2, (2, 1)),
    Stage(224, 1024, 1, (2, 1)),
]
HGNET_V2_B4 = [
    Stage(48, 128, 1, (2, 1)),
    Stage(96, 512, 1, (1, 2)),
    Stage(192, 1024, 3, (2, 1), 5, light=True),
    Stage(384, 2048, 1, (2, 1), 5, light=True),
]
COMPACT = [(4, 8), (4, 8), (4, 12), (6, 24)]


def classes_of(name, width):
    """Return the number of classes, with the blank and the space."""
    return CLASSES[name] if width == "full" else len(CHARACTERS) + 2


def settings(name: str, characters: list[str]) -> dict[str, Any]:
    """Return the inference.yml, for characters without the blank and the space."""
    # One object in both places, so that the file has the anchor that PaddleOCR's have.
    shapes = {"x": [[1, 3, 48, 160], [1, 3, 48, 320], [8, 3, 48, 3200]]}
    old = name == "PP-OCRv3_mobile_rec"
    keys = ["image", "label_ctc", "label_sar" if old else "label_gtc", "length", "valid_ratio"]
    return {
        "Global": {"model_name": name},
        "Hpi": {
            "backend_configs": {
                "paddle_infer": {"trt_dynamic_shapes": shapes},
                "tensorrt": {"dynamic_shapes": shapes},
            }
        },
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
                {"MultiLabelEncode": None if old else {"gtc_encode": "NRTRLabelEncode"}},
                {"RecResizeImg": {"image_shape": [3, 48, 320]}},
                {"KeepKeys": {"keep_keys": keys}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters},
    }


def with_svtr(name, width, backbone):
    """Add the SVTR neck of PP-OCRv3 to v5 and a CTC head to a backbone."""
    full = width == "full"
    wide = name == "PP-OCRv3_mobile_rec"
    hidden, channels = (120, 64 if wide else 120) if full else (16, 12)
    counts = "v5" not in name
    kernel = (3, 3) if wide else (1, 3)
    neck = SVTREncoder(backbone.channels, channels, hidden, kernel, counts)
    return Recognizer(backbone, neck, CTCHead(channels, classes_of(name, width)))


def mobile_v3(width):
    backbone = MobileNetV1Enhance(16 if width == "full" else 1)
    return with_svtr("PP-OCRv3_mobile_rec", width, backbone)


def mobile(name):
    def build(width):
        scale, divisor = (0.95, 16) if width == "full" else (0.05, 4)
        backbone = PPLCNetV3(RECOGNITION, scale, divisor=divisor)
        return with_svtr(name, width, LastAverage(backbone))

    return build


def narrow(stages):
    pairs = zip(stages, COMPACT, strict=True)
    return [stage._replace(middle=middle, out=out) for stage, (middle, out) in pairs]


def server_v4(width):
    full = width == "full"
    stem, stages = ((64, 64, 128), HGNET_SMALL) if full else ((4, 4, 8), narrow(HGNET_SMALL))
    return with_svtr("PP-OCRv4_server_rec", width, LastAverage(HGNet(stem, stages, pool=False)))


def server_v5(width):
    full = width == "full"
    stem, stages = ((32, 48), HGNET_V2_B4) if full else ((4, 6), narrow(HGNET_V2_B4))
    return with_svtr("PP-OCRv5_server_rec", width, LastAverage(HGNet(stem, stages, stem_stride=1)))


def tiny_v6(width):
    full = width == "full"
    backbone = LinePPLCNetV4("tiny", 1 if full else 12)
    classes = classes_of("PP-OCRv6_tiny_rec", width)
    head = GuidedCTCHead(backbone.channels, classes, 80 if full else 10)
    return Recognizer(backbone, ToSequence(), head)


def light_v6(size, channels, growth, divisor):
    def build(width):
        full = width == "full"
        backbone = LinePPLCNetV4(size, 1 if full else divisor)
        neck = LightSVTREncoder(backbone.channels, channels if full else 16, growth)
        head = CTCHead(neck.channels, classes_of(f"PP-OCRv6_{size}_rec", width))
        return Recognizer(backbone, neck, head)

    return build


BUILDS = {
    "PP-OCRv3_mobile_rec": mobile_v3,
    "PP-OCRv4_mobile_rec": mobile("PP-OCRv4_mobile_rec"),
    "PP-OCRv4_server_rec": server_v4,
    "PP-OCRv5_mobile_rec": mobile("PP-OCRv5_mobile_rec"),
    "PP-OCRv5_server_rec": server_v5,
    "PP-OCRv6_tiny_rec": tiny_v6,
    "PP-OCRv6_small_rec": light_v6("small", 120, 2.0, 24),
    "PP-OCRv6_medium_rec": light_v6("medium", 192, 4.0, 32),
}
NETWORKS = {
    name: Network(build, "CTC", LINE, LINES, settings(name, list(CHARACTERS)))
    for name, build in BUILDS.items()
}
