"""SRN's backbone: a ResNet50 whose last two stages dilate, and a pyramid of equal sizes."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

DEPTHS = (3, 4, 6, 3)
STRIDES = ((2, 2), (2, 2), (1, 1), (1, 1))


class ConvBN(nn.Layer):
    """A convolution. As in PaddleOCR, the stride (1, 1) means a kernel of 2 with dilation 2."""

    def __init__(self, c_in, c_out, kernel, stride=1, act=None):
        super().__init__()
        dilates = stride == (1, 1)
        self.conv = nn.Conv2D(
            c_in,
            c_out,
            2 if dilates else kernel,
            stride,
            (kernel - 1) // 2,
            dilation=2 if dilates else 1,
            bias_attr=False,
        )
        self.bn = nn.BatchNorm(c_out, act=act)

    def forward(self, x):
        return self.bn(self.conv(x))


class Bottleneck(nn.Layer):
    def __init__(self, c_in, width, stride):
        super().__init__()
        c_out = width * 4
        self.branch = nn.Sequential(
            ConvBN(c_in, width, 1, act="relu"),
            ConvBN(width, width, 3, stride, act="relu"),
            ConvBN(width, c_out, 1),
        )
        self.short = None
        if c_in != c_out or stride != 1:
            self.short = ConvBN(c_in, c_out, 1, 1 if stride == (1, 1) else stride)

    def forward(self, x):
        y = self.branch(x)
        return F.relu(y + (x if self.short is None else self.short(x)))


class ResNetFPN(nn.Layer):
    """The backbone.

    Args:
        width: Channels of the first stage's blocks.
        channels: Channels of the output.
    """

    def __init__(self, width, channels):
        super().__init__()
        self.stem = ConvBN(1, width, 7, 2, act="relu")
        self.stages = nn.LayerList()
        c_in = width
        outputs = []
        for index, (depth, stride) in enumerate(zip(DEPTHS, STRIDES, strict=True)):
            blocks = []
            for block in range(depth):
                blocks.append(Bottleneck(c_in, width << index, 1 if block else stride))
                c_in = (width << index) * 4
            outputs.append(c_in)
            self.stages.append(nn.Sequential(*blocks))
        _, small, middle, large = outputs
        self.merge_middle = self.merged(large + middle, middle)
        self.merge_small = self.merged(middle + small, small)
        self.project = nn.Conv2D(small, channels, 1)
        self.channels = channels

    def merged(self, c_in, c_out):
        return nn.Sequential(
            nn.Conv2D(c_in, c_out, 1),
            nn.Conv2D(c_out, c_out, 3, padding=1),
            nn.BatchNorm(c_out, act="relu"),
        )

    def forward(self, x):
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        _, small, middle, large = features
        x = self.merge_middle(paddle.concat([large, middle], axis=1))
        x = self.merge_small(paddle.concat([x, small], axis=1))
        return self.project(x)
