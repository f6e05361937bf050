"""ABINet: a vision model, and a language model that corrects what it read, three times."""

from __future__ import annotations

import math

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import Recognizer
from tests.zoo.networks.rec_resnet45 import resnet45
from tests.zoo.networks.rec_single import FORMATS, settings
from tests.zoo.networks.rec_svtrnet import Mlp

LENGTH = 26  # 25 characters and the end
CLASSES = 37  # the end, digits and letters
HEIGHT, WIDTH = 8, 32  # of the features of an image of 32 × 128
HEADS = 8
ROUNDS = 3


class Attention(nn.Layer):
    """Attention to itself, or to another sequence."""

    def __init__(self, channels, heads, own):
        super().__init__()
        self.channels = channels
        self.heads = heads
        self.each = channels // heads
        self.own = own
        if own:
            self.qkv = nn.Linear(channels, channels * 3)
        else:
            self.q = nn.Linear(channels, channels)
            self.kv = nn.Linear(channels, channels * 2)
        self.drop = nn.Dropout(0.1)
        self.project = nn.Linear(channels, channels)

    def forward(self, query, key=None, mask=None):
        asked = query.shape[1]
        if self.own:
            qkv = self.qkv(query).reshape((0, asked, 3, self.heads, self.each))
            qkv = qkv.transpose((2, 0, 3, 1, 4))
            query, key, value = qkv[0], qkv[1], qkv[2]
        else:
            number = key.shape[1]
            query = self.q(query).reshape([0, asked, self.heads, self.each])
            query = query.transpose([0, 2, 1, 3])
            kv = self.kv(key).reshape((0, number, 2, self.heads, self.each))
            kv = kv.transpose((2, 0, 3, 1, 4))
            key, value = kv[0], kv[1]
        weights = query.matmul(key.transpose((0, 1, 3, 2))) * self.each**-0.5
        if mask is not None:
            weights += mask
        weights = self.drop(F.softmax(weights, axis=-1))
        x = weights.matmul(value).transpose((0, 2, 1, 3)).reshape((0, asked, self.channels))
        return self.project(x)


class TransformerBlock(nn.Layer):
    def __init__(self, channels, heads, hidden, own):
        super().__init__()
        self.own = own
        self.attention = Attention(channels, heads, own)
        self.norm1 = nn.LayerNorm(channels)
        self.drop1 = nn.Dropout(0.1)
        self.mlp = Mlp(channels, hidden, nn.ReLU)
        self.norm2 = nn.LayerNorm(channels)
        self.drop2 = nn.Dropout(0.1)

    def forward(self, x, memory=None, mask=None):
        if self.own:
            x = self.norm1(x + self.drop1(self.attention(x, mask=mask)))
        else:
            x = self.norm1(x + self.drop1(self.attention(x, key=memory, mask=mask)))
        return self.norm2(x + self.drop2(self.mlp(x)))


class PositionalEncoding(nn.Layer):
    def __init__(self, channels, length):
        super().__init__()
        self.drop = nn.Dropout(0.1)
        places = paddle.arange(0, length, dtype=paddle.float32).unsqueeze(1)
        even = paddle.arange(0, channels, 2).astype("float32")
        angles = places * paddle.exp(even * (-math.log(10000.0) / channels))
        table = paddle.stack([paddle.sin(angles), paddle.cos(angles)], axis=2)
        self.register_buffer("table", table.reshape([length, 1, channels]))

    def forward(self, x):
        x = x.transpose([1, 0, 2])
        x = x + self.table[: x.shape[0], :]
        return self.drop(x).transpose([1, 0, 2])


def down(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2D(c_in, c_out, 3, stride, 1), nn.BatchNorm2D(c_out), nn.ReLU())


def up(c_in, c_out, **size):
    return nn.Sequential(
        nn.Upsample(mode="nearest", align_corners=False, **size),
        nn.Conv2D(c_in, c_out, 3, 1, 1),
        nn.BatchNorm2D(c_out),
        nn.ReLU(),
    )


class PositionAttention(nn.Layer):
    """Finds the features of each position, with a small U-Net."""

    def __init__(self, channels, inner):
        super().__init__()
        self.encoder = nn.Sequential(
            down(channels, inner, (1, 2)), *(down(inner, inner, (2, 2)) for _ in range(3))
        )
        self.decoder = nn.Sequential(
            *(up(inner, inner, scale_factor=2) for _ in range(3)),
            up(inner, channels, size=(HEIGHT, WIDTH)),
        )
        self.positions = PositionalEncoding(channels, LENGTH)
        self.project = nn.Linear(channels, channels)

    def forward(self, x):
        batch, channels, _, _ = x.shape
        key, features = x, []
        for i in range(4):
            key = self.encoder[i](key)
            features.append(key)
        for i in range(3):
            key = self.decoder[i](key)
            key = key + features[2 - i]
        key = self.decoder[3](key)
        zeros = paddle.zeros((batch, LENGTH, channels), dtype=x.dtype)
        query = self.project(self.positions(zeros))
        weights = query @ key.flatten(2) / (channels**0.5)
        weights = F.softmax(weights, axis=-1)
        return weights @ x.flatten(2).transpose([0, 2, 1])


class Language(nn.Layer):
    """BCN: guesses each character from all others."""

    def __init__(self, channels, hidden, layers):
        super().__init__()
        self.project = nn.Linear(CLASSES, channels, bias_attr=False)
        self.tokens = PositionalEncoding(channels, LENGTH)
        self.positions = PositionalEncoding(channels, LENGTH)
        self.layers = nn.LayerList(
            [TransformerBlock(channels, HEADS, hidden, own=False) for _ in range(layers)]
        )
        self.classify = nn.Linear(channels, CLASSES)

    def forward(self, tokens, lengths):
        seen = self.tokens(self.project(tokens.detach()))
        mask = mask_of(lengths)
        query = self.positions(paddle.zeros_like(seen))
        for layer in self.layers:
            query = layer(query, seen, mask)
        return query


def lengths_of(scores):
    """Return each text's length with its end, from scores N×LENGTH×CLASSES."""
    ends = scores.argmax(-1) == 0
    has_end = ends.any(-1)
    first = (ends.cast("int32").cumsum(-1) == 1) & ends
    length = first.cast("int32").argmax(-1) + 1
    longest = paddle.zeros_like(length) + scores.shape[1]
    return paddle.where(has_end, length, longest)


def mask_of(lengths):
    """Hide from each position itself and what follows the text; N×1×LENGTH×LENGTH.

    PaddleOCR writes the infinities as the text "-inf", which Paddle 3 does not take for PIR.
    """
    lengths = lengths.unsqueeze(-1)
    batch = lengths.shape[0]
    grid = paddle.arange(0, LENGTH).unsqueeze(0).tile([batch, 1])
    shown = paddle.zeros([batch, LENGTH], dtype="float32")
    hidden = paddle.full([batch, LENGTH], float("-inf"), dtype="float32")
    own = paddle.diag(paddle.full([LENGTH], float("-inf"), dtype="float32"), offset=0)
    mask = paddle.where(grid >= lengths, hidden, shown)
    mask = mask.unsqueeze(1) + own
    return mask.unsqueeze(1)


class ABINetHead(nn.Layer):
    def __init__(self, channels, hidden, inner, layers, language_layers):
        super().__init__()
        self.positions = PositionalEncoding(channels, HEIGHT * WIDTH)
        self.encoder = nn.LayerList(
            [TransformerBlock(channels, HEADS, hidden, own=True) for _ in range(layers)]
        )
        self.decoder = PositionAttention(channels, inner)
        self.classify = nn.Linear(channels, CLASSES)
        self.language = Language(channels, hidden, language_layers)
        self.share = nn.Linear(2 * channels, channels)
        self.classify_both = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = x.transpose([0, 2, 3, 1])
        _, height, width, channels = x.shape
        x = self.positions(x.flatten(1, 2))
        for layer in self.encoder:
            x = layer(x)
        x = x.reshape([0, height, width, channels]).transpose([0, 3, 1, 2])
        seen = self.decoder(x)
        scores = self.classify(seen)
        lengths = lengths_of(scores)
        for _ in range(ROUNDS):
            tokens = F.softmax(scores, axis=-1)
            guessed = self.language(tokens, paddle.clip(lengths, 2, LENGTH))
            share = F.sigmoid(self.share(paddle.concat((guessed, seen), -1)))
            scores = self.classify_both(share * seen + (1 - share) * guessed)
            lengths = lengths_of(scores)
        return F.softmax(scores, -1)


def abinet(width):
    full = width == "full"
    backbone = resnet45(width, (2, 1, 2, 1, 1), 16)
    head = ABINetHead(512, 2048, 64, 3, 4) if full else ABINetHead(16, 32, 4, 1, 1)
    return Recognizer(backbone, None, head)


SHAPE = [3, 32, 128]
PROBES = [(1, *SHAPE), (2, *SHAPE), (3, *SHAPE)]
ENCODE = {"ABINetLabelEncode": {"ignore_index": 100}}
RESIZE = {"ABINetRecResizeImg": {"image_shape": SHAPE}}
NETWORKS = {
    "rec_r45_abinet": Network(
        abinet,
        "ABINet",
        [([None, *SHAPE], "float32")],
        PROBES,
        settings("ABINetLabelDecode", ENCODE, RESIZE, colour="RGB"),
        FORMATS,
    )
}
