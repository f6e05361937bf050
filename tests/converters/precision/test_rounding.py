"""Weights to integers: the outputs count, not the weights."""

from __future__ import annotations

import numpy as np
import pytest

from converters.precision import rounding


@pytest.fixture
def layer() -> tuple[np.ndarray, np.ndarray]:
    """Return weights [rows, columns] and correlated inputs [positions, columns], like pixels."""
    rng = np.random.default_rng(7)
    inputs = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 40)) + rng.normal(size=40)
    return rng.normal(size=(24, 40)), inputs + 0.05 * rng.normal(size=inputs.shape)


def error(
    weights: np.ndarray, integers: np.ndarray, steps: np.ndarray, inputs: np.ndarray
) -> float:
    return float(np.square(inputs @ (weights - integers * steps[:, None]).T).mean())


def test_compensated_outputs_are_three_times_nearer(layer):
    weights, inputs = layer
    steps = rounding.steps(weights)
    nearest = rounding.nearest(weights, steps)
    better = rounding.compensated(weights, steps, inputs.T @ inputs)
    assert better.dtype == nearest.dtype == np.int8
    assert error(weights, better, steps, inputs) < error(weights, nearest, steps, inputs) / 3


def test_uncorrelated_inputs_give_the_nearest_integers(layer):
    weights, _ = layer
    steps = rounding.steps(weights)
    alone = rounding.compensated(weights, steps, np.diag(np.arange(1.0, 41.0)))
    np.testing.assert_array_equal(alone, rounding.nearest(weights, steps))


def test_each_row_uses_the_whole_range_of_its_own_step():
    weights = np.array([[0.5, -1.0], [100.0, 3.0], [0.0, 0.0]])
    steps = rounding.steps(weights)
    integers = rounding.nearest(weights, steps)
    np.testing.assert_array_equal(integers, [[64, -127], [127, 4], [0, 0]])
    assert np.abs(integers * steps[:, None] - weights).max() <= steps.max() / 2


def test_column_that_never_varies_is_rounded(layer):
    weights, inputs = layer
    inputs[:, :3] = 0
    steps = rounding.steps(weights)
    integers = rounding.compensated(weights, steps, inputs.T @ inputs)
    assert error(weights, integers, steps, inputs) < 1e-3
