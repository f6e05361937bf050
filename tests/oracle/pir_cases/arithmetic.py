"""Functions of several operands, reductions, and what searches."""

import numpy as np
import paddle
from paddle.nn import functional as F

from tests.oracle.pir_case import Cases, bools, distinct, doubles, floats, ints, positive

CASES = Cases()
MATRIX = floats(-2, 3, -4)

_BINARY = {
    "add": paddle.add,
    "subtract": paddle.subtract,
    "multiply": paddle.multiply,
    "divide": paddle.divide,
    "maximum": paddle.maximum,
    "minimum": paddle.minimum,
    "fmax": paddle.fmax,
    "fmin": paddle.fmin,
}
for _name, _function in _BINARY.items():
    CASES.function(_name, _function, MATRIX, positive(-2, 3, -4))
    CASES.function(f"{_name}_broadcast", _function, MATRIX, positive(3, 1))
    CASES.function(f"{_name}_larger_second", _function, positive(-4), positive(-2, 3, -4))
    if _name != "divide":
        CASES.function(f"{_name}_integers", _function, ints(-2, 4), ints(4))
        CASES.function(
            f"{_name}_int32", _function, ints(-2, 4, dtype="int32"), ints(4, dtype="int32")
        )
CASES.function("divide_integers", paddle.divide, ints(-2, 4), ints(4, low=1))
CASES.function("divide_doubles", paddle.divide, doubles(-2, 4), doubles(4))
CASES.function("floor_divide", paddle.floor_divide, ints(-2, 9), ints(9, low=1))
CASES.function("floor_divide_negative", paddle.floor_divide, ints(-2, 9), ints(9, low=-5, high=-1))
CASES.function("floor_divide_int32", lambda x: x // 4, ints(-2, 9, dtype="int32"))
CASES.function("floor_divide_floats", paddle.floor_divide, floats(-2, 9), positive(9))
CASES.function("remainder", paddle.remainder, ints(-2, 9), ints(9, low=1))
CASES.function("remainder_negative", paddle.remainder, ints(-2, 9), ints(9, low=-5, high=-1))
CASES.function("remainder_floats", paddle.remainder, floats(-2, 9), positive(9))
CASES.function("elementwise_pow", lambda x, y: x**y, positive(-2, 4), floats(4))
CASES.function("elementwise_pow_integers", lambda x, y: x**y, ints(-2, 4), ints(4, low=0, high=3))
for _name in ("equal", "not_equal", "less_than", "less_equal", "greater_than", "greater_equal"):
    _function = getattr(paddle, _name)
    CASES.function(_name, _function, floats(-2, 9, low=-1, high=1), floats(9, low=-1, high=1))
    CASES.function(f"{_name}_integers", _function, ints(-2, 9), ints(9))
    CASES.function(f"{_name}_int32", lambda x, f=_function: f(x, x * x), ints(-2, 9, dtype="int32"))
for _name in ("fmax", "fmin", "maximum"):
    _function = getattr(paddle, _name)
    if _name != "maximum":
        CASES.function(
            f"{_name}_of_nan",
            lambda x, y, f=_function: f(paddle.log(x), paddle.log(y)),
            floats(-2, 9),
            floats(9),
        )
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    _function = getattr(paddle, _name)
    CASES.function(_name, _function, ints(-2, 9), ints(9))
    CASES.function(f"{_name}_of_truths", _function, bools(-2, 9), bools(9))
for _name in ("add", "multiply"):
    CASES.function(f"{_name}_truths", getattr(paddle, _name), bools(-2, 9), bools(9))
CASES.function(
    "floor_divide_negative_floats", paddle.floor_divide, floats(-2, 9), floats(9, low=-3, high=-1)
)
CASES.function(
    "remainder_negative_floats", paddle.remainder, floats(-2, 9), floats(9, low=-3, high=-1)
)
CASES.function("remainder_int32", lambda x: x % -4, ints(-2, 9, dtype="int32"))
CASES.function("less_than_truths", paddle.less_than, bools(-2, 5), bools(5))
CASES.function(
    "equal_all", paddle.equal_all, ints(-1, 2, low=0, high=1), ints(-1, 2, low=0, high=1)
)
CASES.function("equal_all_same", lambda x: paddle.equal_all(x, x + 0), MATRIX)
CASES.function("equal_all_sizes", paddle.equal_all, ints(-2, 3), ints(-4, 3))
CASES.function("equal_all_ranks", lambda x: paddle.equal_all(x, x[0]), ints(2, 3))
CASES.function("equal_all_fixed", lambda x: paddle.equal_all(x, x * 1), ints(2, 3))
CASES.function(
    "logical_and_of_numbers",
    paddle.logical_and,
    ints(-2, 5, low=-1, high=1),
    ints(5, low=-1, high=1),
)
CASES.function("add_n_two", lambda x, y: paddle.add_n([x, y]), MATRIX, MATRIX)
CASES.function("add_n_one", lambda x: paddle.add_n([x]), MATRIX)
CASES.function("equal_bools", paddle.equal, bools(-2, 5), bools(5))
for _name in ("logical_and", "logical_or", "logical_xor"):
    CASES.function(_name, getattr(paddle, _name), bools(-2, 5), bools(5))
CASES.function("add_n", lambda x, y, z: paddle.add_n([x, y, z]), MATRIX, MATRIX, MATRIX)
CASES.function("where", lambda x, y: paddle.where(x > y, x, y), MATRIX, MATRIX)
CASES.function("where_number", lambda x: paddle.where(x > 0, x, paddle.zeros([1])), MATRIX)
CASES.function("where_truths", paddle.where, bools(-2, 3), bools(3), bools(-2, 3))
CASES.function("where_broadcast", paddle.where, bools(-2, 3, 4), floats(3, 1), floats(4))
CASES.function("where_integers", lambda x, y: paddle.where(x > y, x, y), ints(-2, 4), ints(-2, 4))

CASES.function("matmul", paddle.matmul, floats(-2, 3), floats(3, 4))
CASES.function("matmul_batches", paddle.matmul, floats(-2, 2, -3, 4), floats(-2, 2, 4, 5))
CASES.function("matmul_broadcast", paddle.matmul, floats(-2, 3, 4), floats(4, 2))
CASES.function("matmul_vector", paddle.matmul, floats(-2, 3, 4), floats(4))
CASES.function("matmul_vectors", paddle.matmul, floats(5), floats(5))
CASES.function("matmul_vector_first", paddle.matmul, floats(4), floats(-2, 4, 3))
CASES.function(
    "matmul_first_transposed",
    lambda x, y: paddle.matmul(x, y, True),
    floats(-2, 4, 3),
    floats(-2, 4, 5),
)
CASES.function(
    "matmul_second_transposed",
    lambda x, y: paddle.matmul(x, y, transpose_y=True),
    floats(-2, 3, 4),
    floats(-2, 5, 4),
)
CASES.function(
    "matmul_both_transposed",
    lambda x, y: paddle.matmul(x, y, True, True),
    floats(-2, 2, 4, 3),
    floats(-2, 2, 5, 4),
)
CASES.function("mv", paddle.mv, floats(-2, 3), floats(3))
CASES.function("dot", paddle.dot, floats(5), floats(5))
CASES.function("dot_rows", paddle.dot, floats(-2, 5), floats(-2, 5))
CASES.function(
    "einsum",
    lambda x, y: paddle.einsum("bij, bjk -> bik", x, y),
    floats(-2, 3, 4),
    floats(-2, 4, 2),
)
CASES.function(
    "baddbmm",
    lambda c, a, b: paddle.baddbmm(c, a, b, beta=0.5, alpha=2.0),
    floats(2, 2, 3),
    floats(2, 2, 4),
    floats(2, 4, 3),
)
CASES.function("bmm", paddle.bmm, floats(-2, 3, 4), floats(-2, 4, 2))
CASES.function(
    "addmm",
    lambda c, a, b: paddle.addmm(c, a, b, 0.5, 2.0),
    floats(2, 3),
    floats(2, 4),
    floats(4, 3),
)
CASES.function(
    "addmm_broadcast", lambda c, a, b: paddle.addmm(c, a, b), floats(3), floats(-2, 4), floats(4, 3)
)
CASES.function(
    "inverse_of_constant",
    lambda x: paddle.matmul(
        x, paddle.inverse(paddle.to_tensor(np.array([[2, 1], [1, 3]], np.float32)))
    ),
    floats(-2, 2),
)

for _name in ("mean", "sum", "max", "min", "prod", "amax", "amin", "logsumexp"):
    _function = getattr(paddle, _name)
    for _kind, _axis, _keep in (
        ("all", None, False),
        ("all_kept", None, True),
        ("last", -1, False),
        ("one", 1, True),
        ("two", [0, 2], False),
        ("two_kept", [-1, -2], True),
        ("every", [0, 1, 2], False),
    ):
        CASES.function(
            f"{_name}_{_kind}",
            lambda x, f=_function, a=_axis, k=_keep: f(x, axis=a, keepdim=k),
            MATRIX,
        )
CASES.function("mean_of_one_axis", lambda x: paddle.mean(x, 0), floats(-3))
CASES.function("mean_integers", lambda x: paddle.mean(x, 1), ints(-2, 4))
CASES.function("max_bools", lambda x: paddle.max(x.astype("int32"), 1), bools(-2, 4))
CASES.function("prod_int32", lambda x: paddle.prod(x, axis=1), ints(-2, 4, dtype="int32"))
CASES.function("any_of_numbers", lambda x: paddle.any(x, 1), ints(-2, 3, low=0, high=1))
CASES.function("frobenius_norm", lambda x: paddle.linalg.norm(x, "fro", [1, 2]), MATRIX)
CASES.function(
    "frobenius_norm_kept", lambda x: paddle.linalg.norm(x, "fro", [-2, -1], True), MATRIX
)
CASES.function("sum_of_number", lambda x: paddle.sum(paddle.sum(x)), MATRIX)
_OF_NUMBER = {
    "sum": lambda x: paddle.sum(x, 0),
    "max": lambda x: paddle.max(x, -1),
    "argmax": lambda x: paddle.argmax(x, 0),
    "norm": paddle.linalg.norm,
}
for _name, _function in _OF_NUMBER.items():
    CASES.function(
        f"{_name}_of_negative_number", lambda x, f=_function: f(-paddle.sum(x * x)), MATRIX
    )
CASES.function("sum_integers", lambda x: paddle.sum(x, axis=1), ints(-2, 4))
CASES.function("sum_int32", lambda x: paddle.sum(x, axis=1), ints(-2, 4, dtype="int32"))
CASES.function("sum_bools", lambda x: paddle.sum(x, axis=1), bools(-2, 4))
CASES.function("sum_as_double", lambda x: paddle.sum(x, axis=1, dtype="float64"), MATRIX)
CASES.function("max_integers", lambda x: paddle.max(x, axis=1), ints(-2, 4))
CASES.function("min_int32", lambda x: paddle.min(x), ints(-2, 4, dtype="int32"))
CASES.function("prod_integers", lambda x: paddle.prod(x, axis=1), ints(-2, 4))
for _name in ("any", "all"):
    _function = getattr(paddle, _name)
    CASES.function(f"{_name}_of_all", _function, bools(-2, 2))
    CASES.function(f"{_name}_axis", lambda x, f=_function: f(x, axis=1), bools(-4, 2))
    CASES.function(
        f"{_name}_kept", lambda x, f=_function: f(x, axis=[0, 2], keepdim=True), bools(-2, 2, 2)
    )
for _order in (1, 2, 3, 0.5, float("inf"), float("-inf"), 0):
    CASES.function(f"p_norm_{_order}", lambda x, p=_order: paddle.norm(x, p, axis=1), MATRIX)
CASES.function("p_norm_kept", lambda x: paddle.norm(x, 2, axis=-1, keepdim=True), MATRIX)
CASES.function("p_norm_flat", lambda x: paddle.norm(x, 3), MATRIX)
CASES.function("normalize", lambda x: F.normalize(x, axis=1), MATRIX)
CASES.function("argmax", lambda x: paddle.argmax(x, axis=-1), distinct(-2, 3, -4))
CASES.function("argmax_kept", lambda x: paddle.argmax(x, axis=1, keepdim=True), distinct(-2, 3, -4))
CASES.function("argmax_flat", lambda x: paddle.argmax(x), distinct(-2, 7))
CASES.function(
    "argmax_int32", lambda x: paddle.argmax(x, axis=1, dtype="int32"), distinct(-2, 3, -4)
)
CASES.function("argmin", lambda x: paddle.argmin(x, axis=-1), distinct(-2, 3, -4))
CASES.function("argmin_flat_kept", lambda x: paddle.argmin(x, keepdim=True), distinct(-2, 7))
CASES.function(
    "argmax_first_of_equals",
    lambda x: paddle.argmax(x, 1),
    ints(-3, 9, low=0, high=1, dtype="int32"),
)
CASES.function("argmax_integers", lambda x: paddle.argmax(x, 1), ints(-3, 9))
CASES.function("argmin_integers", lambda x: paddle.argmin(x, 1, dtype="int32"), ints(-3, 9))
CASES.function("argsort", lambda x: paddle.argsort(x, axis=1), distinct(-2, 5, -3))
CASES.function("argsort_descending", lambda x: paddle.argsort(x, descending=True), distinct(-2, -5))
CASES.function("sort", lambda x: paddle.sort(x, axis=0), distinct(-2, -5))
CASES.function("cumsum", lambda x: paddle.cumsum(x, axis=1), MATRIX)
CASES.function("cumsum_last", lambda x: paddle.cumsum(x, axis=-1), MATRIX)
CASES.function("cumsum_flat", lambda x: paddle.cumsum(x), MATRIX)
CASES.function("cumsum_integers", lambda x: paddle.cumsum(x, axis=1), ints(-2, 4))
CASES.function("cumsum_int32", lambda x: paddle.cumsum(x, axis=1), ints(-2, 4, dtype="int32"))
CASES.function("topk", lambda x: paddle.topk(x, 2), distinct(-2, 6))
CASES.function("topk_axis", lambda x: paddle.topk(x, 2, axis=1), distinct(-2, 6, -3))
CASES.function("topk_smallest", lambda x: paddle.topk(x, 3, largest=False), distinct(-2, 6))
CASES.function("topk_one", lambda x: paddle.topk(x, 1), distinct(-2, 6))
CASES.function(
    "topk_by_tensor", lambda x, k: paddle.topk(x, k), distinct(-2, 6), ints(1, low=2, high=3)
)
