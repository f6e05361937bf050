"""ONNX Runtime: execution providers, sessions and the threads that feed them."""
