"""Layers: convolutions, pooling, norms, resizing, padding, recurrent networks."""

from functools import partial
from typing import Any

import paddle
from paddle import nn, vision
from paddle.nn import functional as F

from tests.oracle.pir_case import Cases, doubles, floats, ints

CASES = Cases()
IMAGE = floats(-2, 4, -6, -7)
SMALL = floats(-1, 2, -4, -5)
LAST = floats(-2, 6, 5, 4)  # channels last

_CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "conv2d": {},
    "conv2d_strided": {"stride": 2, "padding": 1},
    "conv2d_padded": {"padding": (0, 1), "stride": (2, 1)},
    "conv2d_asymmetric": {"padding": [1, 2, 0, 1]},
    "conv2d_same": {"padding": "SAME", "stride": 2},
    "conv2d_valid": {"padding": "VALID"},
    "conv2d_dilated": {"dilation": 2, "padding": 2},
    "conv2d_groups": {"groups": 2, "bias_attr": False},
    "depthwise_conv2d": {"groups": 4, "padding": 1},
    "depthwise_conv2d_strided": {"groups": 4, "padding": 1, "stride": (2, 1), "bias_attr": False},
}
for _name, _options in _CONVOLUTIONS.items():
    CASES.layer(_name, partial(nn.Conv2D, 4, 4, 3, **_options), IMAGE)
CASES.layer("depthwise_conv2d_multiplied", lambda: nn.Conv2D(2, 4, (1, 3), groups=2), SMALL)
CASES.layer("conv3d", lambda: nn.Conv3D(2, 3, 2, 2, 1), floats(-1, 2, -4, -5, 6))
CASES.layer("conv1d", lambda: nn.Conv1D(4, 3, 3, padding=1), floats(-2, 4, -7))
CASES.layer("conv2d_last", lambda: nn.Conv2D(4, 3, 3, data_format="NHWC"), LAST)
_TRANSPOSED: dict[str, dict[str, Any]] = {
    "conv2d_transpose": {"stride": 2},
    "conv2d_transpose_padded": {"stride": 2, "padding": 1, "dilation": 2},
    "conv2d_transpose_asymmetric": {"padding": [1, 0, 0, 1], "stride": (2, 1)},
    "conv2d_transpose_longer": {"stride": 2, "output_padding": 1, "padding": 1},
    "conv2d_transpose_groups": {"stride": 2, "groups": 2, "bias_attr": False},
    "conv2d_transpose_same": {"stride": 2, "padding": "SAME"},
    "depthwise_conv2d_transpose": {"stride": 2, "groups": 4, "padding": 1},
}
for _name, _options in _TRANSPOSED.items():
    CASES.layer(_name, partial(nn.Conv2DTranspose, 4, 4, 3, **_options), floats(-2, 4, -3, -4))


class _OutputSize(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2DTranspose(2, 3, 3, stride=2)

    def forward(self, x):
        return self.conv(x, output_size=[8, 10])


CASES.layer("conv2d_transpose_sized", _OutputSize, floats(-2, 2, 3, 4))

# Options, and the height and width of the result for a picture of 6 x 7.
_DEFORMABLE: dict[str, tuple[dict[str, Any], int, int]] = {
    "deform_conv2d": ({}, 4, 5),
    "deform_conv2d_strided": ({"stride": (2, 1), "padding": (1, 0)}, 3, 5),
    "deform_conv2d_dilated": ({"dilation": (1, 2), "padding": (0, 2), "bias_attr": False}, 4, 7),
    "deform_conv2d_groups": ({"groups": 2, "padding": 1}, 6, 7),
    "deform_conv2d_deformable_groups": ({"deformable_groups": 2, "padding": 1}, 6, 7),
}
for _name, (_options, _height, _width) in _DEFORMABLE.items():
    _places = 9 * _options.get("deformable_groups", 1)
    _offset = floats(-2, 2 * _places, -_height, -_width, low=-2.5, high=2.5)
    _mask = floats(-2, _places, -_height, -_width, low=0, high=1)
    _layer = partial(vision.ops.DeformConv2D, 4, 8, 3, **_options)
    CASES.layer(_name, _layer, IMAGE, _offset, _mask)
    CASES.layer(f"{_name}_unmasked", _layer, IMAGE, _offset)

_POOLS = {
    "max": lambda x: F.max_pool2d(x, 2, 2),
    "max_padded": lambda x: F.max_pool2d(x, 3, 2, padding=1),
    "max_ceil": lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True),
    "max_same": lambda x: F.max_pool2d(x, 3, 2, padding="SAME"),
    "max_asymmetric": lambda x: F.max_pool2d(x, 3, 2, padding=[0, 1, 1, 0]),
    "max_last": lambda x: F.max_pool2d(x, 2, 2, data_format="NHWC"),
    "average": lambda x: F.avg_pool2d(x, 2, 2),
    "average_padded": lambda x: F.avg_pool2d(x, 3, 2, padding=1),
    "average_inclusive": lambda x: F.avg_pool2d(x, 3, 2, padding=1, exclusive=False),
    "average_ceil": lambda x: F.avg_pool2d(x, (3, 2), 2, ceil_mode=True),
    "average_ceil_padded": lambda x: F.avg_pool2d(x, 3, 2, padding=1, ceil_mode=True),
    "average_same": lambda x: F.avg_pool2d(x, 3, 2, padding="SAME"),
    "average_inclusive_asymmetric": lambda x: F.avg_pool2d(
        x, 3, 1, padding=[1, 0, 1, 2], exclusive=False
    ),
    "average_global": lambda x: F.adaptive_avg_pool2d(x, 1),
}
for _name, _pool in _POOLS.items():
    CASES.function(f"pool2d_{_name}", _pool, SMALL)
CASES.function("pool2d_adaptive", lambda x: F.adaptive_avg_pool2d(x, (2, 3)), floats(-1, 2, 4, 6))
CASES.function(
    "pool2d_adaptive_uneven", lambda x: F.adaptive_avg_pool2d(x, (2, 3)), floats(-1, 2, 5, 7)
)
CASES.function("pool2d_as_wide", lambda x: F.avg_pool2d(x, [3, 5]), floats(-1, 2, 3, 5))
CASES.function("pool1d", lambda x: F.avg_pool1d(x, 2), floats(-2, 3, -6))

CASES.layer("batch_norm", lambda: nn.BatchNorm2D(4), IMAGE)
CASES.layer("batch_norm_epsilon", lambda: nn.BatchNorm2D(4, epsilon=0.1), IMAGE)
CASES.layer("batch_norm_rows", lambda: nn.BatchNorm1D(5), floats(-3, 5))
CASES.layer("batch_norm_1d", lambda: nn.BatchNorm1D(3), floats(-2, 3, -4))
CASES.layer("batch_norm_last", lambda: nn.BatchNorm2D(4, data_format="NHWC"), LAST)
CASES.layer("layer_norm", lambda: nn.LayerNorm(6), floats(-2, -3, 6))
CASES.layer("layer_norm_two_axes", lambda: nn.LayerNorm([4, 6]), floats(-2, 4, 6))
CASES.layer(
    "layer_norm_plain",
    lambda: nn.LayerNorm(6, weight_attr=False, bias_attr=False, epsilon=0.001),
    floats(-2, -3, 6),
)
CASES.layer("group_norm", lambda: nn.GroupNorm(2, 4), IMAGE)
CASES.layer(
    "group_norm_plain", lambda: nn.GroupNorm(2, 4, 0.1, weight_attr=False, bias_attr=False), IMAGE
)
CASES.layer("group_norm_last", lambda: nn.GroupNorm(2, 4, data_format="NHWC"), LAST)
CASES.layer("instance_norm", lambda: nn.InstanceNorm2D(4), IMAGE)
CASES.layer(
    "instance_norm_plain",
    lambda: nn.InstanceNorm2D(4, 0.1, weight_attr=False, bias_attr=False),
    IMAGE,
)

_RESIZE: dict[str, dict[str, Any]] = {
    "nearest_scale": {"scale_factor": 2, "mode": "nearest"},
    "nearest_two_scales": {"scale_factor": [2.0, 3.0], "mode": "nearest"},
    "nearest_smaller": {"scale_factor": 0.5, "mode": "nearest"},
    "nearest_size": {"size": [7, 9], "mode": "nearest"},
    "bilinear_scale": {"scale_factor": 2.0, "mode": "bilinear"},
    "bilinear_smaller": {"scale_factor": 0.5, "mode": "bilinear"},
    "bilinear_aligned": {"scale_factor": 2.0, "mode": "bilinear", "align_corners": True},
    "bilinear_mode_1": {"scale_factor": 2.0, "mode": "bilinear", "align_mode": 1},
    "bicubic_size": {"size": [7, 9], "mode": "bicubic"},
    "bicubic_scale": {"scale_factor": 0.5, "mode": "bicubic", "align_corners": True},
    "bilinear_size": {"size": [7, 9], "mode": "bilinear"},
    "bilinear_size_mode_1": {"size": [7, 9], "mode": "bilinear", "align_mode": 1},
    "bilinear_size_aligned": {"size": [7, 9], "mode": "bilinear", "align_corners": True},
}
for _name, _options in _RESIZE.items():
    CASES.function(
        f"resize_{_name}", lambda x, o=_options: F.interpolate(x, **o), floats(-1, 2, -4, -6)
    )
CASES.function(
    "resize_nearest_last",
    lambda x: F.interpolate(x, scale_factor=2, mode="nearest", data_format="NHWC"),
    floats(-1, 4, 3, 2),
)
for _mode in ("nearest", "bilinear"):
    CASES.function(
        f"resize_{_mode}_like",
        lambda x, y, m=_mode: F.interpolate(x, paddle.shape(y)[2:], mode=m),
        floats(-1, 2, -3, -4),
        floats(-1, 2, -5, -9),
    )
    CASES.function(
        f"resize_{_mode}_twice_as_high",
        lambda x, m=_mode: F.interpolate(x, [paddle.shape(x)[2] * 2, 5], mode=m),
        floats(-1, 2, -3, -4),
    )

for _mode in ("bilinear", "nearest"):
    for _padding in ("zeros", "border", "reflection"):
        for _aligned in (True, False):
            CASES.function(
                f"grid_sample_{_mode}_{_padding}_{'aligned' if _aligned else 'centred'}",
                lambda x, g, o=(_mode, _padding, _aligned): F.grid_sample(x, g, *o),
                floats(-1, 2, -5, -6),
                floats(-1, -3, -4, 2, low=-1.7, high=1.7),
            )

CASES.function(
    "grid_sample_volume", F.grid_sample, floats(-1, 2, 3, 4, 5), floats(-1, 2, 3, 2, 3, low=-1.2)
)

_PADS = {
    "constant": lambda x: F.pad(x, [1, 2, 0, 3], value=0.5),
    "reflect": lambda x: F.pad(x, [1, 2, 0, 3], mode="reflect"),
    "replicate": lambda x: F.pad(x, [1, 2, 0, 3], mode="replicate"),
    "circular": lambda x: F.pad(x, [1, 2, 0, 3], mode="circular"),
    "negative": lambda x: F.pad(x, [-1, 2, 1, -1]),
    "last": lambda x: F.pad(x, [1, 2, 0, 3], value=0.5, data_format="NHWC"),
    "last_reflect": lambda x: F.pad(x, [1, 2, 0, 1], mode="reflect", data_format="NHWC"),
    "all_axes": lambda x: F.pad(x, [0, 1, 1, 0, 2, 0, 0, 3], value=-1.5, pad_from_left_axis=True),
}
for _name, _pad in _PADS.items():
    CASES.function(f"pad_{_name}", _pad, floats(-1, 2, -4, -5))
CASES.function(
    "pad_3d", lambda x: F.pad(x, [1, 2], value=0.5, data_format="NCL"), floats(-1, 2, -4)
)
CASES.function("pad_3d_last", lambda x: F.pad(x, [1, 2], data_format="NLC"), floats(-1, 3, 4))
CASES.function(
    "pad_5d", lambda x: F.pad(x, [1, 0, 0, 1, 2, 1], data_format="NCDHW"), floats(-1, 2, 2, 3, 2)
)
CASES.function(
    "pad_5d_last",
    lambda x: F.pad(x, [1, 0, 0, 1, 2, 1], data_format="NDHWC"),
    floats(-1, 2, 3, 2, 2),
)
CASES.function(
    "pad_by_tensor",
    lambda x, p: F.pad(x, p),
    floats(-1, 2, 3, 4),
    ints(4, low=0, high=2, dtype="int32"),
)
CASES.function(
    "pad_to_multiple",
    lambda x: F.pad(x, [0, 8 - paddle.shape(x)[3], 0, 0]),
    floats(-1, 2, -3, -4),
)
CASES.function("pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), floats(-1, 8, -2, -3))
CASES.function(
    "pixel_shuffle_last", lambda x: F.pixel_shuffle(x, 2, data_format="NHWC"), floats(-1, 2, 3, 8)
)

SEQUENCE = floats(-2, -5, 3)
for _kind in ("LSTM", "GRU", "SimpleRNN"):
    for _direction in ("forward", "bidirect"):
        for _layers in (1, 2):
            CASES.layer(
                f"{_kind.lower()}_{_direction}_{_layers}",
                partial(getattr(nn, _kind), 3, 4, _layers, _direction),
                SEQUENCE,
            )
CASES.layer("lstm_time_major", lambda: nn.LSTM(3, 4, time_major=True), SEQUENCE)
CASES.layer("lstm_dropout", lambda: nn.LSTM(3, 4, 2, dropout=0.5), SEQUENCE)
CASES.layer("gru_relu", lambda: nn.SimpleRNN(3, 4, activation="relu"), SEQUENCE)


class _Lengths(nn.Layer):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4)

    def forward(self, x, lengths):
        return self.rnn(x, sequence_length=lengths)


class _States(nn.Layer):
    def __init__(self, kind):
        super().__init__()
        self.rnn = kind(3, 4)

    def forward(self, x, first):
        return self.rnn(x, (first, first * 2) if isinstance(self.rnn, nn.LSTM) else first)


CASES.layer("lstm_lengths", _Lengths, SEQUENCE, ints(-2, low=2, high=5, dtype="int32"))
CASES.layer("lstm_states", lambda: _States(nn.LSTM), SEQUENCE, floats(1, -2, 4))
CASES.layer("gru_states", lambda: _States(nn.GRU), SEQUENCE, floats(1, -2, 4))


class _Cell(nn.Layer):
    def __init__(self, kind):
        super().__init__()
        self.cell = kind(3, 4)

    def forward(self, x):
        return self.cell(x)


for _cell in (nn.LSTMCell, nn.GRUCell):
    CASES.layer(f"{_cell.__name__.lower()}", partial(_Cell, _cell), floats(-2, 3))

CASES.layer("dropout", lambda: nn.Dropout(0.3), floats(-2, 3))
CASES.layer("dropout_scaled", lambda: nn.Dropout(0.3, mode="downscale_in_infer"), floats(-2, 3))
CASES.layer("linear", lambda: nn.Linear(4, 3), floats(-2, -3, 4))
CASES.layer("embedding", lambda: nn.Embedding(10, 3), ints(-2, 4, low=0, high=9))
CASES.layer(
    "embedding_padded", lambda: nn.Embedding(10, 3, padding_idx=2), ints(-2, 7, low=0, high=4)
)
CASES.layer(
    "embedding_int32", lambda: nn.Embedding(10, 3), ints(-2, 4, low=0, high=9, dtype="int32")
)
CASES.function("double_precision", lambda x: F.softmax(x * 2), doubles(-2, 3))
