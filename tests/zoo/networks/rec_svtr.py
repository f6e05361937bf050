"""The necks of PP-OCRv3 and later, which have SVTR's attention, and PP-OCRv6 tiny's head."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.networks.rec_parts import CTCHead, ToSequence

HEADS = 8


class ConvBN(nn.Layer):
    """A padded convolution whose kernel has a height and a width."""

    def __init__(self, c_in, c_out, kernel=(1, 1)):
        super().__init__()
        padding = [kernel[0] // 2, kernel[1] // 2]
        self.conv = nn.Conv2D(c_in, c_out, list(kernel), 1, padding, bias_attr=False)
        self.bn = nn.BatchNorm2D(c_out)

    def forward(self, x):
        return F.swish(self.bn(self.conv(x)))


class Attention(nn.Layer):
    """Attention with several heads.

    With `counts` it reads the length from the shape of the input, as the exports of PP-OCRv3 and v4
    do.
    """

    def __init__(self, channels, counts):
        super().__init__()
        self.channels = channels
        self.counts = counts
        self.each = channels // HEADS
        self.qkv = nn.Linear(channels, channels * 3)
        self.drop = nn.Dropout(0.1)
        self.project = nn.Linear(channels, channels)
        self.drop_output = nn.Dropout(0.1)

    def forward(self, x):
        length = -1
        if self.counts:
            _, length, _ = x.shape
        qkv = self.qkv(x).reshape((0, length, 3, HEADS, self.each)).transpose((2, 0, 3, 1, 4))
        query, key, value = qkv[0] * self.each**-0.5, qkv[1], qkv[2]
        weights = query.matmul(key.transpose((0, 1, 3, 2)))
        weights = self.drop(F.softmax(weights, axis=-1))
        x = weights.matmul(value).transpose((0, 2, 1, 3)).reshape((0, length, self.channels))
        return self.drop_output(self.project(x))


class Block(nn.Layer):
    def __init__(self, channels, growth, counts):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, epsilon=1e-5)
        self.attention = Attention(channels, counts)
        self.norm2 = nn.LayerNorm(channels, epsilon=1e-5)
        hidden = int(channels * growth)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        y = self.drop(F.swish(self.fc1(self.norm2(x))))
        return x + self.drop(self.fc2(y))


class Mixer(nn.Layer):
    """Lets the places of features N×C×1×W attend to each other."""

    def __init__(self, channels, growth, counts):
        super().__init__()
        self.blocks = nn.LayerList([Block(channels, growth, counts) for _ in range(2)])
        self.norm = nn.LayerNorm(channels, epsilon=1e-6)

    def forward(self, x):
        _, c, h, w = x.shape
        x = x.flatten(2).transpose([0, 2, 1])
        for block in self.blocks:
            x = block(x)
        return self.norm(x).reshape([0, h, w, c]).transpose([0, 3, 1, 2])


class SVTREncoder(nn.Layer):
    """The neck of PP-OCRv3 to v5.

    Args:
        c_in: Channels of the input, a multiple of 8.
        channels: Channels of the result.
        hidden: Channels of the attention.
        kernel: Kernel of the convolutions that divide the channels by 8.
        counts: As in `Attention`.
    """

    def __init__(self, c_in, channels, hidden, kernel, counts):
        super().__init__()
        self.reduce = nn.Sequential(ConvBN(c_in, c_in // 8, kernel), ConvBN(c_in // 8, hidden))
        self.mixer = Mixer(hidden, 2.0, counts)
        self.enlarge = ConvBN(hidden, c_in)
        self.join = nn.Sequential(ConvBN(c_in * 2, c_in // 8, kernel), ConvBN(c_in // 8, channels))
        self.to_sequence = ToSequence()
        self.channels = channels

    def forward(self, x):
        x = x.clone()
        x.stop_gradient = True
        y = self.enlarge(self.mixer(self.reduce(x)))
        return self.to_sequence(self.join(paddle.concat((x, y), axis=1)))


class LightSVTREncoder(nn.Layer):
    """The neck of PP-OCRv6."""

    def __init__(self, c_in, channels, growth):
        super().__init__()
        self.skip = ConvBN(c_in, channels)
        self.reduce = ConvBN(c_in, channels)
        self.local = nn.Sequential(
            nn.Conv2D(channels, channels, [1, 7], padding=[0, 3], groups=channels, bias_attr=False),
            nn.BatchNorm2D(channels),
            nn.Swish(),
        )
        self.mixer = Mixer(channels, growth, counts=False)
        self.to_sequence = ToSequence()
        self.channels = channels

    def forward(self, x):
        skip = self.skip(x)
        x = self.reduce(x)
        x = x + self.local(x)
        return self.to_sequence(self.mixer(x) + skip)


class GuidedCTCHead(nn.Layer):
    """PP-OCRv6 tiny's head, which looks at neighbours along the sequence first."""

    def __init__(self, channels, classes, middle):
        super().__init__()
        self.local = nn.Sequential(
            nn.Conv1D(channels, channels, 5, padding=2, groups=channels, bias_attr=False),
            nn.BatchNorm1D(channels),
            nn.Hardswish(),
            nn.Conv1D(channels, channels, 1, bias_attr=False),
            nn.BatchNorm1D(channels),
            nn.Hardswish(),
        )
        self.head = CTCHead(channels, classes, middle)

    def forward(self, x):
        x = self.local(x.transpose([0, 2, 1])).transpose([0, 2, 1])
        return self.head(x)
