"""RARE's decoder: an unrolled GRU that looks at the sequence and at its own last symbol."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

STEPS = 25
SYMBOLS = 38  # digits, letters, start and end


class AttentionCell(nn.Layer):
    def __init__(self, channels, hidden, symbols):
        super().__init__()
        self.from_input = nn.Linear(channels, hidden, bias_attr=False)
        self.from_hidden = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias_attr=False)
        self.rnn = nn.GRUCell(input_size=channels + symbols, hidden_size=hidden)

    def forward(self, hidden, sequence, symbol):
        seen = self.from_input(sequence)
        known = paddle.unsqueeze(self.from_hidden(hidden), axis=1)
        weights = F.softmax(self.score(paddle.tanh(paddle.add(seen, known))), axis=1)
        weights = paddle.transpose(weights, [0, 2, 1])
        context = paddle.squeeze(paddle.mm(weights, sequence), axis=1)
        return self.rnn(paddle.concat([context, symbol], 1), hidden)


class AttentionHead(nn.Layer):
    def __init__(self, channels, hidden, symbols=SYMBOLS):
        super().__init__()
        self.hidden = hidden
        self.symbols = symbols
        self.cell = AttentionCell(channels, hidden, symbols)
        self.generator = nn.Linear(hidden, symbols)

    def forward(self, sequence):
        batch = paddle.shape(sequence)[0]
        hidden = paddle.zeros((batch, self.hidden))
        last = paddle.zeros(shape=[batch], dtype="int32")
        # Names that the loop makes have to exist before it, as Paddle traces it.
        scores = None
        step_scores = None
        output = None
        for _ in range(STEPS):
            output, hidden = self.cell(hidden, sequence, F.one_hot(last, self.symbols))
            step_scores = self.generator(output)
            if scores is None:
                scores = paddle.unsqueeze(step_scores, axis=1)
            else:
                scores = paddle.concat([scores, paddle.unsqueeze(step_scores, axis=1)], axis=1)
            last = step_scores.argmax(axis=1)
        if not self.training:
            scores = F.softmax(scores, axis=2)
        return scores
