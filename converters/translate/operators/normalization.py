"""Norms over batches, layers, groups and instances, and softmax."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value
from .layouts import channels_first, give_in_layout

EPSILON = 1e-5


@translates("batch_norm", "sync_batch_norm")
def batch_norm(call: Call) -> None:
    """Write a batch norm with the statistics of the training."""
    if not (call.attribute("is_test", True) or call.attribute("use_global_stats", False)):
        raise UnsupportedError("it uses the statistics of the batch, as in training")
    x = channels_first(call, "data_layout", "X")
    mean, variance = call.operand("Mean"), call.operand("Variance")
    scale = call.optional("Scale") or call.constant(np.ones(mean.shape, x.dtype))
    bias = call.optional("Bias") or call.constant(np.zeros(mean.shape, x.dtype))
    epsilon = call.attribute("epsilon", EPSILON)
    made = call.add(
        "BatchNormalization", x, scale, bias, mean, variance, epsilon=epsilon, shape=x.shape
    )
    give_in_layout(call, made, "data_layout", "Y")


@translates("layer_norm")
def layer_norm(call: Call) -> None:
    """Write a layer norm over the last axes; its weights are stored flat."""
    x = call.operand()
    first = x.axis(call.attribute("begin_norm_axis", 1))
    epsilon = call.attribute("epsilon", EPSILON)
    sizes = x.shape[first:]
    scale, bias = (_shaped(call, call.optional(slot), sizes) for slot in ("Scale", "Bias"))
    if call.opset >= 17 and (scale is not None or min(sizes) >= 0):
        scale = scale or call.constant(np.ones(sizes, x.dtype))
        made = call.add(
            "LayerNormalization", x, scale, bias, axis=first, epsilon=epsilon, shape=x.shape
        )
        call.give(made, "Y")
        return
    axes = range(first, x.rank)
    centered = call.combine("Sub", x, call.reduce("ReduceMean", x, axes, keep=True))
    squares = call.combine("Mul", centered, centered)
    variance = call.reduce("ReduceMean", squares, axes, keep=True)
    deviation = call.each("Sqrt", call.combine("Add", variance, epsilon))
    call.give(_affine(call, call.combine("Div", centered, deviation), scale, bias), "Y")


@translates("group_norm")
def group_norm(call: Call) -> None:
    """Write a group norm as the instance norm of groups of channels."""
    x = channels_first(call, "data_layout", "X")
    groups = call.attribute("groups", 1)
    flat = call.reshape(x, [0, groups, -1])
    normed = _instances(call, flat, None, None, groups)
    back = call.add("Reshape", normed, call.sizes(x), shape=x.shape)
    sizes = [x.shape[1], *[1] * (x.rank - 2)]
    scale, bias = (_shaped(call, call.optional(slot), sizes) for slot in ("Scale", "Bias"))
    give_in_layout(call, _affine(call, back, scale, bias), "data_layout", "Y")


@translates("instance_norm")
def instance_norm(call: Call) -> None:
    """Write an instance norm."""
    x = call.operand()
    call.give(_instances(call, x, call.optional("Scale"), call.optional("Bias"), x.shape[1]), "Y")


@translates("softmax", "log_softmax")
def softmax(call: Call) -> None:
    """Write the softmax along an axis, or its logarithm."""
    x = call.operand()
    kind = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}[call.operator.type]
    if x.rank == 0:
        raise UnsupportedError("its operand is a single number")
    axis = x.axis(call.attribute("axis", -1))
    call.give(call.add(kind, x, axis=axis, shape=x.shape))


@translates("dropout")
def dropout(call: Call) -> None:
    """Write what dropout does after the training: nothing, or a factor."""
    if not call.attribute("is_test", True):
        raise UnsupportedError("it drops values at random, as in training")
    x = call.operand()
    if call.attribute("dropout_implementation", "downgrade_in_infer") == "downgrade_in_infer":
        kept = 1.0 - call.attribute("dropout_prob", 0.5)
        x = x if kept == 1 else call.combine("Mul", x, kept)
    call.give(x)


def _instances(
    call: Call, x: Value, scale: Value | None, bias: Value | None, channels: int
) -> Value:
    if channels < 0:
        raise UnsupportedError("the number of its channels is open")
    scale = scale or call.constant(np.ones(channels, x.dtype))
    bias = bias or call.constant(np.zeros(channels, x.dtype))
    epsilon = call.attribute("epsilon", EPSILON)
    return call.add("InstanceNormalization", x, scale, bias, epsilon=epsilon, shape=x.shape)


def _shaped(call: Call, weights: Value | None, sizes: Sequence[int]) -> Value | None:
    """Return weights, which Paddle stores flat, in the shape of the axes that they belong to."""
    wanted = tuple(sizes)
    if weights is None or weights.shape == wanted:
        return weights
    if min(wanted) < 0 or math.prod(wanted) != math.prod(weights.shape):
        raise UnsupportedError(f"it has {weights.shape} weights for axes of the sizes {wanted}")
    return call.reshape(weights, wanted)


def _affine(call: Call, x: Value, scale: Value | None, bias: Value | None) -> Value:
    x = x if scale is None else call.combine("Mul", x, scale)
    return x if bias is None else call.combine("Add", x, bias)
