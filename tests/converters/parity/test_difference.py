"""Test how a difference between outputs is measured, judged, told and recorded."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from converters.errors import ParityError
from converters.parity import compare as parity
from converters.parity.compare import Comparison
from converters.parity.difference import difference
from edgeocr.bundle.provenance import Check

INF, NAN = math.inf, math.nan


def test_difference_is_measured_over_all_probes():
    got = [np.array([[1.0, 2.0]]), np.array([[3.0], [-8.5]])]
    expected = [np.array([[1.0, 1.0]]), np.array([[3.0], [-8.0]])]
    found = difference("y", got, expected, 1.0, 0.375)
    assert found.shapes == [[1, 2], [2, 1]]
    assert (found.max_abs, found.mean_abs, found.magnitude) == (1.0, 0.375, 8.0)
    assert found.relative == 0.125 and found.passed
    assert not dataclasses.replace(found, allowed=0.99).passed
    assert not dataclasses.replace(found, allowed_mean=0.37).passed
    assert dataclasses.replace(found, allowed_mean=None).passed


def test_integers_and_small_floats_are_measured_exactly():
    found = difference("y", [np.array([2**40])], [np.array([2**40 + 1])], 0)
    assert found.max_abs == 1
    assert difference("y", [np.zeros(3, np.uint8)], [np.ones(3, np.uint8)], 0).max_abs == 1
    assert difference("y", [np.zeros((0, 3))], [np.zeros((0, 3))], 0).passed


def test_relative_tolerance_grows_with_the_largest_value():
    got, expected = [np.array([800.005])], [np.array([800.0])]
    assert not difference("y", got, expected, 1e-5).passed
    assert difference("y", got, expected, 1e-5, relative=True).allowed == pytest.approx(8e-3)
    assert difference("y", [np.zeros(1)], [np.array([0.1])], 1e-5, relative=True).allowed == 1e-5


@pytest.mark.parametrize(
    ("ours", "theirs"), [(NAN, 1.0), (1.0, NAN), (NAN, NAN), (INF, 1.0), (1.0, -INF), (INF, INF)]
)
@pytest.mark.parametrize("allowed", [1e-5, INF])
def test_values_that_are_not_finite_fail(ours, theirs, allowed):
    found = difference("y", [np.array([0.0, ours])], [np.array([0.0, theirs])], allowed)
    assert found.max_abs == INF and not found.passed


def test_outputs_of_different_shapes_are_refused():
    with pytest.raises(ParityError, match=r"y: the outputs have the shapes \(1, 2\) and \(2, 1\)"):
        difference("y", [np.zeros((1, 2))], [np.zeros((2, 1))], 1.0)


def test_comparison_in_words_names_its_worst_output():
    good = difference("good", [np.array([1.0])], [np.array([1.5])], 1.0)
    bad = difference("bad", [np.array([1.0])], [np.array([1.0 + 1e-4])], 1e-5, 1e-3)
    said = str(Comparison("R", [[1]], [good, bad], False))
    assert said == (
        "FAILED, bad is 1.0e-04 from R where the largest value is 1 and 1.0e-05 allowed, "
        "mean 1.0e-04 and 1.0e-03 allowed; INDICES DIFFER"
    )
    of_mean = difference("mean", [np.ones(2)], [np.ones(2) + 0.1], 1.0, 1e-3)
    assert str(Comparison("R", [[1]], [good, of_mean])).startswith("FAILED, mean is 1.0e-01")
    assert str(Comparison("R", [[1]], [good], True)).endswith("mean 5.0e-01; indices equal")
    nothing = difference("zero", [np.zeros(1)], [np.zeros(1)], 0.0, 0.0)
    assert str(Comparison("R", [[1]], [nothing])).startswith("passed, zero is 0.0e+00")


def test_recorded_limit_does_not_depend_on_the_processor():
    found = [
        difference(name, [np.array([1.0])], [np.array([1.0 + gap])], allowed, bound=bound)
        for name, gap, allowed, bound in (("a", 3e-6, 1e-5, 1e-4), ("b", 1.1e-5, 4e-5, 1.1e-4))
    ]
    check = Check(
        "passed",
        reference="R",
        inputs=[[1, 2]],
        max_abs_difference_at_most=2e-4,
        tolerance=2e-4,
    )
    assert Comparison("R", [[1, 2]], found).check() == check
    assert str(check) == "passed, at most 0.0002 from R"


def test_no_limit_is_recorded_where_it_depends_on_rounding():
    """Weights that are not published have a limit that depends on the processor."""
    items = [
        difference("a", [np.array([1.0])], [np.array([1.0])], 0.5, bound=bound)
        for bound in (1e-4, None)
    ]
    check = Comparison("R", [[1, 2]], items).check()
    assert check == Check("passed", reference="R", inputs=[[1, 2]])
    assert str(check) == "passed, equal to R within rounding"


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (0.0, 0.0),
        (1e-12, 1e-9),
        (1.1e-6, 2e-6),
        (2e-6, 2e-6),
        (2.1e-6, 5e-6),
        (9e-6, 1e-5),
        (1e-4 * (1 + 2e-7), 1e-4),
        (0.3, 0.5),
        (1.0, 1.0),
        (7440.5, 10000.0),
    ],
)
def test_limits_are_rounded_up_to_the_same_figure_on_every_machine(figure, expected):
    assert parity.rounded_up(figure) == expected
