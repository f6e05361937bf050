"""What graphs may consist of: the operators, element types and versions of ONNX.

The operators are those of the standard domain that compute tensors from tensors. The list has more
than today's networks need, so that other networks of the same kinds open. It has no operator with a
body (If, Loop, Scan, SequenceMap), because a loop may be endless; none with strings, sequences or
optional values; none that draws random numbers or decodes files.
"""

from __future__ import annotations

# The standard domain has two names. com.microsoft's operators are not allowed: ONNX Runtime makes
# them itself from standard operators, and some of them read files (EPContext).
DOMAINS = ("", "ai.onnx")
# Versions that onnx 1.23 knows. ONNX Runtime refuses those that are too new for it.
IR_VERSIONS = range(3, 15)
OPSETS = range(7, 29)

_ELEMENTWISE = """
    Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor
    Cast CastLike Ceil Celu Clip Cos Cosh Div Dropout Elu Equal Erf Exp Floor Gelu Greater
    GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max
    Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin
    Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor
"""
_SHAPE = """
    Compress Concat Constant ConstantOfShape DepthToSpace Expand EyeLike Flatten Gather
    GatherElements GatherND NonZero OneHot Pad Range Reshape Resize ReverseSequence Scatter
    ScatterElements ScatterND Shape Size Slice SpaceToDepth Split Squeeze Tile Transpose Trilu
    Unsqueeze Upsample
"""
_REDUCTION = """
    ArgMax ArgMin CumSum ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum ReduceSumSquare TopK
"""
_NORMALIZATION = """
    BatchNormalization GroupNormalization Hardmax InstanceNormalization LRN LayerNormalization
    LogSoftmax LpNormalization MeanVarianceNormalization RMSNormalization Softmax
"""
_PRODUCT = """
    Attention AveragePool Conv ConvTranspose Einsum GRU Gemm GlobalAveragePool
    GlobalLpPool GlobalMaxPool LSTM LpPool MatMul MaxPool RNN
"""
_SAMPLING = "AffineGrid GridSample"
_INTEGER = """
    ConvInteger DequantizeLinear DynamicQuantizeLinear MatMulInteger QLinearConv QLinearMatMul
    QuantizeLinear
"""
OPERATORS = frozenset(
    " ".join(
        (_ELEMENTWISE, _SHAPE, _REDUCTION, _NORMALIZATION, _PRODUCT, _SAMPLING, _INTEGER)
    ).split()
)

# Operators with optional inputs → position of the first one. Other inputs must not be left out:
# ONNX Runtime ends the process if one of `Sum` is.
OPTIONAL_INPUTS = {
    **{"Attention": 3, "Clip": 1, "Conv": 2, "ConvInteger": 2, "ConvTranspose": 2},
    **{"DequantizeLinear": 2, "Dropout": 1, "GRU": 3, "Gemm": 2, "LSTM": 3},
    **{"LayerNormalization": 2, "MatMulInteger": 2, "Pad": 2, "QLinearConv": 8},
    **{"QuantizeLinear": 2, "RNN": 3, "Resize": 1, "Slice": 3, "Split": 1, "Squeeze": 1},
    **{"Trilu": 1},
    **{name: 1 for name in _REDUCTION.split() if name.startswith("Reduce")},
}

# ONNX's numbers of element types.
FLOAT32, UINT8, INT8, UINT16, INT16, INT32, INT64 = range(1, 8)
BOOL, FLOAT16, FLOAT64, UINT32, UINT64, BFLOAT16 = 9, 10, 11, 12, 13, 16
# The element types of edge graphs → bytes of one element. The others are strings, complex numbers,
# and numbers of four and eight bits that have no type in NumPy.
ELEMENT_BYTES = {
    **{FLOAT32: 4, UINT8: 1, INT8: 1, UINT16: 2, INT16: 2, INT32: 4, INT64: 8},
    **{BOOL: 1, FLOAT16: 2, FLOAT64: 8, UINT32: 4, UINT64: 8, BFLOAT16: 2},
}
INTEGERS = frozenset({UINT8, INT8, UINT16, INT16, INT32, INT64, UINT32, UINT64})
SIGNED = frozenset({INT8, INT16, INT32, INT64})
