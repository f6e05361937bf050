"""SVTR's blocks and backbone, which ViTSTR, CPPD and SVTRv2 share, and SVTR's own recognizer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

EPSILON = 1e-6


class Mlp(nn.Layer):
    def __init__(self, channels, hidden, activation=nn.GELU):
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.activation = activation()
        self.fc2 = nn.Linear(hidden, channels)
        self.drop = nn.Dropout(0.0)

    def forward(self, x):
        x = self.drop(self.activation(self.fc1(x)))
        return self.drop(self.fc2(x))


class ConvMixer(nn.Layer):
    """Mixes neighbouring places by a convolution in as many groups as attention has heads."""

    def __init__(self, channels, heads, size, kernel):
        super().__init__()
        self.size = size
        self.channels = channels
        padding = [kernel[0] // 2, kernel[1] // 2]
        self.conv = nn.Conv2D(channels, channels, kernel, 1, padding, groups=heads)

    def forward(self, x):
        height, width = self.size
        x = x.transpose([0, 2, 1]).reshape([0, self.channels, height, width])
        return self.conv(x).flatten(2).transpose([0, 2, 1])


class Attention(nn.Layer):
    """Attention with several heads; local if `window` says which places see each other.

    Args:
        channels: Channels of input and output.
        heads: The number of heads.
        size: Height and width of the features; needed with `window`.
        window: Height and width of the window that a place sees; None for all places.
        scales_scores: Multiply the scores, as SVTRv2 does, instead of the queries.
    """

    def __init__(self, channels, heads, size=None, window=None, scales_scores=False):
        super().__init__()
        self.channels = channels
        self.heads = heads
        self.each = channels // heads
        self.scales_scores = scales_scores
        self.qkv = nn.Linear(channels, channels * 3)
        self.drop = nn.Dropout(0.0)
        self.project = nn.Linear(channels, channels)
        self.drop_output = nn.Dropout(0.0)
        self.mask = None
        if window is not None:
            self.mask = paddle.to_tensor(local_mask(size, window)).unsqueeze([0, 1])

    def forward(self, x):
        qkv = self.qkv(x).reshape((0, -1, 3, self.heads, self.each)).transpose((2, 0, 3, 1, 4))
        query, key, value = qkv[0], qkv[1], qkv[2]
        if not self.scales_scores:
            query = query * self.each**-0.5
        weights = query.matmul(key.transpose((0, 1, 3, 2)))
        if self.scales_scores:
            weights = weights * self.each**-0.5
        if self.mask is not None:
            weights += self.mask
        weights = self.drop(F.softmax(weights, axis=-1))
        x = weights.matmul(value).transpose((0, 2, 1, 3)).reshape((0, -1, self.channels))
        return self.drop_output(self.project(x))


def local_mask(size, window):
    """Return float32 [places, places], 0 where two places see each other and -inf elsewhere."""
    rows, columns = np.divmod(np.arange(size[0] * size[1]), size[1])
    near = (abs(rows[:, None] - rows) <= window[0] // 2) & (
        abs(columns[:, None] - columns) <= window[1] // 2
    )
    return np.where(near, 0, -np.inf).astype(np.float32)


class Block(nn.Layer):
    """A mixer and a perceptron; `prenorm` is PaddleOCR's name for norms after the sums."""

    def __init__(self, channels, mixer, prenorm=True):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.mixer = mixer
        self.norm2 = nn.LayerNorm(channels, epsilon=EPSILON)
        self.mlp = Mlp(channels, channels * 4)
        self.prenorm = prenorm

    def forward(self, x):
        if self.prenorm:
            x = self.norm1(x + self.mixer(x))
            return self.norm2(x + self.mlp(x))
        x = x + self.mixer(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ConvGELU(nn.Layer):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, 3, 2, 1)
        self.bn = nn.BatchNorm2D(c_out)
        self.activation = nn.GELU()

    def forward(self, x):
        return self.activation(self.bn(self.conv(x)))


class Subsample(nn.Layer):
    """Halves the height of features N×C×H×W and returns them as a sequence."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, 3, [2, 1], 1)
        self.norm = nn.LayerNorm(c_out)

    def forward(self, x):
        return self.norm(self.conv(x).flatten(2).transpose((0, 2, 1)))


class Patches(nn.Layer):
    """Cuts an image of a known size into a sequence of patches with embedded positions."""

    def __init__(self, channels, size):
        super().__init__()
        self.size = size
        self.layers = nn.Sequential(ConvGELU(3, channels // 2), ConvGELU(channels // 2, channels))
        self.positions = self.create_parameter([1, size[0] // 4 * (size[1] // 4), channels])

    def forward(self, x):
        _, _, height, width = x.shape
        assert (height, width) == self.size
        return self.layers(x).flatten(2).transpose((0, 2, 1)) + self.positions


class SVTRNet(nn.Layer):
    """SVTR's backbone, which gives a sequence N×(H/16·W/4)×C.

    Args:
        size: Height and width of the image.
        widths: Channels of the three stages.
        mixers: The mixer of each block in each stage: "Conv", "Local" or "Global".
        heads: The heads of each stage.
        kernel: Kernel or window of the mixers that are local.
        prenorm: As in `Block`; without it, a norm ends the last stage.
    """

    def __init__(self, size, widths, mixers, heads, kernel, prenorm):
        super().__init__()
        self.patches = Patches(widths[0], size)
        self.channels = widths[-1]
        self.widths = widths
        height, width = size[0] // 4, size[1] // 4
        self.sizes = [(height, width), (height // 2, width), (height // 4, width)]
        self.stages = nn.LayerList()
        for channels, names, number, place in zip(widths, mixers, heads, self.sizes, strict=True):
            blocks = [
                Block(channels, mixer_of(name, channels, number, place, kernel), prenorm)
                for name in names
            ]
            self.stages.append(nn.LayerList(blocks))
        self.subsamples = nn.LayerList([Subsample(*pair) for pair in pairwise(widths)])
        self.norm = None if prenorm else nn.LayerNorm(widths[-1], epsilon=EPSILON)

    def forward(self, x):
        x = self.patches(x)
        for i in range(3):
            for block in self.stages[i]:
                x = block(x)
            if i < 2:
                height, width = self.sizes[i]
                x = x.transpose([0, 2, 1]).reshape([0, self.widths[i], height, width])
                x = self.subsamples[i](x)
        return x if self.norm is None else self.norm(x)


def mixer_of(name, channels, heads, size, kernel):
    """Make the mixer of a block."""
    if name == "Conv":
        return ConvMixer(channels, heads, size, kernel)
    return Attention(channels, heads, size, kernel if name == "Local" else None)


class LastStage(nn.Layer):
    """Averages the backbone's features to N×C×1×length."""

    def __init__(self, backbone, channels, length):
        super().__init__()
        self.backbone = backbone
        self.pool = nn.AdaptiveAvgPool2D([1, length])
        self.conv = nn.Conv2D(backbone.channels, channels, 1, bias_attr=False)
        self.activation = nn.Hardswish()
        self.drop = nn.Dropout(0.1, mode="downscale_in_infer")
        self.channels = channels

    def forward(self, x):
        height, width = self.backbone.sizes[-1]
        x = self.backbone(x).transpose([0, 2, 1])
        x = self.pool(x.reshape([0, self.backbone.channels, height, width]))
        return self.drop(self.activation(self.conv(x)))
