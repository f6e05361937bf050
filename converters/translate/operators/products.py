"""Products of matrices and vectors, and sums of products over named axes."""

from __future__ import annotations

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value, broadcast


@translates("matmul_v2", "matmul", "bmm")
def matmul(call: Call) -> None:
    """Write a product of matrices, each of which may be transposed first."""
    old = call.operator.type == "matmul"
    names = ("transpose_X", "transpose_Y") if old else ("trans_x", "trans_y")
    x, y = (
        _transposed(call, call.operand(slot)) if call.attribute(name, False) else call.operand(slot)
        for slot, name in zip(("X", "Y"), names, strict=True)
    )
    made = call.add("MatMul", x, y, shape=_product(x, y))
    alpha = call.attribute("alpha", 1.0) if old else 1.0
    call.give(made if alpha == 1 else call.combine("Mul", made, alpha))


@translates("mul")
def mul(call: Call) -> None:
    """Write a product of two values that are seen as matrices of rows and columns."""
    x, y = call.operand("X"), call.operand("Y")
    rows, inner = call.attribute("x_num_col_dims", 1), call.attribute("y_num_col_dims", 1)
    one, other = x, y
    if x.rank != 2 or rows != 1:
        one = call.add("Flatten", x, axis=rows, shape=(-1, -1))
    if y.rank != 2 or inner != 1:
        other = call.add("Flatten", y, axis=inner, shape=(-1, -1))
    made = call.add("MatMul", one, other, shape=(one.shape[0], other.shape[1]))
    if rows == 1 and y.rank - inner == 1:
        call.give(made)
        return
    sizes = [call.slice(call.sizes(x), [0], [0], [rows])]
    sizes.append(call.slice(call.sizes(y), [0], [inner], [y.rank]))
    shape = (*x.shape[:rows], *y.shape[inner:])
    call.give(call.add("Reshape", made, call.vector(sizes), shape=shape))


@translates("addmm", "baddbmm")
def addmm(call: Call) -> None:
    """Write Beta * Input + Alpha * X @ Y."""
    first, x, y = (call.operand(slot) for slot in ("Input", "X", "Y"))
    alpha, beta = call.attribute("Alpha", 1.0), call.attribute("Beta", 1.0)
    product = call.add("MatMul", x, y, shape=(*x.shape[:-1], y.shape[-1]))
    if alpha != 1:
        product = call.combine("Mul", product, alpha)
    if beta != 1:
        first = call.combine("Mul", first, beta)
    call.give(call.combine("Add", first, product))


@translates("mv")
def mv(call: Call) -> None:
    """Write the product of a matrix and a vector."""
    x, vector = call.operand(), call.operand("Vec")
    call.give(call.add("MatMul", x, vector, shape=x.shape[:-1]))


@translates("dot")
def dot(call: Call) -> None:
    """Write the sum of products of elements along the last axis."""
    product = call.combine("Mul", call.operand("X"), call.operand("Y"))
    # Paddle 2 keeps the axis of two matrices, Paddle 3 doesn't.
    keep = product.rank > 1 and len(call.result_shape()) == product.rank
    call.give(call.reduce("ReduceSum", product, [-1], keep=keep))


@translates("einsum")
def einsum(call: Call) -> None:
    """Write the sum of products over the axes that an equation names."""
    operands = call.operands("Operands")
    equation = str(call.attribute("equation", "")).replace(" ", "")
    if "->" not in equation:
        raise UnsupportedError(f"its equation {equation:.40} names no result")
    result = equation.rpartition("->")[2]
    if "..." in result:
        raise UnsupportedError(f"its equation {equation:.40} doesn't name all axes")
    shape = [-1] * len(result)
    call.give(call.add("Einsum", *operands, equation=equation, shape=shape))


@translates("inverse")
def inverse(call: Call) -> None:
    """Refuse the inverse of a matrix that isn't constant; that of a constant one was computed."""
    raise UnsupportedError("ONNX has no inverse of a matrix, and this one depends on the input")


def _transposed(call: Call, value: Value) -> Value:
    if value.rank < 2:
        return value
    return call.transpose(value, [*range(value.rank - 2), value.rank - 1, value.rank - 2])


def _product(x: Value, y: Value) -> tuple[int, ...]:
    """Return the shape of a product of matrices, -1 where it is open."""
    rows = x.shape[-2:-1] if x.rank > 1 else ()
    columns = y.shape[-1:] if y.rank > 1 else ()
    outer = [Value("", value.dtype, value.shape[:-2]) for value in (x, y)]
    return (*(broadcast(*outer) if max(x.rank, y.rank) > 2 else ()), *rows, *columns)
