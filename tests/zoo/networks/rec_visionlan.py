"""VisionLAN, whose model of language is trained inside the visual one and left out of exports."""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import Recognizer
from tests.zoo.networks.rec_resnet45 import resnet45
from tests.zoo.networks.rec_single import FORMATS, settings

LENGTH = 26  # PaddleOCR's decoder reads the first 25
PLACES = 256  # 8 × 32 of the image of 64 × 256
CLASSES = 37  # the end, digits and letters


class PositionalEncoding(nn.Layer):
    def __init__(self, channels, length):
        super().__init__()
        powers = np.power(10000, 2 * (np.arange(channels) // 2) / channels)
        table = np.arange(length)[:, None] / powers
        table[:, 0::2] = np.sin(table[:, 0::2])
        table[:, 1::2] = np.cos(table[:, 1::2])
        table = paddle.to_tensor(table, dtype="float32")
        self.register_buffer("table", paddle.unsqueeze(table, axis=0))

    def forward(self, x):
        return x + self.table[:, : x.shape[1]].clone().detach()


class Attention(nn.Layer):
    """Attention whose heads are stacked along the batch."""

    def __init__(self, channels, heads, each):
        super().__init__()
        self.heads = heads
        self.each = each
        self.query = nn.Linear(channels, heads * each)
        self.key = nn.Linear(channels, heads * each)
        self.value = nn.Linear(channels, heads * each)
        self.norm = nn.LayerNorm(channels)
        self.fc = nn.Linear(heads * each, channels)
        self.drop = nn.Dropout(0.1)
        self.drop_weights = nn.Dropout(0.1)

    def split(self, x, length):
        x = paddle.reshape(x, shape=[-1, length, self.heads, self.each])
        return paddle.reshape(paddle.transpose(x, perm=[2, 0, 1, 3]), shape=[-1, length, self.each])

    def forward(self, x):
        _, length, _ = x.shape
        query = self.split(self.query(x), length)
        key = self.split(self.key(x), length)
        value = self.split(self.value(x), length)
        weights = paddle.bmm(query, paddle.transpose(key, perm=[0, 2, 1])) / np.power(
            self.each, 0.5
        )
        weights = self.drop_weights(F.softmax(weights, axis=2))
        y = paddle.reshape(paddle.bmm(weights, value), shape=[self.heads, -1, length, self.each])
        y = paddle.transpose(y, perm=[1, 2, 0, 3])
        y = paddle.reshape(y, shape=[-1, length, self.heads * self.each])
        return self.norm(self.drop(self.fc(y)) + x)


class Perceptron(nn.Layer):
    def __init__(self, channels, hidden):
        super().__init__()
        self.conv1 = nn.Conv1D(channels, hidden, 1)
        self.conv2 = nn.Conv1D(hidden, channels, 1)
        self.norm = nn.LayerNorm(channels)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(paddle.transpose(x, perm=[0, 2, 1]))))
        y = self.drop(paddle.transpose(y, perm=[0, 2, 1]))
        return self.norm(y + x)


class Encoder(nn.Layer):
    def __init__(self, channels, heads, each, hidden, layers):
        super().__init__()
        self.positions = PositionalEncoding(channels, PLACES)
        self.drop = nn.Dropout(0.1)
        parts = (
            (Attention(channels, heads, each), Perceptron(channels, hidden)) for _ in range(layers)
        )
        self.layers = nn.LayerList([nn.Sequential(*pair) for pair in parts])
        self.norm = nn.LayerNorm(channels, epsilon=1e-6)

    def forward(self, x):
        x = self.drop(self.positions(x))
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Prediction(nn.Layer):
    """Finds the features of each position of the text."""

    def __init__(self, channels):
        super().__init__()
        self.order = nn.Embedding(LENGTH, channels)
        self.to_places = nn.Linear(LENGTH, PLACES)
        self.from_features = nn.Linear(channels, channels)
        self.score = nn.Linear(channels, LENGTH)
        # Trained ones look at few places; weak ones would see the same for all positions.
        sharp = np.random.RandomState(0).randint(-32, 33, (channels, LENGTH)) / 4
        self.score.weight.set_value(sharp.astype("float32"))
        self.score.keeps = {"weight"}
        self.classify = nn.Linear(channels, CLASSES)
        # Otherwise one class would be the best one at all positions.
        self.classify.centred = True

    def forward(self, x):
        order = paddle.arange(LENGTH, dtype="int64")
        order = order.unsqueeze(0).expand([x.shape[0], LENGTH])
        order = paddle.transpose(self.order(order), perm=[0, 2, 1])
        seen = paddle.transpose(self.to_places(order), perm=[0, 2, 1]) + self.from_features(x)
        weights = self.score(paddle.tanh(seen))
        weights = F.softmax(paddle.transpose(weights, perm=[0, 2, 1]), axis=2)
        return self.classify(paddle.bmm(weights, x))


class VisionLANHead(nn.Layer):
    """The head, which gives scores LENGTH×N×CLASSES, and the features that it read them from."""

    def __init__(self, channels, heads, each, hidden, layers):
        super().__init__()
        self.encoder = Encoder(channels, heads, each, hidden, layers)
        self.prediction = Prediction(channels)

    def forward(self, x):
        _, channels, height, width = x.shape
        x = paddle.transpose(x, perm=[0, 1, 3, 2])
        x = paddle.reshape(x, [-1, channels, height * width])
        x = paddle.transpose(x, perm=[0, 2, 1])
        scores = self.prediction(self.encoder(x))
        return paddle.transpose(scores, perm=[1, 0, 2]), x


def visionlan(width):
    full = width == "full"
    backbone = resnet45(width, (2, 2, 2, 1, 1), 8)
    head = VisionLANHead(512, 8, 64, 2048, 3) if full else VisionLANHead(8, 2, 6, 16, 2)
    return Recognizer(backbone, None, head)


SHAPE = [3, 64, 256]
PROBES = [(1, *SHAPE), (2, *SHAPE), (3, *SHAPE)]
KEYS = ("image", "label", "label_res", "label_sub", "label_id", "length")
RESIZE = {"VLRecResizeImg": {"image_shape": SHAPE}}
NETWORKS = {
    "rec_r45_visionlan": Network(
        visionlan,
        "VisionLAN",
        [([None, *SHAPE], "float32")],
        PROBES,
        settings("VLLabelDecode", {"VLLabelEncode": None}, RESIZE, colour="RGB", keys=KEYS),
        FORMATS,
    )
}
