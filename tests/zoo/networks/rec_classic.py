"""Rosetta, CRNN, STAR-Net, RARE, and the Chinese CRNNs of PP-OCR 2.0."""

from __future__ import annotations

from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.mobilenet_v3 import LineMobileNetV3
from tests.zoo.networks.rec_attention import AttentionHead
from tests.zoo.networks.rec_parts import (
    CHINESE,
    LETTERS,
    CTCHead,
    LSTMEncoder,
    Recognizer,
    ToSequence,
)
from tests.zoo.networks.rec_tps import TPS
from tests.zoo.networks.resnet_vd import COMPACT, FULL, ResNetVd

LINE = [([None, 3, 32, -1], "float32")]
FIXED = [([None, 3, 32, 100], "float32")]
LINES = [(1, 3, 32, 100), (1, 3, 32, 164), (3, 3, 32, 64)]
BATCHES = [(1, 3, 32, 100), (2, 3, 32, 100), (3, 3, 32, 100)]


class LineResNet34(nn.Layer):
    """ResNet34_vd for lines of text: it has no first reduction, and the others keep the width."""

    def __init__(self, width):
        super().__init__()
        widths = FULL if width == "full" else COMPACT
        self.resnet = ResNetVd(34, widths, stride=(2, 1), stem_stride=1)
        self.pool = nn.MaxPool2D(kernel_size=2, stride=2, padding=0)
        self.channels = widths[-1]

    def forward(self, x):
        return self.pool(self.resnet(x)[-1])


def line_mobilenet(width, size="large", strides=None):
    if width == "full":
        return LineMobileNetV3(size, 0.5, strides)
    return LineMobileNetV3(size, 0.04, strides, divisor=4)


def backbone_of(kind, width):
    return LineResNet34(width) if kind == "r34" else line_mobilenet(width)


def hidden_of(kind, width):
    if width == "compact":
        return 8
    return 256 if kind == "r34" else 96


def transform_of(kind, width):
    return TPS(width, "large" if kind == "r34" else "small")


def rosetta(kind):
    def build(width):
        backbone = backbone_of(kind, width)
        return Recognizer(backbone, ToSequence(), CTCHead(backbone.channels, LETTERS))

    return build


def crnn(kind, tps=False):
    def build(width):
        transform = transform_of(kind, width) if tps else None
        backbone = backbone_of(kind, width)
        neck = LSTMEncoder(backbone.channels, hidden_of(kind, width))
        return Recognizer(backbone, neck, CTCHead(neck.channels, LETTERS), transform)

    return build


def rare(kind):
    def build(width):
        transform = transform_of(kind, width)
        backbone = backbone_of(kind, width)
        hidden = hidden_of(kind, width)
        neck = LSTMEncoder(backbone.channels, hidden)
        return Recognizer(backbone, neck, AttentionHead(neck.channels, hidden), transform)

    return build


def chinese_mobile(width):
    backbone = line_mobilenet(width, "small", (1, 2, 2, 2))
    neck = LSTMEncoder(backbone.channels, 48 if width == "full" else 6)
    classes = CHINESE if width == "full" else LETTERS
    return Recognizer(backbone, neck, CTCHead(neck.channels, classes))


def chinese_server(width):
    backbone = LineResNet34(width)
    neck = LSTMEncoder(backbone.channels, 256 if width == "full" else 10)
    classes = CHINESE if width == "full" else LETTERS
    return Recognizer(backbone, neck, CTCHead(neck.channels, classes))


NETWORKS = {
    "rec_mv3_none_none_ctc": Network(rosetta("mv3"), "CTC", LINE, LINES),
    "rec_r34_vd_none_none_ctc": Network(rosetta("r34"), "CTC", LINE, LINES),
    "rec_mv3_none_bilstm_ctc": Network(crnn("mv3"), "CTC", LINE, LINES),
    "rec_r34_vd_none_bilstm_ctc": Network(crnn("r34"), "CTC", LINE, LINES),
    "rec_mv3_tps_bilstm_ctc": Network(crnn("mv3", tps=True), "CTC", FIXED, BATCHES),
    "rec_r34_vd_tps_bilstm_ctc": Network(crnn("r34", tps=True), "CTC", FIXED, BATCHES),
    "rec_mv3_tps_bilstm_att": Network(rare("mv3"), "Attention", FIXED, BATCHES),
    "rec_r34_vd_tps_bilstm_att": Network(rare("r34"), "Attention", FIXED, BATCHES),
    "ch_ppocr_mobile_v2.0_rec": Network(chinese_mobile, "CTC", LINE, LINES),
    "ch_ppocr_server_v2.0_rec": Network(chinese_server, "CTC", LINE, LINES),
}
