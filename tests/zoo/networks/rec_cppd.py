"""CPPD, which counts characters and positions before it reads all positions at once."""

from __future__ import annotations

import math

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import Recognizer
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings
from tests.zoo.networks.rec_svtrnet import EPSILON, Mlp, SVTRNet

LENGTH = 26  # 25 characters and the end
SIZE = (32, 100)
PLACES = 50  # 2 × 25 of the image of 32 × 100


class Attention(nn.Layer):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.each = channels // heads
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, channels * 2)
        self.drop = nn.Dropout(0.0)
        self.project = nn.Linear(channels, channels)
        self.drop_output = nn.Dropout(0.0)

    def forward(self, query, source):
        number, channels = source.shape[1:]
        asked = query.shape[1]
        query = self.q(query).reshape([-1, asked, self.heads, self.each]).transpose([0, 2, 1, 3])
        both = self.kv(source).reshape([-1, number, 2, self.heads, self.each])
        key, value = both.transpose((2, 0, 3, 1, 4))
        weights = query.matmul(key.transpose((0, 1, 3, 2))) * self.each**-0.5
        weights = self.drop(F.softmax(weights, axis=-1))
        x = weights.matmul(value).transpose((0, 2, 1, 3)).reshape((-1, asked, channels))
        return self.drop_output(self.project(x))


class DecoderLayer(nn.Layer):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.mixer = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.mlp = Mlp(channels, channels * 4)

    def forward(self, query, source):
        x = self.norm1(query + self.mixer(query, source))
        return self.norm2(x + self.mlp(x))


class EdgeDecoder(nn.Layer):
    """Finds the character of each position."""

    def __init__(self, channels, heads):
        super().__init__()
        self.channels = channels
        self.heads = heads
        self.norm1 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.norm2 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.positions = nn.Linear(channels, channels)
        self.values = nn.Linear(channels, channels)
        self.keys = nn.Linear(channels, channels)
        self.project = nn.Linear(channels, channels)
        self.mlp = Mlp(channels, channels * 4)

    def forward(self, positions, features):
        asked, number = positions.shape[1], features.shape[1]
        each = self.channels // self.heads

        def split(x, count):
            return x.reshape([-1, count, self.heads, each]).transpose([0, 2, 1, 3])

        query = split(self.positions(positions), asked)
        value = split(self.values(features), number)
        key = split(self.keys(features), number)
        edges = F.softmax(query.matmul(key.transpose((0, 1, 3, 2))), -1)
        found = (edges @ value).transpose((0, 2, 1, 3)).reshape((-1, asked, self.channels))
        x = self.norm1(positions + self.project(found))
        return self.norm2(x + self.mlp(x))


class Embeddings(nn.Layer):
    def __init__(self, channels, number):
        super().__init__()
        self.embedding = nn.Embedding(number, channels)
        self.scale = math.sqrt(channels)

    def forward(self, x):
        return self.embedding(x) * self.scale


class CPPDHead(nn.Layer):
    def __init__(self, channels, heads, layers, classes):
        super().__init__()
        self.position_names = Embeddings(channels, LENGTH)
        self.characters = nn.LayerList([DecoderLayer(channels, heads) for _ in range(layers)])
        self.positions = nn.LayerList([DecoderLayer(channels, heads) for _ in range(layers)])
        self.edges = EdgeDecoder(channels, heads)
        self.position_places = self.create_parameter([1, LENGTH, channels])
        self.image_places = self.create_parameter([1, PLACES, channels])
        self.classify = nn.Linear(channels, classes)

    def forward(self, x):
        x = x + self.image_places
        batch = x.shape[0]
        names = self.position_names(paddle.arange(LENGTH)).unsqueeze(0) + self.position_places
        names = paddle.tile(names, [batch, 1, 1])
        features = x
        asked = paddle.concat([names, x], 1)
        for characters, positions in zip(self.characters, self.positions):  # noqa: B905
            features = characters(features, features)
            asked = positions(asked, asked[:, LENGTH:, :])
        scores = self.classify(self.edges(asked[:, :LENGTH, :], features))
        return F.softmax(scores, -1)


def cppd(width):
    full = width == "full"
    widths, heads, counts = (
        ([128, 256, 384], [4, 8, 12], [6, 6, 4]) if full else ([4, 8, 12], [1, 2, 2], [1, 2, 1])
    )
    convolutions = 2 if full else 1
    attentions = counts[1] - convolutions
    middle = ["Conv"] * convolutions + ["Global"] * attentions
    mixers = [["Conv"] * counts[0], middle, ["Global"] * counts[2]]
    backbone = SVTRNet(SIZE, widths, mixers, heads, [5, 5], prenorm=True)
    head = CPPDHead(widths[-1], widths[-1] // 32 if full else 2, 3 if full else 1, classes=37)
    return Recognizer(backbone, None, head)


RESIZE = {"SVTRRecResizeImg": {"image_shape": [3, *SIZE], "padding": False}}
ENCODE = {"CPPDLabelEncode": {"ignore_index": 100}}
KEYS = ("image", "label", "label_node", "length")
PROBES = [(1, 3, *SIZE), (2, 3, *SIZE), (3, 3, *SIZE)]
NETWORKS = {
    "rec_svtrnet_cppd_base_en": Network(
        cppd,
        "CPPD",
        [([None, 3, *SIZE], "float32")],
        PROBES,
        settings("CPPDLabelDecode", ENCODE, RESIZE, keys=KEYS),
        FORMATS,
    )
}
assert len(CHARACTERS) == 36  # and the end
