"""Paddle's program formats: legacy and PIR."""
