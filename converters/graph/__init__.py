"""Read, edit and run ONNX graphs."""
