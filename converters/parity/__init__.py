"""Check that a converted graph computes what Paddle Inference computes."""
