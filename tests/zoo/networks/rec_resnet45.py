"""ResNet45, the backbone of ABINet and VisionLAN."""

from __future__ import annotations

from paddle import nn

DEPTHS = (3, 4, 6, 6, 3)


class Block(nn.Layer):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2D(c_in, c_out, kernel_size=1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(c_out)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2D(c_out, c_out, 3, stride, 1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(c_out)
        self.short = None
        if stride != 1 or c_in != c_out:
            conv = nn.Conv2D(c_in, c_out, kernel_size=1, stride=stride, bias_attr=False)
            self.short = nn.Sequential(conv, nn.BatchNorm2D(c_out))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.short is None else self.short(x)
        return self.relu(y)


class ResNet45(nn.Layer):
    """The backbone.

    Args:
        widths: Channels of the five stages; the stem has those of the first.
        strides: Strides of the five stages.
        depths: The number of blocks of each stage.
    """

    def __init__(self, widths, strides, depths=DEPTHS):
        super().__init__()
        self.conv = nn.Conv2D(3, widths[0], 3, 1, 1, bias_attr=False)
        self.bn = nn.BatchNorm2D(widths[0])
        self.relu = nn.ReLU()
        c_in, layers = widths[0], []
        for width, stride, depth in zip(widths, strides, depths, strict=True):
            for i in range(depth):
                layers.append(Block(c_in, width, 1 if i else stride))
                c_in = width
        self.layers = nn.Sequential(*layers)
        self.channels = widths[-1]

    def forward(self, x):
        return self.layers(self.relu(self.bn(self.conv(x))))


def resnet45(width, strides, channels):
    """Make the backbone; `channels` are those of the last stage of the compact one."""
    if width == "full":
        return ResNet45((32, 64, 128, 256, 512), strides)
    return ResNet45((4, 4, 6, 8, channels), strides, (1, 1, 2, 1, 1))
