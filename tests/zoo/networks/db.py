"""DB's neck and head, and the detector that joins backbone, neck and head."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn


class Detector(nn.Layer):
    def __init__(self, backbone, neck, head):
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def forward(self, x):
        return self.head(self.neck(self.backbone(x)))


def nearest(x, factor):
    return F.upsample(x, scale_factor=factor, mode="nearest", align_mode=1)


class ScaleFusion(nn.Layer):
    """Weighs each level at each place by attention over the joined levels (DB++)."""

    def __init__(self, c_in):
        super().__init__()
        c_mid = c_in // 4
        self.conv = nn.Conv2D(c_in, c_mid, 3, padding=1)
        self.places = nn.Sequential(
            nn.Conv2D(1, 1, 3, padding=1, bias_attr=False),
            nn.ReLU(),
            nn.Conv2D(1, 1, 1, bias_attr=False),
            nn.Sigmoid(),
        )
        self.levels = nn.Sequential(nn.Conv2D(c_mid, 4, 1, bias_attr=False), nn.Sigmoid())

    def forward(self, joined, levels):
        joined = self.conv(joined)
        mean = paddle.mean(joined, axis=1, keepdim=True)
        weights = self.levels(self.places(mean) + joined)
        weighed = [weights[:, i : i + 1] * level for i, level in enumerate(levels)]
        return paddle.concat(weighed, axis=1)


class DBFPN(nn.Layer):
    """DB's neck; with `fused` DB++'s, which weighs the levels."""

    def __init__(self, c_in, c_out, fused=False):
        super().__init__()
        self.fusion = ScaleFusion(c_out) if fused else None
        self.inner = nn.LayerList([nn.Conv2D(c, c_out, 1, bias_attr=False) for c in c_in])
        self.outer = nn.LayerList(
            [nn.Conv2D(c_out, c_out // 4, 3, padding=1, bias_attr=False) for _ in c_in]
        )
        self.channels = c_out

    def forward(self, features):
        c2, c3, c4, c5 = features
        in5 = self.inner[3](c5)
        in4 = self.inner[2](c4)
        in3 = self.inner[1](c3)
        in2 = self.inner[0](c2)
        out4 = in4 + nearest(in5, 2)
        out3 = in3 + nearest(out4, 2)
        out2 = in2 + nearest(out3, 2)
        p5 = nearest(self.outer[3](in5), 8)
        p4 = nearest(self.outer[2](out4), 4)
        p3 = nearest(self.outer[1](out3), 2)
        p2 = self.outer[0](out2)
        joined = paddle.concat([p5, p4, p3, p2], axis=1)
        return joined if self.fusion is None else self.fusion(joined, [p5, p4, p3, p2])


class ShrinkMap(nn.Layer):
    """Doubles the size of the features twice, to a map of the image's size.

    Args:
        c_in: Channels of the features.
        fused: Leave out batch norms, as PP-OCRv6's export does.
    """

    def __init__(self, c_in, fused=False):
        super().__init__()
        c_mid = c_in // 4
        self.conv = nn.Conv2D(c_in, c_mid, 3, padding=1, bias_attr=None if fused else False)
        self.bn = nn.ReLU() if fused else nn.BatchNorm(c_mid, act="relu")
        self.grow = nn.Conv2DTranspose(c_mid, c_mid, 2, stride=2)
        self.grow_bn = nn.ReLU() if fused else nn.BatchNorm(c_mid, act="relu")
        self.last = nn.Conv2DTranspose(c_mid, 1, 2, stride=2)

    def forward(self, x):
        features = self.grow_bn(self.grow(self.bn(self.conv(x))))
        return F.sigmoid(self.last(features)), features


class DBHead(nn.Layer):
    """DB's head without the layers for thresholds, which serve training and are not exported."""

    def __init__(self, c_in, fused=False):
        super().__init__()
        self.binarize = ShrinkMap(c_in, fused)

    def forward(self, x):
        maps, _ = self.binarize(x)
        return {"maps": maps}
