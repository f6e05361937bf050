"""PP-HGNet and PP-HGNetV2, whose blocks join the features of all their layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import paddle
import paddle.nn.functional as F
from paddle import nn

LAYERS = 6


class Stage(NamedTuple):
    """The settings of a stage.

    Attributes:
        middle: Channels of the layers in a block.
        out: Channels of the result.
        blocks: Number of blocks.
        stride: Stride of the first block, a pair in recognition; None where the size stays.
        kernel: Size of the kernels.
        light: Use V2's pairs of a pointwise and a depthwise convolution instead of whole ones.
    """

    middle: int
    out: int
    blocks: int
    stride: int | tuple[int, int] | None
    kernel: int = 3
    light: bool = False


class ConvBNAct(nn.Layer):
    def __init__(self, c_in, c_out, kernel=3, stride=1, padding=None, groups=1, act=True):
        super().__init__()
        if padding is None:
            padding = (kernel - 1) // 2
        self.conv = nn.Conv2D(c_in, c_out, kernel, stride, padding, groups=groups, bias_attr=False)
        self.bn = nn.BatchNorm2D(c_out)
        self.act = nn.ReLU() if act else None

    def forward(self, x):
        x = self.bn(self.conv(x))
        return x if self.act is None else self.act(x)


class Excite(nn.Layer):
    """V1's gate of one convolution."""

    def __init__(self, channels):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.conv = nn.Conv2D(channels, channels, 1)

    def forward(self, x):
        return paddle.multiply(x, F.sigmoid(self.conv(self.pool(x))))


class Block(nn.Layer):
    """A block of layers, whose features are joined.

    Args:
        c_in: Channels of the input.
        stage: The settings.
        adds: Add the input to the result.
        v2: Gather the features by two convolutions, instead of one and a gate.
    """

    def __init__(self, c_in, stage, adds, v2):
        super().__init__()
        self.adds = adds
        self.layers = nn.LayerList()
        width = c_in
        for _ in range(LAYERS):
            if stage.light:
                layer = nn.Sequential(
                    ConvBNAct(width, stage.middle, 1, act=False),
                    ConvBNAct(stage.middle, stage.middle, stage.kernel, groups=stage.middle),
                )
            else:
                layer = ConvBNAct(width, stage.middle, stage.kernel)
            self.layers.append(layer)
            width = stage.middle
        total = c_in + LAYERS * stage.middle
        if v2:
            self.gather = nn.Sequential(
                ConvBNAct(total, stage.out // 2, 1), ConvBNAct(stage.out // 2, stage.out, 1)
            )
        else:
            self.gather = nn.Sequential(ConvBNAct(total, stage.out, 1), Excite(stage.out))

    def forward(self, x):
        y = x
        outputs = [x]
        for layer in self.layers:
            y = layer(y)
            outputs.append(y)
        y = self.gather(paddle.concat(outputs, axis=1))
        return y + x if self.adds else y


def stage_layers(c_in, stage, v2):
    layers = []
    if stage.stride is not None:
        layers.append(ConvBNAct(c_in, c_in, 3, stage.stride, groups=c_in, act=False))
    for index in range(stage.blocks):
        layers.append(Block(c_in, stage, index > 0, v2))
        c_in = stage.out
    return nn.Sequential(*layers)


class BranchedStem(nn.Layer):
    """The stem of V2, with kernels of 2 that are padded to the same size.

    Args:
        c_mid: Channels inside.
        c_out: Channels of the result.
        stride: Stride of the second reduction, which is 1 in recognition.
    """

    def __init__(self, c_mid, c_out, stride=2):
        super().__init__()
        self.first = ConvBNAct(3, c_mid, 3, 2)
        self.narrow = ConvBNAct(c_mid, c_mid // 2, 2, padding="SAME")
        self.widen = ConvBNAct(c_mid // 2, c_mid, 2, padding="SAME")
        self.third = ConvBNAct(c_mid * 2, c_mid, 3, stride)
        self.fourth = ConvBNAct(c_mid, c_out, 1)
        self.pool = nn.MaxPool2D(kernel_size=2, stride=1, ceil_mode=True, padding="SAME")

    def forward(self, x):
        x = self.first(x)
        branch = self.widen(self.narrow(x))
        x = paddle.concat([self.pool(x), branch], 1)
        return self.fourth(self.third(x))


class HGNet(nn.Layer):
    """The backbone, which returns the features of its four stages.

    Args:
        stem: Three widths for V1, two for V2.
        stages: The stages.
        stem_stride: Stride of V2's second reduction.
        pool: Halve the size after the stem, as V1's detection does.
    """

    def __init__(
        self, stem: Sequence[int], stages: Sequence[Stage], stem_stride: int = 2, pool: bool = True
    ):
        super().__init__()
        v2 = len(stem) == 2
        if v2:
            self.stem = BranchedStem(stem[0], stem[1], stem_stride)
        else:
            widths = [3, *stem]
            convolutions: list[nn.Layer] = [
                ConvBNAct(widths[i], widths[i + 1], 3, 2 if i == 0 else 1) for i in range(3)
            ]
            if pool:
                convolutions.append(nn.MaxPool2D(kernel_size=3, stride=2, padding=1))
            self.stem = nn.Sequential(*convolutions)
        self.stages = nn.LayerList()
        c_in = stem[-1]
        for stage in stages:
            self.stages.append(stage_layers(c_in, stage, v2))
            c_in = stage.out
        self.channels = [stage.out for stage in stages]

    def forward(self, x):
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features
