"""PREN, which gathers what belongs to each character from all places of the picture at once."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import Recognizer
from tests.zoo.networks.rec_single import FORMATS, settings

CLASSES = 39  # padding, end, unknown, digits and letters
LENGTH = 25
REPRESENTATIONS = 5
# EfficientNet's stages: kernel, stride, expansion.
STAGES = ((3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6))
# The stages whose features are used.
USED = (2, 4, 6)
# Channels of the stem and of each stage, blocks of each stage, channels of the neck.
FULL = (40, (24, 32, 48, 96, 136, 232, 384), (2, 3, 3, 5, 5, 6, 2), 384)
COMPACT = (4, (4, 4, 4, 4, 4, 6, 6), (1, 2, 1, 1, 1, 1, 1), 12)


class Block(nn.Layer):
    """An inverted bottleneck with squeeze and excitation."""

    def __init__(self, c_in, c_out, kernel, stride, expansion):
        super().__init__()
        channels = c_in * expansion
        self.expand = None
        if expansion != 1:
            self.expand = nn.Conv2D(c_in, channels, 1, bias_attr=False)
            self.bn0 = nn.BatchNorm(channels)
        self.depthwise = nn.Conv2D(
            channels,
            channels,
            groups=channels,
            kernel_size=kernel,
            stride=stride,
            padding="same",
            bias_attr=False,
        )
        self.bn1 = nn.BatchNorm(channels)
        squeezed = max(1, int(c_in * 0.25))
        self.squeeze = nn.Conv2D(channels, squeezed, 1)
        self.excite = nn.Conv2D(squeezed, channels, 1)
        self.project = nn.Conv2D(channels, c_out, 1, bias_attr=False)
        self.bn2 = nn.BatchNorm(c_out)
        self.swish = nn.Swish()
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand is None else self.swish(self.bn0(self.expand(x)))
        y = self.swish(self.bn1(self.depthwise(y)))
        mean = F.adaptive_avg_pool2d(y, 1)
        y = F.sigmoid(self.excite(self.swish(self.squeeze(mean)))) * y
        y = self.bn2(self.project(y))
        return x + y if self.adds else y


class EfficientNet(nn.Layer):
    """Features of three resolutions, of a picture of 64 × 256."""

    def __init__(self, stem, widths, depths):
        super().__init__()
        self.stem = nn.Conv2D(3, stem, 3, 2, padding="same", bias_attr=False)
        self.bn = nn.BatchNorm(stem)
        self.swish = nn.Swish()
        self.stages = nn.LayerList()
        for (kernel, stride, expansion), width, depth in zip(STAGES, widths, depths, strict=True):
            blocks = []
            for index in range(depth):
                step = 1 if index else stride
                blocks.append(Block(width if index else stem, width, kernel, step, expansion))
            self.stages.append(nn.Sequential(*blocks))
            stem = width

    def forward(self, x):
        x = self.swish(self.bn(self.stem(x)))
        found = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in USED:
                found.append(x)
        return found


class Pooled(nn.Layer):
    """Representations N×REPRESENTATIONS×C, each the mean of features of its own."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.channels = c_out
        self.each = nn.LayerList(
            [
                nn.Sequential(
                    nn.Conv2D(c_in, c_in, 3, 2, 1, bias_attr=False),
                    nn.BatchNorm(c_in),
                    nn.Swish(),
                    nn.Conv2D(c_in, c_out, 3, 2, 1, bias_attr=False),
                    nn.BatchNorm(c_out),
                )
                for _ in range(REPRESENTATIONS)
            ]
        )

    def forward(self, x):
        batch = x.shape[0]
        found = []
        for one in self.each:
            mean = F.adaptive_avg_pool2d(one(x), 1)
            found.append(mean.reshape((batch, 1, self.channels)))
        return paddle.concat(found, 1)


class Weighted(nn.Layer):
    """Representations N×REPRESENTATIONS×C, each a sum of features with weights of its own."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.channels = c_out
        middle = 4 * c_in
        self.weights = nn.Sequential(
            nn.Conv2D(c_in, c_in, 3, 1, 1, bias_attr=False),
            nn.BatchNorm(c_in),
            nn.Swish(),
            nn.Conv2D(c_in, REPRESENTATIONS, 1, bias_attr=False),
            nn.BatchNorm(REPRESENTATIONS),
            nn.Sigmoid(),
        )
        self.features = nn.Sequential(
            nn.Conv2D(c_in, middle, 3, 1, 1, bias_attr=False),
            nn.BatchNorm(middle),
            nn.Swish(),
            nn.Conv2D(middle, c_out, 1, bias_attr=False),
            nn.BatchNorm(c_out),
        )

    def forward(self, x):
        batch, _, height, width = x.shape
        weights = self.weights(x).reshape((batch, REPRESENTATIONS, height * width))
        features = self.features(x).reshape((batch, self.channels, height * width))
        return paddle.bmm(weights, features.transpose((0, 2, 1)))


class Characters(nn.Layer):
    """Makes features of LENGTH characters of the representations."""

    def __init__(self, channels):
        super().__init__()
        self.places = nn.Conv1D(REPRESENTATIONS, LENGTH, 1)
        self.linear = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(0.1)
        self.swish = nn.Swish()

    def forward(self, x):
        return self.swish(self.dropout(self.linear(self.places(x))))


class PRENFPN(nn.Layer):
    def __init__(self, widths, channels):
        super().__init__()
        self.pooled = nn.LayerList([Pooled(width, channels // 3) for width in widths])
        self.weighted = nn.LayerList([Weighted(width, channels // 3) for width in widths])
        self.of_pooled = Characters(channels)
        self.of_weighted = Characters(channels)

    def forward(self, levels):
        fine, middle, coarse = levels
        pooled = paddle.concat(
            [self.pooled[0](fine), self.pooled[1](middle), self.pooled[2](coarse)], 2
        )
        weighted = paddle.concat(
            [self.weighted[0](fine), self.weighted[1](middle), self.weighted[2](coarse)], 2
        )
        return 0.5 * (self.of_pooled(pooled) + self.of_weighted(weighted))


class PRENHead(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        self.linear = nn.Linear(channels, CLASSES)

    def forward(self, x):
        return F.softmax(self.linear(x), axis=2)


def pren(width):
    stem, widths, depths, channels = FULL if width == "full" else COMPACT
    neck = PRENFPN([widths[index] for index in USED], channels)
    return Recognizer(EfficientNet(stem, widths, depths), neck, PRENHead(channels))


SHAPE = [3, 64, 256]
PROBES = [(1, *SHAPE), (2, *SHAPE), (3, *SHAPE)]
NETWORKS = {
    "rec_efficientb3_fpn_pren": Network(
        pren,
        "PREN",
        [([None, *SHAPE], "float32")],
        PROBES,
        settings(
            "PRENLabelDecode",
            {"PRENLabelEncode": None},
            {"PRENResizeImg": {"image_shape": SHAPE[1:]}},
            keys=("image", "label"),
        ),
        FORMATS,
    )
}
