"""RFL, which counts the characters in one branch and reads them in another."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import Recognizer
from tests.zoo.networks.rec_single import FORMATS, settings
from tests.zoo.networks.rec_tps import TPS

STEPS = 25
COMPACT_STEPS = 4  # each step of the unrolled loop makes the export larger
PLACES = 26  # of the features of an image of 32 × 100
CLASSES = 38  # start, digits, letters and end
DEPTHS = (1, 2, 5, 3)


class Block(nn.Layer):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv1 = nn.Conv2D(c_in, c_out, 3, 1, 1, bias_attr=False)
        self.bn1 = nn.BatchNorm(c_out)
        self.conv2 = nn.Conv2D(c_out, c_out, 3, 1, 1, bias_attr=False)
        self.bn2 = nn.BatchNorm(c_out)
        self.relu = nn.ReLU()
        self.short = None
        if c_in != c_out:
            conv = nn.Conv2D(c_in, c_out, kernel_size=1, bias_attr=False)
            self.short = nn.Sequential(conv, nn.BatchNorm(c_out))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.short is None else self.short(x)
        return self.relu(y)


def blocks(c_in, c_out, depth):
    return [Block(c_out if i else c_in, c_out) for i in range(depth)]


def conv(c_in, c_out, kernel=3, stride=1, padding=1):
    layer = nn.Conv2D(c_in, c_out, kernel, stride, padding, bias_attr=False)
    return [layer, nn.BatchNorm(c_out), nn.ReLU()]


class Branch(nn.Sequential):
    """The stages that counting and reading have each of their own; N×C×1×26."""

    def __init__(self, c_in, channels, depths):
        super().__init__(
            nn.MaxPool2D(kernel_size=2, stride=(2, 1), padding=(0, 1)),
            *blocks(c_in, channels, depths[2]),
            *conv(channels, channels),
            *blocks(channels, channels, depths[3]),
            *conv(channels, channels, 2, (2, 1), (0, 1)),
            *conv(channels, channels, 2, 1, 0),
        )


class ResNetRFL(nn.Layer):
    def __init__(self, channels, depths):
        super().__init__()
        half, quarter = channels // 2, channels // 4
        stem = max(1, channels // 16), channels // 8
        self.shared = nn.Sequential(
            *conv(1, stem[0]),
            *conv(*stem),
            nn.MaxPool2D(kernel_size=2, stride=2, padding=0),
            *blocks(stem[1], quarter, depths[0]),
            *conv(quarter, quarter),
            nn.MaxPool2D(kernel_size=2, stride=2, padding=0),
            *blocks(quarter, half, depths[1]),
            *conv(half, half),
        )
        self.reading = Branch(half, channels, depths)
        self.counting = Branch(half, channels, depths)

    def forward(self, x):
        x = self.shared(x)
        return [self.counting(x), self.reading(x)]


class Adaptor(nn.Layer):
    """Turns features N×C×1×W of one branch into weights for the other."""

    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Linear(channels, channels, bias_attr=False)
        self.bn = nn.BatchNorm1D(channels)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.fc(x.squeeze(2).transpose([0, 2, 1])).transpose([0, 2, 1])
        return self.relu(self.bn(x)).unsqueeze(-2)


class RFAdaptor(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        self.to_reading = Adaptor(channels)
        self.to_counting = Adaptor(channels)

    def forward(self, both):
        counting, reading = both
        batch, channels, height, width = counting.shape
        counting = counting.reshape([batch, channels, 1, height * width])
        read = reading * self.to_reading(counting)
        counted = counting + reading * self.to_counting(reading)
        batch, channels, height, width = read.shape
        read = read.reshape([batch, channels, 1, height * width])
        return counted, read.squeeze(2).transpose([0, 2, 1])


class CountHead(nn.Layer):
    """Counts how often each class occurs; N×CLASSES."""

    def __init__(self, channels):
        super().__init__()
        self.fusion = nn.Linear(channels, channels, bias_attr=False)
        self.count = nn.Linear(PLACES * channels, CLASSES)

    def forward(self, x):
        batch, channels, height, width = x.shape
        x = x.reshape([batch, channels, height * width]).transpose([0, 2, 1])
        x = self.fusion(x)
        batch, length, channels = x.shape
        return self.count(x.reshape([batch, length * channels]))


class Cell(nn.Layer):
    def __init__(self, channels, hidden):
        super().__init__()
        self.from_input = nn.Linear(channels, hidden, bias_attr=False)
        self.from_hidden = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias_attr=False)
        self.rnn = nn.LSTMCell(input_size=channels + CLASSES, hidden_size=hidden)

    def forward(self, state, sequence, symbol):
        known = paddle.unsqueeze(self.from_hidden(state[0]), axis=1)
        seen = paddle.tanh(paddle.add(self.from_input(sequence), known))
        weights = paddle.transpose(F.softmax(self.score(seen), axis=1), [0, 2, 1])
        context = paddle.squeeze(paddle.mm(weights, sequence), axis=1)
        return self.rnn(paddle.concat([context, symbol], 1), state)


class SequenceHead(nn.Layer):
    """An unrolled LSTM, whose scores N×steps×CLASSES PaddleOCR exports without a softmax."""

    def __init__(self, channels, hidden, steps):
        super().__init__()
        self.steps = steps
        self.hidden = hidden
        self.cell = Cell(channels, hidden)
        self.generator = nn.Linear(hidden, CLASSES)

    def forward(self, sequence):
        batch = sequence.shape[0]
        state = (paddle.zeros((batch, self.hidden)), paddle.zeros((batch, self.hidden)))
        last = paddle.zeros(shape=[batch], dtype="int32")
        # Names that the loop makes have to exist before it, as Paddle traces it.
        scores = None
        symbol = None
        for _ in range(self.steps):
            symbol = F.one_hot(last, CLASSES)
            state = self.cell(state, sequence, symbol)
            step = self.generator(state[0])
            state = (state[1][0], state[1][1])
            if scores is None:
                scores = paddle.unsqueeze(step, axis=1)
            else:
                scores = paddle.concat([scores, paddle.unsqueeze(step, axis=1)], axis=1)
            last = step.argmax(axis=1)
        return scores


class RFLHead(nn.Layer):
    def __init__(self, channels, hidden, steps):
        super().__init__()
        self.count = CountHead(channels)
        self.read = SequenceHead(channels, hidden, steps)

    def forward(self, both):
        counting, reading = both
        return self.count(counting), self.read(reading)


def rfl(width):
    full = width == "full"
    channels, hidden, steps = (512, 256, STEPS) if full else (8, 12, COMPACT_STEPS)
    backbone = ResNetRFL(channels, DEPTHS if full else (1, 1, 1, 1))
    transform = TPS(width, "large", channels=1)
    return Recognizer(backbone, RFAdaptor(channels), RFLHead(channels, hidden, steps), transform)


SHAPE = [1, 32, 100]
PROBES = [(1, *SHAPE), (2, *SHAPE), (3, *SHAPE)]
RESIZE = {"RFLRecResizeImg": {"image_shape": SHAPE, "padding": False, "interpolation": 2}}
KEYS = ("image", "label", "length", "cnt_label")
NETWORKS = {
    "rec_resnet_rfl_att": Network(
        rfl,
        "RFL",
        [([None, *SHAPE], "float32")],
        PROBES,
        settings("RFLLabelDecode", {"RFLLabelEncode": None}, RESIZE, keys=KEYS),
        FORMATS,
    )
}
