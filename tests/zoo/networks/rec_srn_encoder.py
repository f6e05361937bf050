"""SRN's transformer encoders, whose dropouts scale in inference."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

DROPOUT = 0.1


def dropped(layer, x):
    """Apply dropout.

    PaddleOCR leaves `training` at True, which its export changes. Here the layer also runs before.
    """
    return F.dropout(x, p=DROPOUT, training=layer.training, mode="downscale_in_infer")


class Attention(nn.Layer):
    """Attention with several heads, each of which has its own mask."""

    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.each = channels // heads
        self.scale = channels**-0.5
        self.query = nn.Linear(channels, channels, bias_attr=False)
        self.key = nn.Linear(channels, channels, bias_attr=False)
        self.value = nn.Linear(channels, channels, bias_attr=False)
        self.project = nn.Linear(channels, channels, bias_attr=False)

    def split(self, x):
        x = paddle.reshape(x=x, shape=[0, 0, self.heads, self.each])
        return paddle.transpose(x=x, perm=[0, 2, 1, 3])

    def forward(self, x, mask):
        query = self.split(self.query(x))
        key = self.key(x)
        value = self.value(x)
        key = self.split(key)
        value = self.split(value)
        scores = paddle.matmul(x=query, y=key, transpose_y=True) * self.scale
        if mask is not None:
            scores += mask.astype(scores.dtype)
        weights = dropped(self, F.softmax(scores))
        y = paddle.transpose(paddle.matmul(weights, value), perm=[0, 2, 1, 3])
        y = paddle.reshape(x=y, shape=[0, 0, y.shape[2] * y.shape[3]])
        return self.project(y)


class EncoderLayer(nn.Layer):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, channels)
        self.fc2 = nn.Linear(channels, channels)

    def forward(self, x, mask):
        x = dropped(self, self.attention(self.norm1(x), mask)) + x
        y = dropped(self, F.relu(self.fc1(self.norm2(x))))
        return dropped(self, self.fc2(y)) + x


class Encoder(nn.Layer):
    def __init__(self, depth, channels, heads):
        super().__init__()
        self.layers = nn.LayerList([EncoderLayer(channels, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(channels)

    def forward(self, x, mask):
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)


class FeatureEncoder(nn.Layer):
    """An encoder of features, to which the codes of positions are added."""

    def __init__(self, length, depth, channels, heads):
        super().__init__()
        self.channels = channels
        self.positions = nn.Embedding(length, channels)
        self.encoder = Encoder(depth, channels, heads)

    def forward(self, features, positions):
        x = paddle.cast(features, "float32")
        x = paddle.scale(x=x, scale=self.channels**0.5)
        y = self.positions(paddle.squeeze(positions, axis=-1))
        y.stop_gradient = True
        return self.encoder(dropped(self, x + y), None)


class WordEncoder(nn.Layer):
    """An encoder of symbols, whose codes it looks up; symbol 0 is padding and gives zeros."""

    def __init__(self, symbols, length, depth, channels, heads):
        super().__init__()
        self.channels = channels
        self.words = nn.Embedding(symbols, channels, padding_idx=0)
        self.positions = nn.Embedding(length, channels)
        self.encoder = Encoder(depth, channels, heads)

    def forward(self, words, positions, mask):
        words = paddle.squeeze(paddle.cast(words, "int64"), axis=-1)
        x = paddle.scale(x=self.words(words), scale=self.channels**0.5)
        y = self.positions(paddle.squeeze(positions, axis=-1))
        y.stop_gradient = True
        return self.encoder(dropped(self, x + y), mask)
