"""ResNet-vd as PaddleOCR has it for detection and, with other strides, for lines of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn
from paddle.vision.ops import DeformConv2D

from tests.zoo.weights import coarse

# The fifth stage is SAST's and PGNet's.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3, 3)}
FULL = (64, 128, 256, 512)
COMPACT = (3, 4, 6, 8)
# For deformable convolutions, which have many more weights than others.
NARROW = (3, 4, 4, 4)


class ConvBN(nn.Layer):
    """A padded convolution, and a batch norm with the activation as its attribute.

    With `pool` an average of that kernel and stride comes first, which is the "vd" of shortcuts.
    """

    def __init__(self, c_in, c_out, kernel, stride=1, groups=1, act=None, pool=None):
        super().__init__()
        self.pool = None if pool is None else nn.AvgPool2D(pool, pool, 0, ceil_mode=True)
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2D(c_in, c_out, kernel, stride, padding, groups=groups, bias_attr=False)
        self.bn = nn.BatchNorm(c_out, act=act)

    def forward(self, x):
        if self.pool is not None:
            x = self.pool(x)
        return self.bn(self.conv(x))


class DeformableConv(nn.Layer):
    """A convolution of 3 x 3 whose nine positions a convolution moves and weighs (DCNv2).

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: Stride of both convolutions.
        groups: Number of groups of channels, each of which has its own positions and weights.
    """

    def __init__(self, c_in, c_out, stride, groups):
        super().__init__()
        self.moved = 2 * 9 * groups
        self.conv = DeformConv2D(
            c_in, c_out, 3, stride, 1, deformable_groups=groups, bias_attr=False
        )
        self.offset = nn.Conv2D(c_in, 3 * 9 * groups, 3, stride, 1)
        # The offsets vary little around numbers of up to 1.5 pixels, as those of trained networks.
        # In noise that depends on larger ones rounding grows from layer to layer.
        random = np.random.RandomState(c_in + stride)
        weight = coarse(random.normal(0, 0.02, self.offset.weight.shape))
        bias = np.round(random.uniform(-1.5, 1.5, self.offset.bias.shape) * 16) / 16
        self.offset.weight.set_value(weight.astype("float32"))
        self.offset.bias.set_value(bias.astype("float32"))
        self.offset.keeps = ("weight", "bias")

    def forward(self, x):
        offset, mask = paddle.split(self.offset(x), [self.moved, self.moved // 2], axis=1)
        return self.conv(x, offset, mask=F.sigmoid(mask))


class DeformableConvBN(nn.Layer):
    """A deformable convolution, and a batch norm with the activation as its attribute."""

    def __init__(self, c_in, c_out, stride, groups):
        super().__init__()
        self.conv = DeformableConv(c_in, c_out, stride, groups)
        self.bn = nn.BatchNorm(c_out, act="relu")

    def forward(self, x):
        return self.bn(self.conv(x))


class Residual(nn.Layer):
    """Adds a branch and the input, which `short` brings to the same shape if necessary."""

    def __init__(self, branch, short):
        super().__init__()
        self.branch = branch
        self.short = short

    def forward(self, x):
        y = self.branch(x)
        return F.relu(paddle.add(x if self.short is None else self.short(x), y))


def bottleneck(c_in, width, stride, short, offset_groups):
    first = ConvBN(c_in, width, 1, act="relu")
    if offset_groups:
        middle = DeformableConvBN(width, width, stride, offset_groups)
    else:
        middle = ConvBN(width, width, 3, stride, act="relu")
    return Residual(nn.Sequential(first, middle, ConvBN(width, width * 4, 1)), short)


def basic(c_in, width, stride, short, offset_groups):
    branch = nn.Sequential(ConvBN(c_in, width, 3, stride, act="relu"), ConvBN(width, width, 3))
    return Residual(branch, short)


class ResNetVd(nn.Layer):
    """The backbone, which returns the features of its four stages.

    Args:
        layers: Number of layers, as in the name ResNet50.
        widths: Channels of the stages' blocks; bottlenecks give four times as many.
        stride: Stride of the last three stages; (2, 1) in recognition.
        stem_stride: Stride of the first convolution; 1 in recognition.
        vd: False for PGNet and DB++, whose stem is a single large convolution and whose shortcuts
            have no average.
        offset_groups: Groups of the deformable convolutions that replace the convolutions of 3 x 3
            from the second stage on; 0 for none. It needs bottlenecks.

    Attributes:
        channels: Channels of the features of each stage.
    """

    def __init__(
        self,
        layers: int = 50,
        widths: Sequence[int] = FULL,
        stride: int | tuple[int, int] = 2,
        stem_stride: int = 2,
        vd: bool = True,
        offset_groups: int = 0,
    ):
        super().__init__()
        # The stem has half and all of the first stage's width, which a compact one rounds up.
        half = -(-widths[0] // 2)
        if vd:
            self.stem = nn.Sequential(
                ConvBN(3, half, 3, stem_stride, act="relu"),
                ConvBN(half, half, 3, act="relu"),
                ConvBN(half, widths[0], 3, act="relu"),
            )
        else:
            self.stem = ConvBN(3, widths[0], 7, stem_stride, act="relu")
        self.pool = nn.MaxPool2D(kernel_size=3, stride=2, padding=1)
        block, growth = (bottleneck, 4) if layers >= 50 else (basic, 1)
        self.channels = [width * growth for width in widths]
        self.stages = nn.LayerList()
        c_in = widths[0]
        depths = DEPTHS[layers][: len(widths)]
        for index, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            first = stride if index else 1
            if vd and index:
                short = ConvBN(c_in, width * growth, 1, pool=stride)
            else:
                short = ConvBN(c_in, width * growth, 1, first)
            moved = offset_groups if index else 0
            blocks = [block(c_in, width, first, short, moved)]
            c_in = width * growth
            blocks += [block(c_in, width, 1, None, moved) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x):
        x = self.pool(self.stem(x))
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class PyramidResNet(ResNetVd):
    """The backbone of SAST and PGNet, which adds a fifth stage, the image and the stem."""

    def __init__(self, widths: Sequence[int], vd: bool):
        super().__init__(50, widths, vd=vd)
        self.channels = [3, widths[0], *self.channels]

    def forward(self, x):
        stem = self.stem(x)
        features = [x, stem]
        y = self.pool(stem)
        for stage in self.stages:
            y = stage(y)
            features.append(y)
        return features
