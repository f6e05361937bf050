"""The translations of Paddle's operators, one module for each group.

Each function takes a `Call`, writes the nodes that compute what the operator computes, and gives
their outputs to the operator's results. It raises `UnsupportedError` for what ONNX can't express.
Importing this package fills the table in `registry`.
"""

from . import (
    activations,
    arithmetic,
    control,
    convolution,
    creation,
    deformable,
    functions,
    indexing,
    normalization,
    padding,
    pooling,
    products,
    recurrent,
    reductions,
    repetition,
    resampling,
    shapes,
    slices,
)

__all__ = [
    "activations",
    "arithmetic",
    "control",
    "convolution",
    "creation",
    "deformable",
    "functions",
    "indexing",
    "normalization",
    "padding",
    "pooling",
    "products",
    "recurrent",
    "reductions",
    "repetition",
    "resampling",
    "shapes",
    "slices",
]
