"""Translate one PIR model with paddle2onnx 2, in an environment of its own with Paddle.

The arguments are inference.json, inference.pdiparams and the ONNX file to write.
"""

import sys

import paddle2onnx  # type: ignore[import-untyped,unused-ignore]

if __name__ == "__main__":
    graph, parameters, target = sys.argv[1:]
    print("paddle2onnx", paddle2onnx.__version__, flush=True)
    paddle2onnx.export(graph, parameters, target, opset_version=17)
