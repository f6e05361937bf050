"""PARSeq: a vision transformer, whose decoder reads from left to right and then once more."""

from __future__ import annotations

import math

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import Recognizer
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings
from tests.zoo.networks.rec_svtrnet import Mlp

SIZE = (32, 128)
PATCH = (4, 8)
STEPS = 26  # 25 characters and the end
END = 0


class ImageAttention(nn.Layer):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, channels * 3)
        self.project = nn.Linear(channels, channels)

    def forward(self, x):
        number, channels = x.shape[1:]
        each = channels // self.heads
        qkv = self.qkv(x).reshape((-1, number, 3, self.heads, each)).transpose((2, 0, 3, 1, 4))
        query, key, value = qkv[0], qkv[1], qkv[2]
        weights = F.softmax(query.matmul(key.transpose((0, 1, 3, 2))) * each**-0.5, axis=-1)
        x = weights.matmul(value).transpose((0, 2, 1, 3)).reshape((-1, number, channels))
        return self.project(x)


class Block(nn.Layer):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = ImageAttention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels, channels * 4)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Layer):
    def __init__(self, channels, heads, depth):
        super().__init__()
        self.patches = nn.Conv2D(3, channels, kernel_size=PATCH, stride=PATCH)
        places = (SIZE[0] // PATCH[0]) * (SIZE[1] // PATCH[1])
        self.positions = self.create_parameter([1, places, channels])
        self.blocks = nn.LayerList([Block(channels, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(channels)

    def forward(self, x):
        _, _, height, width = x.shape
        assert height == SIZE[0] and width == SIZE[1], f"not an image of {SIZE}"
        x = self.patches(x).flatten(2).transpose((0, 2, 1)) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class DecoderLayer(nn.Layer):
    """A layer with two streams: queries of positions, and the characters that are known."""

    def __init__(self, channels, heads):
        super().__init__()
        self.own = nn.MultiHeadAttention(channels, heads, dropout=0.1, need_weights=True)
        self.cross = nn.MultiHeadAttention(channels, heads, dropout=0.1, need_weights=True)
        self.fc1 = nn.Linear(channels, channels * 4)
        self.fc2 = nn.Linear(channels * 4, channels)
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.norm_query = nn.LayerNorm(channels)
        self.norm_content = nn.LayerNorm(channels)
        self.drop = nn.Dropout(0.1)

    def forward(self, query, content, memory, mask, padding):
        known = self.norm_content(content)
        if padding is not None:
            seen = (mask != float("-inf"))[None, None, :, :] & (padding[:, None, None, :] == False)  # noqa: E712
            own, _ = self.own(self.norm_query(query), known, known, attn_mask=seen)
        else:
            own, _ = self.own(self.norm_query(query), known, known, attn_mask=mask)
        x = query + self.drop(own)
        cross, _ = self.cross(self.norm1(x), memory, memory)
        x = x + self.drop(cross)
        return x + self.drop(self.fc2(self.drop(F.gelu(self.fc1(self.norm2(x))))))


class ParseQHead(nn.Layer):
    """The head, whose number of steps Paddle doesn't know when it exports the loop.

    Args:
        channels: Channels of the features.
        heads: The heads of its attention.
        classes: The classes that it gives: the end and the characters.
    """

    def __init__(self, channels, heads, classes):
        super().__init__()
        self.start, self.padding = classes, classes + 1
        self.layer = DecoderLayer(channels, heads)
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, classes)
        self.symbols = nn.Embedding(classes + 2, channels)
        self.scale = math.sqrt(channels)
        self.queries = self.create_parameter([1, STEPS, channels])
        self.drop = nn.Dropout(0.1)

    def embed(self, symbols):
        return self.scale * self.symbols(symbols.astype(paddle.int64))

    def decode(self, symbols, memory, query, query_mask, padding=None):
        _, length = symbols.shape
        content = self.embed(symbols[:, :1])
        if length != 1:
            others = self.queries[:, : length - 1] + self.embed(symbols[:, 1:])
            content = self.drop(paddle.concat(x=[content, others], axis=1))
        else:
            content = self.drop(content)
        return self.norm(self.layer(self.drop(query), content, memory, query_mask, padding))

    def forward(self, memory):
        batch = memory.shape[0]
        queries = self.queries[:, :STEPS].expand(shape=[batch, -1, -1])
        endless = paddle.full(shape=(STEPS, STEPS), fill_value=float("-inf"))
        query_mask = paddle.triu(x=endless, diagonal=1)
        symbols = paddle.full(shape=(batch, STEPS), fill_value=self.padding).astype("int64")
        symbols[:, 0] = self.start
        scores = []
        for i in range(paddle.to_tensor(STEPS)):
            j = i + 1
            found = self.decode(symbols[:, :j], memory, queries[:, i:j], query_mask[i:j, :j])
            step = self.head(found)
            scores.append(step)
            if j < STEPS:
                symbols[:, j] = step.squeeze().argmax(axis=-1)
                if (symbols == END).astype("bool").any(axis=-1).astype("bool").all():
                    break
        scores = paddle.concat(x=scores, axis=1)
        # PaddleOCR asks NumPy where another mask is true, to show each position all that the first
        # reading found. In an export that mask has no values: NumPy takes it for one true value,
        # and only the first position is shown everything.
        query_mask[(np.array([0]),)] = 0
        start = paddle.full(shape=(batch, 1), fill_value=self.start).astype("int64")
        symbols = paddle.concat(x=[start, scores[:, :-1].argmax(axis=-1)], axis=1)
        padding = (symbols == END).astype(dtype="int32").cpu()
        padding = padding.cumsum(axis=-1) > 0
        padding = padding.astype(dtype="float32") == 1.0
        mask = query_mask[:, : symbols.shape[1]]
        scores = self.head(self.decode(symbols, memory, queries, mask, padding))
        return {"predict": F.softmax(scores, axis=-1)}


def parseq(width):
    full = width == "full"
    channels, heads, depth = (384, 6, 12) if full else (12, 2, 2)
    backbone = VisionTransformer(channels, heads, depth)
    classes = 1 + (94 if full else len(CHARACTERS))
    return Recognizer(backbone, None, ParseQHead(channels, 12 if full else 3, classes))


PROBES = [(1, 3, *SIZE), (2, 3, *SIZE), (3, 3, *SIZE)]
RESIZE = {"SVTRRecResizeImg": {"image_shape": [3, *SIZE], "padding": False}}
NETWORKS = {
    "rec_vit_parseq": Network(
        parseq,
        "PARSeq",
        [([None, 3, 32, -1], "float32")],
        PROBES,
        settings("ParseQLabelDecode", {"ParseQLabelEncode": None}, RESIZE, list(CHARACTERS)),
        FORMATS,
    )
}
