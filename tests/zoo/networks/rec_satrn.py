"""SATRN: a transformer that keeps rows and columns, and a decoder that writes in a loop."""

from __future__ import annotations

import math

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings

HEADS = 8
SYMBOLS = len(CHARACTERS) + 3  # unknown, start and end in one, padding
START, PADDING = SYMBOLS - 2, SYMBOLS - 1


class ConvBN(nn.Layer):
    def __init__(self, c_in, kernel, c_out, groups=1):
        super().__init__()
        self.conv = nn.Conv2D(
            c_in, c_out, kernel, padding=kernel // 2, groups=groups, bias_attr=False
        )
        self.bn = nn.BatchNorm2D(c_out)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class ShallowCNN(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = ConvBN(3, 3, channels // 2)
        self.conv2 = ConvBN(channels // 2, 3, channels)

    def forward(self, x):
        return F.max_pool2d(self.conv2(F.max_pool2d(self.conv1(x), 2, 2)), 2, 2)


def sinusoid(places, channels):
    speeds = [1.0 / np.power(10000, 2 * (i // 2) / channels) for i in range(channels)]
    angles = np.arange(places)[:, None] * np.array(speeds)[None]
    angles[:, 0::2] = np.sin(angles[:, 0::2])
    angles[:, 1::2] = np.cos(angles[:, 1::2])
    return angles.astype("float32")


class Adaptive2DPositions(nn.Layer):
    def __init__(self, channels, places):
        super().__init__()
        table = sinusoid(places, channels)
        self.register_buffer("rows", paddle.to_tensor(table.T.reshape(1, channels, places, 1)))
        self.register_buffer("columns", paddle.to_tensor(table.T.reshape(1, channels, 1, places)))
        self.row_scale = self.scale(channels)
        self.column_scale = self.scale(channels)
        self.pool = nn.AdaptiveAvgPool2D(1)

    def scale(self, channels):
        return nn.Sequential(
            nn.Conv2D(channels, channels, 1), nn.ReLU(),
            nn.Conv2D(channels, channels, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        _, _, h, w = x.shape
        mean = self.pool(x)
        rows = self.row_scale(mean) * self.rows[:, :, :h, :]
        columns = self.column_scale(mean) * self.columns[:, :, :, :w]
        return x + rows + columns


class MultiHeadAttention(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        self.size = channels // HEADS
        self.q = nn.Linear(channels, channels, bias_attr=False)
        self.k = nn.Linear(channels, channels, bias_attr=False)
        self.v = nn.Linear(channels, channels, bias_attr=False)
        self.out = nn.Linear(channels, channels, bias_attr=False)

    def forward(self, q, k, v, mask=None):
        batch, len_q, _ = q.shape
        _, len_k, _ = k.shape
        q = self.q(q).reshape([batch, len_q, HEADS, self.size]).transpose([0, 2, 1, 3])
        k = self.k(k).reshape([batch, len_k, HEADS, self.size]).transpose([0, 2, 1, 3])
        v = self.v(v).reshape([batch, len_k, HEADS, self.size]).transpose([0, 2, 1, 3])
        weights = paddle.matmul(q / self.size**0.5, k.transpose([0, 1, 3, 2]))
        if mask is not None:
            mask = mask.unsqueeze(1) if mask.dim() == 3 else mask.unsqueeze(1).unsqueeze(1)
            hidden = paddle.full(weights.shape, -1e9, weights.dtype)
            weights = paddle.where(mask == 0, hidden, weights)
        weights = F.softmax(weights, axis=-1)
        mixed = paddle.matmul(weights, v).transpose([0, 2, 1, 3])
        return self.out(mixed.reshape([batch, len_q, HEADS * self.size]))


class EncoderLayer(nn.Layer):
    def __init__(self, channels, hidden):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = MultiHeadAttention(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.near = nn.Sequential(
            ConvBN(channels, 1, hidden),
            ConvBN(hidden, 3, hidden, groups=hidden),
            ConvBN(hidden, 1, channels),
        )

    def forward(self, x, h, w, mask):
        n, places, c = x.shape
        y = self.norm1(x)
        x = x + self.attention(y, y, y, mask)
        y = self.norm2(x).transpose([0, 2, 1]).reshape([n, c, h, w])
        return x + self.near(y).reshape([n, c, places]).transpose([0, 2, 1])


class Encoder(nn.Layer):
    def __init__(self, channels, hidden, layers, places):
        super().__init__()
        self.positions = Adaptive2DPositions(channels, places)
        self.layers = nn.LayerList([EncoderLayer(channels, hidden) for _ in range(layers)])
        self.norm = nn.LayerNorm(channels)

    def forward(self, x, ratios=None):
        if ratios is None:
            ratios = [1.0 for _ in range(x.shape[0])]
        x = self.positions(x)
        n, c, h, w = x.shape
        mask = paddle.zeros((n, h, w))
        for i, ratio in enumerate(ratios):
            valid = min(w, math.ceil(w * ratio))
            mask[i, :, :valid] = 1
        mask = mask.reshape([n, h * w])
        x = x.reshape([n, c, h * w]).transpose([0, 2, 1])
        for layer in self.layers:
            x = layer(x, h, w, mask)
        return self.norm(x)


class DecoderLayer(nn.Layer):
    def __init__(self, channels, hidden):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.norm3 = nn.LayerNorm(channels)
        self.itself = MultiHeadAttention(channels)
        self.other = MultiHeadAttention(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
        )

    def forward(self, x, memory, mask):
        y = self.norm1(x)
        x = x + self.itself(y, y, y, mask)
        x = x + self.other(self.norm2(x), memory, memory)
        return x + self.mlp(self.norm3(x))


class Decoder(nn.Layer):
    def __init__(self, channels, hidden, layers, places, steps):
        super().__init__()
        self.steps = steps
        self.embedding = nn.Embedding(SYMBOLS, channels, padding_idx=PADDING)
        table = sinusoid(places, channels)
        self.register_buffer("positions", paddle.to_tensor(table[None]))
        self.layers = nn.LayerList([DecoderLayer(channels, hidden) for _ in range(layers)])
        self.norm = nn.LayerNorm(channels, epsilon=1e-6)
        self.classifier = nn.Linear(channels, SYMBOLS - 1)

    def attend(self, written, memory):
        x = self.embedding(written)
        x = x + self.positions[:, : x.shape[1]].clone().detach()
        length = written.shape[1]
        later = 1 - paddle.triu(paddle.ones((length, length)), diagonal=1)
        mask = (written != PADDING).unsqueeze(-2) & paddle.cast(later.unsqueeze(0), "bool")
        for layer in self.layers:
            x = layer(x, memory, mask)
        return self.norm(x)

    def forward(self, memory):
        n = memory.shape[0]
        written = paddle.full((n, self.steps + 1), PADDING, dtype="int64")
        written[:, 0] = START
        outputs = []
        for step in range(0, paddle.to_tensor(self.steps)):
            x = self.attend(written, memory)
            output = F.softmax(self.classifier(x[:, step, :]), axis=-1)
            outputs.append(output)
            best = paddle.argmax(output, axis=-1)
            written[:, step + 1] = best
        return paddle.stack(outputs, axis=1)


class SATRN(nn.Layer):
    def __init__(self, channels, hidden, layers, places, steps=25):
        super().__init__()
        self.backbone = ShallowCNN(channels)
        self.encoder = Encoder(channels, hidden, layers, places)
        self.decoder = Decoder(channels, hidden, layers, 2 * places, steps)

    def forward(self, x):
        return self.decoder(self.encoder(self.backbone(x)))


def satrn(width):
    return SATRN(256, 1024, 6, 100) if width == "full" else SATRN(16, 32, 2, 30, 10)


RESIZE = {"SVTRRecResizeImg": {"image_shape": [3, 32, 100], "padding": False}}
KEYS = ("image", "label", "valid_ratio")

NETWORKS = {
    "rec_satrn": Network(
        satrn,
        "SATRN",
        [([1, 3, 32, 100], "float32")],
        [(1, 3, 32, 100)],
        settings(
            "SATRNLabelDecode", {"SATRNLabelEncode": None}, RESIZE, list(CHARACTERS), keys=KEYS
        ),
        FORMATS,
    )
}
