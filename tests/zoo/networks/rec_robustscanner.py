"""RobustScanner: one decoder follows the text written so far, another the position in it."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_resnet31 import ResNet31
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings

SYMBOLS = len(CHARACTERS) + 3  # unknown, start and end in one, padding
START, PADDING = SYMBOLS - 2, SYMBOLS - 1
# Positions that PaddleOCR gives the network; the compact one writes only the first of them.
POSITIONS = 40
STEPS = {"full": POSITIONS, "compact": 5}


def attend(query, key, value, h, w, ratios):
    """Attend to the places of a picture that show text; all [N, channels, places]."""
    logits = paddle.matmul(paddle.transpose(query, (0, 2, 1)), key)
    n, c, t = logits.shape
    logits = paddle.reshape(logits, [n, c, h, w])
    for i, ratio in enumerate(ratios):
        valid = min(w, int(w * ratio + 0.5))
        if valid < w:
            logits[i, :, :, valid:] = float("-inf")
    weights = F.softmax(paddle.reshape(logits, [n, c, t]), axis=2)
    return paddle.transpose(paddle.matmul(weights, paddle.transpose(value, (0, 2, 1))), (0, 2, 1))


class Hybrid(nn.Layer):
    """Looks where the text written so far says."""

    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, hidden, padding_idx=PADDING)
        self.rnn = nn.LSTM(hidden, hidden, num_layers=2)

    def forward(self, features, key, written, step, ratios):
        n, c, h, w = key.shape
        _, c2, _, _ = features.shape
        query, _ = self.rnn(self.embedding(written))
        query = paddle.transpose(query, (0, 2, 1))
        key = paddle.reshape(key, [n, c, h * w])
        value = paddle.reshape(features, [n, c2, h * w])
        return attend(query, key, value, h, w, ratios)[:, :, step]


class Position(nn.Layer):
    """Looks where the position in the text says."""

    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(POSITIONS + 1, hidden)
        self.rnn = nn.LSTM(hidden, hidden, num_layers=2)
        self.mixer = nn.Sequential(
            nn.Conv2D(hidden, hidden, 3, padding=1), nn.ReLU(),
            nn.Conv2D(hidden, hidden, 3, padding=1),
        )  # fmt: skip

    def forward(self, features, key, positions, ratios):
        n, c, h, w = key.shape
        _, c2, _, _ = features.shape
        rows = paddle.reshape(paddle.transpose(key, (0, 2, 3, 1)), (n * h, w, c))
        rows = paddle.reshape(self.rnn(rows)[0], (n, h, w, c))
        key = self.mixer(paddle.transpose(rows, (0, 3, 1, 2)))
        query = paddle.transpose(self.embedding(positions), (0, 2, 1))
        key = paddle.reshape(key, (n, c, h * w))
        value = paddle.reshape(features, (n, c2, h * w))
        return paddle.transpose(attend(query, key, value, h, w, ratios), (0, 2, 1))


class RobustScanner(nn.Layer):
    def __init__(self, width, hidden, steps):
        super().__init__()
        self.steps = steps
        self.backbone = ResNet31(width)
        channels = self.backbone.channels
        self.reduce = nn.Conv2D(channels, hidden, 1)
        self.hybrid = Hybrid(hidden)
        self.position = Position(hidden)
        self.fuse = nn.Linear(2 * channels, 2 * channels)
        self.prediction = nn.Linear(channels, SYMBOLS - 1)

    def forward(self, x, others):
        ratios, positions = others[-2:]
        features = self.backbone(x)
        key = self.reduce(features)
        batch = features.shape[0]
        written = paddle.ones((batch, self.steps), dtype="int64") * START
        placed = self.position(features, key, positions, ratios)
        outputs = []
        for i in range(self.steps):
            seen = self.hybrid(features, key, written, i, ratios)
            both = F.glu(self.fuse(paddle.concat([seen, placed[:, i, :]], -1)), -1)
            output = F.softmax(self.prediction(both), -1)
            outputs.append(output)
            best = paddle.argmax(output, axis=1, keepdim=False)
            if i < self.steps - 1:
                written[:, i + 1] = best
        return paddle.stack(outputs, 1)


def robustscanner(width):
    return RobustScanner(width, 128 if width == "full" else 16, STEPS[width])


RESIZE = {
    "RobustScannerRecResizeImg": {
        "image_shape": [3, 48, 48, 160],
        "max_text_length": POSITIONS,
        "width_downsample_ratio": 0.25,
    }
}
KEYS = ("image", "label", "valid_ratio", "word_positons")
OTHERS = [([None], "float32"), ([None, POSITIONS], "int64")]

NETWORKS = {
    "rec_r31_robustscanner": Network(
        robustscanner,
        "RobustScanner",
        [([None, 3, 48, 160], "float32"), OTHERS],
        [(1, 3, 48, 160)],
        settings("SARLabelDecode", {"SARLabelEncode": None}, RESIZE, list(CHARACTERS), keys=KEYS),
        FORMATS,
    )
}
