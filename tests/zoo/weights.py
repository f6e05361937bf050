"""Fill networks with random weights that follow from names, so that they repeat everywhere.

The weights are scaled so that activations stay of order one.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle
from paddle import nn

# Significant bits of a coarse weight.
BITS = 5
# The layers whose weights are scaled.
KERNELS = (nn.Conv2D, nn.Conv2DTranspose, nn.Linear)


def coarse(value: np.ndarray) -> np.ndarray:
    """Round to few significant bits, so that the file compresses well."""
    mantissa, exponent = np.frexp(value)
    return np.ldexp(np.round(mantissa * 2**BITS) / 2**BITS, exponent)


def power_of_two(value: Any, least: float = 0) -> Any:
    """Return the power of two that is nearest to a value, or to `least` if that is larger."""
    return 2.0 ** np.round(np.log2(np.maximum(value, least)))


def drawn(rng: np.random.RandomState, layer: nn.Layer, key: str, shape: Sequence[int]) -> Any:
    """Draw the values of a layer's parameter with this name and shape."""
    if "bias" in key:
        return rng.normal(0, 0.1, shape)
    if len(shape) <= 1:
        return rng.uniform(0.75, 1.25, shape)
    if isinstance(layer, nn.Embedding):
        return rng.standard_normal(shape)
    if isinstance(layer, nn.Linear):
        fan = shape[0]
    elif isinstance(layer, nn.Conv2DTranspose):
        fan = shape[0] * shape[2] * shape[3] // 4
    else:
        fan = int(np.prod(shape[1:]))
    gain = 2 if isinstance(layer, KERNELS) else 1
    return rng.normal(0, np.sqrt(gain / max(fan, 1)), shape)


def fill(layer: nn.Layer, name: str, examples: Sequence[Any], rounded: bool) -> None:
    """Give every parameter values that follow from its name, then adapt scales to examples.

    A layer with the attribute `keeps` keeps the parameters of those names as it made them. A linear
    layer with the attribute `centred` gets a bias with which its output is zero on average. Scales
    are powers of two: coarse weights stay coarse, and both versions of Paddle, whose activations
    differ in the last bits, come to the same weights.

    Args:
        layer: The network.
        name: Name of the network.
        examples: Inputs for which activations shall be of order one.
        rounded: Make the weights coarse.
    """
    draws: dict[int, np.random.RandomState] = {}
    for path, part in layer.named_sublayers(include_self=True):
        draws[id(part)] = np.random.RandomState(zlib.crc32(f"{name}/{path}".encode()))
        for key, parameter in part.named_parameters(include_sublayers=False):
            if key in getattr(part, "keeps", ()):
                continue
            rng = np.random.RandomState(zlib.crc32(f"{name}/{path}.{key}".encode()))
            value = drawn(rng, part, key, parameter.shape)
            parameter.set_value((coarse(value) if rounded else value).astype("float32"))

    done: set[int] = set()

    def scale(part: Any, given: Any, output: Any) -> Any:
        """Scale a layer's weights so that its output is of order one; return the new output."""
        if id(part) in done or "weight" in getattr(part, "keeps", ()):
            return None
        done.add(id(part))
        deviation = float(output.numpy().std())
        if not np.isfinite(deviation):
            raise ValueError(f"{name}: activations are not finite")
        if deviation > 0:
            part.weight.set_value(part.weight.numpy() / np.float32(power_of_two(deviation)))
        output = part.forward(*given)
        if part.bias is not None and output.ndim == 4 and output.shape[2] > 1:
            # Subtract the mean, as the bias of a fused batch norm does.
            mean = np.round(output.numpy().mean((0, 2, 3)) * 4) / 4
            part.bias.set_value((part.bias.numpy() - mean).astype("float32"))
            output = part.forward(*given)
        if getattr(part, "centred", False):
            mean = output.numpy().mean(tuple(range(output.ndim - 1)))
            part.bias.set_value((part.bias.numpy() - np.round(mean * 4) / 4).astype("float32"))
            output = part.forward(*given)
        return output

    def normalise(part: Any, given: Any) -> None:
        """Give a batch norm statistics near those of its input.

        Otherwise a deep network would give nearly the same output for every input.
        """
        if id(part) in done:
            return
        done.add(id(part))
        value = given[0].numpy()
        axes = tuple(axis for axis in range(value.ndim) if axis != 1)
        unit = power_of_two(value.std(axes), 0.25)
        mean = unit * (np.round(value.mean(axes) / unit * 4) / 4)
        rng = draws[id(part)]
        mean = mean + unit * coarse(rng.normal(0, 0.1, mean.shape))
        variance = unit**2 * coarse(rng.uniform(0.5, 1.5, mean.shape))
        part._mean.set_value(mean.astype("float32"))
        part._variance.set_value(variance.astype("float32"))

    hooks = []
    for part in layer.sublayers():
        if isinstance(part, KERNELS):
            hooks.append(part.register_forward_post_hook(scale))
        elif hasattr(part, "_variance"):
            hooks.append(part.register_forward_pre_hook(normalise))
    with paddle.no_grad():
        layer(*examples)
    for hook in hooks:
        hook.remove()
