"""What PaddleOCR's recognizers have in common: sequences, LSTMs and the CTC head."""

from __future__ import annotations

from itertools import pairwise

import paddle.nn.functional as F
from paddle import nn

LETTERS = 37  # classes of the English models: digits, letters and the blank
CHINESE = 6625


class Recognizer(nn.Layer):
    """A transform, a backbone, a neck and a head; the first and the third may be None."""

    def __init__(self, backbone, neck, head, transform=None):
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def forward(self, x):
        if self.transform is not None:
            x = self.transform(x)
        x = self.backbone(x)
        if self.neck is not None:
            x = self.neck(x)
        return self.head(x)


class ToSequence(nn.Layer):
    """Turns features N×C×1×W into a sequence N×W×C."""

    def forward(self, x):
        _, _, height, _ = x.shape
        assert height == 1
        return x.squeeze(axis=2).transpose([0, 2, 1])


class LSTMEncoder(nn.Layer):
    """PaddleOCR's encoder "rnn": two LSTM layers in both directions.

    Attributes:
        channels: Channels of the output.
    """

    def __init__(self, channels, hidden):
        super().__init__()
        self.to_sequence = ToSequence()
        self.lstm = nn.LSTM(channels, hidden, num_layers=2, direction="bidirectional")
        self.channels = hidden * 2

    def forward(self, x):
        y, _ = self.lstm(self.to_sequence(x))
        return y


class CTCHead(nn.Layer):
    """One linear layer, or two with `middle` channels between them."""

    def __init__(self, channels, classes, middle=None):
        super().__init__()
        widths = [channels, classes] if middle is None else [channels, middle, classes]
        self.layers = nn.Sequential(*(nn.Linear(c_in, c_out) for c_in, c_out in pairwise(widths)))

    def forward(self, x):
        scores = self.layers(x)
        if not self.training:
            scores = F.softmax(scores, axis=2)
        return scores
