"""Single operators of Paddle 2.6.2 in forms that PIR doesn't have; see `make_legacy_operators`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.oracle.pir_case import Input, bools, floats, ints


@dataclass(frozen=True)
class LegacyCase:
    """One operator."""

    kind: str
    """Its type."""
    inputs: dict[str, list[Input]]
    """Slot → the values that are drawn."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """Its attributes; the others have Paddle's defaults."""
    outputs: dict[str, tuple[int, str]] = field(default_factory=lambda: {"Out": (1, "float32")})
    """Slot → number and type of the results."""
    variables: dict[str, Any] = field(default_factory=dict)
    """Attribute → value of the variable that gives it."""


CUBE = floats(-2, 3, 4)
IMAGE = floats(-2, 3, -4, 5)
_SHAPED = {"Out": (1, "float32"), "XShape": (1, "float32")}


def _of(
    x: Input, kind: str, outputs: dict[str, tuple[int, str]] | None = None, **attributes: Any
) -> LegacyCase:
    result = {"outputs": outputs} if outputs else {}
    return LegacyCase(kind, {"X": [x]}, attributes, **result)


def _two(kind: str, x: Input, y: Input, result: str = "float32", **attributes: Any) -> LegacyCase:
    return LegacyCase(kind, {"X": [x], "Y": [y]}, attributes, {"Out": (1, result)})


def _pool(**attributes: Any) -> LegacyCase:
    """Return a case of mean pooling that counts its padding, unless the attributes say more."""
    usual: dict[str, Any] = {
        "pooling_type": "avg", "ksize": [3, 3], "strides": [2, 2], "paddings": [1, 1],
        "exclusive": False,
    }  # fmt: skip
    return _of(floats(-1, 2, -4, -5), "pool2d", **(usual | attributes))


_POOLS: dict[str, dict[str, Any]] = {
    "behind": {"paddings": [0, 1, 0, 1]},
    "before": {"paddings": [1, 0, 1, 0]},
    "ceil": {"ceil_mode": True},
    "before_ceil": {"paddings": [1, 0, 1, 0], "ceil_mode": True},
    "same": {"padding_algorithm": "SAME", "ksize": [2, 2], "strides": [1, 1]},
    "same_open": {"padding_algorithm": "SAME"},
    "same_skipping": {
        "padding_algorithm": "SAME", "ksize": [1, 1], "strides": [3, 3], "pooling_type": "max",
    },
    "wide_ceil": {"ksize": [2, 2], "ceil_mode": True, "exclusive": True},
}  # fmt: skip
INTEGERS = {"Out": (1, "int64")}
TRUTHS = {"Out": (1, "bool")}
CASES: dict[str, LegacyCase] = {
    # A smaller operand is aligned at an axis.
    "legacy_add_at_axis": _two("elementwise_add", IMAGE, floats(3), axis=1),
    "legacy_add_at_first_axis": _two("elementwise_add", floats(2, 3, 4), floats(2), axis=0),
    "legacy_add_with_ones": _two("elementwise_add", floats(-2, 3, 4), floats(3, 1), axis=1),
    "legacy_sub_smaller_first": _two("elementwise_sub", floats(3), IMAGE, axis=1),
    "legacy_minus": _two("minus", floats(2, 3), floats(2, 3)),
    "legacy_div_integers": _two("elementwise_div", ints(-2, 9), ints(9, low=-4, high=-1), "int64"),
    "legacy_floordiv": _two("elementwise_floordiv", ints(-2, 9), ints(9, low=-4, high=-1), "int64"),
    "legacy_mod": _two("elementwise_mod", ints(-2, 9), ints(9, low=-4, high=-1), "int64"),
    "legacy_mod_floats": _two("elementwise_mod", floats(-2, 9), floats(9, low=-4, high=-1)),
    "legacy_less_than": _two("less_than", floats(-2, 3, 4), floats(4), "bool"),
    "legacy_equal_all": _two("equal_all", ints(2, 3), ints(2, 3), "bool"),
    # Functions
    "legacy_round": _of(floats(-2, 9), "round"),
    "legacy_hard_shrink": _of(floats(-2, 9), "hard_shrink", threshold=1.0),
    "legacy_relu6": _of(floats(-2, 9, low=-9, high=9), "relu6", threshold=6.0),
    "legacy_hard_swish": _of(
        floats(-2, 9, low=-9, high=9), "hard_swish", threshold=5.0, scale=4.0, offset=2.0
    ),
    "legacy_swish": _of(floats(-2, 9), "swish", beta=1.0),
    "legacy_scale_integers": _of(ints(-2, 9), "scale", INTEGERS, scale=2.6, bias=1.9),
    "legacy_pow": _of(floats(-2, 9, low=0.5), "pow", factor=1.5),
    "legacy_pow_tensor": LegacyCase(
        "pow", {"X": [floats(-2, 9, low=0.5)], "FactorTensor": [floats(1)]}, {"factor": 1.0}
    ),
    "legacy_clip": _of(floats(-2, 9), "clip", min=-1.0, max=2.0),
    "legacy_cast": _of(floats(-2, 9), "cast", {"Out": (1, "int32")}, in_dtype=5, out_dtype=2),
    "legacy_increment": _of(floats(1), "increment", step=2.5),
    "legacy_share_data": _of(CUBE, "share_data"),
    "legacy_swish_beta": _of(floats(-2, 9), "swish", beta=2.0),
    "legacy_relu6_threshold": _of(floats(-2, 9, low=-9, high=9), "relu6", threshold=4.0),
    # Products and layers
    "legacy_mul": _two("mul", floats(-2, 3, 4), floats(12, 5), x_num_col_dims=1, y_num_col_dims=1),
    "legacy_matmul": _two(
        "matmul", floats(-2, 3, 4), floats(-2, 5, 4), transpose_X=False, transpose_Y=True, alpha=0.5
    ),
    "legacy_lookup_table": LegacyCase(
        "lookup_table", {"W": [floats(6, 3)], "Ids": [ints(-4, 1, low=0, high=5)]},
        {"padding_idx": -1},
    ),
    "legacy_bicubic": _of(
        floats(-1, 2, 4, 5), "bicubic_interp_v2", out_h=7, out_w=9, interp_method="bicubic",
        align_corners=False, align_mode=1, data_layout="NCHW", scale=[],
    ),
    "legacy_bicubic_single": _of(
        floats(-1, 2, 4, 5), "bicubic_interp_v2", out_h=1, out_w=9, interp_method="bicubic",
        align_corners=False, align_mode=1, data_layout="NCHW", scale=[],
    ),
    "legacy_conv3d": LegacyCase(
        "conv3d", {"Input": [floats(-1, 2, 4, 5, 6)], "Filter": [floats(3, 2, 2, 3, 3)]},
        {"strides": [1, 2, 1], "paddings": [0, 1, 1], "dilations": [1, 1, 1], "groups": 1,
         "data_format": "NCDHW", "padding_algorithm": "EXPLICIT"}, {"Output": (1, "float32")},
    ),
    "legacy_diagonal": _of(floats(4, 4), "diag_v2", offset=1, padding_value=0.0),
    "legacy_of_diagonal": _of(floats(4), "diag_v2", offset=-1, padding_value=0.5),
    # Reductions
    "legacy_reduce_all": _of(CUBE, "reduce_mean", reduce_all=True, dim=[0], keep_dim=False),
    "legacy_reduce_dim": _of(CUBE, "reduce_max", reduce_all=False, dim=[-1], keep_dim=True),
    "legacy_reduce_sum_integers": _of(ints(-2, 4), "reduce_sum", INTEGERS, dim=[1], out_dtype=-1),
    "legacy_reduce_any": _of(bools(-2, 4), "reduce_any", TRUTHS, dim=[1]),
    "legacy_mean": _of(CUBE, "mean"),
    "legacy_arg_max": _of(CUBE, "arg_max", INTEGERS, axis=1, keepdims=True, dtype=3),
    "legacy_norm": _of(
        CUBE, "norm", {"Out": (1, "float32"), "Norm": (1, "float32")}, axis=1, epsilon=1e-3
    ),
    "legacy_p_norm": _of(CUBE, "p_norm", porder=2.0, axis=1, epsilon=1e-12, keepdim=True),
    "legacy_frobenius_norm": _of(CUBE, "frobenius_norm", dim=[1, 2], keep_dim=True),
    "legacy_logsumexp": _of(CUBE, "logsumexp", axis=[1], keepdim=False, reduce_all=False),
    "legacy_cumsum": _of(CUBE, "cumsum", axis=1, exclusive=True, reverse=True),
    # Attributes that variables give
    "legacy_sum_by_variable": LegacyCase(
        "reduce_sum", {"X": [CUBE]}, {"keep_dim": False}, variables={"dim": [1]}
    ),
    "legacy_max_by_variable": LegacyCase(
        "reduce_max", {"X": [CUBE]}, {"keep_dim": True}, variables={"dim": [1, 2]}
    ),
    "legacy_arg_max_by_variable": LegacyCase(
        "arg_max", {"X": [CUBE]}, {"keepdims": False, "dtype": 3}, INTEGERS, {"axis": 1}
    ),
    "legacy_cumsum_by_variable": LegacyCase("cumsum", {"X": [CUBE]}, variables={"axis": 1}),
    "legacy_squeeze_by_variable": LegacyCase(
        "squeeze2", {"X": [floats(-2, 1, 4)]}, {}, _SHAPED, {"axes": [1]}
    ),
    "legacy_pool_by_variable": LegacyCase(
        "pool2d", {"X": [floats(-1, 2, 4, 6)]},
        {"pooling_type": "avg", "adaptive": True, "paddings": [0, 0]}, variables={"ksize": [2, 3]},
    ),
    "legacy_transposed_by_variable": LegacyCase(
        "conv2d_transpose", {"Input": [floats(-2, 2, 3, 4)], "Filter": [floats(2, 3, 3, 3)]},
        {"strides": [2, 2], "paddings": [0, 0]}, {"Output": (1, "float32")},
        {"output_size": [8, 10]},
    ),
    # Pooling that counts its padding
    **{f"legacy_pool_{name}": _pool(**options) for name, options in _POOLS.items()},
    # Shapes
    "legacy_reshape": _of(CUBE, "reshape", shape=[0, -1]),
    "legacy_reshape2": _of(CUBE, "reshape2", _SHAPED, shape=[-1, 4, 3]),
    "legacy_transpose": _of(CUBE, "transpose", axis=[2, 0, 1]),
    "legacy_flatten2": _of(IMAGE, "flatten2", _SHAPED, axis=1),
    "legacy_squeeze2": _of(floats(2, 1, 3, 1), "squeeze2", _SHAPED, axes=[]),
    "legacy_unsqueeze2": _of(CUBE, "unsqueeze2", _SHAPED, axes=[0, 2]),
    "legacy_split": _of(CUBE, "split", {"Out": (2, "float32")}, sections=[1, -1], num=0, axis=2),
    "legacy_unstack": _of(CUBE, "unstack", {"Y": (3, "float32")}, axis=1, num=3),
    "legacy_expand": _of(floats(-2, 1, 4), "expand_v2", shape=[-1, 3, 4]),
    **{
        f"legacy_set_{name}": LegacyCase(
            "set_value", {"Input": [CUBE]},
            {"axes": [1, 2], "starts": [2, 2**31 - 1], "ends": [0, -1], "steps": [-2, -1],
             "shape": [len(values)], "values": values, "dtype": 5},
        )
        for name, values in {"backwards": [1.0, 2, 3, 4], "backwards_number": [0.5]}.items()
    },
    "legacy_crop": _of(CUBE, "crop_tensor", shape=[-1, 2, 2], offsets=[0, 1, 0]),
    "legacy_shape": LegacyCase("shape", {"Input": [CUBE]}, {}, {"Out": (1, "int32")}),
    "legacy_slice_last": LegacyCase(
        "slice", {"Input": [CUBE]},
        {"axes": [1], "starts": [-1], "ends": [2**31 - 1], "decrease_axis": [1],
         "infer_flags": [1]},
    ),
    "legacy_backwards_far": LegacyCase(
        "strided_slice", {"Input": [CUBE]},
        {"axes": [2], "starts": [-1], "ends": [-5], "strides": [-1], "infer_flags": [1]},
    ),
    "legacy_backwards": LegacyCase(
        "strided_slice", {"Input": [CUBE]},
        {"axes": [1, 2], "starts": [-1, 3], "ends": [-1, 0], "strides": [-1, -2],
         "infer_flags": [1, 1]},
    ),
    # Indices
    "legacy_one_hot_v2": LegacyCase("one_hot_v2", {"X": [ints(-4, low=0, high=4)]}, {"depth": 5}),
    "legacy_gather": LegacyCase(
        "gather", {"X": [floats(5, 3)], "Index": [ints(-4, low=0, high=4, dtype="int32")]}
    ),
    "legacy_tril": _of(floats(-2, 4, 4), "tril_triu", lower=True, diagonal=1),
    "legacy_where_index": LegacyCase("where_index", {"Condition": [bools(-3, 4)]}, {}, INTEGERS),
    # Creation
    "legacy_zeros_like": _of(CUBE, "fill_zeros_like"),
    "legacy_fill_like": _of(CUBE, "fill_any_like", value=2.5, dtype=-1),
    "legacy_like_batch": LegacyCase(
        "fill_constant_batch_size_like", {"Input": [CUBE]},
        {"shape": [3, -1], "input_dim_idx": 0, "output_dim_idx": 1, "value": 1.5, "dtype": 5},
    ),
    "legacy_fill_of_shape": LegacyCase(
        "fill_constant", {"ShapeTensor": [ints(2, low=1, high=3, dtype="int32")]},
        {"shape": [-1, -1], "value": 0.0, "str_value": "-inf", "dtype": 5},
    ),
    "legacy_range": LegacyCase(
        "range", {"Start": [ints(1, low=0, high=1)], "End": [ints(1, low=6, high=9)],
                  "Step": [ints(1, low=2, high=2)]}, {}, INTEGERS,
    ),
    # Padding
    **{
        f"legacy_pad3d_{mode}": _of(
            floats(-2, 2, 3, 4, 5), "pad3d", paddings=[1, 2, 0, 3, 1, 0], mode=mode, value=0.5,
            data_format="NCDHW",
        )
        for mode in ("constant", "replicate", "circular")
    },
    "legacy_pad": _of(CUBE, "pad", paddings=[0, 0, 1, 2, 0, 1], pad_value=-1.5),
}  # fmt: skip
