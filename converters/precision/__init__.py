"""Lowering a stage to int8 or float16 where that is faster and accurate enough."""
