"""What moves values without computing any, and what is made of nothing."""

import numpy as np
import paddle
from paddle.nn import functional as F

from tests.oracle.pir_case import Cases, bools, floats, ints

CASES = Cases()
CUBE = floats(-2, 3, 4)
IMAGE = floats(-2, 3, -4, -5)


_CUBE = {
    "reshape_zero": lambda x: paddle.reshape(x, [0, -1]),
    "reshape_sizes": lambda x: paddle.reshape(x, [-1, 2, 2, 3]),
    "reshape_flat": lambda x: paddle.reshape(x, [-1]),
    "reshape_tensors": lambda x: paddle.reshape(x, [paddle.shape(x)[0], 2, -1]),
    "reshape_tensor": lambda x: paddle.reshape(
        x, paddle.shape(x) * paddle.to_tensor([1, 2, 1]) // paddle.to_tensor([1, 1, 2])
    ),
    "transpose": lambda x: paddle.transpose(x, [2, 0, 1]),
    "flatten": lambda x: paddle.flatten(x, 1),
    "flatten_all": paddle.flatten,
    "flatten_first": lambda x: paddle.flatten(x, 0, 1),
    "flatten_negative": lambda x: paddle.flatten(x, -2, -1),
    "unsqueeze": lambda x: paddle.unsqueeze(x, 1),
    "unsqueeze_two": lambda x: paddle.unsqueeze(x, [0, -1]),
    "concat": lambda x: paddle.concat([x, x * 2, x], axis=1),
    "concat_last": lambda x: paddle.concat([x, x * 2], axis=-1),
    "concat_one": lambda x: paddle.concat([x], axis=0),
    "stack": lambda x: paddle.stack([x, x * 2], axis=1),
    "stack_last": lambda x: paddle.stack([x, x * 2], axis=-1),
    "split_number": lambda x: paddle.split(x, 2, axis=2),
    "split_sections": lambda x: paddle.split(x, [1, 2], axis=1),
    "split_rest": lambda x: paddle.split(x, [1, -1], axis=1),
    "split_by_tensors": lambda x: paddle.split(x, [paddle.shape(x)[1] - 1, -1], axis=1),
    "split_negative": lambda x: paddle.split(x, 2, axis=-1),
    "split_used_in_part": lambda x: paddle.split(x, 3, axis=1)[1],
    "unbind": lambda x: paddle.unbind(x, 1),
    "unbind_last": lambda x: paddle.unbind(x, -1),
    "slice": lambda x: x[:, 1:3],
    "slice_negative": lambda x: x[:, -2:, :-1],
    "slice_large_end": lambda x: paddle.slice(x, [1, 2], [1, -100], [2**31 - 1, 100]),
    "slice_item": lambda x: x[:, 1],
    "slice_last_item": lambda x: x[:, -1],
    "slice_two_items": lambda x: x[0, :, -2],
    "slice_to_scalar": lambda x: x[0, 1, 2],
    "slice_ellipsis": lambda x: x[..., 1],
    "slice_new_axis": lambda x: x[:, None, 1:],
    "slice_by_tensor": lambda x: paddle.slice(x, [1], [paddle.shape(x)[1] - 2], [3]),
    "slice_to_size": lambda x: x[: paddle.shape(x)[0] - 1],
    "strided_slice": lambda x: x[:, ::2],
    "strided_slice_backwards": lambda x: x[:, ::-1],
    "strided_slice_empty": lambda x: x[:, 2:-1:-1],
    "strided_slice_odd": lambda x: x[:, 2:0:-1, 1::2],
    "strided_slice_call": lambda x: paddle.strided_slice(x, [1, 2], [0, -1], [3, -5], [2, -1]),
    "expand_as": lambda x: paddle.expand_as(x[:, :1], x),
    "tile": lambda x: paddle.tile(x, [1, 2, 3]),
    "tile_longer": lambda x: paddle.tile(x, [2, 1, 1, 2]),
    "tile_shorter": lambda x: paddle.tile(x, [2]),
    "tile_batch": lambda x: paddle.tile(x[:1], [paddle.shape(x)[0], 1, 1]),
    "flip": lambda x: paddle.flip(x, [1]),
    "flip_two": lambda x: paddle.flip(x, [0, -1]),
    "roll": lambda x: paddle.roll(x, 1, axis=1),
    "roll_two": lambda x: paddle.roll(x, [-1, 2], axis=[1, 2]),
    "roll_flat": lambda x: paddle.roll(x, 2),
    "shape": paddle.shape,
    "shape_item": lambda x: paddle.shape(x)[0],
    "numel": paddle.numel,
    "assign": paddle.assign,
    "tril": paddle.tril,
    "tril_diagonal": lambda x: paddle.tril(x, -1),
    "triu": lambda x: paddle.triu(x, 1),
    "triu_plain": paddle.triu,
    "cast_int64": lambda x: x.astype("int64"),
    "cast_int32": lambda x: x.astype("int32"),
    "cast_double": lambda x: x.astype("float64"),
    "cast_half": lambda x: x.astype("float16").astype("float32"),
    "zeros_like": paddle.zeros_like,
    "ones_like_integers": lambda x: paddle.ones_like(x, dtype="int64"),
    "full_like": lambda x: paddle.full_like(x, 2.5),
    "zeros_of_batch": lambda x: paddle.zeros([paddle.shape(x)[0], 3]),
    "full_of_shape": lambda x: paddle.full(paddle.shape(x), 1.5),
    "full_integers": lambda x: paddle.full([paddle.shape(x)[0]], 7, "int64"),
    "full_constant": lambda x: x + paddle.full([3, 1], 1.5),
    "arange_constant": lambda x: x + paddle.arange(4, dtype="float32"),
    "arange_of_shape": lambda x: paddle.arange(paddle.shape(x)[0]),
    "arange_of_shape_step": lambda x: paddle.arange(1, paddle.shape(x)[1] * 2, 2),
    "arange_floats": lambda x: x + paddle.arange(0.5, 2.5, 0.5),
    "linspace": lambda x: x + paddle.linspace(-1, 1, 4),
    "eye": lambda x: paddle.matmul(x, paddle.eye(4)),
    "eye_wide": lambda x: paddle.matmul(x, paddle.eye(4, 2)),
    "constant_array": lambda x: x * paddle.to_tensor(np.arange(12, dtype="float32").reshape(3, 4)),
    "full_infinite": lambda x: paddle.maximum(x, paddle.full([4], float("-inf"))),
    "full_like_infinite": lambda x: paddle.maximum(x, paddle.full_like(x, float("-inf"))),
    "full_batch_infinite": lambda x: paddle.full([paddle.shape(x)[0]], float("-inf")),
    "array_infinite": lambda x: paddle.minimum(x, paddle.to_tensor([1.0, float("inf"), 2, 0])),
    "unstack": lambda x: paddle.unstack(x, 1),
    "unstack_last": lambda x: paddle.unstack(x, -1),
    "unbind_one": lambda x: paddle.unbind(x[:, :1], 1),
    "stack_one": lambda x: paddle.stack([x], 0),
    "squeeze_number": lambda x: paddle.squeeze(x.sum(), 0),
    "flatten_number": lambda x: paddle.flatten(x.sum()),
    "split_one": lambda x: paddle.split(x, 1, axis=1),
    "repeat_interleave": lambda x: paddle.repeat_interleave(x, 2, 1),
    "roll_rows": lambda x: paddle.roll(x, 5, axis=0),
    "flip_last": lambda x: paddle.flip(x, -1),
    "expand_longer": lambda x: paddle.expand(x, [2, -1, -1, -1]),
    "expand_tensors": lambda x: paddle.expand(x[:1], [paddle.shape(x)[0], -1, 4]),
    "expand_as_fixed": lambda x: paddle.expand_as(x[0, :1], x[0]),
    "crop": lambda x: paddle.crop(x, [-1, 2, 2], [0, 1, 2]),
    "crop_rest": lambda x: paddle.crop(x, [-1, -1, 2], [0, 1, 0]),
    "crop_by_tensor": lambda x: paddle.crop(
        x, paddle.shape(x) - paddle.to_tensor([1, 1, 2]), [1, 0, 1]
    ),
    "size_of_fixed": lambda x: paddle.numel(x[0]),
    "slice_position": lambda x: x[paddle.shape(x)[0] - 1],
    "slice_last_position": lambda x: x[:, paddle.shape(x)[1] - 4],
    "strided_slice_item": lambda x: x[:, ::2, 1],
    "strided_slice_by_tensor": lambda x: x[: paddle.shape(x)[0] - 1, ::-2],
    "empty_like_zeros": lambda x: paddle.zeros_like(x, "int32"),
    "triu_integers": lambda x: paddle.triu(x.astype("int32")),
    "tril_int64": lambda x: paddle.tril(x.astype("int64"), 1),
    "tril_truths": lambda x: paddle.tril(x > 0),
    "causal_mask": lambda x: x + paddle.triu(paddle.full([4, 4], float("-inf")), 1)[1:],
    "squeeze_open": lambda x: paddle.squeeze(x.sum(1, keepdim=True), 1),
    "unsqueeze_by_tensor": lambda x: paddle.unsqueeze(x, paddle.to_tensor([1])),
    "split_by_axis": lambda x: paddle.split(x, [1, 3], axis=paddle.to_tensor(2)),
    "squeeze_none": lambda x: paddle.squeeze(x, [1]),
}
for _name, _function in _CUBE.items():
    CASES.function(_name, _function, CUBE)

CASES.function("transpose_image", lambda x: x.transpose([0, 2, 3, 1]), IMAGE)
CASES.function("flatten_image", lambda x: x.flatten(2).transpose([0, 2, 1]), IMAGE)
CASES.function("slice_image", lambda x: x[:, 0:1, 1:-1, ::2], IMAGE)
CASES.function("squeeze", lambda x: paddle.squeeze(x, 2), floats(-2, 3, 1, -4))
CASES.function("squeeze_two", lambda x: paddle.squeeze(x, [1, -1]), floats(-2, 1, -4, 1))
CASES.function("squeeze_all", lambda x: paddle.squeeze(x), floats(2, 1, 4, 1))
CASES.function("concat_integers", lambda x, y: paddle.concat([x, y], 1), ints(-2, 3), ints(-2, 2))
CASES.function("expand", lambda x: paddle.expand(x, [2, 3, 4]), floats(3, 1))
CASES.function("expand_kept", lambda x: paddle.expand(x, [-1, 3, 4]), floats(-2, 1, 4))
CASES.function(
    "expand_batch",
    lambda x, y: paddle.expand(y, [paddle.shape(x)[0], 3]),
    floats(-2, 2),
    floats(1, 3),
)
CASES.function(
    "expand_to_shape", lambda x, y: paddle.expand(y, paddle.shape(x)), floats(-2, 3), floats(1, 3)
)
CASES.function("expand_integers", lambda x: paddle.expand(x, [4, 3]), ints(1, 3))
CASES.function("tile_integers", lambda x: paddle.tile(x, [2, 2]), ints(-2, 3))
CASES.function("tile_by_tensor", paddle.tile, floats(-2, 3), ints(2, low=1, high=3, dtype="int32"))
CASES.function("gather", lambda x, i: paddle.gather(x, i), floats(5, 3), ints(-4, low=0, high=4))
CASES.function(
    "gather_axis", lambda x, i: paddle.gather(x, i, axis=1), CUBE, ints(-2, low=0, high=2)
)
CASES.function(
    "gather_int32",
    lambda x, i: paddle.gather(x, i),
    floats(5, 3),
    ints(-4, low=0, high=4, dtype="int32"),
)
CASES.function(
    "gather_column", lambda x, i: paddle.gather(x, i), floats(5, 3), ints(-4, 1, low=0, high=4)
)
CASES.function("gather_nd", paddle.gather_nd, floats(3, 4, 2), ints(-3, 2, low=0, high=2))
CASES.function("gather_nd_deep", paddle.gather_nd, floats(3, 3, 2), ints(-3, 2, 1, low=0, high=2))
CASES.function(
    "index_select", lambda x, i: paddle.index_select(x, i, axis=1), CUBE, ints(-2, low=0, high=2)
)
CASES.function("one_hot", lambda x: F.one_hot(x, 5), ints(-3, low=0, high=4))
CASES.function(
    "one_hot_int32", lambda x: F.one_hot(x, 5), ints(-3, 2, low=0, high=4, dtype="int32")
)
CASES.function("shape_of_integers", lambda x: paddle.shape(x).astype("float32"), ints(-2, 3))
CASES.function("cast_to_bools", lambda x: x.astype("bool"), ints(-2, 3, low=-1, high=1))
CASES.function("cast_bools", lambda x: x.astype("float32"), bools(-2, 3))
CASES.function("cast_bools_to_integers", lambda x: x.astype("int64"), bools(-2, 3))
CASES.function("cast_integers", lambda x: x.astype("float32"), ints(-2, 3))
CASES.function("cast_int32_to_int64", lambda x: x.astype("int64"), ints(-2, 3, dtype="int32"))
CASES.function(
    "meshgrid_of_constants",
    lambda x: (
        x
        + paddle.add(
            *paddle.meshgrid(paddle.arange(3, dtype="float32"), paddle.arange(4, dtype="float32"))
        )
    ),
    CUBE,
)
CASES.function("meshgrid", lambda x, y: paddle.meshgrid(x, y), floats(-3), floats(-4))
CASES.function(
    "full_of_value", lambda x, v: paddle.full([paddle.shape(x)[0], 2], v), CUBE, floats(1)
)
CASES.function("linspace_of_value", lambda v: paddle.linspace(v, v + 2, 5), floats(1))
