"""SRN, which reads all symbols at once, then reasons over them in both directions."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_resnet_fpn import ResNetFPN
from tests.zoo.networks.rec_srn_encoder import FeatureEncoder, WordEncoder

LENGTH = 25
PLACES = 256  # 8 × 32 of the image of 64 × 256
HEADS = 8
SYMBOLS = 38  # digits, letters, start and end


class VisualAttention(nn.Layer):
    """PVAM: finds the features that belong to each position of the text."""

    def __init__(self, channels):
        super().__init__()
        self.encoder = FeatureEncoder(PLACES, 2, channels, HEADS)
        self.fc0 = nn.Linear(channels, channels)
        self.positions = nn.Embedding(LENGTH, channels)
        self.fc1 = nn.Linear(channels, 1, bias_attr=False)
        # Trained ones look at few places; weak ones would see the same for all positions.
        sharp = np.random.RandomState(0).normal(0, 8 / np.sqrt(channels), (channels, 1))
        self.fc1.weight.set_value(sharp.astype("float32"))
        self.fc1.keeps = {"weight"}

    def forward(self, image, places, positions):
        _, c, h, w = image.shape
        features = paddle.reshape(image, shape=[-1, c, h * w])
        features = self.encoder(paddle.transpose(features, perm=[0, 2, 1]), places)
        _, t, c = features.shape
        features = self.fc0(features)
        seen = paddle.tile(paddle.reshape(features, [-1, 1, t, c]), [1, LENGTH, 1, 1])
        asked = paddle.reshape(self.positions(positions), [-1, LENGTH, 1, c])
        asked = paddle.tile(asked, [1, 1, t, 1])
        weights = self.fc1(paddle.tanh(asked + seen))
        weights = F.softmax(paddle.reshape(weights, shape=[-1, LENGTH, t]), axis=-1)
        return paddle.matmul(weights, features)


class Reasoning(nn.Layer):
    """GSRM: guesses the symbols, and derives features for each one from the guess of the others."""

    def __init__(self, channels, symbols):
        super().__init__()
        self.padding = symbols
        self.fc0 = nn.Linear(channels, symbols)
        # Symbol 0, which the encoders take for padding, has to occur.
        bias = np.zeros(symbols, "float32")
        bias[0] = 0.75
        self.fc0.bias.set_value(bias)
        self.fc0.keeps = {"bias"}
        self.forwards = WordEncoder(symbols + 1, LENGTH, 4, channels, HEADS)
        self.backwards = WordEncoder(symbols + 1, LENGTH, 4, channels, HEADS)
        self.backwards.words = self.forwards.words

    def forward(self, visual, positions, mask1, mask2):
        _, t, c = visual.shape
        guess = self.fc0(paddle.reshape(visual, [-1, c]))
        words = paddle.argmax(F.softmax(guess), axis=1)
        words = paddle.reshape(x=words, shape=[-1, t, 1])
        shifted = paddle.cast(words, "float32")
        shifted = F.pad(shifted, [1, 0], value=1.0 * self.padding, data_format="NLC")
        shifted = paddle.cast(shifted, "int64")[:, :-1, :]
        before = self.forwards(shifted, positions, mask1)
        after = self.backwards(words, positions, mask2)
        after = F.pad(after, [0, 1], value=0.0, data_format="NLC")[:, 1:]
        features = before + after
        scores = paddle.matmul(x=features, y=self.forwards.words.weight, transpose_y=True)
        _, _, c = scores.shape
        return features, guess, paddle.reshape(scores, [-1, c])


class Decision(nn.Layer):
    """VSFD: mixes the features of PVAM and GSRM."""

    def __init__(self, channels, symbols):
        super().__init__()
        self.fc0 = nn.Linear(channels * 2, channels)
        self.fc1 = nn.Linear(channels, symbols)

    def forward(self, visual, semantic):
        _, t, c1 = visual.shape
        _, t, c2 = semantic.shape
        both = paddle.concat([visual, semantic], axis=2)
        share = F.sigmoid(self.fc0(paddle.reshape(both, shape=[-1, c1 + c2])))
        share = paddle.reshape(share, shape=[-1, t, c1])
        mixed = share * visual + (1.0 - share) * semantic
        return self.fc1(paddle.reshape(mixed, shape=[-1, c1]))


class SRN(nn.Layer):
    def __init__(self, width, channels):
        super().__init__()
        self.backbone = ResNetFPN(width, channels)
        self.visual = VisualAttention(channels)
        self.reasoning = Reasoning(channels, SYMBOLS)
        self.decision = Decision(channels, SYMBOLS)

    def forward(self, x, others):
        places, positions, mask1, mask2 = others[-4:]
        visual = self.visual(self.backbone(x), places, positions)
        semantic, guess, reasoned = self.reasoning(visual, positions, mask1, mask2)
        scores = self.decision(visual, semantic)
        if not self.training:
            scores = F.softmax(scores, axis=1)
        _, decoded = paddle.topk(scores, k=1)
        return OrderedDict(
            [
                ("predict", scores),
                ("pvam_feature", visual),
                ("decoded_out", decoded),
                ("word_out", guess),
                ("gsrm_out", reasoned),
            ]
        )


def srn(width):
    return SRN(64, 512) if width == "full" else SRN(1, 16)


IMAGE = ([None, 1, 64, 256], "float32")
OTHERS = [
    ([None, PLACES, 1], "int64"),
    ([None, LENGTH, 1], "int64"),
    ([None, HEADS, LENGTH, LENGTH], "int64"),
    ([None, HEADS, LENGTH, LENGTH], "int64"),
]
PROBES = [(1, 1, 64, 256), (2, 1, 64, 256), (3, 1, 64, 256)]

NETWORKS = {"rec_r50_fpn_srn": Network(srn, "SRN", [IMAGE, OTHERS], PROBES)}
