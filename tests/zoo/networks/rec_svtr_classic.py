"""SVTR as it was published: rectified lines of a fixed size, and a CTC head."""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.rec_parts import LETTERS, CTCHead, Recognizer, ToSequence
from tests.zoo.networks.rec_single import FORMATS, settings
from tests.zoo.networks.rec_svtrnet import LastStage, SVTRNet

POINTS = 20
MARGIN = 0.05
SIZE = (32, 100)
COMPACT = (32, 32)  # the constants grow with the number of places


def block(c_in, c_out):
    return nn.Sequential(nn.Conv2D(c_in, c_out, 3, 1, 1), nn.BatchNorm2D(c_out), nn.ReLU())


def border_points(margin):
    """Return float32 [POINTS, 2], points along the upper and the lower border, from 0 to 1."""
    x = np.linspace(margin, 1 - margin, POINTS // 2)
    rows = [np.stack([x, np.full_like(x, y)], axis=1) for y in (margin, 1 - margin)]
    return np.concatenate(rows).astype(np.float32)


def radial(points, centers):
    """Return float64 r²·log r of the distances r between points [N, 2] and centers [M, 2]."""
    # NumPy's float32 logarithm differs from processor to processor in more than its last digit.
    apart = points[:, None].astype(np.float64) - centers[None]
    squares = (apart**2).sum(axis=2)
    return 0.5 * squares * np.log(np.where(squares == 0, 1, squares))


class PointFinder(nn.Layer):
    """Finds the points of the text's borders in a smaller copy of the image."""

    def __init__(self, widths, hidden):
        super().__init__()
        layers: list[nn.Layer] = []
        c_in = 3
        for c_out in widths:
            layers += [block(c_in, c_out), nn.MaxPool2D(kernel_size=2, stride=2)]
            c_in = c_out
        self.layers = nn.Sequential(*layers[:-1])
        self.fc1 = nn.Sequential(nn.Linear(2 * c_in, hidden), nn.BatchNorm1D(hidden), nn.ReLU())
        self.fc2 = nn.Linear(hidden, POINTS * 2)
        # Trained ones move the points a little; random ones would fold the image.
        moves = np.random.RandomState(0).normal(0, 0.2 / np.sqrt(hidden), (hidden, POINTS * 2))
        self.fc2.weight.set_value(moves.astype("float32"))
        self.fc2.bias.set_value(border_points(0.01).reshape(-1))
        self.fc2.keeps = {"weight", "bias"}

    def forward(self, x):
        x = self.layers(x)
        batch, _, _, _ = x.shape
        x = self.fc1(paddle.reshape(x, shape=(batch, -1)))
        x = self.fc2(0.1 * x)
        return paddle.reshape(x, shape=[-1, POINTS, 2])


class Rectifier(nn.Layer):
    """PaddleOCR's STN_ON: a thin plate spline, whose matrices are made before the export."""

    def __init__(self, widths, hidden, size):
        super().__init__()
        self.size = height, width = size
        self.finder = PointFinder(widths, hidden)
        targets = border_points(MARGIN)
        kernel = np.zeros((POINTS + 3, POINTS + 3))
        kernel[:POINTS, :POINTS] = radial(targets, targets)
        kernel[:POINTS, -3] = kernel[-3, :POINTS] = 1
        kernel[:POINTS, -2:] = targets
        kernel[-2:, :POINTS] = targets.T
        rows, columns = np.divmod(np.arange(height * width), width)
        places = np.stack([columns / (width - 1), rows / (height - 1)], axis=1)
        basis = np.concatenate([radial(places, targets), np.ones((len(places), 1)), places], axis=1)
        # Rounded, because what should be zero in it depends on the processor and on the threads.
        inverse = np.round(np.linalg.inv(kernel), 9) + 0.0  # which also makes -0.0 zero
        self.inverse = paddle.to_tensor(inverse.astype("float32"))
        self.padding = paddle.zeros(shape=[3, 2])
        self.basis = paddle.to_tensor(basis.astype("float32"))

    def forward(self, image):
        small = F.interpolate(image, [32, 64], mode="bilinear", align_corners=True)
        points = self.finder(small)
        batch = paddle.shape(points)[0]
        padding = paddle.expand(self.padding, shape=[batch, 3, 2])
        mapping = paddle.matmul(self.inverse, paddle.concat([points, padding], 1))
        grid = paddle.reshape(paddle.matmul(self.basis, mapping), shape=[-1, *self.size, 2])
        grid = 2.0 * paddle.clip(grid, 0, 1) - 1.0
        image.stop_gradient = False
        return F.grid_sample(image, grid)


def svtr(width):
    if width == "full":
        size, widths, heads, counts = SIZE, [64, 128, 256], [2, 4, 8], (3, 6, 3)
        finder, hidden, channels, length = (32, 64, 128, 256, 256, 256), 512, 192, 25
    else:
        size, widths, heads, counts = COMPACT, [4, 8, 8], [1, 2, 2], (1, 2, 1)
        finder, hidden, channels, length = (4, 4, 4, 4, 6, 6), 8, 12, 8
    half = counts[1] // 2
    middle = ["Local"] * half + ["Global"] * half
    mixers = [["Local"] * counts[0], middle, ["Global"] * counts[2]]
    backbone = SVTRNet(size, widths, mixers, heads, [7, 11], prenorm=False)
    stage = LastStage(backbone, channels, length)
    head = CTCHead(stage.channels, LETTERS)
    return Recognizer(stage, ToSequence(), head, Rectifier(finder, hidden, size))


PROBES = [(1, 3, 64, 256), (2, 3, 64, 256), (3, 3, 64, 256)]
RESIZE = {"SVTRRecResizeImg": {"image_shape": [3, 64, 256], "padding": False}}
NETWORKS = {
    "rec_svtrnet": Network(
        svtr,
        "CTC",
        [([None, 3, 64, 256], "float32")],
        PROBES,
        settings("CTCLabelDecode", {"CTCLabelEncode": None}, RESIZE),
        FORMATS,
    )
}
