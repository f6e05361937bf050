"""DB's necks and heads of PP-OCRv3 and later."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.networks.db import ShrinkMap, nearest
from tests.zoo.networks.mobilenet_v3 import ConvBN, SqueezeExcite


def top_down(in2, in3, in4, in5):
    """Add to each level the one above it, enlarged to the same size."""
    out4 = in4 + nearest(in5, 2)
    out3 = in3 + nearest(out4, 2)
    out2 = in2 + nearest(out3, 2)
    return out2, out3, out4


def joined(p2, p3, p4, p5):
    """Join all levels, enlarged to the size of the largest."""
    p5 = nearest(p5, 8)
    p4 = nearest(p4, 4)
    p3 = nearest(p3, 2)
    return paddle.concat([p5, p4, p3, p2], axis=1)


class ResidualSE(nn.Layer):
    """A convolution, whose result is added to itself times a gate."""

    def __init__(self, c_in, c_out, kernel):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, kernel, padding=kernel // 2, bias_attr=False)
        self.excite = SqueezeExcite(c_out)

    def forward(self, x):
        x = self.conv(x)
        return x + self.excite(x)


class LargeResidualSE(nn.Layer):
    """PP-OCRv6's block: a large depthwise kernel before the gated convolution.

    The kernel is here as `rep()` leaves it, which merges several branches into one.
    """

    def __init__(self, c_in, c_out, kernel):
        super().__init__()
        self.depthwise = nn.Conv2D(c_in, c_in, kernel, padding=kernel // 2, groups=c_in)
        self.pointwise = ResidualSE(c_in, c_out, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class RSEFPN(nn.Layer):
    """The neck RSEFPN, or PP-OCRv6's RepLKFPN.

    Args:
        c_in: Channels of each level.
        c_out: Channels of the result.
        kernel: Size of RepLKFPN's kernels; None for the RSEFPN of PP-OCRv3 to v5.
    """

    def __init__(self, c_in, c_out, kernel=None):
        super().__init__()
        self.inner = nn.LayerList([ResidualSE(c, c_out, 1) for c in c_in])
        if kernel is None:
            outer = [ResidualSE(c_out, c_out // 4, 3) for _ in c_in]
        else:
            outer = [LargeResidualSE(c_out, c_out // 4, kernel) for _ in c_in]
        self.outer = nn.LayerList(outer)
        self.channels = c_out

    def forward(self, features):
        c2, c3, c4, c5 = features
        in5 = self.inner[3](c5)
        in4 = self.inner[2](c4)
        in3 = self.inner[1](c3)
        in2 = self.inner[0](c2)
        out2, out3, out4 = top_down(in2, in3, in4, in5)
        p5 = self.outer[3](in5)
        p4 = self.outer[2](out4)
        p3 = self.outer[1](out3)
        p2 = self.outer[0](out2)
        return joined(p2, p3, p4, p5)


class IntraCL(nn.Layer):
    """Sums a square, an upright and a flat kernel, three times, at half the channels."""

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.reduce = nn.Conv2D(channels, half, 1)
        self.square = nn.LayerList()
        self.upright = nn.LayerList()
        self.flat = nn.LayerList()
        for size in (7, 5, 3):
            pad = size // 2
            self.square.append(nn.Conv2D(half, half, (size, size), padding=(pad, pad)))
            self.upright.append(nn.Conv2D(half, half, (size, 1), padding=(pad, 0)))
            self.flat.append(nn.Conv2D(half, half, (1, size), padding=(0, pad)))
        self.restore = nn.Conv2D(half, channels, 1)
        self.bn = nn.BatchNorm2D(channels)

    def forward(self, x):
        y = self.reduce(x)
        for index in range(3):
            y = self.square[index](y) + self.upright[index](y) + self.flat[index](y)
        return x + F.relu(self.bn(self.restore(y)))


def large(c_in, c_out, separable):
    """Make a convolution with a kernel of 9, or PP-OCRv6's depthwise and pointwise pair."""
    if not separable:
        return nn.Conv2D(c_in, c_out, 9, padding=4, bias_attr=False)
    return nn.Sequential(
        nn.Conv2D(c_in, c_in, 9, padding=4, groups=c_in), nn.Conv2D(c_in, c_out, 1)
    )


class LKPAN(nn.Layer):
    """The neck LKPAN, which goes down the levels and up again with large kernels.

    Args:
        c_in: Channels of each level.
        c_out: Channels of the result.
        separable: Make PP-OCRv6's RepLKPAN.
    """

    def __init__(self, c_in, c_out, separable=False):
        super().__init__()
        quarter = c_out // 4
        self.inner = nn.LayerList([nn.Conv2D(c, c_out, 1, bias_attr=False) for c in c_in])
        self.outer = nn.LayerList([large(c_out, quarter, separable) for _ in c_in])
        self.down = nn.LayerList(
            [nn.Conv2D(quarter, quarter, 3, 2, 1, bias_attr=False) for _ in c_in[1:]]
        )
        self.lateral = nn.LayerList([large(quarter, quarter, separable) for _ in c_in])
        self.relations = nn.LayerList([IntraCL(quarter) for _ in c_in])
        self.channels = c_out

    def forward(self, features):
        c2, c3, c4, c5 = features
        in5 = self.inner[3](c5)
        in4 = self.inner[2](c4)
        in3 = self.inner[1](c3)
        in2 = self.inner[0](c2)
        out2, out3, out4 = top_down(in2, in3, in4, in5)
        f5 = self.outer[3](in5)
        f4 = self.outer[2](out4)
        f3 = self.outer[1](out3)
        f2 = self.outer[0](out2)
        pan3 = f3 + self.down[0](f2)
        pan4 = f4 + self.down[1](pan3)
        pan5 = f5 + self.down[2](pan4)
        p2 = self.lateral[0](f2)
        p3 = self.lateral[1](pan3)
        p4 = self.lateral[2](pan4)
        p5 = self.lateral[3](pan5)
        p5 = self.relations[3](p5)
        p4 = self.relations[2](p4)
        p3 = self.relations[1](p3)
        p2 = self.relations[0](p2)
        return joined(p2, p3, p4, p5)


class LocalHead(nn.Layer):
    """The head PFHeadLocal: averages DB's map with one that is refined in the image's size."""

    def __init__(self, c_in):
        super().__init__()
        quarter = c_in // 4
        self.binarize = ShrinkMap(c_in)
        self.up = nn.Upsample(scale_factor=2, mode="nearest", align_mode=1)
        self.conv = ConvBN(quarter + 1, quarter, 3, act="relu")
        self.last = nn.Conv2D(quarter, 1, 1)

    def forward(self, x):
        maps, features = self.binarize(x)
        refined = self.conv(paddle.concat([maps, self.up(features)], axis=1))
        refined = F.sigmoid(self.last(refined))
        return {"maps": 0.5 * (maps + refined), "cbn_maps": refined}
