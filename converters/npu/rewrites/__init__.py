"""Exact replacements of operators that a compiler for an NPU doesn't take.

Each module has `OPERATORS`, the operators that it replaces; `NEEDS`, those that it writes;
`SIMPLIFIES`, whether it is used for every compiler, not only for those that need it; `WHY`;
and `rewrite`, which returns the replaced nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from . import (
    batch_normalization,
    constant_gather,
    hard_sigmoid,
    hard_swish,
    identity,
    layer_normalization,
    long_transpose,
    resize_scales,
)

REWRITES: Sequence[ModuleType] = (
    identity,
    constant_gather,
    resize_scales,
    long_transpose,
    batch_normalization,
    layer_normalization,
    hard_swish,
    hard_sigmoid,
)
