"""Rules that turn each PIR operator into the legacy operator that computes the same.

PIR made operands out of many attributes. If such an operand is constant, it becomes the legacy
attribute again; otherwise it goes into the input slot that the legacy operator has for it.
Attributes keep their names unless a rule renames them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Number:
    """An operand that is one number."""

    attribute: str
    """The attribute that a constant operand becomes."""
    kind: type = int
    tensor: str = ""
    """The input slot of an operand that varies; "" if the legacy operator has none."""
    default: float = 0
    """The attribute's value if the slot is used; the translator ignores it but requires it."""


@dataclass(frozen=True)
class Numbers:
    """An operand that is a list of integers."""

    attribute: str
    """The attribute that a constant operand becomes."""
    tensor: str = ""
    """The input slot for a varying list in one tensor; "" if there is none."""
    tensors: str = ""
    """The input slot for a varying list with a tensor per integer; "" if there is none."""


@dataclass(frozen=True)
class Rule:
    """How a PIR operator becomes a legacy operator."""

    kind: str
    """The legacy operator."""
    inputs: tuple[str | Number | Numbers, ...] = ("X",)
    """For each operand its slot, "" to leave it out, or the number or list that it is."""
    outputs: tuple[str, ...] = ("Out",)
    """For each result its slot; results without one are dropped."""
    rename: dict[str, str] = field(default_factory=dict)
    """PIR's attribute name → the legacy one."""
    add: dict[str, Any] = field(default_factory=dict)
    """Attributes that PIR doesn't have, and their values."""


def _binary(kind: str) -> Rule:
    return Rule(kind, ("X", "Y"), add={"axis": -1})


_LARGEST = 3.4028234663852886e38  # the largest float32
_SHAPE = Numbers("shape", "Shape", "ShapeTensor")
_RESIZE = ("X", "OutSize", "SizeTensor", "Scale")
_KEEP = {"keepdim": "keep_dim"}
_REDUCED = ("X", Numbers("dim"))
_BATCH_NORM = Rule(
    "batch_norm", ("X", "Mean", "Variance", "Scale", "Bias"),
    ("Y", "MeanOut", "VarianceOut", "SavedMean", "SavedVariance"), {"data_format": "data_layout"},
)  # fmt: skip
_WRITTEN = (
    Numbers("starts", "StartsTensorList", "StartsTensorList"),
    Numbers("ends", "EndsTensorList", "EndsTensorList"),
    Numbers("steps", "StepsTensorList", "StepsTensorList"),
)
# In PIR an end of -1 is always the last position. The legacy operators take it for the position
# before the first one if the step is negative, unless they have this attribute.
_ENDS = {"ends_from_the_end": True}
_TRANSPOSED = ("Input", "Filter", Numbers("output_size", "OutputSize"))

RULES: dict[str, Rule] = {
    # Networks
    "conv2d": Rule("conv2d", ("Input", "Filter"), ("Output",)),
    "depthwise_conv2d": Rule("depthwise_conv2d", ("Input", "Filter"), ("Output",)),
    "conv3d": Rule("conv3d", ("Input", "Filter"), ("Output",)),
    "conv2d_transpose": Rule("conv2d_transpose", _TRANSPOSED, ("Output",)),
    "depthwise_conv2d_transpose": Rule("depthwise_conv2d_transpose", _TRANSPOSED, ("Output",)),
    "deformable_conv": Rule("deformable_conv", ("Input", "Offset", "Filter", "Mask"),
                            ("Output",)),
    "batch_norm": _BATCH_NORM,
    "batch_norm_": _BATCH_NORM,
    "sync_batch_norm_": _BATCH_NORM,
    "layer_norm": Rule("layer_norm", ("X", "Scale", "Bias"), ("Y", "Mean", "Variance")),
    "group_norm": Rule("group_norm", ("X", "Scale", "Bias"), ("Y", "Mean", "Variance"),
                       {"data_format": "data_layout"}),
    "instance_norm": Rule("instance_norm", ("X", "Scale", "Bias"),
                          ("Y", "SavedMean", "SavedVariance")),
    "pool2d": Rule("pool2d", ("X", Numbers("ksize"))),
    "rnn": Rule("rnn", ("Input", "PreState", "WeightList", "SequenceLength", ""),
                ("Out", "DropoutState", "State", "Reserve")),
    "dropout": Rule("dropout", ("X", "", Number("dropout_prob", float)), ("Out", "Mask"),
                    {"mode": "dropout_implementation"}),
    "embedding": Rule("lookup_table_v2", ("Ids", "W"), rename={"sparse": "is_sparse"}),
    "nearest_interp": Rule("nearest_interp_v2", _RESIZE, rename={"data_format": "data_layout"}),
    "bilinear_interp": Rule("bilinear_interp_v2", _RESIZE, rename={"data_format": "data_layout"}),
    "bicubic_interp": Rule("bicubic_interp_v2", _RESIZE, rename={"data_format": "data_layout"}),
    "grid_sample": Rule("grid_sampler", ("X", "Grid"), ("Output",)),
    "pad3d": Rule("pad3d", ("X", Numbers("paddings", "Paddings")), rename={"pad_value": "value"}),
    "pad": Rule("pad", ("X", Number("pad_value", float))),
    "pixel_shuffle": Rule("pixel_shuffle"),
    # Activations
    **{name: Rule(name) for name in (
        "relu", "sigmoid", "tanh", "gelu", "silu", "exp", "sqrt", "rsqrt", "square", "abs", "floor",
        "ceil", "round", "reciprocal", "log", "sin", "cos", "erf", "softmax", "log_softmax",
        "softplus", "elu", "logical_not", "sign", "logsigmoid", "selu", "celu", "tanh_shrink",
        "thresholded_relu", "stanh", "softsign", "maxout", "trunc", "log1p", "expm1", "log2",
        "log10", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh",
        "bitwise_not",
    )},
    "hardshrink": Rule("hard_shrink", add={"inclusive": True}),
    "softshrink": Rule("softshrink", rename={"threshold": "lambda"}),
    "isnan": Rule("isnan_v2"),
    "isinf": Rule("isinf_v2"),
    "isfinite": Rule("isfinite_v2"),
    "increment": Rule("increment", rename={"value": "step"}),
    "mish": Rule("mish", rename={"lambda": "threshold"}),
    "hardtanh": Rule("brelu"),
    "relu6": Rule("relu6", add={"threshold": 6.0}),
    "swish": Rule("swish", add={"beta": 1.0}),
    "hardswish": Rule("hard_swish", add={"threshold": 6.0, "scale": 6.0, "offset": 3.0}),
    "hardsigmoid": Rule("hard_sigmoid"),
    "leaky_relu": Rule("leaky_relu", rename={"negative_slope": "alpha"}),
    "prelu": Rule("prelu", ("X", "Alpha")),
    "pow": Rule("pow", rename={"y": "factor"}),
    "scale": Rule("scale", ("X", Number("scale", float, "ScaleTensor", 1))),
    "clip": Rule("clip", ("X", Number("min", float, "Min", -_LARGEST),
                          Number("max", float, "Max", _LARGEST))),
    # Two operands
    "add": _binary("elementwise_add"),
    "subtract": _binary("elementwise_sub"),
    "multiply": _binary("elementwise_mul"),
    "divide": _binary("elementwise_div"),
    "maximum": _binary("elementwise_max"),
    "minimum": _binary("elementwise_min"),
    "floor_divide": _binary("elementwise_floordiv"),
    "remainder": _binary("elementwise_mod"),
    "elementwise_pow": _binary("elementwise_pow"),
    **{name: _binary(name) for name in (
        "equal", "not_equal", "less_than", "less_equal", "greater_than", "greater_equal",
        "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
    )},
    "fmax": _binary("elementwise_fmax"),
    "fmin": _binary("elementwise_fmin"),
    "equal_all": Rule("equal_all", ("X", "Y")),
    "add_n": Rule("sum"),
    "matmul": Rule("matmul_v2", ("X", "Y"),
                   rename={"transpose_x": "trans_x", "transpose_y": "trans_y"}),
    "bmm": Rule("bmm", ("X", "Y")),
    "dot": Rule("dot", ("X", "Y")),
    "mv": Rule("mv", ("X", "Vec")),
    "addmm": Rule("addmm", ("Input", "X", "Y"), rename={"alpha": "Alpha", "beta": "Beta"}),
    "baddbmm": Rule("baddbmm", ("Input", "X", "Y"), rename={"alpha": "Alpha", "beta": "Beta"}),
    "einsum": Rule("einsum", ("Operands",)),
    "inverse": Rule("inverse", ("Input",), ("Output",)),
    # Reductions
    "mean": Rule("reduce_mean", _REDUCED, rename=_KEEP),
    "sum": Rule("reduce_sum", _REDUCED, rename=_KEEP),
    "max": Rule("reduce_max", _REDUCED, rename=_KEEP),
    "min": Rule("reduce_min", _REDUCED, rename=_KEEP),
    "prod": Rule("reduce_prod", _REDUCED, rename=_KEEP),
    "any": Rule("reduce_any", rename={"axis": "dim", **_KEEP}),
    "all": Rule("reduce_all", rename={"axis": "dim", **_KEEP}),
    "amax": Rule("reduce_amax", rename={"axis": "dim", **_KEEP}),
    "amin": Rule("reduce_amin", rename={"axis": "dim", **_KEEP}),
    "mean_all": Rule("mean"),
    "logsumexp": Rule("logsumexp"),
    "frobenius_norm": Rule("frobenius_norm", _REDUCED),
    "norm": Rule("norm", outputs=("Out", "Norm")),
    "p_norm": Rule("p_norm"),
    "argmax": Rule("arg_max", ("X", Number("axis"))),
    "argmin": Rule("arg_min", ("X", Number("axis"))),
    "argsort": Rule("argsort", outputs=("Out", "Indices")),
    "cumsum": Rule("cumsum", ("X", Number("axis"))),
    "topk": Rule("top_k_v2", ("X", Number("k", int, "K", 1)), ("Out", "Indices")),
    # Shapes
    "reshape": Rule("reshape2", ("X", _SHAPE)),
    "transpose": Rule("transpose2", rename={"perm": "axis"}),
    "flatten": Rule("flatten_contiguous_range"),
    "squeeze": Rule("squeeze2", ("X", Numbers("axes", "AxesTensor"))),
    "unsqueeze": Rule("unsqueeze2", ("X", Numbers("axes", "AxesTensor"))),
    "concat": Rule("concat", ("X", Number("axis", int, "AxisTensor"))),
    "stack": Rule("stack", outputs=("Y",)),
    "split": Rule("split", ("X", Numbers("sections", "SectionsTensorList", "SectionsTensorList"),
                            Number("axis", int, "AxisTensor")), add={"num": 0}),
    "split_with_num": Rule("split", ("X", Number("axis", int, "AxisTensor")),
                           add={"sections": []}),
    "unbind": Rule("unbind"),
    "unstack": Rule("unstack", outputs=("Y",)),
    "slice": Rule("slice", ("Input",
                            Numbers("starts", "StartsTensor", "StartsTensorList"),
                            Numbers("ends", "EndsTensor", "EndsTensorList"))),
    "strided_slice": Rule("strided_slice", ("Input",
                                            Numbers("starts", "StartsTensor", "StartsTensorList"),
                                            Numbers("ends", "EndsTensor", "EndsTensorList"),
                                            Numbers("strides", "StridesTensor")), add=_ENDS),
    "crop": Rule("crop_tensor", ("X", Numbers("shape", "Shape", "ShapeTensor"),
                                 Numbers("offsets", "Offsets", "OffsetsTensor"))),
    "set_value": Rule("set_value", ("Input", *_WRITTEN), add=_ENDS),
    "set_value_with_tensor": Rule("set_value", ("Input", "ValueTensor", *_WRITTEN), add=_ENDS),
    "expand": Rule("expand_v2", ("X", Numbers("shape", "Shape", "expand_shapes_tensor"))),
    "broadcast_tensors": Rule("broadcast_tensors"),
    "expand_as": Rule("expand_as_v2", ("X", "Y")),
    "tile": Rule("tile", ("X", Numbers("repeat_times", "RepeatTimes", "repeat_times_tensor"))),
    "gather": Rule("gather", ("X", "Index", Number("axis", int, "Axis"))),
    "gather_nd": Rule("gather_nd", ("X", "Index")),
    "memcpy": Rule("memcpy"),
    "diag": Rule("diag_v2"),
    "index_select": Rule("index_select", ("X", "Index"), rename={"axis": "dim"}),
    "index_sample": Rule("index_sample", ("X", "Index")),
    "index_put": Rule("index_put", ("x", "indices", "value"), ("out",)),
    "take_along_axis": Rule("take_along_axis", ("Input", "Index"), ("Result",), {"axis": "Axis"}),
    "put_along_axis": Rule(
        "put_along_axis", ("Input", "Index", "Value"), ("Result",),
        {"axis": "Axis", "reduce": "Reduce", "include_self": "Include_self"},
    ),
    "scatter": Rule("scatter", ("X", "Ids", "Updates")),
    "scatter_nd_add": Rule("scatter_nd_add", ("X", "Index", "Updates")),
    "nonzero": Rule("where_index", ("Condition",)),
    "masked_select": Rule("masked_select", ("X", "Mask"), ("Y",)),
    "masked_fill": Rule("masked_fill", ("X", "Mask", "Value")),
    "repeat_interleave": Rule("repeat_interleave", rename={"repeats": "Repeats", "axis": "dim"}),
    "where": Rule("where", ("Condition", "X", "Y")),
    "flip": Rule("flip"),
    "roll": Rule("roll", ("X", Numbers("shifts"))),
    "shape": Rule("shape", ("Input",)),
    "numel": Rule("size", ("Input",)),
    "assign": Rule("assign"),
    "assign_out_": Rule("assign", ("X", "")),
    "share_data_": Rule("assign"),
    # Constants and sequences
    "full_like": Rule("fill_any_like", ("X", Number("value", float))),
    "full_batch_size_like": Rule("fill_constant_batch_size_like", ("Input",)),
    "full_with_tensor": Rule("fill_constant", (
        Number("value", float, "ValueTensor"),
        Numbers("shape", "ShapeTensor", "ShapeTensorList"),
    )),
    "one_hot": Rule("one_hot_v2", ("X", Number("depth", int, "depth_tensor")),
                    add={"dtype": 5, "allow_out_of_range": False}),
    "linspace": Rule("linspace", ("Start", "Stop", "Num")),
    "meshgrid": Rule("meshgrid"),
    "tril": Rule("tril_triu", add={"lower": True}),
    "triu": Rule("tril_triu", add={"lower": False}),
    "gaussian": Rule("gaussian_random", (Numbers("shape", "ShapeTensor", "ShapeTensorList"),)),
    "uniform": Rule("uniform_random", (Numbers("shape", "ShapeTensor", "ShapeTensorList"),
                                       Number("min", float), Number("max", float))),
    "randint": Rule("randint", (Numbers("shape", "ShapeTensor", "ShapeTensorList"),)),
    "randperm": Rule("randperm", ()),
    "bernoulli": Rule("bernoulli"),
}  # fmt: skip

# (Legacy operator, attribute) → its AttrType, where an empty list or whole numbers don't show it.
ATTRIBUTE_KINDS = {
    ("nearest_interp_v2", "scale"): 4,
    ("bilinear_interp_v2", "scale"): 4,
    ("bicubic_interp_v2", "scale"): 4,
}
