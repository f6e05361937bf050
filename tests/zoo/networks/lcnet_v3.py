"""PP-LCNetV3 as `rep()` leaves it, which merges the branches of a layer into one convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import nn
from paddle.nn.initializer import Constant

from tests.zoo.networks.mobilenet_v3 import rounded

# Kernel, channels, stride, squeeze and excitation, of scale 1. The first two stages are one.
DETECTION: list[list[tuple[Any, ...]]] = [
    [(3, 32, 1, False), (3, 64, 2, False), (3, 64, 1, False)],
    [(3, 128, 2, False), (3, 128, 1, False)],
    [(3, 256, 2, False), *[(5, 256, 1, False)] * 4],
    [(5, 512, 2, True), (5, 512, 1, True), (5, 512, 1, False), (5, 512, 1, False)],
]
RECOGNITION: list[list[tuple[Any, ...]]] = [
    [(3, 32, 1, False), (3, 64, 1, False), (3, 64, 1, False)],
    [(3, 128, (2, 1), False), (3, 128, 1, False)],
    [(3, 256, (1, 2), False), *[(5, 256, 1, False)] * 4],
    [(5, 512, (2, 1), True), (5, 512, 1, True), (5, 512, (2, 1), False), (5, 512, 1, False)],
]


class Affine(nn.Layer):
    """Scales and shifts all channels by the same two numbers."""

    def __init__(self):
        super().__init__()
        self.scale = self.create_parameter([1], default_initializer=Constant(1.0))
        self.bias = self.create_parameter([1], default_initializer=Constant(0.0))

    def forward(self, x):
        return self.scale * x + self.bias


class RepConv(nn.Layer):
    """A convolution and an activation, which PaddleOCR leaves out for the stride 2 (not a pair)."""

    def __init__(self, c_in, c_out, kernel, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, kernel, stride, (kernel - 1) // 2, groups=groups)
        self.affine = Affine()
        self.act = None if stride == 2 else nn.Sequential(nn.Hardswish(), Affine())

    def forward(self, x):
        x = self.affine(self.conv(x))
        return x if self.act is None else self.act(x)


class SqueezeExcite(nn.Layer):
    """Squeeze and excitation as in MobileNetV3, with another slope of the gate."""

    def __init__(self, channels):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.squeeze = nn.Conv2D(channels, channels // 4, 1)
        self.excite = nn.Conv2D(channels // 4, channels, 1)

    def forward(self, x):
        gate = self.excite(F.relu(self.squeeze(self.pool(x))))
        return paddle.multiply(x, F.hardsigmoid(gate))


class PPLCNetV3(nn.Layer):
    """The backbone, which returns the features of its four stages.

    Args:
        stages: The blocks of each stage.
        scale: Factor for the channels.
        taps: Channels to which a convolution brings each stage's features, in detection.
        divisor: Makes all numbers of channels its multiples.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[tuple]] = DETECTION,
        scale: float = 0.75,
        taps: Sequence[int] | None = None,
        divisor: int = 16,
    ):
        super().__init__()
        width = rounded(16 * scale, divisor)
        self.stem = nn.Sequential(
            nn.Conv2D(3, width, 3, 2, 1, bias_attr=False), nn.BatchNorm2D(width)
        )
        self.stages = nn.LayerList()
        self.channels: list[int] = []
        for blocks in stages:
            layers: list[nn.Layer] = []
            for kernel, out, stride, excites in blocks:
                layers.append(RepConv(width, width, kernel, stride, groups=width))
                if excites:
                    layers.append(SqueezeExcite(width))
                out = rounded(out * scale, divisor)
                layers.append(RepConv(width, out, 1))
                width = out
            self.stages.append(nn.Sequential(*layers))
            self.channels.append(width)
        self.taps = None
        if taps is not None:
            pairs = zip(self.channels, taps, strict=True)
            self.taps = nn.LayerList([nn.Conv2D(c_in, c_out, 1) for c_in, c_out in pairs])
            self.channels = list(taps)

    def forward(self, x):
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        if self.taps is not None:
            for index, tap in enumerate(self.taps):
                features[index] = tap(features[index])
        return features
