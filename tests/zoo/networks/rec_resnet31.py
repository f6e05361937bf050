"""ResNet31, the backbone of SAR and RobustScanner, which shrinks widths less than heights."""

from __future__ import annotations

import paddle.nn.functional as F
from paddle import nn

DEPTHS = (1, 2, 5, 3)
WIDTHS = (64, 128, 256, 256, 512, 512, 512)


class Block(nn.Layer):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv1 = nn.Conv2D(c_in, c_out, 3, padding=1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(c_out)
        self.conv2 = nn.Conv2D(c_out, c_out, 3, padding=1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(c_out)
        self.short = None
        if c_in != c_out:
            self.short = nn.Sequential(
                nn.Conv2D(c_in, c_out, 1, bias_attr=False), nn.BatchNorm2D(c_out)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.short is None else self.short(x)))


def convolution(c_in, c_out):
    return nn.Sequential(nn.Conv2D(c_in, c_out, 3, padding=1), nn.BatchNorm2D(c_out), nn.ReLU())


class ResNet31(nn.Layer):
    """The backbone.

    Args:
        width: "full", or "compact" for fewer channels and blocks.
    """

    def __init__(self, width):
        super().__init__()
        widths = WIDTHS if width == "full" else [c // 64 for c in WIDTHS]
        depths = DEPTHS if width == "full" else [1, 1, 2, 1]
        self.stem = nn.Sequential(convolution(3, widths[0]), convolution(widths[0], widths[1]))
        self.stages = nn.LayerList()
        c_in = widths[1]
        for stage, (depth, c_out) in enumerate(zip(depths, widths[2:6], strict=True)):
            parts = []
            if stage < 3:
                size = (2, 2) if stage < 2 else (2, 1)
                parts.append(nn.MaxPool2D(size, size, ceil_mode=True))
            parts += [Block(c_in if i == 0 else c_out, c_out) for i in range(depth)]
            parts.append(convolution(c_out, c_out if stage < 3 else widths[6]))
            self.stages.append(nn.Sequential(*parts))
            c_in = c_out
        self.channels = widths[6]

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x
