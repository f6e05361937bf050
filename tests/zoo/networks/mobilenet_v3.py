"""MobileNetV3 as PaddleOCR has it for detection and for lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import nn

# Kernel, expansion, channels, squeeze and excitation, activation, stride, of scale 1.
LARGE = [
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2),
    (3, 200, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 480, 112, True, "hardswish", 1),
    (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2),
    (5, 960, 160, True, "hardswish", 1),
    (5, 960, 160, True, "hardswish", 1),
]
SMALL = [
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (5, 240, 40, True, "hardswish", 1),
    (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1),
    (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1),
    (5, 576, 96, True, "hardswish", 1),
]
BLOCKS = {"large": LARGE, "small": SMALL}
LAST = {"large": 960, "small": 576}


def rounded(channels: float, divisor: int = 8) -> int:
    """Return the nearest multiple of the divisor, or the next one if that is 10 % too small."""
    near = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * channels else near


def activated(x: Any, act: str | None) -> Any:
    """Apply an activation by its name, or none."""
    return x if act is None else getattr(F, act)(x)


class ConvBN(nn.Layer):
    """A padded convolution, a batch norm, and the activation as an operator of its own."""

    def __init__(self, c_in, c_out, kernel, stride=1, groups=1, act=None):
        super().__init__()
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2D(c_in, c_out, kernel, stride, padding, groups=groups, bias_attr=False)
        self.bn = nn.BatchNorm(c_out, act=None)
        self.act = act

    def forward(self, x):
        return activated(self.bn(self.conv(x)), self.act)


class SqueezeExcite(nn.Layer):
    def __init__(self, channels, reduction=4):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.squeeze = nn.Conv2D(channels, channels // reduction, 1)
        self.excite = nn.Conv2D(channels // reduction, channels, 1)

    def forward(self, x):
        gate = self.excite(F.relu(self.squeeze(self.pool(x))))
        return x * F.hardsigmoid(gate, slope=0.2, offset=0.5)


class InvertedResidual(nn.Layer):
    """An expansion, a depthwise convolution, squeeze and excitation if asked for, a projection.

    The stride is one number for both axes, or a pair.
    """

    def __init__(self, c_in, c_mid, c_out, kernel, stride, excites, act):
        super().__init__()
        self.adds = stride == 1 and c_in == c_out
        self.expand = ConvBN(c_in, c_mid, 1, act=act)
        self.depthwise = ConvBN(c_mid, c_mid, kernel, stride, groups=c_mid, act=act)
        self.excite = SqueezeExcite(c_mid) if excites else None
        self.project = ConvBN(c_mid, c_out, 1)

    def forward(self, x):
        y = self.depthwise(self.expand(x))
        if self.excite is not None:
            y = self.excite(y)
        y = self.project(y)
        return paddle.add(x, y) if self.adds else y


class StagedMobileNetV3(nn.Layer):
    """The backbone of detectors, which returns the features of strides 4, 8, 16 and 32.

    Args:
        size: "large" or "small".
        scale: Factor for the channels.
        disable_se: Leave out squeeze and excitation.
        divisor: Makes all numbers of channels its multiples; 8 in PaddleOCR.
    """

    def __init__(self, size="large", scale=0.5, disable_se=False, divisor=8):
        super().__init__()
        width = rounded(16 * scale, divisor)
        self.stem = ConvBN(3, width, 3, 2, act="hardswish")
        self.channels: list[int] = []
        self.stages = nn.LayerList()
        stage: list[nn.Layer] = []
        for index, (kernel, mid, out, excites, act, stride) in enumerate(BLOCKS[size]):
            # The large one's first stage goes on through its first reduction.
            if stride == 2 and index > (2 if size == "large" else 0):
                self.channels.append(width)
                self.stages.append(nn.Sequential(*stage))
                stage = []
            mid, out = rounded(mid * scale, divisor), rounded(out * scale, divisor)
            excites = excites and not disable_se
            stage.append(InvertedResidual(width, mid, out, kernel, stride, excites, act))
            width = out
        last = rounded(LAST[size] * scale, divisor)
        stage.append(ConvBN(width, last, 1, act="hardswish"))
        self.channels.append(last)
        self.stages.append(nn.Sequential(*stage))

    def forward(self, x):
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class LineMobileNetV3(nn.Layer):
    """The backbone of recognizers and classifiers, which reduces the height more than the width.

    Args:
        size: "large" or "small".
        scale: Factor for the channels.
        strides: PaddleOCR's small_stride or large_stride.
        disable_se: Leave out squeeze and excitation.
        divisor: Makes all numbers of channels its multiples; 8 in PaddleOCR.

    Attributes:
        channels: Channels of the output.
    """

    def __init__(
        self,
        size: str = "small",
        scale: float = 0.5,
        strides: Sequence[int | Sequence[int]] | None = None,
        disable_se: bool = False,
        divisor: int = 8,
    ):
        super().__init__()
        if strides is None:
            strides = (2, 2, 2, 2) if size == "small" else (1, 2, 2, 2)
        # The blocks that have a stride of their own; the large one's first is not a pair.
        own = [0, 1, 3, 8] if size == "small" else [0, 1, 3, 12]
        at: dict[int, Any] = {}
        for index, stride in zip(own, strides, strict=True):
            whole = size == "large" and index == 0
            at[index] = stride if whole or not isinstance(stride, int) else (stride, 1)
        width = rounded(16 * scale, divisor)
        self.stem = ConvBN(3, width, 3, 2, act="hardswish")
        blocks = []
        for index, (kernel, mid, out, excites, act, _) in enumerate(BLOCKS[size]):
            mid, out = rounded(mid * scale, divisor), rounded(out * scale, divisor)
            stride = at.get(index, 1)
            excites = excites and not disable_se
            blocks.append(InvertedResidual(width, mid, out, kernel, stride, excites, act))
            width = out
        self.blocks = nn.Sequential(*blocks)
        self.channels = rounded(LAST[size] * scale, divisor)
        self.last = ConvBN(width, self.channels, 1, act="hardswish")
        self.pool = nn.MaxPool2D(kernel_size=2, stride=2, padding=0)

    def forward(self, x):
        return self.pool(self.last(self.blocks(self.stem(x))))
