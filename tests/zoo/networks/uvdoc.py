"""UVDoc, which unwarps the picture of a page, as PaddleX exports it."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network

# Height and width of the picture that the network looks at, whatever size it is given.
SEEN = (712, 488)
KERNEL = 5
# Residual blocks of each stage.
BLOCKS = (3, 4, 6)
# Dilation of each convolution of the bridges, which look at ever wider surroundings.
BRIDGES = ((1,), (2,), (5,), (8, 3, 2), (12, 7, 4), (18, 12, 6))


def conv_norm(c_in, c_out, kernel=KERNEL, stride=1, padding=KERNEL // 2, dilation=1, bias=True):
    return nn.Sequential(
        nn.Conv2D(
            c_in, c_out, kernel, stride, padding, dilation, bias_attr=None if bias else False
        ),
        nn.BatchNorm2D(c_out),
    )


class Residual(nn.Layer):
    def __init__(self, c_in, c_out, stride, dilation):
        super().__init__()
        widened = {"padding": KERNEL // 2 * dilation, "dilation": dilation}
        narrowed = stride != 1 or c_in != c_out
        self.shortcut = conv_norm(c_in, c_out, stride=stride) if narrowed else nn.Identity()
        self.first = conv_norm(c_in, c_out, stride=stride, **widened)
        self.relu = nn.ReLU()
        self.second = conv_norm(c_out, c_out, **widened)

    def forward(self, x):
        return self.relu(self.second(self.relu(self.first(x))) + self.shortcut(x))


class UVDoc(nn.Layer):
    """Finds where the points of a grid over the flat page are in the picture, and samples there."""

    def __init__(self, channels, positions):
        super().__init__()
        head, c_in = [], 3
        for _ in range(2):
            head += [conv_norm(c_in, channels[0], stride=2, bias=False), nn.ReLU()]
            c_in = channels[0]
        self.head = nn.Sequential(*head)
        stages = []
        for i, (number, c_out) in enumerate(zip(BLOCKS, channels, strict=True)):
            stages.append(Residual(c_in, c_out, 2 if i else 1, 1))
            stages += [Residual(c_out, c_out, 1, 3) for _ in range(number - 1)]
            c_in = c_out
        self.stages = nn.Sequential(*stages)
        self.bridges = nn.LayerList(
            [
                nn.Sequential(*[self._bridge(c_in, dilation) for dilation in dilations])
                for dilations in BRIDGES
            ]
        )
        self.joined = nn.Sequential(
            conv_norm(c_in * len(BRIDGES), c_in, 1, padding=0, bias=False), nn.ReLU()
        )
        mirrored = {"padding": KERNEL // 2, "padding_mode": "reflect"}
        self.positions = nn.Sequential(
            nn.Conv2D(c_in, positions, KERNEL, bias_attr=False, **mirrored),
            nn.BatchNorm2D(positions),
            nn.PReLU(),
            nn.Conv2D(positions, 2, KERNEL, **mirrored),
        )

    @staticmethod
    def _bridge(channels, dilation):
        return nn.Sequential(
            conv_norm(channels, channels, 3, padding=dilation, dilation=dilation, bias=False),
            nn.ReLU(),
        )

    def forward(self, image):
        size = paddle.shape(image)[2:]
        seen = F.interpolate(image, size=SEEN, mode="bilinear", align_corners=True)
        features = self.stages(self.head(seen))
        joined = self.joined(paddle.concat([bridge(features) for bridge in self.bridges], axis=1))
        grid = self.positions(joined)
        dense = F.interpolate(grid, size=size, mode="bilinear", align_corners=True)
        places = paddle.transpose(dense, [0, 2, 3, 1])
        return F.grid_sample(image, places, align_corners=True)


def build(width):
    """Build the network: of the published widths, or with few channels."""
    return UVDoc((32, 64, 128), 32) if width == "full" else UVDoc((2, 3, 4), 4)


SHAPES = {"image": [[1, 3, 128, 64], [1, 3, 256, 128], [8, 3, 512, 256]]}
NETWORKS = {
    "UVDoc": Network(
        build,
        "UVDoc",
        [([None, 3, None, None], "float32")],
        [(1, 3, 32, 24), (1, 3, 24, 40), (2, 3, 24, 16)],
        {
            "Global": {"model_name": "UVDoc"},
            "Hpi": {
                "backend_configs": {
                    "paddle_infer": {"trt_dynamic_shapes": SHAPES},
                    "tensorrt": {"dynamic_shapes": SHAPES},
                }
            },
        },
    ),
}
