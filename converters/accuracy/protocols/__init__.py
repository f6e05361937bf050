"""Scores as the field's benchmarks define them, one module for each benchmark."""
