"""SVTRv2, whose export keeps the CTC head of the two heads that guide each other in training."""

from __future__ import annotations

import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import CTCHead, Recognizer
from tests.zoo.networks.rec_ppocr import CHARACTERS, LINE, LINES, settings
from tests.zoo.networks.rec_svtr import SVTREncoder
from tests.zoo.networks.rec_svtrnet import EPSILON, Attention, Block, ConvGELU, Mlp

FULL = ([128, 256, 384], [4, 8, 12], (6, 2, 4, 6), 256, 256)
COMPACT = ([8, 8, 16], [2, 2, 2], (1, 1, 1, 1), 12, 16)


class ConvBlock(nn.Layer):
    """A block of features N×C×H×W, whose mixer is a convolution."""

    def __init__(self, channels, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.mixer = nn.Conv2D(channels, channels, 5, 1, 2, groups=heads)
        self.norm2 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.mlp = Mlp(channels, channels * 4)

    def forward(self, x):
        channels, height, width = x.shape[1:]
        x = (x + self.mixer(x)).flatten(2).transpose([0, 2, 1])
        x = self.norm1(x)
        x = self.norm2(x + self.mlp(x))
        return x.transpose([0, 2, 1]).reshape([0, channels, height, width])


class SubsampleMap(nn.Layer):
    """Halves the height of features N×C×H×W."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, 3, [2, 1], 1)
        self.norm = nn.LayerNorm(c_out)

    def forward(self, x):
        x = self.conv(x)
        channels, height, width = x.shape[1:]
        x = self.norm(x.flatten(2).transpose([0, 2, 1]))
        return x.transpose([0, 2, 1]).reshape([0, channels, height, width]), [height, width]


class SubsampleSequence(nn.Layer):
    """Halves the height of features that are a sequence of known size."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, 3, [2, 1], 1)
        self.norm = nn.LayerNorm(c_out)

    def forward(self, x, size):
        channels = x.shape[-1]
        x = self.conv(x.transpose([0, 2, 1]).reshape([0, channels, size[0], size[1]]))
        _, height, width = x.shape[1:]
        return self.norm(x.flatten(2).transpose([0, 2, 1])), [height, width]


class SVTRv2(nn.Layer):
    def __init__(self, widths, heads, counts):
        super().__init__()
        stem = widths[0]
        self.stem = nn.Sequential(ConvGELU(3, stem // 2), ConvGELU(stem // 2, stem))
        first, mixed, attending, last = counts

        def convolving(stage, number):
            return [ConvBlock(widths[stage], heads[stage]) for _ in range(number)]

        def attention(stage, number):
            mixers = (
                Attention(widths[stage], heads[stage], scales_scores=True) for _ in range(number)
            )
            return [Block(widths[stage], mixer) for mixer in mixers]

        self.first = nn.Sequential(*convolving(0, first))
        self.subsample1 = SubsampleMap(widths[0], widths[1])
        self.mixed = nn.Sequential(*convolving(1, mixed))
        self.attending = nn.Sequential(*attention(1, attending))
        self.subsample2 = SubsampleSequence(widths[1], widths[2])
        self.last = nn.Sequential(*attention(2, last))
        self.channels = widths[2]

    def forward(self, x):
        x, size = self.subsample1(self.first(self.stem(x)))
        x = self.attending(self.mixed(x).flatten(2).transpose([0, 2, 1]))
        x, size = self.subsample2(x, size)
        x = self.last(x)
        x = x.transpose([0, 2, 1]).reshape([0, self.channels, size[0], size[1]])
        return F.avg_pool2d(x, [size[0], 2])


def svtrv2(width):
    full = width == "full"
    widths, heads, counts, channels, hidden = FULL if full else COMPACT
    backbone = SVTRv2(widths, heads, counts)
    neck = SVTREncoder(backbone.channels, channels, hidden, (1, 3), counts=False)
    return Recognizer(backbone, neck, CTCHead(neck.channels, 6625 if full else 38))


NETWORKS = {
    "ch_SVTRv2_rec": Network(
        svtrv2, "CTC", LINE, LINES, settings("ch_SVTRv2_rec", list(CHARACTERS))
    )
}
