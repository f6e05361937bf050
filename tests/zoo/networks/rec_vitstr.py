"""ViTSTR: a vision transformer whose first tokens are the text."""

from __future__ import annotations

import numpy as np
import paddle
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import CTCHead, Recognizer, ToSequence
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings
from tests.zoo.networks.rec_svtrnet import EPSILON, Attention, Block

SIZE = 224
PATCH = 16
LENGTH = 27  # 25 characters, the start and the end
SYMBOLS = 2  # start and end


class ViTSTR(nn.Layer):
    def __init__(self, channels, heads, depth):
        super().__init__()
        self.patches = nn.Conv2D(1, channels, kernel_size=[PATCH, PATCH], stride=[PATCH, PATCH])
        places = (SIZE // PATCH) ** 2
        self.positions = self.create_parameter([1, places + 1, channels])
        # Trained ones tell positions apart; weak ones would give the same symbol at all of them.
        apart = np.random.RandomState(0).randint(-4, 5, self.positions.shape) / 2
        self.positions.set_value(apart.astype("float32"))
        self.keeps = {"positions"}
        self.first = self.create_parameter([1, 1, channels])
        self.blocks = nn.LayerList(
            [Block(channels, Attention(channels, heads), prenorm=False) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(channels, epsilon=EPSILON)
        self.channels = channels

    def forward(self, x):
        batch = x.shape[0]
        x = self.patches(x).flatten(2).transpose((0, 2, 1))
        first = paddle.tile(self.first, repeat_times=[batch, 1, 1])
        x = paddle.concat((first, x), axis=1) + self.positions
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)[:, :LENGTH]
        return x.transpose([0, 2, 1]).unsqueeze(2)


def vitstr(width):
    full = width == "full"
    backbone = ViTSTR(192, 3, 12) if full else ViTSTR(12, 3, 2)
    classes = SYMBOLS + (94 if full else len(CHARACTERS))
    return Recognizer(backbone, ToSequence(), CTCHead(backbone.channels, classes))


RESIZE = {
    "GrayRecResizeImg": {
        "image_shape": [SIZE, SIZE],
        "resize_type": "PIL",
        "inter_type": "Image.BICUBIC",
        "scale": False,
    }
}
ENCODE = {"ViTSTRLabelEncode": {"ignore_index": 0}}
PROBES = [(1, 1, SIZE, SIZE), (2, 1, SIZE, SIZE), (3, 1, SIZE, SIZE)]
NETWORKS = {
    "rec_vitstr_none_ce": Network(
        vitstr,
        "ViTSTR",
        [([None, 1, SIZE, SIZE], "float32")],
        PROBES,
        settings("ViTSTRLabelDecode", ENCODE, RESIZE, list(CHARACTERS)),
        FORMATS,
    )
}
