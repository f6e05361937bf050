"""NRTR: a transformer on two convolutions, which writes in a loop that may end early.

It has one class more than its decoder, as in PaddleOCR. Classes 2 and 3 are start and end.
"""

from __future__ import annotations

import math

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings

SYMBOLS = 36 + 4 + 1  # digits, letters, special symbols, and one that is never learned
HEADS = 8
BEGIN, END = 2, 3


def size(x, axis):
    """Return a size that varies, as PaddleOCR 2 asks for it; tests/zoo/README.md says why."""
    return paddle.shape(x)[axis]


class Columns(nn.Layer):
    """The backbone: an eighth of the width of a picture 32 high, 8 rows as features."""

    def __init__(self, width):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2D(1, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.BatchNorm2D(width),
            nn.Conv2D(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.BatchNorm2D(2 * width),
        )

    def forward(self, x):
        x = paddle.transpose(self.block(x), [0, 3, 2, 1])
        n, w, h, c = x.shape
        return paddle.reshape(x, [n, w, h * c])


class Attention(nn.Layer):
    def __init__(self, channels, *, alone):
        super().__init__()
        self.size = channels // HEADS
        self.alone = alone
        if alone:
            self.qkv = nn.Linear(channels, 3 * channels)
        else:
            self.q = nn.Linear(channels, channels)
            self.kv = nn.Linear(channels, 2 * channels)
        self.out = nn.Linear(channels, channels)

    def split(self, x, parts):
        return x.reshape((0, size(x, 1), parts, HEADS, self.size)).transpose((2, 0, 3, 1, 4))

    def forward(self, query, memory=None, mask=None):
        length = size(query, 1)
        if self.alone:
            qkv = self.split(self.qkv(query), 3)
            q, k, v = qkv[0], qkv[1], qkv[2]
        else:
            q = self.q(query).reshape([0, length, HEADS, self.size]).transpose([0, 2, 1, 3])
            kv = self.split(self.kv(memory), 2)
            k, v = kv[0], kv[1]
        weights = q.matmul(k.transpose((0, 1, 3, 2))) * self.size**-0.5
        if mask is not None:
            weights += mask
        weights = F.softmax(weights, axis=-1)
        mixed = weights.matmul(v).transpose((0, 2, 1, 3)).reshape((0, length, HEADS * self.size))
        return self.out(mixed)


class Block(nn.Layer):
    def __init__(self, channels, hidden, *, looks):
        super().__init__()
        self.itself = Attention(channels, alone=True)
        self.norm1 = nn.LayerNorm(channels)
        self.looks = looks
        if looks:
            self.other = Attention(channels, alone=False)
            self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)
        self.norm3 = nn.LayerNorm(channels)

    def forward(self, x, memory=None, mask=None):
        x = self.norm1(x + self.itself(x, mask=mask))
        if self.looks:
            x = self.norm2(x + self.other(x, memory))
        return self.norm3(x + self.fc2(F.relu(self.fc1(x))))


class Positions(nn.Layer):
    """Adds sines and cosines of the position, up to `most` positions."""

    def __init__(self, channels, most):
        super().__init__()
        place = paddle.arange(0, most, dtype="float32").unsqueeze(1)
        speed = paddle.exp(
            paddle.arange(0, channels, 2).astype("float32") * (-math.log(10000.0) / channels)
        )
        table = paddle.zeros([most, channels])
        table[:, 0::2] = paddle.sin(place * speed)
        table[:, 1::2] = paddle.cos(place * speed)
        self.register_buffer("table", table.unsqueeze(1))

    def forward(self, x):
        x = x.transpose([1, 0, 2])
        x = x + self.table[: size(x, 0), :]
        return x.transpose([1, 0, 2])


class NRTR(nn.Layer):
    def __init__(self, width, layers, hidden, most, length=25):
        super().__init__()
        channels = 16 * width
        self.channels, self.length = channels, length
        self.backbone = Columns(width)
        self.embedding = nn.Embedding(SYMBOLS, channels, padding_idx=0)
        self.positions = Positions(channels, most)
        self.encoder = nn.LayerList([Block(channels, hidden, looks=False) for _ in range(layers)])
        self.decoder = nn.LayerList([Block(channels, hidden, looks=True) for _ in range(layers)])
        self.project = nn.Linear(channels, SYMBOLS, bias_attr=False)

    def mask(self, size):
        hidden = paddle.full(shape=[size, size], dtype="float32", fill_value=float("-inf"))
        mask = paddle.zeros([size, size], dtype="float32") + paddle.triu(hidden, diagonal=1)
        return mask.unsqueeze([0, 1])

    def forward(self, x):
        memory = self.backbone(x)
        batch = size(memory, 0)
        memory = self.positions(memory)
        for layer in self.encoder:
            memory = layer(memory)
        written = paddle.full((batch, 1), BEGIN, dtype=paddle.int64)
        scores = paddle.full((batch, 1), 1.0, dtype=paddle.float32)
        for _ in range(1, paddle.to_tensor(self.length)):
            text = self.positions(self.embedding(written) * math.sqrt(self.channels))
            mask = self.mask(size(text, 1))
            for layer in self.decoder:
                text = layer(text, memory, mask=mask)
            last = text[:, -1, :]
            probability = F.softmax(self.project(last), axis=-1)
            best = paddle.argmax(probability, axis=-1)
            if paddle.equal_all(best, paddle.full(best.shape, END, dtype="int64")):
                break
            score = paddle.max(probability, axis=-1)
            written = paddle.concat([written, paddle.reshape(best, [-1, 1])], axis=1)
            scores = paddle.concat([scores, paddle.reshape(score, [-1, 1])], axis=1)
        return [written, scores]


def nrtr(width):
    return NRTR(32, 6, 1024, 5000) if width == "full" else NRTR(1, 2, 32, 64, 10)


RESIZE = {"GrayRecResizeImg": {"image_shape": [100, 32], "resize_type": "PIL"}}

NETWORKS = {
    "rec_mtb_nrtr": Network(
        nrtr,
        "NRTR",
        [([None, 1, 32, 100], "float32")],
        [(1, 1, 32, 100), (2, 1, 32, 100), (3, 1, 32, 100)],
        settings("NRTRLabelDecode", {"NRTRLabelEncode": None}, RESIZE, list(CHARACTERS)),
        FORMATS,
    )
}
