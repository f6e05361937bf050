"""SAST's detector, and PGNet, which also reads: they share the neck and have four maps each."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.db import Detector
from tests.zoo.networks.det_east import DeconvBN
from tests.zoo.networks.resnet_vd import ConvBN, PyramidResNet

IMAGE = [([None, 3, -1, -1], "float32")]
PROBES = [(1, 3, 64, 128), (1, 3, 64, 64), (2, 3, 64, 64)]

# "trained" is the width of the networks that tests/trained trains.
WIDTHS = {
    "full": (64, 128, 256, 512, 512),
    "trained": (8, 12, 16, 24, 24),
    "compact": (3, 4, 4, 6, 6),
}
UP = {
    "full": (256, 256, 192, 192, 128),
    "trained": (32, 32, 32, 32, 24),
    "compact": (8, 6, 6, 4, 6),
}
DOWN = {"full": (32, 64, 128), "trained": (4, 12, 24), "compact": (4, 5, 6)}
# Of a branch's convolutions but its last: three of the short ones, five of PGNet's characters.
SHORT = {"full": (64, 64, 128), "trained": (24, 24, 24), "compact": (4, 4, 6)}
LONG = {
    "full": (128, 128, 256, 256, 256),
    "trained": (32, 48, 48, 64, 64),
    "compact": (4, 4, 6, 6, 6),
}


class Rising(nn.Layer):
    """Goes from stride 64 to 4 by transposed convolutions, and adds the features of each stride."""

    def __init__(self, c_in, widths):
        super().__init__()
        c_in = list(reversed(c_in))
        self.inner = nn.LayerList([ConvBN(c, w, 1) for c, w in zip(c_in, widths, strict=True)])
        self.smooth = nn.LayerList([ConvBN(w, w, 3, act="relu") for w in widths[1:]])
        self.grow = nn.LayerList([DeconvBN(widths[i], widths[i + 1]) for i in range(4)])
        self.last = ConvBN(widths[4], widths[4], 1)

    def forward(self, c4, c8, c16, c32, c64):
        h0 = self.inner[0](c64)
        h1 = self.inner[1](c32)
        h2 = self.inner[2](c16)
        h3 = self.inner[3](c8)
        h4 = self.inner[4](c4)
        g = self.grow[0](h0)
        g = self.grow[1](self.smooth[0](F.relu(paddle.add(g, h1))))
        g = self.grow[2](self.smooth[1](F.relu(paddle.add(g, h2))))
        g = self.grow[3](self.smooth[2](F.relu(paddle.add(g, h3))))
        return self.last(self.smooth[3](F.relu(paddle.add(g, h4))))


class Falling(nn.Layer):
    """Goes from the image itself to stride 4 by convolutions."""

    def __init__(self, c_in, widths):
        super().__init__()
        first, second, third = widths
        self.inner = nn.LayerList([ConvBN(c, w, 3) for c, w in zip(c_in, widths, strict=True)])
        self.shrink = ConvBN(first, second, 3, 2)
        self.middle = nn.Sequential(
            ConvBN(second, second, 3, act="relu"), ConvBN(second, third, 3, 2)
        )
        self.last = nn.Sequential(ConvBN(third, third, 3, act="relu"), ConvBN(third, third, 1))

    def forward(self, c1, c2, c4):
        h0 = self.inner[0](c1)
        h1 = self.inner[1](c2)
        h2 = self.inner[2](c4)
        g = self.middle(F.relu(paddle.add(self.shrink(h0), h1)))
        return self.last(F.relu(paddle.add(g, h2)))


class CrossAttention(nn.Layer):
    """Lets each place attend to its row and to its column."""

    def __init__(self, width):
        super().__init__()
        self.width = width
        self.theta = ConvBN(width, width, 1, act="relu")
        self.phi = ConvBN(width, width, 1, act="relu")
        self.g = ConvBN(width, width, 1, act="relu")
        self.row_weight = ConvBN(width, width, 1)
        self.row_short = ConvBN(width, width, 1)
        self.column_weight = ConvBN(width, width, 1)
        self.column_short = ConvBN(width, width, 1)
        self.join = ConvBN(width * 2, width, 1, act="relu")

    def lines(self, x, n, h, w):
        x = paddle.transpose(x, [0, 2, 3, 1])
        return paddle.reshape(x, [n * h, w, self.width])

    def attended(self, theta, phi, g, n, h, w):
        theta = self.lines(theta, n, h, w)
        phi = self.lines(phi, n, h, w)
        g = self.lines(g, n, h, w)
        weights = paddle.matmul(theta, paddle.transpose(phi, [0, 2, 1]))
        weights = F.softmax(weights / (self.width**0.5))
        return paddle.reshape(paddle.matmul(weights, g), [n, h, w, self.width])

    def forward(self, x):
        shape = paddle.shape(x)
        n, h, w = shape[0], shape[2], shape[3]
        theta, phi, g = self.theta(x), self.phi(x), self.g(x)
        rows = paddle.transpose(self.attended(theta, phi, g, n, h, w), [0, 3, 1, 2])
        rows = self.row_weight(rows)
        rows = F.relu(rows + self.row_short(x))
        theta = paddle.transpose(theta, [0, 1, 3, 2])
        phi = paddle.transpose(phi, [0, 1, 3, 2])
        g = paddle.transpose(g, [0, 1, 3, 2])
        columns = paddle.transpose(self.attended(theta, phi, g, n, w, h), [0, 3, 2, 1])
        columns = self.column_weight(columns)
        columns = F.relu(columns + self.column_short(x))
        return self.join(paddle.concat([rows, columns], axis=1))


class PyramidFPN(nn.Layer):
    def __init__(self, c_in, width, attends):
        super().__init__()
        self.down = Falling(c_in[:3], DOWN[width])
        self.up = Rising(c_in[2:], UP[width])
        self.channels = DOWN[width][-1]
        self.attention = CrossAttention(self.channels) if attends else None

    def forward(self, features):
        c1, c2, c4, c8, c16, c32, c64 = features
        down = self.down(c1, c2, c4)
        up = self.up(c4, c8, c16, c32, c64)
        x = F.relu(paddle.add(down, up))
        return x if self.attention is None else self.attention(x)


def branch(c_in, widths, c_last, batch_norm):
    """Make convolutions with kernels of 1 and 3 in turn.

    The last one has no activation, and in PGNet no batch norm either.
    """
    layers = []
    for index, width in enumerate(widths):
        layers.append(ConvBN(c_in, width, 3 if index % 2 else 1, act="relu"))
        c_in = width
    if batch_norm:
        layers.append(ConvBN(c_in, c_last, 3))
    else:
        layers.append(nn.Conv2D(c_in, c_last, 3, padding=1, bias_attr=False))
    return nn.Sequential(*layers)


class SASTHead(nn.Layer):
    """Gives the score and the offsets of the border, the four vertices and the centre."""

    def __init__(self, c_in, widths):
        super().__init__()
        self.score = branch(c_in, widths, 1, True)
        self.border = branch(c_in, widths, 4, True)
        self.vertices = branch(c_in, widths, 8, True)
        self.centre = branch(c_in, widths, 2, True)

    def forward(self, x):
        return {
            "f_score": F.sigmoid(self.score(x)),
            "f_border": self.border(x),
            "f_tvo": self.vertices(x),
            "f_tco": self.centre(x),
        }


class PGHead(nn.Layer):
    """Gives the score, the border's offsets, 36 characters and a blank, and the direction."""

    def __init__(self, c_in, widths, long_widths):
        super().__init__()
        self.score = branch(c_in, widths, 1, False)
        self.border = branch(c_in, widths, 4, False)
        self.characters = branch(c_in, long_widths, 37, False)
        self.direction = branch(c_in, widths, 2, False)

    def forward(self, x):
        return {
            "f_score": F.sigmoid(self.score(x)),
            "f_border": self.border(x),
            "f_char": self.characters(x),
            "f_direction": self.direction(x),
        }


def det_r50_vd_sast(width):
    backbone = PyramidResNet(WIDTHS[width], vd=True)
    neck = PyramidFPN(backbone.channels, width, attends=True)
    return Detector(backbone, neck, SASTHead(neck.channels, SHORT[width]))


def e2e_r50_vd_pg(width):
    backbone = PyramidResNet(WIDTHS[width], vd=False)
    neck = PyramidFPN(backbone.channels, width, attends=False)
    return Detector(backbone, neck, PGHead(neck.channels, SHORT[width], LONG[width]))


NETWORKS = {
    "det_r50_vd_sast_icdar15": Network(det_r50_vd_sast, "SAST", IMAGE, PROBES),
    "e2e_r50_vd_pg": Network(e2e_r50_vd_pg, "PGNet", IMAGE, PROBES),
}
