"""The classifier that tells whether a line is upside down."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.mobilenet_v3 import LineMobileNetV3


class ClsHead(nn.Layer):
    def __init__(self, c_in):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.fc = nn.Linear(c_in, 2)

    def forward(self, x):
        x = self.pool(x)
        x = paddle.reshape(x, shape=[x.shape[0], x.shape[1]])
        return F.softmax(self.fc(x), axis=1)


class Classifier(nn.Layer):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.head = ClsHead(backbone.channels)

    def forward(self, x):
        return self.head(self.backbone(x))


def ch_mobile_cls(width):
    scale, divisor = (0.35, 8) if width == "full" else (0.08, 4)
    return Classifier(LineMobileNetV3("small", scale, divisor=divisor))


NETWORKS = {
    "ch_ppocr_mobile_v2.0_cls": Network(
        ch_mobile_cls,
        "CLS",
        [([None, 3, -1, -1], "float32")],
        [(1, 3, 48, 192), (1, 3, 32, 100), (3, 3, 48, 96)],
    ),
}
