"""The check of a graph's bytes before ONNX Runtime sees them, without the onnx package."""
