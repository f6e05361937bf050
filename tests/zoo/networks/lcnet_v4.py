"""PP-LCNetV4 as `rep()` leaves it, which merges branches and batch norms into convolutions."""

from __future__ import annotations

from collections.abc import Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

# Channels in the stem, after it, and of the three stages that follow the first.
DETECTION = {
    "tiny": (16, 32, 48, 64, 160),
    "small": (24, 48, 96, 192, 384),
    "medium": (64, 128, 256, 512, 896),
}
DEPTHS = (2, 3, 5, 3)


class Branched(nn.Layer):
    """The stem, which reduces to a quarter of the size; its kernels of 2 are padded."""

    def __init__(self, c_mid, c_out):
        super().__init__()
        self.first = nn.Conv2D(3, c_mid, 3, 2, 1)
        self.narrow = nn.Conv2D(c_mid, c_mid // 2, 2, 1, "SAME")
        self.widen = nn.Conv2D(c_mid // 2, c_mid, 2, 1, "SAME")
        self.pool = nn.MaxPool2D(kernel_size=2, stride=1, padding="SAME")
        self.third = nn.Conv2D(c_mid * 2, c_mid, 3, 2, 1)
        self.fourth = nn.Conv2D(c_mid, c_out, 1)

    def forward(self, x):
        x = F.relu(self.first(x))
        branch = F.relu(self.widen(F.relu(self.narrow(x))))
        x = paddle.concat([self.pool(x), branch], axis=1)
        return F.relu(self.fourth(F.relu(self.third(x))))


class SqueezeExcite(nn.Layer):
    """Squeeze and excitation that takes the mean instead of a pooling layer."""

    def __init__(self, channels):
        super().__init__()
        self.squeeze = nn.Conv2D(channels, channels // 4, 1)
        self.excite = nn.Conv2D(channels // 4, channels, 1)

    def forward(self, x):
        gate = x.mean(axis=[2, 3], keepdim=True)
        gate = self.excite(F.relu(self.squeeze(gate)))
        return paddle.multiply(x, F.hardsigmoid(gate))


class MixerBlock(nn.Layer):
    """A depthwise convolution, squeeze and excitation if asked for, and a mix of the channels."""

    def __init__(self, c_in, c_out, stride, excites):
        super().__init__()
        self.adds = c_in == c_out and stride == 1
        self.token = nn.Sequential(nn.Conv2D(c_in, c_in, 3, stride, 1, groups=c_in))
        if excites:
            self.token.add_sublayer("excite", SqueezeExcite(c_in))
        self.channel = nn.Sequential(
            nn.Conv2D(c_in, c_in * 2, 1), nn.GELU(), nn.Conv2D(c_in * 2, c_out, 1)
        )

    def forward(self, x):
        x = self.token(x)
        return x + self.channel(x) if self.adds else self.channel(x)


class PPLCNetV4(nn.Layer):
    """The backbone of detectors, which returns the features of strides 4, 8, 16 and 32."""

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        c_mid, width, *_ = widths
        self.stem = Branched(c_mid, width)
        self.channels = list(widths[1:])
        self.stages = nn.LayerList()
        for stage, (out, depth) in enumerate(zip(self.channels, DEPTHS, strict=True)):
            blocks = []
            for index in range(depth):
                stride = 2 if stage and not index else 1
                excites = index % 2 == (1 if stage else 0)
                blocks.append(MixerBlock(width, out, stride, excites))
                width = out
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x):
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features
