"""Activations: the functions of single elements that networks apply between their layers."""

from __future__ import annotations

import math

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value

# Paddle's operator → ONNX's operator without attributes that computes the same.
_SAME = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softsign": "Softsign"}
# From this threshold on, both branches of softplus are equal in float32.
_EXACT_THRESHOLD = 15.0


def _same(call: Call) -> None:
    call.give(call.each(_SAME[call.operator.type], call.operand()))


for _type in _SAME:
    translates(_type)(_same)


def _clipped(call: Call, x: Value, low: float, high: float) -> Value:
    return call.each("Clip", x, call.constant(low, x.dtype), call.constant(high, x.dtype))


@translates("relu6")
def relu6(call: Call) -> None:
    """Write min(max(x, 0), 6); Paddle ignores the attribute with another number."""
    call.give(_clipped(call, call.operand(), 0.0, 6.0))


@translates("brelu")
def brelu(call: Call) -> None:
    """Write min(max(x, t_min), t_max)."""
    low, high = call.attribute("t_min", 0.0), call.attribute("t_max", 24.0)
    call.give(_clipped(call, call.operand(), low, high))


@translates("swish", "silu")
def swish(call: Call) -> None:
    """Write x * sigmoid(x); Paddle ignores the attribute with a factor other than 1."""
    x = call.operand()
    call.give(call.combine("Mul", x, call.each("Sigmoid", x)))


@translates("gelu")
def gelu(call: Call) -> None:
    """Write x * (1 + erf(x / √2)) / 2, or its approximation by tanh."""
    x = call.operand()
    if call.attribute("approximate", False):
        cubic = call.combine("Mul", call.combine("Mul", x, x), x)
        bent = call.combine("Add", x, call.combine("Mul", cubic, 0.044715))
        gate = call.each("Tanh", call.combine("Mul", bent, math.sqrt(2 / math.pi)))
    else:
        gate = call.each("Erf", call.combine("Div", x, math.sqrt(2)))
    product = call.combine("Mul", x, call.combine("Add", gate, 1.0))
    call.give(call.combine("Mul", product, 0.5))


def _softplus(call: Call, x: Value, beta: float, threshold: float) -> Value:
    """Write log(1 + exp(beta * x)) / beta, and x where beta * x exceeds the threshold."""
    scaled = x if beta == 1 else call.combine("Mul", x, beta)
    soft = call.each("Softplus", scaled)
    if beta != 1:
        soft = call.combine("Div", soft, beta)
    if threshold >= _EXACT_THRESHOLD:
        return soft
    large = call.combine("Greater", scaled, threshold, bool)
    return call.each("Where", large, x, soft, dtype=x.dtype)


@translates("softplus")
def softplus(call: Call) -> None:
    """Write softplus; see `_softplus`."""
    beta, threshold = call.attribute("beta", 1.0), call.attribute("threshold", 20.0)
    call.give(_softplus(call, call.operand(), beta, threshold))


@translates("logsigmoid")
def logsigmoid(call: Call) -> None:
    """Write log(sigmoid(x)) as -softplus(-x), which doesn't overflow."""
    negative = call.each("Neg", call.operand())
    call.give(call.each("Neg", call.each("Softplus", negative)))


@translates("mish")
def mish(call: Call) -> None:
    """Write x * tanh(softplus(x))."""
    x = call.operand()
    soft = _softplus(call, x, 1.0, call.attribute("threshold", 20.0))
    call.give(call.combine("Mul", x, call.each("Tanh", soft)))


@translates("elu")
def elu(call: Call) -> None:
    """Write x, and alpha * (exp(x) - 1) where x is negative."""
    call.give(call.each("Elu", call.operand(), alpha=float(call.attribute("alpha", 1.0))))


@translates("celu")
def celu(call: Call) -> None:
    """Write max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    x, alpha = call.operand(), call.attribute("alpha", 1.0)
    power = call.each("Exp", call.combine("Div", x, alpha))
    bent = call.combine("Mul", call.combine("Sub", power, 1.0), alpha)
    below = call.combine("Min", bent, 0.0)
    call.give(call.combine("Add", call.combine("Max", x, 0.0), below))


@translates("selu")
def selu(call: Call) -> None:
    """Write scale * x, and scale * alpha * (exp(x) - 1) where x is negative."""
    scale = call.attribute("scale", 1.0507009873554805)
    alpha = call.attribute("alpha", 1.6732632423543772)
    call.give(call.each("Selu", call.operand(), alpha=float(alpha), gamma=float(scale)))


@translates("leaky_relu")
def leaky_relu(call: Call) -> None:
    """Write x, and alpha * x where x is negative."""
    alpha = float(call.attribute("alpha", 0.02))
    call.give(call.each("LeakyRelu", call.operand(), alpha=alpha))


@translates("prelu")
def prelu(call: Call) -> None:
    """Write x, and alpha * x where x is negative; alpha is one, or one per channel or element."""
    x, alpha = call.operand(), call.operand("Alpha")
    mode, layout = call.attribute("mode", "all"), call.attribute("data_format", "NCHW")
    if mode == "all":
        alpha = call.reshape(alpha, [1])
    elif mode == "channel":
        last = layout in ("NHWC", "NLC", "NDHWC")
        alpha = call.reshape(alpha, [-1] + [1] * (0 if last else max(x.rank - 2, 0)))
    elif mode == "element":
        if min(x.shape[1:], default=0) < 0:
            raise UnsupportedError("the shape of its alpha isn't known")
        alpha = call.reshape(alpha, x.shape[1:])
    else:
        raise UnsupportedError(f"its mode {mode!r:.20} is unknown")
    call.give(call.each("PRelu", x, alpha))


@translates("hard_sigmoid")
def hard_sigmoid(call: Call) -> None:
    """Write min(max(slope * x + offset, 0), 1)."""
    slope, offset = call.attribute("slope", 0.2), call.attribute("offset", 0.5)
    call.give(call.each("HardSigmoid", call.operand(), alpha=float(slope), beta=float(offset)))


@translates("hard_swish")
def hard_swish(call: Call) -> None:
    """Write x * min(max(x + 3, 0), 6) / 6; Paddle ignores the attributes with other numbers."""
    x = call.operand()
    if call.opset >= 14:
        call.give(call.each("HardSwish", x))
        return
    gate = _clipped(call, call.combine("Add", x, 3.0), 0.0, 6.0)
    call.give(call.combine("Div", call.combine("Mul", x, gate), 6.0))


@translates("hard_shrink")
def hard_shrink(call: Call) -> None:
    """Write x, and 0 where |x| is below the threshold or, in Paddle 2, equal to it."""
    x, threshold = call.operand(), call.attribute("threshold", 0.5)
    kind = "GreaterOrEqual" if call.attribute("inclusive", False) else "Greater"
    large = call.combine(kind, call.each("Abs", x), threshold, bool)
    call.give(call.each("Where", large, x, call.constant(0, x.dtype), dtype=x.dtype))


@translates("softshrink")
def softshrink(call: Call) -> None:
    """Write x moved by lambda towards 0, and 0 where |x| doesn't exceed lambda."""
    x, moved = call.operand(), call.attribute("lambda", 0.5)
    above = call.combine("Max", call.combine("Sub", x, moved), 0.0)
    below = call.combine("Min", call.combine("Add", x, moved), 0.0)
    call.give(call.combine("Add", above, below))


@translates("tanh_shrink")
def tanh_shrink(call: Call) -> None:
    """Write x - tanh(x)."""
    x = call.operand()
    call.give(call.combine("Sub", x, call.each("Tanh", x)))


@translates("thresholded_relu")
def thresholded_relu(call: Call) -> None:
    """Write x where it exceeds the threshold, and a value, by default 0, elsewhere."""
    x = call.operand()
    large = call.combine("Greater", x, call.attribute("threshold", 1.0), bool)
    other = call.constant(call.attribute("value", 0.0), x.dtype)
    call.give(call.each("Where", large, x, other, dtype=x.dtype))


@translates("stanh")
def stanh(call: Call) -> None:
    """Write scale_b * tanh(scale_a * x)."""
    inner, outer = call.attribute("scale_a", 0.67), call.attribute("scale_b", 1.7159)
    bent = call.each("Tanh", call.combine("Mul", call.operand(), inner))
    call.give(call.combine("Mul", bent, outer))


@translates("maxout")
def maxout(call: Call) -> None:
    """Write the greatest of each group of neighbouring channels."""
    x, groups = call.operand(), call.attribute("groups", 1)
    axis = x.axis(call.attribute("axis", 1))
    if x.shape[axis] < 0 or groups < 1 or x.shape[axis] % groups:
        raise UnsupportedError(f"its channels can't be divided into groups of {groups}")
    leading = call.constant([0] * axis + [x.shape[axis] // groups, groups])
    rest = [call.size(x, other) for other in range(axis + 1, x.rank)]
    grouped = call.reshape(x, call.vector([leading, *rest]))
    call.give(call.reduce("ReduceMax", grouped, [axis + 1], keep=False))
