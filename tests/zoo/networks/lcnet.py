"""PP-LCNet as PaddleClas exports it, for the orientation of pages and of text lines."""

from __future__ import annotations

from functools import partial
from typing import Any

import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.mobilenet_v3 import rounded

# Kernel, channels, and squeeze and excitation of each layer, of scale 1. The first layer of a
# stage has the stage's stride.
STAGES: list[list[tuple[int, int, bool]]] = [
    [(3, 32, False)],
    [(3, 64, False), (3, 64, False)],
    [(3, 128, False), (3, 128, False)],
    [(3, 256, False), *[(5, 256, False)] * 5],
    [(5, 512, True), (5, 512, True)],
]
# The strides of the first convolution and of the stages after the first. Lines lose height only.
OF_PAGES = (2, 2, 2, 2, 2)
OF_LINES = (2, (2, 1), (2, 1), (2, 1), (2, 1))


class ConvNorm(nn.Layer):
    def __init__(self, c_in, c_out, kernel, stride=1, groups=1):
        super().__init__()
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2D(c_in, c_out, kernel, stride, padding, groups=groups, bias_attr=False)
        self.norm = nn.BatchNorm2D(c_out)
        self.act = nn.Hardswish()

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class SqueezeExcite(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.reduce = nn.Conv2D(channels, channels // 4, 1)
        self.relu = nn.ReLU()
        self.expand = nn.Conv2D(channels // 4, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x):
        return x * self.gate(self.expand(self.relu(self.reduce(self.pool(x)))))


class Separable(nn.Layer):
    def __init__(self, c_in, c_out, kernel, stride, squeezed):
        super().__init__()
        self.depthwise = ConvNorm(c_in, c_in, kernel, stride, groups=c_in)
        self.squeeze = SqueezeExcite(c_in) if squeezed else nn.Identity()
        self.pointwise = ConvNorm(c_in, c_out, 1)

    def forward(self, x):
        return self.pointwise(self.squeeze(self.depthwise(x)))


class LCNet(nn.Layer):
    """PP-LCNet with the softmax that PaddleClas's export adds."""

    def __init__(self, scale, classes, strides, *, divisor, expanded):
        super().__init__()
        channels = rounded(16 * scale, divisor)
        layers: list[Any] = [ConvNorm(3, channels, 3, strides[0])]
        for layout, first in zip(STAGES, (1, *strides[1:]), strict=True):
            for i, (kernel, width, squeezed) in enumerate(layout):
                c_out = rounded(width * scale, divisor)
                stride = 1 if i else first
                layers.append(Separable(channels, c_out, kernel, stride, squeezed))
                channels = c_out
        self.backbone = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2D(1)
        self.last = nn.Conv2D(channels, expanded, 1, bias_attr=False)
        self.act = nn.Hardswish()
        self.dropout = nn.Dropout(0.2, mode="downscale_in_infer")
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(expanded, classes)

    def forward(self, x):
        x = self.pool(self.backbone(x))
        x = self.dropout(self.act(self.last(x)))
        return F.softmax(self.fc(self.flatten(x)), axis=-1)


def build(width, *, scale, classes, strides):
    """Build a classifier: of the published widths, or with an eighth of the channels."""
    if width == "full":
        return LCNet(scale, classes, strides, divisor=8, expanded=1280)
    return LCNet(scale / 8, classes, strides, divisor=4, expanded=40)


def settings(name, size, resize, labels):
    """Return the inference.yml that PaddleX writes for a classifier of this input size."""
    width, height = size
    shapes = {"x": [[number, 3, height, width] for number in (1, 1, 8)]}
    return {
        "Global": {"model_name": name},
        "Hpi": {
            "backend_configs": {
                "paddle_infer": {"trt_dynamic_shapes": shapes},
                "tensorrt": {"dynamic_shapes": shapes},
            }
        },
        "PreProcess": {
            "transform_ops": [
                *resize,
                {
                    "NormalizeImage": {
                        "channel_num": 3,
                        "mean": [0.485, 0.456, 0.406],
                        "order": "",
                        "scale": 0.00392156862745098,
                        "std": [0.229, 0.224, 0.225],
                    }
                },
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {"Topk": {"topk": 1 if len(labels) == 2 else 4, "label_list": labels}},
    }


def line_classifier(name, scale):
    return Network(
        partial(build, scale=scale, classes=2, strides=OF_LINES),
        "CLS",
        [([None, 3, -1, -1], "float32")],
        [(1, 3, 80, 160), (3, 3, 80, 160), (2, 3, 48, 192)],
        settings(
            name, (160, 80), [{"ResizeImage": {"size": [160, 80]}}], ["0_degree", "180_degree"]
        ),
    )


PAGE = "PP-LCNet_x1_0_doc_ori"
NETWORKS = {
    PAGE: Network(
        partial(build, scale=1.0, classes=4, strides=OF_PAGES),
        "CLS",
        [([None, 3, -1, -1], "float32")],
        [(1, 3, 224, 224), (3, 3, 224, 224), (2, 3, 96, 128)],
        settings(
            PAGE,
            (224, 224),
            [{"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}],
            ["0", "90", "180", "270"],
        ),
    ),
    "PP-LCNet_x0_25_textline_ori": line_classifier("PP-LCNet_x0_25_textline_ori", 0.25),
    "PP-LCNet_x1_0_textline_ori": line_classifier("PP-LCNet_x1_0_textline_ori", 1.0),
}
