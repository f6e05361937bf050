"""Paddle models → verified ONNX edge graphs → frozen bundles. Run from a checkout."""
