"""Indexing: what chooses elements by indices and conditions, and puts them there."""

import numpy as np
import paddle

from tests.oracle.pir_case import Cases, bools, floats, ints

CASES = Cases()
CUBE = floats(-2, 3, 4)


def _put(x, *index, value=0.5):
    """Write a value into a part of what was computed."""
    y = x * 2
    y[index] = value
    return y


CASES.function("gather_number", lambda x: paddle.gather(x, paddle.shape(x)[0] - 1, 0), CUBE)
CASES.function("index_sample", paddle.index_sample, floats(-2, 5), ints(-2, 3, low=0, high=4))
CASES.function(
    "take_along_axis",
    lambda x, i: paddle.take_along_axis(x, i, 1),
    CUBE,
    ints(-2, 2, 4, low=0, high=2),
)
CASES.function(
    "take_along_axis_broadcast",
    lambda x, i: paddle.take_along_axis(x, i, 1),
    floats(2, 3, 4),
    ints(1, 2, 1, low=0, high=2),
)
for _how in ("assign", "add", "multiply"):
    CASES.function(
        f"put_along_axis_{_how}",
        lambda x, i, v, h=_how: paddle.put_along_axis(x, i, v, 1, reduce=h, broadcast=False),
        floats(2, 3, 4),
        ints(2, 1, 4, low=0, high=2),
        floats(2, 1, 4),
    )
CASES.function(
    "scatter",
    lambda x, v: paddle.scatter(x, paddle.to_tensor([2, 0]), v),
    floats(4, 3),
    floats(2, 3),
)
CASES.function(
    "scatter_row", lambda x, v: paddle.scatter(x, paddle.to_tensor(1), v), floats(4, 3), floats(3)
)
CASES.function(
    "scatter_sums",
    lambda x, v: paddle.scatter(x, paddle.to_tensor([2, 0, 2]), v, overwrite=False),
    floats(4, 3),
    floats(3, 3),
)
CASES.function(
    "scatter_nd_add", paddle.scatter_nd_add, floats(4, 3), ints(-3, 1, low=0, high=3), floats(-3, 3)
)
CASES.function(
    "scatter_nd", lambda i, v: paddle.scatter_nd(i, v, [4, 3]), ints(2, 2, low=0, high=2), floats(2)
)
CASES.function("nonzero", paddle.nonzero, ints(-2, 4, low=0, high=1))
CASES.function("nonzero_of_truths", lambda x: paddle.nonzero(x > 0), floats(-9))
CASES.function("masked_select", lambda x: paddle.masked_select(x, x > 0), CUBE)
CASES.function("masked_select_broadcast", paddle.masked_select, CUBE, bools(3, 1))
CASES.function("masked_fill", lambda x, m: paddle.masked_fill(x, m, -1e4), CUBE, bools(3, 1))
CASES.function("masked_fill_truths", lambda x, m: paddle.masked_fill(x, m, True), bools(-2, 3),
               bools(3))  # fmt: skip
CASES.function("masked_fill_number", lambda x, v: paddle.masked_fill(x, x > 0, v), CUBE, floats(1))
CASES.function("index_of_truths", lambda x, m: x[m], floats(4, 3), bools(4))
CASES.function("index_by_list", lambda x, i: x[i], floats(5, 3), ints(-2, low=0, high=4))
CASES.function("index_by_table", lambda x, i: x[i], floats(5, 3), ints(-2, 2, low=0, high=4))
CASES.function(
    "index_by_two_lists",
    lambda x, i, j: x[i, j],
    floats(5, 3, 2),
    ints(3, low=0, high=4),
    ints(3, low=0, high=2),
)
CASES.function(
    "index_put",
    lambda x, i, v: paddle.index_put(x, (i,), v),
    floats(5, 3),
    ints(1, low=0, high=4),
    floats(1, 3),
)
CASES.function(
    "index_put_two",
    lambda x, i, j, v: paddle.index_put(x, (i, j), v),
    floats(5, 3, 2),
    ints(1, low=0, high=4),
    ints(1, low=0, high=2),
    floats(1, 2),
)
CASES.function(
    "index_put_sum",
    lambda x, i, v: paddle.index_put(x, (i,), v, accumulate=True),
    floats(5, 3),
    ints(4, low=0, high=4),
    floats(1, 3),
)
CASES.function(
    "index_put_truths",
    lambda x, v: paddle.index_put(x, (x > 0,), v),
    floats(5, 3),
    floats(1),
)
CASES.function("set_item", lambda x: _put(x, slice(None), 1), CUBE)
CASES.function("set_slice", lambda x: _put(x, slice(None), slice(1, 3)), CUBE)
CASES.function("set_steps", lambda x: _put(x, slice(None), slice(None), slice(None, None, 2)), CUBE)
CASES.function(
    "set_backwards",
    lambda x: _put(x, 0, slice(None, None, -1), value=np.array([1, 2, 3, 4], np.float32)),
    CUBE,
)
CASES.function("set_nothing", lambda x: _put(x, slice(None), slice(2, -1, -1)), CUBE)
CASES.function("set_fixed", lambda x: _put(x, 0, slice(1, None), value=7), floats(2, 3))
CASES.function("set_integers", lambda x: _put(x, slice(None), 2, value=9), ints(-2, 4))
CASES.function("set_to_tensor", lambda x, v: _put(x, slice(None), 1, value=v), CUBE, floats(-2, 4))
CASES.function(
    "set_to_row", lambda x, v: _put(x, slice(None), slice(0, 2), value=v), CUBE, floats(4)
)
CASES.function(
    "set_position",
    lambda x, v: _put(x, slice(None), paddle.shape(x)[1] - 1, value=v),
    CUBE,
    floats(-2, 4),
)
