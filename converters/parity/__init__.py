"""Checking a converted graph beside Paddle Inference."""
