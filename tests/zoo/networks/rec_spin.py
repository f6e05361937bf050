"""SPIN, which corrects the greys of a line as well as its shape before it is read."""

from __future__ import annotations

import math

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import Recognizer, ToSequence
from tests.zoo.networks.rec_rfl import CLASSES, Branch, Cell, blocks, conv
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings
from tests.zoo.networks.rec_tps import POINTS, GridMaker, initial_points

STEPS = 26
COMPACT_STEPS = 4  # each step of the unrolled loop makes the export larger
DEPTHS = (1, 2, 5, 3)
# The greys are summed over 2 * PAIRS + 1 powers.
PAIRS = 6
POWERS = 2 * PAIRS + 1
FULL = ((32, 64, 128), (256, 256, 512), 256, 16)
COMPACT = ((4, 6, 8), (8, 8, 12), 12, 4)


def exponents():
    """Return the powers to which greys are raised: pairs of a number and its inverse, and 1."""
    found = []
    for index in range(1, PAIRS + 1):
        share = 0.5 / (PAIRS + 1) * index
        lower = round(math.log(1 - share) / math.log(share), 2)
        found += [lower, round(1 / lower, 2)]
    return [*found, 1.0]


def stage(c_in, c_out):
    layer = nn.Conv2D(c_in, c_out, 3, 1, 1, bias_attr=False)
    return [layer, nn.BatchNorm2D(c_out, use_global_stats=True), nn.ReLU()]


class Greys(nn.Layer):
    """Sums weighted powers of the picture, after mixing it with the offsets."""

    def __init__(self):
        super().__init__()
        self.powers = exponents()
        self.sigmoid = nn.Sigmoid()
        self.bn = nn.InstanceNorm2D(1)

    def forward(self, x, weights, offsets, share):
        x = (x + 1) * 0.5
        x = x * (1 - share) + offsets * share
        weights = paddle.unsqueeze(paddle.unsqueeze(weights, -1), -1)
        powers = paddle.stack([x.pow(power) for power in self.powers], axis=1)
        x = self.bn(paddle.sum(powers * weights, axis=1))
        return self.sigmoid(x) * 2 - 1


class GASPIN(nn.Layer):
    """Predicts weights of powers, offsets of greys and points of a spline, and applies them."""

    def __init__(self, width):
        super().__init__()
        shared, own, hidden, middle = FULL if width == "full" else COMPACT
        layers: list[nn.Layer] = []
        for c_in, c_out in zip((1, *shared), shared, strict=False):
            layers += [*stage(c_in, c_out), nn.MaxPool2D(kernel_size=2, stride=2)]
        self.shared = nn.Sequential(*layers)
        self.fc1 = nn.Sequential(
            *stage(shared[-1], own[0]),
            nn.MaxPool2D(kernel_size=2, stride=2),
            *stage(own[0], own[1]),
            nn.MaxPool2D(kernel_size=2, stride=2),
            *stage(own[1], own[2]),
            nn.AdaptiveAvgPool2D(1),
            nn.Flatten(1, -1),
            nn.Linear(own[2], hidden),
            nn.BatchNorm1D(hidden),
            nn.ReLU(),
        )
        self.outputs = POWERS + 1 + 2 * POINTS
        self.fc2 = nn.Linear(hidden, self.outputs)
        # A training starts without the pictures' influence, with the greys as they are. Trained
        # networks move the points a little; random ones would fold the image.
        bias = [*[0.0] * (POWERS - 1), 5.0, -1.0, *initial_points().reshape(-1)]
        spread = np.repeat([1.0, 0.2], [POWERS + 1, 2 * POINTS]) / np.sqrt(hidden)
        moves = np.random.RandomState(0).normal(0, 1, (hidden, self.outputs)) * spread
        self.fc2.weight.set_value(moves.astype("float32"))
        self.fc2.bias.set_value(np.array(bias, "float32"))
        self.fc2.keeps = {"weight", "bias"}
        self.sigmoid = nn.Sigmoid()
        self.offset1 = nn.Sequential(*stage(shared[-1], middle))
        self.offset2 = nn.Conv2D(middle, 1, 3, 1, 1)
        self.pool = nn.MaxPool2D(2, 2)
        self.greys = Greys()
        self.grid = GridMaker()

    def forward(self, x):
        features = self.shared(x)
        found = self.fc2(self.fc1(features)).reshape([x.shape[0], self.outputs, 1])
        share = self.sigmoid(found[:, POWERS, 0]).unsqueeze(-1).unsqueeze(-1).unsqueeze(-1)
        weights = found[:, :POWERS, :]
        offsets = self.sigmoid(self.pool(self.offset2(self.offset1(features))))
        offsets = F.upsample(offsets, size=(x.shape[2], x.shape[3]), mode="bilinear")
        points = found[:, (POWERS + 1) :, :].reshape([x.shape[0], POINTS, 2])
        size = x.shape[2:]
        grid = self.grid(points, size)
        grid = grid.reshape([grid.shape[0], size[0], size[1], 2])
        x = self.greys(x, weights, offsets, share)
        return F.grid_sample(x=x, grid=grid, padding_mode="border")


class ResNet32(nn.Sequential):
    """A sequence N×C×1×26 of features of an image of 32 × 100."""

    def __init__(self, channels, depths):
        half, quarter = channels // 2, channels // 4
        stem = max(1, channels // 16), channels // 8
        super().__init__(
            *conv(1, stem[0]),
            *conv(*stem),
            nn.MaxPool2D(kernel_size=2, stride=2, padding=0),
            *blocks(stem[1], quarter, depths[0]),
            *conv(quarter, quarter),
            nn.MaxPool2D(kernel_size=2, stride=2, padding=0),
            *blocks(quarter, half, depths[1]),
            *conv(half, half),
            Branch(half, channels, depths),
        )


class Encoder(nn.Layer):
    """Two LSTM layers in both directions, each with a linear layer behind it."""

    def __init__(self, channels, hidden):
        super().__init__()
        self.to_sequence = ToSequence()
        self.first = nn.LSTM(channels, hidden, num_layers=1, direction="bidirectional")
        self.second = nn.LSTM(hidden, hidden, num_layers=1, direction="bidirectional")
        self.linear1 = nn.Linear(hidden * 2, hidden)
        self.linear2 = nn.Linear(hidden * 2, hidden * 2)

    def forward(self, x):
        y, _ = self.first(self.to_sequence(x))
        y, _ = self.second(self.linear1(y))
        return self.linear2(y)


class SPINHead(nn.Layer):
    """An unrolled LSTM, whose probabilities are N×steps×CLASSES."""

    def __init__(self, channels, hidden, steps):
        super().__init__()
        self.steps = steps
        self.hidden = hidden
        self.cell = Cell(channels, hidden)
        self.generator = nn.Linear(hidden, CLASSES)

    def forward(self, sequence):
        batch = paddle.shape(sequence)[0]
        state = (paddle.zeros((batch, self.hidden)), paddle.zeros((batch, self.hidden)))
        last = paddle.zeros(shape=[batch], dtype="int32")
        # Names that the loop makes have to exist before it, as Paddle traces it.
        scores = None
        symbol = None
        output = None
        for _ in range(self.steps):
            symbol = F.one_hot(last, CLASSES)
            output, state = self.cell(state, sequence, symbol)
            step = self.generator(output)
            if scores is None:
                scores = paddle.unsqueeze(step, axis=1)
            else:
                scores = paddle.concat([scores, paddle.unsqueeze(step, axis=1)], axis=1)
            last = step.argmax(axis=1)
        return F.softmax(scores, axis=2)


def spin(width):
    full = width == "full"
    channels, hidden, steps = (512, 256, STEPS) if full else (16, 12, COMPACT_STEPS)
    backbone = ResNet32(channels, DEPTHS if full else (1, 1, 1, 1))
    head = SPINHead(2 * hidden, hidden, steps)
    return Recognizer(backbone, Encoder(channels, hidden), head, GASPIN(width))


SHAPE = [1, 32, 100]
PROBES = [(1, *SHAPE), (2, *SHAPE), (3, *SHAPE)]
RESIZE = {
    "SPINRecResizeImg": {
        "image_shape": [100, 32],
        "interpolation": 2,
        "mean": [127.5],
        "std": [127.5],
    }
}
NETWORKS = {
    "rec_r32_gaspin_bilstm_att": Network(
        spin,
        "SPIN",
        [([None, *SHAPE], "float32")],
        PROBES,
        settings("SPINLabelDecode", {"SPINLabelEncode": None}, RESIZE, list(CHARACTERS)),
        FORMATS,
    )
}
