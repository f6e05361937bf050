"""Activations with their parameters, and functions of one operand."""

import paddle
from paddle import nn
from paddle.nn import functional as F

from tests.oracle.pir_case import Cases, bools, floats, ints, positive

CASES = Cases()
WIDE = floats(-2, 9, low=-9, high=9)
ANY = floats(-2, 9)

_WIDE = {
    "relu": F.relu,
    "relu6": F.relu6,
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate=True),
    "silu": F.silu,
    "swish": F.swish,
    "mish": F.mish,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "hardsigmoid_slope": lambda x: F.hardsigmoid(x, slope=0.2, offset=0.4),
    "leaky_relu": F.leaky_relu,
    "leaky_relu_slope": lambda x: F.leaky_relu(x, 0.3),
    "elu": F.elu,
    "elu_alpha": lambda x: F.elu(x, 0.3),
    "softplus": F.softplus,
    "softplus_beta": lambda x: F.softplus(x, beta=2),
    "softplus_threshold": lambda x: F.softplus(x, beta=2, threshold=3),
    "abs": paddle.abs,
    "floor": paddle.floor,
    "ceil": paddle.ceil,
    "round": lambda x: paddle.round(x * 2),
    "sign": lambda x: paddle.sign(x - x * (x > 0).astype("float32")),
    "clip": lambda x: paddle.clip(x, -1.5, 2),
    "clip_below": lambda x: paddle.clip(x, min=0.5),
    "clip_above": lambda x: paddle.clip(x, max=0.5),
    "scale": lambda x: paddle.scale(x, 0.5, 2.0),
    "scale_bias_first": lambda x: paddle.scale(x, 0.5, 2.0, bias_after_scale=False),
    "scale_chain": lambda x: 1.0 - (x * 0.5 + 3) / 4,
    "hardtanh": F.hardtanh,
    "logsigmoid": F.log_sigmoid,
    "selu": F.selu,
    "celu": F.celu,
    "celu_alpha": lambda x: F.celu(x, 0.4),
    "hardshrink": lambda x: F.hardshrink(x, 1.0),
    "softshrink": lambda x: F.softshrink(x, 0.75),
    "tanh_shrink": F.tanhshrink,
    "thresholded_relu": lambda x: F.thresholded_relu(x, 0.5),
    "thresholded_relu_value": lambda x: F.thresholded_relu(x, 0.5, -1.5),
    "stanh": paddle.stanh,
    "softsign": F.softsign,
    "trunc": paddle.trunc,
    "round_decimals": lambda x: paddle.round(x / 7, 2),
    "hardtanh_limits": lambda x: F.hardtanh(x, -2.5, 0.75),
    "selu_scale": lambda x: F.selu(x, 1.5, 2.0),
    "in_place": lambda x: F.relu_(x + 1),
    "scale_in_place": lambda x: (x + 1).scale_(0.5),
    "logsigmoid_far": lambda x: F.log_sigmoid(x * 20),
    "isnan": lambda x: paddle.isnan(paddle.log(x)),
    "isinf": lambda x: paddle.isinf(1 / paddle.trunc(x / 3)),
    "isfinite": lambda x: paddle.isfinite(1 / paddle.trunc(x / 3)),
    "increment": lambda x: paddle.increment(paddle.assign(paddle.sum(x)), 2.5),
}
for _name, _function in _WIDE.items():
    CASES.function(_name, _function, WIDE)
_NARROW = {
    "exp": paddle.exp,
    "square": paddle.square,
    "sin": paddle.sin,
    "cos": paddle.cos,
    "erf": paddle.erf,
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "tan": lambda x: paddle.tan(x / 4),
    "sinh": paddle.sinh,
    "cosh": paddle.cosh,
    "asinh": paddle.asinh,
    "atan": paddle.atan,
    "asin": lambda x: paddle.asin(x / 4),
    "acos": lambda x: paddle.acos(x / 4),
    "atanh": lambda x: paddle.atanh(x / 4),
    "expm1": paddle.expm1,
    "expm1_near_0": lambda x: paddle.expm1(x * 1e-5) * 1e5,
}
for _name, _function in _NARROW.items():
    CASES.function(_name, _function, ANY)
_POSITIVE = {
    "sqrt": paddle.sqrt,
    "rsqrt": paddle.rsqrt,
    "log": paddle.log,
    "reciprocal": paddle.reciprocal,
    "pow_2": lambda x: x**2,
    "pow_half": lambda x: x**0.5,
    "pow_negative": lambda x: paddle.pow(x, -1.5),
    "pow_of_number": lambda x: 2.0**x,
    "acosh": lambda x: paddle.acosh(x + 1),
    "log1p": paddle.log1p,
    "log1p_near_0": lambda x: paddle.log1p(x * 1e-5) * 1e5,
    "log2": paddle.log2,
    "log10": paddle.log10,
}
for _name, _function in _POSITIVE.items():
    CASES.function(_name, _function, positive(-2, 6))
CASES.function("softmax_axis", lambda x: F.softmax(x, axis=1), floats(-2, 3, -4))
CASES.function("softmax_first", lambda x: F.softmax(x, axis=0), floats(-2, 3, -4))
CASES.function("log_softmax_axis", lambda x: F.log_softmax(x, axis=1), floats(-2, 3, -4))
CASES.function("scale_integers", lambda x: x * 3 - 2, ints(-2, 4))
CASES.function("scale_int32", lambda x: x * 3 - 2, ints(-2, 4, dtype="int32"))
CASES.function("scale_by_tensor", lambda x, f: paddle.scale(x, f, 0.5), ANY, floats(1))
CASES.function("clip_integers", lambda x: paddle.clip(x, -2, 5), ints(-2, 4))
CASES.function("clip_by_tensor", lambda x, m: paddle.clip(x, m, m + 2), WIDE, floats(1))
CASES.function("abs_integers", paddle.abs, ints(-2, 4))
CASES.function("pow_integers", lambda x: x**2, ints(-2, 4))
CASES.function("square_integers", paddle.square, ints(-2, 4))
CASES.function("logical_not", paddle.logical_not, bools(-2, 5))
CASES.function("isfinite_integers", paddle.isfinite, ints(-2, 4))
CASES.function("isnan_integers", paddle.isnan, ints(-2, 4))
CASES.function("isinf_integers", paddle.isinf, ints(-2, 4))
CASES.function("exp_of_integers", paddle.exp, ints(-2, 4, low=-3, high=3))
CASES.function("sqrt_of_integers", paddle.sqrt, ints(-2, 4, low=0))
CASES.function("floor_of_integers", paddle.floor, ints(-2, 4))
CASES.function("sign_of_integers", paddle.sign, ints(-2, 4, low=-1, high=1))
CASES.function("trunc_of_integers", paddle.trunc, ints(-2, 4))
CASES.function("round_of_integers", paddle.round, ints(-2, 4))
CASES.function(
    "increment_integers", lambda x: paddle.increment(paddle.assign(paddle.sum(x))), ints(4)
)
CASES.function("clip_of_integers_below", lambda x: paddle.clip(x, min=-2), ints(-2, 4))
CASES.function("clip_int32", lambda x: paddle.clip(x, max=3), ints(-2, 4, dtype="int32"))
CASES.function("logical_not_of_numbers", paddle.logical_not, ints(-2, 5, low=-1, high=1))
CASES.function("bitwise_not_of_truths", paddle.bitwise_not, bools(-2, 5))
CASES.function("bitwise_not", paddle.bitwise_not, ints(-2, 5))
CASES.function("maxout", lambda x: F.maxout(x, 2), floats(-2, 6, -3, 2))
CASES.function("maxout_last", lambda x: F.maxout(x, 3, axis=-1), floats(-2, 3, -2, 6))
CASES.layer("prelu_last", lambda: nn.PReLU(4, data_format="NHWC"), floats(-2, -3, 2, 4))
CASES.layer("prelu", nn.PReLU, floats(-2, 4, 3))
CASES.layer("prelu_channels", lambda: nn.PReLU(4), floats(-2, 4, -3, -2))


CASES.function("flat_softmax", lambda x: F.softmax(x.flatten(2), axis=-1), floats(-2, 3, -4, -2))
