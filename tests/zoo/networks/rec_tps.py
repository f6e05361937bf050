"""PaddleOCR's TPS, which rectifies a line by a thin plate spline through points that it finds."""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

POINTS = 20
FULL = {"small": ((16, 32, 64, 128), 64), "large": ((64, 128, 256, 512), 256)}
COMPACT = {"small": ((4, 4, 8, 8), 8), "large": ((4, 6, 8, 12), 12)}


def initial_points() -> np.ndarray:
    """Return the points with which a training starts: two slanted rows."""
    x = np.linspace(-1.0, 1.0, POINTS // 2)
    rows = [np.linspace(0.0, -1.0, POINTS // 2), np.linspace(1.0, 0.0, POINTS // 2)]
    return np.concatenate([np.stack([x, y], axis=1) for y in rows])


class ConvBN(nn.Layer):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, 3, 1, 1, bias_attr=False)
        self.bn = nn.BatchNorm(c_out, act="relu")

    def forward(self, x):
        return self.bn(self.conv(x))


class PointFinder(nn.Layer):
    """The localization network, which gives points N×POINTS×2."""

    def __init__(self, channels, widths, hidden):
        super().__init__()
        layers: list[nn.Layer] = []
        for index, width in enumerate(widths):
            layers.append(ConvBN(channels, width))
            last = index == len(widths) - 1
            layers.append(nn.AdaptiveAvgPool2D(1) if last else nn.MaxPool2D(2, 2, 0))
            channels = width
        self.layers = nn.Sequential(*layers)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, POINTS * 2)
        # Trained ones move the points a little; random ones would fold the image.
        moves = np.random.RandomState(0).normal(0, 0.2 / np.sqrt(hidden), (hidden, POINTS * 2))
        self.fc2.weight.set_value(moves.astype("float32"))
        self.fc2.bias.set_value(initial_points().reshape(-1).astype("float32"))
        self.fc2.keeps = {"weight", "bias"}

    def forward(self, x):
        x = self.layers(x).squeeze(axis=2).squeeze(axis=2)
        x = self.fc2(F.relu(self.fc1(x)))
        return x.reshape(shape=[-1, POINTS, 2])


class GridMaker(nn.Layer):
    """Turns points into the grid of `grid_sample`; what does not depend on them is float64."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(POINTS * 2, 6)
        # PaddleOCR makes them zero and gives them the learning rate zero.
        for key in ("weight", "bias"):
            parameter = getattr(self.fc, key)
            parameter.set_value(np.zeros(parameter.shape, "float32"))
        self.fc.keeps = {"weight", "bias"}

    def forward(self, points, size):
        fiducials = self.fiducials()
        places = self.places(size)
        inverse = self.inverse(fiducials).astype("float32")
        basis = self.basis(fiducials, paddle.to_tensor(places)).astype("float32")
        inverse.stop_gradient = True
        basis.stop_gradient = True
        more = self.more(points)
        more.stop_gradient = True
        coefficients = paddle.matmul(inverse, paddle.concat([points, more], axis=1))
        return paddle.matmul(basis, coefficients)

    def fiducials(self):
        half = POINTS // 2
        x = paddle.linspace(-1.0, 1.0, half, dtype="float64")
        top = -1 * paddle.ones([half], dtype="float64")
        bottom = paddle.ones([half], dtype="float64")
        rows = [paddle.stack([x, top], axis=1), paddle.stack([x, bottom], axis=1)]
        return paddle.concat(rows, axis=0)

    def places(self, size):
        height, width = size
        x = (paddle.arange(-width, width, 2, dtype="float64") + 1.0) / paddle.to_tensor(
            np.array([width])
        ).astype("float64")
        y = (paddle.arange(-height, height, 2, dtype="float64") + 1.0) / paddle.to_tensor(
            np.array([height])
        ).astype("float64")
        places = paddle.stack(paddle.meshgrid(x, y), axis=2)
        return paddle.transpose(places, perm=[1, 0, 2]).reshape([-1, 2])

    def inverse(self, fiducials):
        apart = fiducials.reshape([1, POINTS, 2]) - fiducials.reshape([POINTS, 1, 2])
        distance = paddle.norm(apart, axis=2) + paddle.eye(POINTS, dtype="float64")
        distance = (distance**2) * paddle.log(distance)
        one = paddle.ones((POINTS, 1), dtype="float64")
        rows = [
            paddle.concat([one, fiducials, distance], axis=1),
            paddle.concat(
                [paddle.zeros((2, 3), dtype="float64"), paddle.transpose(fiducials, perm=[1, 0])],
                axis=1,
            ),
            paddle.concat(
                [paddle.zeros((1, 3), dtype="float64"), paddle.ones((1, POINTS), dtype="float64")],
                axis=1,
            ),
        ]
        return paddle.inverse(paddle.concat(rows, axis=0))

    def basis(self, fiducials, places):
        count = places.shape[0]
        apart = paddle.tile(paddle.unsqueeze(places, axis=1), (1, POINTS, 1)) - paddle.unsqueeze(
            fiducials, axis=0
        )
        distance = paddle.norm(apart, p=2, axis=2, keepdim=False)
        radial = paddle.multiply(paddle.square(distance), paddle.log(distance + 1e-6))
        return paddle.concat([paddle.ones((count, 1), dtype="float64"), places, radial], axis=1)

    def more(self, points):
        batch, count, axes = points.shape
        return self.fc(points.reshape([batch, count * axes])).reshape([-1, 3, 2])


class TPS(nn.Layer):
    def __init__(self, width, size, channels=3):
        super().__init__()
        widths, hidden = (FULL if width == "full" else COMPACT)[size]
        self.finder = PointFinder(channels, widths, hidden)
        self.grid = GridMaker()

    def forward(self, image):
        image.stop_gradient = False
        grid = self.grid(self.finder(image), image.shape[2:])
        grid = grid.reshape([-1, image.shape[2], image.shape[3], 2])
        return F.grid_sample(x=image, grid=grid)
