"""Translate a legacy program, operator by operator, into an ONNX model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ..errors import ModelFormatError, TranslationError
from ..paddle import constants
from ..paddle.files import FAULTS, NUMPY
from ..paddle.program import Operator, Program
from . import operators
from .call import Call, Scope
from .registry import OPERATORS, OpenLoopError, OpsetError, UnsupportedError
from .values import Value
from .writer import Writer

# The first opset with LayerNormalization; ONNX Runtime reads it since 1.12.
OPSET = 17
# The most operators of a program whose loops are unrolled; PARSeq's program has 3 000.
MOST_OPERATORS = 50_000
assert operators  # importing it has filled OPERATORS


def write(program: Program, *, source: str, opset: int = OPSET) -> onnx.ModelProto:
    """Translate a program into an ONNX model that computes the same.

    A program that loops over the pictures of a batch is written for a batch of one: its inputs then
    have that size.

    Args:
        program: The program. What it computes without its inputs is folded into constants.
        source: Its file, for error messages.
        opset: The version of ONNX's operators to write.

    Raises:
        ModelFormatError: If an operator is not as Paddle writes it.
        TranslationError: If operators can't be translated; the message names each of them with its
            results and the reason.
    """
    try:
        try:
            return _written(program, source, opset)
        except OpenLoopError:
            _fix_batch(program)
            return _written(program, source, opset)
    except FAULTS as error:  # outside its operators, whose errors name them
        raise ModelFormatError(
            f"{source}: the program is not as Paddle writes it "
            f"({type(error).__name__}: {error!s:.200}); export the network again"
        ) from error


def _fix_batch(program: Program) -> None:
    """Give each input with an open batch size the batch size 1."""
    for name in program.inputs:
        if program.shape(name)[:1] == [-1]:
            variable = program.variable(name)
            assert variable is not None  # it has a shape
            variable.type.dense_tensor.tensor.dims[0] = 1


def _written(program: Program, source: str, opset: int) -> onnx.ModelProto:
    """Translate a program with inputs of the sizes that it declares.

    Raises:
        OpenLoopError: A loop runs as often as a batch, whose size is open, has pictures.
        ModelFormatError: As `write`.
        TranslationError: As `write`.
    """
    missing = [op for op in program.operators if op.type not in OPERATORS and not _is_port(op)]
    if missing:
        unknown = UnsupportedError("it has no translation")
        raise _refused(source, {str(op): unknown for op in missing})
    # A variable of a loop has several values, one after the other; `_Blocks` folds those.
    if len(program.desc.blocks) == 1:
        constants.fold(program)
    writer = Writer(opset)
    values = {
        name: writer.parameter(name, array) for name, array in sorted(program.parameters.items())
    }
    for name in program.inputs:
        if program.dtype(name) not in NUMPY:
            raise ModelFormatError(
                f"{source}: its input {name!r:.80} has Paddle's type {program.dtype(name)}, which "
                "edgeocr doesn't read; export the network with float32 inputs"
            )
        writer.take(name)
        values[name] = _declared(program, name)
    inputs = [values[name] for name in program.inputs]
    blocks = _Blocks(program, values, writer, source)
    blocks.translate(0)
    if blocks.reasons:
        raise _refused(source, blocks.reasons)
    if lost := [name for name in program.outputs if name not in values]:
        raise ModelFormatError(
            f"{source}: no operator computes its output {lost[0]!r:.80}; export the network again"
        )
    outputs = [(name, values[name]) for name in program.outputs]
    model = writer.model(inputs, outputs, "network")
    _check(model, source)
    return model


def _check(model: onnx.ModelProto, source: str) -> None:
    """Check that each node is as ONNX defines its operator.

    Raises:
        ModelFormatError: A node isn't, because the program gives an attribute of another type than
            Paddle writes.
    """
    context = onnx.checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {item.domain: item.version for item in model.opset_import}
    for node in model.graph.node:
        try:
            onnx.checker.check_node(node, context)
        except onnx.checker.ValidationError as error:
            reason = " ".join(str(error).split())
            raise ModelFormatError(
                f"{source}: an operator is not as Paddle writes it ({reason:.200}); export the "
                "network again"
            ) from error


class _Blocks:
    """The blocks of a program, whose operators are translated one after the other.

    Attributes:
        reasons: Why operators can't be translated: the operator's name → the reason.
    """

    def __init__(
        self, program: Program, values: dict[str, Value], writer: Writer, source: str
    ) -> None:
        self.reasons: dict[str, UnsupportedError] = {}
        self._program = program
        self._values = values
        self._writer = writer
        self._source = source
        self._lists: dict[str, list[Value]] = {}
        # Result of `shape`, or of its cast → the sizes that it gives.
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._folds = len(program.desc.blocks) > 1
        self._left = MOST_OPERATORS
        self._has_open_batch = any(program.shape(name)[:1] == [-1] for name in program.inputs)

    def translate(self, index: int) -> None:
        """Translate the operators of a block, as often as loops call for it.

        Raises:
            OpenLoopError: A loop runs as often as a batch, whose size is open, has pictures.
            ModelFormatError: If an operator is not as Paddle writes it.
            TranslationError: If there are too many operators.
        """
        for desc in self._program.desc.blocks[index].ops:
            operator = Operator(desc)
            if _is_port(operator):
                continue
            self._left -= 1
            if self._left < 0:
                raise TranslationError(
                    f"{self._source}: its loops would be unrolled into more than {MOST_OPERATORS} "
                    "operators, too many for a device to run"
                )
            try:
                if not (self._folds and self._folded(operator)):
                    scope = Scope(self._values, self._lists, self.translate, index > 0)
                    OPERATORS[operator.type](Call(operator, self._program, scope, self._writer))
            except UnsupportedError as error:
                if self._has_open_batch and isinstance(error, OpenLoopError):
                    raise
                self.reasons[str(operator)] = error
                # The others are translated too, so that one error names all that must be changed.
                declared = {name: _declared(self._program, name) for name in operator.outputs()}
                self._values |= declared
            except FAULTS as error:
                raise ModelFormatError(
                    f"{self._source}: {operator} is not as Paddle writes it "
                    f"({type(error).__name__}: {error!s:.200}); export the network again"
                ) from error

    def _folded(self, operator: Operator) -> bool:
        """Compute an operator of constants; return whether that is possible."""
        sizes = None
        if operator.type == "shape":
            sizes = self._values[operator.input("Input")[0]].shape
        elif operator.type == "cast":
            sizes = self._shapes.get(operator.input("X")[0])
        for name in operator.outputs():  # it may have held sizes in the last round of a loop
            self._shapes.pop(name, None)
            if sizes is not None:
                self._shapes[name] = sizes
        known = {
            name: value.array
            for name in operator.inputs()
            if (value := self._values.get(name)) is not None and value.array is not None
        }
        found = constants.evaluate(operator, known) or self._size(operator)
        if found is None:
            return False
        for name, array in found.items():
            self._values[name] = self._writer.constant(array)
        return True

    def _size(self, operator: Operator) -> dict[str, NDArray[Any]] | None:
        """Return the single size that a `slice` takes from a shape, if that size is known."""
        if operator.type != "slice" or len(operator.inputs()) != 1:
            return None
        shape = self._shapes.get(operator.inputs()[0])
        starts, ends = operator.attribute("starts", []), operator.attribute("ends", [])
        if shape is None or len(starts) != 1 or not 0 <= starts[0] == ends[0] - 1 < len(shape):
            return None
        size = shape[starts[0]]
        if size < 0 or not operator.attribute("decrease_axis"):
            return None
        (name,) = operator.output("Out")
        dtype = NUMPY.get(self._program.dtype(name), np.int32)
        return {name: np.array(size, dtype)}


def _is_port(operator: Operator) -> bool:
    return operator.type in ("feed", "fetch")


def _declared(program: Program, name: str) -> Value:
    dtype = NUMPY.get(program.dtype(name), np.float32)
    return Value(name, np.dtype(dtype), tuple(program.shape(name)))


def _refused(source: str, reasons: Mapping[str, UnsupportedError]) -> TranslationError:
    listed = "\n  ".join(f"{operator}: {reason}" for operator, reason in reasons.items())
    opsets = [reason.least for reason in reasons.values() if isinstance(reason, OpsetError)]
    if len(opsets) == len(reasons):
        advice = f"Give --opset {max(opsets)} or more"
    else:
        advice = (
            "Export the network without what is listed, or add its translation to "
            "converters/translate/operators"
        )
    number = "1 operator" if len(reasons) == 1 else f"{len(reasons)} operators"
    return TranslationError(f"{source}: {number} can't be translated:\n  {listed}\n{advice}")
