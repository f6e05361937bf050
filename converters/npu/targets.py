"""What the documentation of each NPU's compiler says about ONNX graphs.

Each fact comes from the document that `Target.source` names; nothing is added to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Target:
    """A compiler for an NPU.

    Attributes:
        name: Its name on the command line.
        title: Its name for people.
        source: The document with the operators, and its version.
        operators: The ONNX operators that it supports, with the document's restriction or "";
            None if no public document lists them.
        opset: The latest version of ONNX's operators that it reads; None if it doesn't say.
        shapes: What it says about open sizes.
        types: What it says about data types.
        next: The command or option that takes the graph.
    """

    name: str
    title: str
    source: str
    operators: Mapping[str, str] | None
    opset: int | None
    shapes: str
    types: str
    next: str


def _listed(words: str) -> Mapping[str, str]:
    """Parse operators that are separated by white space, each with a restriction in (…) or none."""
    found = re.findall(r"(\w+)(?:\(([^)]*)\))?", words)
    return MappingProxyType({name: " ".join(note.split()) for name, note in found})


RKNN = Target(
    "rknn",
    "RKNN-Toolkit2 (Rockchip)",
    "RKNNToolKit2_OP_Support-v2.1.0.md of airockchip/rknn-toolkit2",
    _listed(
        """Add And ArgMax ArgMin AveragePool BatchNormalization Cast Clip Concat Constant
        ConstantOfShape Conv ConvTranspose Cos DepthToSpace DequantizeLinear Div Dropout Elu Equal
        Erf Exp Expand EyeLike(constant input) Flatten Floor Gather GatherElements Gemm
        GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GRU(batch size 1) HardSigmoid
        HardSwish Identity If(constant input) InstanceNormalization LayerNormalization LeakyRelu
        Less LessOrEqual Log LogSoftmax(batch size 1) LpNormalization LRN LSTM MatMul Max MaxPool
        MaxRoiPool MaxUnpool MeanVarianceNormalization Min Mish Mod Mul Pad Pow PRelu
        QuantizeLinear ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape
        Resize(nearest and bilinear) ReverseSequence RoiAlign(average, batch size 1) ScatterND
        Shape Sigmoid Sin Size Slice(batch size 1) Softmax(batch size 1) Softplus SpaceToDepth
        Split Sqrt Squeeze Sub Tanh Tile(batch size 1, no broadcast) Transpose Unsqueeze Where"""
    ),
    19,
    "sizes are given to load_onnx, or fixed in the graph",
    "float16 on the NPU, or int8 by quantization with pictures",
    "rknn.load_onnx(model='npu.onnx')",
)
QNN = Target(
    "qnn",
    "QNN execution provider of ONNX Runtime (Qualcomm)",
    "QNN Execution Provider, Supported ONNX operators, of onnxruntime/onnxruntime-qnn (commit "
    "0131740f, QNN EP 2.3.0)",
    _listed(
        """Abs Add And ArgMax ArgMin Asin Atan AveragePool BatchNormalization Cast Ceil Clip Concat
        Conv ConvTranspose Cos CumSum DepthToSpace DequantizeLinear Div Einsum Elu Equal Exp Expand
        Flatten Floor Gather(positive indices) GatherElements GatherND Gelu Gemm GlobalAveragePool
        GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish
        Identity InstanceNormalization Inverse IsNaN LRN LSTM LayerNormalization LeakyRelu Less
        LessOrEqual Log LogSoftmax LpNormalization(p of 2)
        MatMul(types listed for HTP: uint8 and uint16) Max MaxPool Mean Min Mod Mul Neg NonZero Not
        Or PRelu Pad Pow QuantizeLinear RandomNormalLike RandomUniformLike Reciprocal ReduceL2
        ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu RMSNormalization Reshape Resize
        RoiAlign Round RotaryEmbedding STFT ScatterElements ScatterND Sigmoid Sign Sin Slice
        Softmax Softplus SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK
        Transpose Unsqueeze Upsample Where"""
    ),
    None,
    "no open sizes, not even the batch",
    "float32 graphs run as float16 on HTP (enable_htp_fp16_precision), or quantized ones",
    "ONNX Runtime with onnxruntime-qnn",
)
COREML = Target(
    "coreml",
    "CoreML execution provider of ONNX Runtime (Apple), ML Program",
    "coreml_supported_mlprogram_ops.md of onnxruntime 1.32.0",
    _listed(
        """Add And(bool) ArgMax AveragePool(2-D) Cast Clip Concat Conv(1-D and 2-D, constant bias)
        ConvTranspose(constant weights, no output shape or padding) Cos DepthToSpace Ceil Div Elu
        Erf Exp GatherND(batch_dims of 0) Gemm(constant B) Gelu GlobalAveragePool(2-D)
        GlobalMaxPool(2-D) GridSample(4-D) GroupNormalization HardSigmoid Identity
        InstanceNormalization LayerNormalization LeakyRelu MatMul MaxPool(2-D) Max Mul Pow(float32)
        PRelu Reciprocal ReduceSum ReduceMean ReduceMax Relu Reshape
        Resize(not all combinations of modes) Round Shape Sin Slice(constant bounds) Softplus
        Split(constant sizes) Sub Sigmoid Softmax Sqrt Squeeze Tanh Tile(rank up to 5) Transpose
        Unsqueeze Where(float branches)"""
    ),
    None,
    "open sizes are allowed and may be slow (RequireStaticInputShapes)",
    "float32 and float16",
    "ONNX Runtime on macOS or iOS with CoreMLExecutionProvider",
)
HAILO = Target(
    "hailo",
    "Hailo Dataflow Compiler",
    "no public document lists its operators: the Dataflow Compiler's user guide is for registered "
    "users. Its developers write (hailo-ai/hailo_model_zoo, issue 98) that not all operators are "
    "supported, and that those at the end of a network are best run on the CPU",
    None,
    None,
    "fixed sizes are given to the parser (--tensor-shapes)",
    "8-bit integers by quantization with pictures",
    "hailo parser onnx npu.onnx",
)
TARGETS: Mapping[str, Target] = MappingProxyType(
    {target.name: target for target in (RKNN, HAILO, QNN, COREML)}
)
