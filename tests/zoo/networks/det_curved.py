"""The detectors of curved text PSE, FCE and CT."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from tests.zoo.network import Network
from tests.zoo.networks.db import Detector
from tests.zoo.networks.resnet_vd import COMPACT, FULL, NARROW, ResNetVd

IMAGE = [([None, 3, -1, -1], "float32")]
PROBES = [(1, 3, 64, 96), (1, 3, 96, 32), (2, 3, 32, 64)]
NORMALIZE = {
    "scale": "1./255.",
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
    "order": "hwc",
}


def settings(resize, post_process, normalize=None, *others, colour="BGR", **decode):
    """Make the inference.yml that PaddleOCR's export writes for a detector of text regions."""
    encode = "CTLabelEncode" if post_process["name"] == "CTPostProcess" else "DetLabelEncode"
    operators = [
        {"DecodeImage": {"img_mode": colour, "channel_first": False, **decode}},
        {encode: None},
        resize,
        {"NormalizeImage": NORMALIZE if normalize is None else normalize},
        *others,
        {"ToCHWImage": None},
        {"KeepKeys": {"keep_keys": ["image", "shape", "polys", "ignore_tags"]}},
    ]
    return {"PreProcess": {"transform_ops": operators}, "PostProcess": post_process}


class ConvNormReLU(nn.Layer):
    """A padded convolution, a batch norm and a ReLU, each an operator of its own."""

    def __init__(self, c_in, c_out, kernel=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2D(c_in, c_out, kernel, stride, kernel // 2, bias_attr=False)
        self.bn = nn.BatchNorm2D(c_out)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


def larger(x, factor):
    return F.upsample(x, scale_factor=factor, mode="bilinear")


class SmoothFPN(nn.Layer):
    """PSE's neck, which enlarges levels bilinearly and smooths their sums."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.inner = nn.LayerList([ConvNormReLU(c, c_out) for c in c_in])
        self.smooth = nn.LayerList([ConvNormReLU(c_out, c_out, 3) for _ in c_in[1:]])
        self.channels = 4 * c_out

    def forward(self, features):
        f2, f3, f4, f5 = features
        p5 = self.inner[3](f5)
        p4 = self.smooth[2](larger(p5, 2) + self.inner[2](f4))
        p3 = self.smooth[1](larger(p4, 2) + self.inner[1](f3))
        p2 = self.smooth[0](larger(p3, 2) + self.inner[0](f2))
        return paddle.concat([p2, larger(p3, 2), larger(p4, 4), larger(p5, 8)], axis=1)


class MapHead(nn.Layer):
    """Gives maps at a quarter of the image's size, and with `scored` CT's score beside them."""

    def __init__(self, c_in, hidden, maps, scored):
        super().__init__()
        self.conv1 = nn.Conv2D(c_in, hidden, 3, padding=1)
        self.bn = nn.BatchNorm2D(hidden)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2D(hidden, maps, 1)
        self.scored = scored

    def forward(self, x):
        maps = self.conv2(self.relu(self.bn(self.conv1(x))))
        if not self.scored:
            return {"maps": maps}
        return {"maps": maps, "score": F.sigmoid(maps[:, 0, :, :])}


class LevelFPN(nn.Layer):
    """FCE's neck, which gives each level on its own."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.inner = nn.LayerList([nn.Conv2D(c, c_out, 1) for c in c_in])
        self.outer = nn.LayerList([nn.Conv2D(c_out, c_out, 3, padding=1) for _ in c_in])
        self.channels = c_out

    def forward(self, features):
        levels = [inner(feature) for inner, feature in zip(self.inner, features)]  # noqa: B905
        for level in range(len(levels) - 1, 0, -1):
            enlarged = F.interpolate(levels[level], scale_factor=2.0, mode="nearest")
            levels[level - 1] = levels[level - 1] + enlarged
        return [outer(level) for outer, level in zip(self.outer, levels)]  # noqa: B905


class ContourHead(nn.Layer):
    """FCE's head: for each level two softmaxes of two classes, and Fourier coefficients."""

    def __init__(self, c_in, degree=5):
        super().__init__()
        self.classes = nn.Conv2D(c_in, 4, 3, padding=1)
        self.contour = nn.Conv2D(c_in, 2 * (2 * degree + 1), 3, padding=1)

    def forward(self, levels):
        outputs = {}
        for index, level in enumerate(levels):
            classes, contour = self.classes(level), self.contour(level)
            region = F.softmax(classes[:, 0:2, :, :], axis=1)
            centre = F.softmax(classes[:, 2:, :, :], axis=1)
            outputs[f"level_{index}"] = paddle.concat([region, centre, contour], axis=1)
        return outputs


class Enhancement(nn.Layer):
    """CT's module that adds levels upwards and downwards, with separable convolutions."""

    def __init__(self, channels):
        super().__init__()
        steps = [1, 1, 1, 2, 2, 2]
        self.depthwise = nn.LayerList(
            [
                nn.Conv2D(channels, channels, 3, step, 1, groups=channels, bias_attr=False)
                for step in steps
            ]
        )
        self.smooth = nn.LayerList([ConvNormReLU(channels, channels) for _ in steps])

    def step(self, index, small, large):
        return self.smooth[index](self.depthwise[index](larger(small, 2) + large))

    def forward(self, f1, f2, f3, f4):
        f3 = self.step(0, f4, f3)
        f2 = self.step(1, f3, f2)
        f1 = self.step(2, f2, f1)
        f2 = self.step(3, f2, f1)
        f3 = self.step(4, f3, f2)
        f4 = self.step(5, f4, f3)
        return f1, f2, f3, f4


class EnhancingFPN(nn.Layer):
    """CT's neck: two enhancements, whose levels are added and joined."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.inner = nn.LayerList([ConvNormReLU(c, c_out) for c in c_in])
        self.first = Enhancement(c_out)
        self.second = Enhancement(c_out)
        self.channels = 4 * c_out

    def forward(self, features):
        f1, f2, f3, f4 = features
        f1, f2, f3, f4 = self.inner[0](f1), self.inner[1](f2), self.inner[2](f3), self.inner[3](f4)
        a1, a2, a3, a4 = self.first(f1, f2, f3, f4)
        b1, b2, b3, b4 = self.second(a1, a2, a3, a4)
        f1, f2, f3, f4 = a1 + b1, a2 + b2, a3 + b3, a4 + b4
        return paddle.concat((f1, larger(f2, 2), larger(f3, 4), larger(f4, 8)), 1)


def det_r50_vd_pse(width):
    widths, channels = (FULL, 256) if width == "full" else (COMPACT, 6)
    backbone = ResNetVd(50, widths)
    neck = SmoothFPN(backbone.channels, channels)
    return Detector(backbone, neck, MapHead(neck.channels, channels, 7, scored=False))


class UpperStages(nn.Layer):
    """A backbone without the features of its first stage."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.channels = backbone.channels[1:]

    def forward(self, x):
        return self.backbone(x)[1:]


def det_r50_vd_dcn_fce(width):
    widths, channels = (FULL, 256) if width == "full" else (NARROW, 6)
    backbone = UpperStages(ResNetVd(50, widths, offset_groups=2))
    neck = LevelFPN(backbone.channels, channels)
    return Detector(backbone, neck, ContourHead(neck.channels))


def det_r18_vd_ct(width):
    widths, channels = (FULL, 128) if width == "full" else ((4, 6, 8, 8), 6)
    backbone = ResNetVd(18, widths)
    neck = EnhancingFPN(backbone.channels, channels)
    return Detector(backbone, neck, MapHead(neck.channels, channels, 3, scored=True))


PSE = settings(
    {"DetResizeForTest": {"limit_side_len": 736, "limit_type": "min"}},
    {
        "name": "PSEPostProcess",
        "thresh": 0,
        "box_thresh": 0.85,
        "min_area": 16,
        "box_type": "quad",
        "scale": 1,
    },
)
FCE = settings(
    {"DetResizeForTest": {"limit_type": "min", "limit_side_len": 736}},
    {
        "name": "FCEPostProcess",
        "scales": [8, 16, 32],
        "alpha": 1.0,
        "beta": 1.0,
        "fourier_degree": 5,
        "box_type": "poly",
    },
    None,
    {"Pad": None},
    ignore_orientation=True,
)
CT = settings(
    {"ScaleAlignedShort": None},
    {"name": "CTPostProcess", "box_type": "poly"},
    {"order": "hwc"},
    colour="RGB",
)
NETWORKS = {
    "det_r50_vd_pse": Network(det_r50_vd_pse, "PSE", IMAGE, PROBES, PSE),
    "det_r50_vd_dcn_fce_ctw": Network(det_r50_vd_dcn_fce, "FCE", IMAGE, PROBES, FCE),
    "det_r18_vd_ct": Network(det_r18_vd_ct, "CT", IMAGE, PROBES, CT),
}
