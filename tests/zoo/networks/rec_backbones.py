"""The backbones for lines of text of PP-OCRv3 and later."""

from __future__ import annotations

from collections.abc import Sequence

import paddle.nn.functional as F
from paddle import nn

from tests.zoo.networks.lcnet_v3 import SqueezeExcite
from tests.zoo.networks.lcnet_v4 import Branched, MixerBlock

# PP-LCNetV4's channels in the stem and after it, and for each block channels, stride, squeeze and
# excitation.
LCNET_V4 = {
    "tiny": (24, 48, [
        (48, 1, True), (48, 1, False),
        (96, (2, 1), False), (96, 1, True), (96, 1, False),
        (160, (2, 1), False), (160, 1, True), (160, 1, False), (160, 1, False),
    ]),
    "small": (48, 96, [
        (96, 1, True), (96, 1, False), (96, 1, False),
        (192, (2, 1), False), *[(192, 1, True), (192, 1, False)] * 3,
        (384, (2, 1), False), (384, 1, True), (384, 1, False),
    ]),
    "medium": (64, 128, [
        (128, 1, True), (256, 1, False), (256, 1, False), (256, 1, True),
        (512, (2, 1), False), *[(512, 1, True), (512, 1, False)] * 3,
        (768, (2, 1), False), (768, 1, True), (768, 1, False),
    ]),
}  # fmt: skip


class LastAverage(nn.Layer):
    """A backbone with an average that leaves one row of its last features."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.channels = backbone.channels[-1]

    def forward(self, x):
        return F.avg_pool2d(self.backbone(x)[-1], [3, 2])


class LinePPLCNetV4(nn.Layer):
    """PP-LCNetV4 for lines of text, with PaddleOCR's channels divided by `divisor`."""

    def __init__(self, size: str, divisor: int = 1):
        super().__init__()
        c_mid, width, blocks = LCNET_V4[size]
        c_mid, width = c_mid // divisor, width // divisor
        self.stem = simple_stem(c_mid, width) if size == "tiny" else Branched(c_mid, width)
        layers = []
        for out, stride, excites in blocks:
            layers.append(MixerBlock(width, out // divisor, stride, excites))
            width = out // divisor
        self.blocks = nn.Sequential(*layers)
        self.channels = width

    def forward(self, x):
        x = self.blocks(self.stem(x))
        assert x.shape[2] >= 3
        return F.avg_pool2d(x, [3, 2])


def simple_stem(c_mid, c_out):
    """Make PP-LCNetV4 tiny's stem, whose batch norms `rep()` leaves alone."""
    return nn.Sequential(
        nn.Conv2D(3, c_mid, 3, 2, 1, bias_attr=False),
        nn.BatchNorm2D(c_mid),
        nn.GELU(),
        nn.Conv2D(c_mid, c_out, 3, 2, 1, bias_attr=False),
        nn.BatchNorm2D(c_out),
    )


class ConvHardswish(nn.Layer):
    """A convolution whose activation is an attribute of the batch norm, under its old name."""

    def __init__(self, c_in, c_out, kernel, stride: int | Sequence[int] = 1, groups=1):
        super().__init__()
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2D(c_in, c_out, kernel, stride, padding, groups=groups, bias_attr=False)
        self.bn = nn.BatchNorm(c_out, act="hard_swish")

    def forward(self, x):
        return self.bn(self.conv(x))


def separable(c_in, c_out, kernel=3, stride: int | Sequence[int] = 1, excites=False):
    layers: list[nn.Layer] = [ConvHardswish(c_in, c_in, kernel, stride, groups=c_in)]
    if excites:
        layers.append(SqueezeExcite(c_in))
    return nn.Sequential(*layers, ConvHardswish(c_in, c_out, 1))


class MobileNetV1Enhance(nn.Layer):
    """PP-OCRv3's backbone.

    Args:
        width: Channels of the first convolution; 16 in PaddleOCR.

    Attributes:
        channels: Channels of the output.
    """

    def __init__(self, width):
        super().__init__()
        self.stem = ConvHardswish(3, width, 3, 2)
        self.blocks = nn.Sequential(
            separable(width, width * 2),
            separable(width * 2, width * 4),
            separable(width * 4, width * 4),
            separable(width * 4, width * 8, stride=(2, 1)),
            separable(width * 8, width * 8),
            separable(width * 8, width * 16, stride=(2, 1)),
            *(separable(width * 16, width * 16, 5) for _ in range(5)),
            separable(width * 16, width * 32, 5, (2, 1), excites=True),
            separable(width * 32, width * 32, 5, [1, 2], excites=True),
        )
        self.pool = nn.AvgPool2D(kernel_size=[2, 2], stride=[2, 2], padding=0)
        self.channels = width * 32

    def forward(self, x):
        return self.pool(self.blocks(self.stem(x)))
