"""Compare numbers that are the same on every processor with NumPy's and with fractions."""

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from converters import exact
from tests.support.processors import OLD_PROCESSOR

RNG = np.random.default_rng(1)


def test_sum_is_rounded_once():
    values = np.array([[1e16, 1.0, -1e16, 1.0], [0.1, 0.2, 0.3, -0.6]])
    assert exact.summed(values)[0] == 2
    assert exact.summed(values)[1] == float(sum(map(Fraction, values[1].tolist())))
    assert exact.summed(values.T, 0).tolist() == exact.summed(values).tolist()
    assert exact.summed(np.zeros((2, 3, 0))).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_logarithms_and_powers_are_those_of_numpy_within_the_last_digit():
    values = RNG.uniform(1e-3, 1e3, (4, 5))
    np.testing.assert_array_max_ulp(exact.logarithm(values), np.log(values), 2)
    exponents = RNG.uniform(-3, 3, (5,))
    np.testing.assert_array_max_ulp(exact.power(values, exponents), values**exponents, 2)
    assert exact.power(values, 2.0).tolist() == (values * values).tolist()
    assert exact.power(np.array([0.0, -2.0, 4.0]), np.array([0.0, 3.0, 0.5])).tolist() == [1, -8, 2]
    assert exact.logarithm(np.array(0.0)) == -np.inf
    assert np.isnan(exact.logarithm(np.array(-1.0))) and np.isnan(exact.power(np.array(-1.0), 0.5))


@pytest.mark.parametrize("order", [0, 1, 2, 3, 0.5, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, -1])
def test_norms_are_those_of_numpy(order, axis):
    values = RNG.normal(size=(3, 4))
    values[1, 2] = 0
    expected = np.linalg.norm(values, order, axis)
    np.testing.assert_allclose(exact.norm(values, order, axis), expected, rtol=1e-14)


def test_inverse_is_the_nearest_to_the_exact_one():
    """Pascal's matrix has an inverse of integers, and a condition of 4e9 at this size."""
    size = 9
    pascal = np.ones((size, size))
    for i in range(1, size):
        for j in range(1, size):
            pascal[i, j] = pascal[i - 1, j] + pascal[i, j - 1]
    found = exact.inverse(pascal)
    assert found.tolist() == np.round(np.linalg.inv(pascal)).tolist()
    assert (found @ pascal).tolist() == np.eye(size).tolist()
    batch = RNG.normal(size=(2, 5, 5)) * 2.0 ** RNG.integers(-40, 40, (2, 5, 5))
    np.testing.assert_allclose(exact.inverse(batch), np.linalg.inv(batch), rtol=1e-9)


def test_matrix_with_a_zero_on_its_diagonal_is_inverted():
    turn = np.array([[0.0, 1.0, 0], [0, 0, 1], [1, 0, 0]])
    assert exact.inverse(turn).tolist() == turn.T.tolist()
    assert exact.inverse(np.zeros((0, 3, 3))).shape == (0, 3, 3)


@pytest.mark.parametrize(
    "matrix", [np.ones((2, 2)), np.ones((2, 3)), np.array([1.0]), np.array([[np.nan]])]
)
def test_matrices_without_an_inverse_are_refused(matrix):
    with pytest.raises(ValueError, match=r"singular|only square matrices"):
        exact.inverse(matrix)


@pytest.mark.stress
@pytest.mark.slow
def test_old_processors_give_the_same_digits():
    program = (
        "import hashlib, numpy as np; from converters import exact\n"
        "x = np.random.default_rng(3).uniform(0.1, 9, (40, 40)) / 7\n"
        "parts = exact.inverse(x), exact.logarithm(x), exact.power(x, 1.7), exact.summed(x)\n"
        "print(hashlib.sha256(b''.join(each.tobytes() for each in parts)).hexdigest())\n"
        "parts = np.linalg.inv(x), np.log(x), x ** 1.7, x.sum(-1)\n"
        "print(hashlib.sha256(b''.join(each.tobytes() for each in parts)).hexdigest())\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | more,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for more in ({}, OLD_PROCESSOR)
    ]
    assert said[0][0] == said[1][0]
    core = getattr(np, "_core", None) or np.core
    if core._multiarray_umath.__cpu_features__.get("AVX2"):
        assert said[0][1] != said[1][1], (
            "NumPy's digits don't differ here, so this test shows nothing"
        )
