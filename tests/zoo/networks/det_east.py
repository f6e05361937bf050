"""EAST's detectors, in which features pass a ladder of transposed convolutions."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.db import Detector
from tests.zoo.networks.mobilenet_v3 import StagedMobileNetV3
from tests.zoo.networks.resnet_vd import COMPACT, FULL, ConvBN, ResNetVd

IMAGE = [([None, 3, -1, -1], "float32")]
PROBES = [(1, 3, 64, 96), (1, 3, 96, 64), (2, 3, 64, 64)]


class DeconvBN(nn.Layer):
    """Doubles the size; the activation is an attribute of the batch norm."""

    def __init__(self, c_in, c_out, act=None):
        super().__init__()
        self.deconv = nn.Conv2DTranspose(c_in, c_out, 4, stride=2, padding=1, bias_attr=False)
        self.bn = nn.BatchNorm(c_out, act=act)

    def forward(self, x):
        return self.bn(self.deconv(x))


class EASTFPN(nn.Layer):
    def __init__(self, c_in, width):
        super().__init__()
        deepest, *others = reversed(c_in)
        self.grow = nn.LayerList([DeconvBN(c, width, "relu") for c in (deepest, width, width)])
        self.join = nn.LayerList([ConvBN(width + c, width, 3, act="relu") for c in others])
        self.last = ConvBN(width, width, 3, act="relu")

    def forward(self, features):
        c2, c3, c4, c5 = features
        h = self.join[0](paddle.concat([self.grow[0](c5), c4], axis=1))
        h = self.join[1](paddle.concat([self.grow[1](h), c3], axis=1))
        h = self.join[2](paddle.concat([self.grow[2](h), c2], axis=1))
        return self.last(h)


class EASTHead(nn.Layer):
    """Gives the score and the offsets of four corners, up to 800 pixels, at stride 4."""

    def __init__(self, width):
        super().__init__()
        self.first = ConvBN(width, width, 3, act="relu")
        self.second = ConvBN(width, width // 2, 3, act="relu")
        self.score = ConvBN(width // 2, 1, 1)
        self.geometry = ConvBN(width // 2, 8, 1)

    def forward(self, x):
        x = self.second(self.first(x))
        score = F.sigmoid(self.score(x))
        geometry = (F.sigmoid(self.geometry(x)) - 0.5) * 2 * 800
        return {"f_score": score, "f_geo": geometry}


def joined(backbone, width):
    return Detector(backbone, EASTFPN(backbone.channels, width), EASTHead(width))


def det_mv3_east(width):
    if width == "full":
        return joined(StagedMobileNetV3("large", 0.5), 64)
    return joined(StagedMobileNetV3("large", 0.05, divisor=4), 8)


def det_r50_vd_east(width):
    if width == "full":
        return joined(ResNetVd(50, FULL), 128)
    return joined(ResNetVd(50, COMPACT), 8)


NETWORKS = {
    "det_mv3_east": Network(det_mv3_east, "EAST", IMAGE, PROBES),
    "det_r50_vd_east": Network(det_r50_vd_east, "EAST", IMAGE, PROBES),
}
