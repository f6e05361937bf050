"""Reading, editing and running ONNX graphs."""
