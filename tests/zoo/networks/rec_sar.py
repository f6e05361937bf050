"""SAR: an LSTM reads the columns that show text, another one writes and looks at the whole picture.

PaddleOCR loops over the pictures of a batch to leave out their padding.
"""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_resnet31 import ResNet31
from tests.zoo.networks.rec_single import CHARACTERS, FORMATS, settings

SYMBOLS = len(CHARACTERS) + 3  # unknown, start and end in one, padding
START, PADDING = SYMBOLS - 2, SYMBOLS - 1


class Encoder(nn.Layer):
    def __init__(self, channels, hidden):
        super().__init__()
        self.rnn = nn.LSTM(channels, hidden, num_layers=2)
        self.linear = nn.Linear(hidden, hidden)

    def forward(self, features, ratios):
        columns = F.max_pool2d(
            features, kernel_size=(features.shape[2], 1), stride=1, padding=0
        ).squeeze(2)
        read = self.rnn(paddle.transpose(columns, perm=[0, 2, 1]))[0]
        whole = []
        length = paddle.shape(read)[1]
        for i in range(ratios.shape[0]):
            last = paddle.minimum(length, paddle.ceil(ratios[i] * length).astype(length.dtype)) - 1
            whole.append(read[i, last, :])
        return self.linear(paddle.stack(whole, axis=0))


class Decoder(nn.Layer):
    def __init__(self, channels, hidden, attention, steps):
        super().__init__()
        self.steps = steps
        self.query = nn.Linear(hidden, attention)
        self.key = nn.Conv2D(channels, attention, 3, padding=1)
        self.score = nn.Linear(attention, 1)
        self.rnn = nn.LSTM(hidden, hidden, num_layers=2)
        self.embedding = nn.Embedding(SYMBOLS, hidden, padding_idx=PADDING)
        self.prediction = nn.Linear(hidden + channels + hidden, SYMBOLS - 1)

    def look(self, given, features, whole, ratios):
        y = self.rnn(given)[0]
        query = self.query(y)
        batch, length, _ = query.shape
        query = paddle.unsqueeze(query, axis=[3, 4])
        key = self.key(features).unsqueeze(1)
        weight = paddle.tanh(paddle.add(key, query))
        weight = self.score(paddle.transpose(weight, perm=[0, 1, 3, 4, 2]))
        batch, steps, h, w, c = paddle.shape(weight)
        for i in range(ratios.shape[0]):
            valid = paddle.minimum(w, paddle.ceil(ratios[i] * w).astype(w.dtype))
            if valid < w:
                weight[i, :, :, valid:, :] = float("-inf")
        weight = F.softmax(paddle.reshape(weight, [batch, steps, -1]), axis=-1)
        weight = paddle.reshape(weight, [batch, steps, h, w, c])
        weight = paddle.transpose(weight, perm=[0, 1, 4, 2, 3])
        seen = paddle.sum(paddle.multiply(features.unsqueeze(1), weight), (3, 4), keepdim=False)
        whole = paddle.expand(whole, shape=[batch, length, whole.shape[-1]])
        return self.prediction(paddle.concat((y, seen.astype(y.dtype), whole.astype(y.dtype)), 2))

    def forward(self, features, whole, ratios):
        batch = features.shape[0]
        start = self.embedding(paddle.full((batch,), fill_value=START, dtype="int64"))
        size = start.shape[1]
        start = paddle.expand(start.unsqueeze(1), shape=[batch, self.steps, size])
        whole = whole.unsqueeze(1)
        given = paddle.concat((whole, start), axis=1)
        outputs = []
        for i in range(1, self.steps + 1):
            output = self.look(given, features, whole, ratios)[:, i, :]
            output = F.softmax(output, -1)
            outputs.append(output)
            best = paddle.argmax(output, axis=1, keepdim=False)
            best = self.embedding(best)
            if i < self.steps:
                given[:, i + 1, :] = best
        return paddle.stack(outputs, 1)


class SAR(nn.Layer):
    def __init__(self, width, hidden, attention, steps):
        super().__init__()
        self.backbone = ResNet31(width)
        self.encoder = Encoder(self.backbone.channels, hidden)
        self.decoder = Decoder(self.backbone.channels, hidden, attention, steps)

    def forward(self, x, others):
        features = self.backbone(x)
        ratios = others[-1]
        return self.decoder(features, self.encoder(features, ratios), ratios)


def sar(width):
    return SAR(width, 512, 512, 30) if width == "full" else SAR(width, 16, 16, 3)


RESIZE = {"SARRecResizeImg": {"image_shape": [3, 48, 48, 160], "width_downsample_ratio": 0.25}}
KEYS = ("image", "label", "valid_ratio")

NETWORKS = {
    "rec_r31_sar": Network(
        sar,
        "SAR",
        [([1, 3, 48, 160], "float32"), [([1], "float32")]],
        [(1, 3, 48, 160)],
        settings("SARLabelDecode", {"SARLabelEncode": None}, RESIZE, list(CHARACTERS), keys=KEYS),
        FORMATS,
    )
}
