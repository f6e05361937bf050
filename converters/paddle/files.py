"""Read and write Paddle's files: a program's protobuf messages and the tensors beside it.

Messages and fields have the names that Paddle's `framework.proto` gives them. A parameter file is a
sequence of tensors, sorted by the parameters' names.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelFormatError

# Data type → its number in Paddle's `VarType.Type`, and NumPy's type.
DTYPES: dict[str, tuple[int, Any]] = {
    "bool": (0, np.bool_),
    "int16": (1, np.int16),
    "int32": (2, np.int32),
    "int64": (3, np.int64),
    "float16": (4, np.float16),
    "float32": (5, np.float32),
    "float64": (6, np.float64),
    "uint8": (20, np.uint8),
    "int8": (21, np.int8),
}
NUMPY = dict(DTYPES.values())
NAMES = {number: name for name, (number, _) in DTYPES.items()}
# `VarType.Type` of variables that are tensors, and of the lists that hold inputs and outputs.
DENSE_TENSOR, FEED_LIST, FETCH_LIST = 7, 9, 10

# The most values of a constant that a program computes without its input. PaddleOCR's networks stay
# far below; the limit keeps a damaged size from filling the memory.
MAX_CONSTANT = 1 << 24
# What reading a part of a program raises if it isn't of the form that Paddle writes.
FAULTS = (
    ArithmeticError, AssertionError, AttributeError, IndexError, KeyError, MemoryError,
    RecursionError, TypeError, ValueError,
)  # fmt: skip

# Message → {field: (number, type)}. "*" marks a repeated field, an initial capital a message.
# Protobuf keeps fields that aren't listed here when a message is read and written again.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "TensorDesc": {"data_type": (1, "int32"), "dims": (2, "int64*")},
    "DenseTensorDesc": {"tensor": (1, "TensorDesc"), "lod_level": (2, "int32")},
    "VarType": {"type": (1, "int32"), "dense_tensor": (3, "DenseTensorDesc")},
    "VarDesc": {
        "name": (1, "string"), "type": (2, "VarType"), "persistable": (3, "bool"),
        "need_check_feed": (4, "bool"), "is_parameter": (5, "bool"), "stop_gradient": (6, "bool"),
    },
    "OpVar": {"parameter": (1, "string"), "arguments": (2, "string*")},
    "OpAttr": {
        "name": (1, "string"), "type": (2, "int32"), "i": (3, "int32"), "f": (4, "float"),
        "s": (5, "string"), "ints": (6, "int32*"), "floats": (7, "float*"),
        "strings": (8, "string*"), "b": (10, "bool"), "bools": (11, "bool*"),
        "block_idx": (12, "int32"), "l": (13, "int64"), "blocks_idx": (14, "int32*"),
        "longs": (15, "int64*"), "float64s": (16, "double*"), "var_name": (17, "string"),
        "vars_name": (18, "string*"), "float64": (19, "double"), "scalar": (20, "Scalar"),
        "scalars": (21, "Scalar*"),
    },
    "Scalar": {"type": (1, "int32"), "b": (2, "bool"), "i": (3, "int64"), "r": (4, "double")},
    "OpDesc": {
        "inputs": (1, "OpVar*"), "outputs": (2, "OpVar*"), "type": (3, "string"),
        "attrs": (4, "OpAttr*"),
    },
    "BlockDesc": {
        "idx": (1, "int32"), "parent_idx": (2, "int32"), "vars": (3, "VarDesc*"),
        "ops": (4, "OpDesc*"),
    },
    "Version": {"version": (1, "int64")},
    "ProgramDesc": {"blocks": (1, "BlockDesc*"), "version": (4, "Version")},
}  # fmt: skip


def parse(path: Path) -> Any:
    """Parse a program file into a ProgramDesc.

    Raises:
        ModelFormatError: If the file isn't a Paddle program.
    """
    from google.protobuf.message import DecodeError

    try:
        desc = messages()["ProgramDesc"].FromString(path.read_bytes())
        _check_texts(desc)
    except (DecodeError, UnicodeError) as error:
        raise ModelFormatError(
            f"{path}: not a Paddle program, or a damaged or truncated one: fetch or export it again"
        ) from error
    if not desc.blocks or not desc.blocks[0].ops:
        raise ModelFormatError(f"{path}: not a Paddle program, or one without operators")
    return desc


def _check_texts(message: Any) -> None:
    """Raise `UnicodeError` for a text in a message or below it that isn't UTF-8.

    Protobuf's parser doesn't check the texts of such messages. Depending on its version, reading a
    wrong one raises `UnicodeDecodeError` or gives bytes.
    """
    for field, value in message.ListFields():
        repeated = not isinstance(value, (str, bytes, int, float)) and hasattr(value, "__len__")
        for item in value if repeated else [value]:
            if field.type == field.TYPE_MESSAGE:
                _check_texts(item)
            elif field.type == field.TYPE_STRING and not isinstance(item, str):
                raise UnicodeError(f"a {field.name} is not UTF-8: {bytes(item)[:40]!r}")
            elif field.type != field.TYPE_STRING:
                break


def is_file(path: Path) -> bool:
    """Tell whether there is a file; a program may hold names that no file system allows."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def require_affordable(*sizes: int) -> None:
    """Raise `ValueError` for the shape of a constant with more than `MAX_CONSTANT` values."""
    count = math.prod(int(size) for size in sizes)
    if count > MAX_CONSTANT:
        raise ValueError(f"a constant of the shape {list(sizes)} is too large for a text network")


def read_parameters(path: Path, names: list[str]) -> dict[str, NDArray[Any]]:
    """Read a parameter file.

    Args:
        path: The file.
        names: The names of its tensors, in their order.

    Returns:
        Name → tensor.

    Raises:
        ModelFormatError: If the file is too short, too long, or not a parameter file.
    """
    content = memoryview(path.read_bytes())
    arrays, offset = {}, 0
    for name in names:
        try:
            arrays[name], offset = _tensor(content, offset)
        except ValueError as error:
            raise ModelFormatError(
                f"{path}: tensor {len(arrays) + 1} of {len(names)}, {name}, can't be read: "
                f"{error}; the file is damaged, incomplete or belongs to another program: fetch "
                "or export it again"
            ) from error
    if offset != len(content):
        raise ModelFormatError(
            f"{path}: {len(content) - offset} bytes are left after the {len(names)} "
            "parameters that the program names; these files don't belong together"
        )
    return arrays


def _tensor(content: memoryview, offset: int) -> tuple[NDArray[Any], int]:
    """Read the tensor at an offset; return it with the offset behind it.

    Raises:
        ValueError: As `tensor_head`, or if the file ends before the tensor does.
    """
    offset, kind, shape = tensor_head(content, offset)
    count = math.prod(shape)
    if count * kind.itemsize > len(content) - offset:
        raise ValueError(f"shape {list(shape)[:8]} needs more bytes than the file has")
    array = np.frombuffer(content, kind, count, offset).reshape(shape)
    return array, offset + array.nbytes


def tensor_head(
    content: bytes | memoryview, offset: int = 0
) -> tuple[int, np.dtype[Any], tuple[int, ...]]:
    """Read what a parameter file has before the values of a tensor.

    That is a version, the tensor's levels of detail, another version, the size of its TensorDesc,
    and the TensorDesc.

    Args:
        content: The file, or a part of it.
        offset: Where the tensor begins.

    Returns:
        The offset of the values, their type, and the tensor's shape.

    Raises:
        ValueError: There is no tensor, or one of a kind that no network has.
    """
    from google.protobuf.message import DecodeError

    try:
        version, levels = struct.unpack_from("<IQ", content, offset)
        offset += 12
        if version != 0 or levels > 8:
            raise ValueError(f"version {version} with {levels} levels of detail is not supported")
        for _ in range(levels):
            (size,) = struct.unpack_from("<Q", content, offset)
            offset += 8 + size
        version, size = struct.unpack_from("<Ii", content, offset)
        offset += 8
        if version != 0 or not 0 < size < 4096 or offset + size > len(content):
            raise ValueError(f"no tensor description at byte {offset}")
        desc = messages()["TensorDesc"].FromString(bytes(content[offset : offset + size]))
    except (struct.error, OverflowError, DecodeError) as error:
        raise ValueError(f"no tensor description at byte {offset}") from error
    kind, shape = NUMPY.get(desc.data_type), tuple(desc.dims)
    if kind is None:
        raise ValueError(f"data type {desc.data_type} is not supported")
    if min(shape, default=0) < 0:
        raise ValueError(f"shape {list(shape)[:8]} has a negative size")
    return offset + size, np.dtype(kind), shape


def tensor_bytes(array: NDArray[Any]) -> bytes:
    """Serialize a tensor as a parameter file holds it."""
    return head_bytes(str(array.dtype), array.shape) + np.ascontiguousarray(array).tobytes()


def head_bytes(dtype: str, shape: Sequence[int]) -> bytes:
    """Return what Paddle writes before the values of a tensor of a type of `DTYPES`."""
    desc = messages()["TensorDesc"](data_type=DTYPES[dtype][0], dims=shape).SerializeToString()
    return bytes(struct.pack("<IQIi", 0, 0, 0, len(desc)) + desc)


@cache
def messages() -> dict[str, Any]:
    """Build the protobuf message classes from `_MESSAGES`, by name."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    scalar = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="edgeocr/paddle_program.proto", package="edgeocr.paddle", syntax="proto2"
    )
    for message, fields in _MESSAGES.items():
        entry = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            field = entry.field.add(name=name, number=number)
            field.label = scalar.LABEL_REPEATED if kind.endswith("*") else scalar.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind in _MESSAGES:
                field.type, field.type_name = scalar.TYPE_MESSAGE, f".edgeocr.paddle.{kind}"
            else:
                field.type = getattr(scalar, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    find = pool.FindMessageTypeByName
    return {
        name: message_factory.GetMessageClass(find(f"edgeocr.paddle.{name}")) for name in _MESSAGES
    }
