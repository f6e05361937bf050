"""Loops, conditions and lists of legacy programs, written without loops and branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from converters.errors import ConverterError, TranslationError
from converters.paddle.files import DTYPES
from converters.paddle.program import Program
from converters.translate import program_graph
from converters.translate.program_graph import write
from tests.support.legacy_programs import network
from tests.support.onnx_run import run

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]], np.float32)
INT, BOOL, FLOAT = (DTYPES[name][0] for name in ("int64", "bool", "float32"))


def number(program: Program, name: str, value: float, dtype: str = "int64", block: int = 0) -> str:
    """Add a constant without axes."""
    if block == 0:
        program.add_variable(name, [], dtype)
    settings = {"shape": [], "dtype": DTYPES[dtype][0], "value": float(value), "str_value": ""}
    program.add_operator("fill_constant", {}, {"Out": [name]}, settings, block=block)
    return name


def add(
    program: Program, kind: str, inputs: Any, outputs: Any, block: int, **settings: Any
) -> None:
    program.add_operator(
        kind,
        {slot: [names] if isinstance(names, str) else names for slot, names in inputs.items()},
        {slot: [names] if isinstance(names, str) else names for slot, names in outputs.items()},
        settings,
        block=block,
    )


def loop(
    program: Program, rounds: int, body: Callable[[Program, int], None], early: str = ""
) -> None:
    """Add a loop with the counter `i`, which also ends where the variable `early` is true."""
    number(program, "i", 0)
    number(program, "end", rounds)
    for name in ("more", "again"):
        program.add_variable(name, [], "bool")

    def condition(block: int) -> None:
        add(program, "less_than", {"X": "i", "Y": "end"}, {"Out": "more"}, block, axis=-1)
        if early:
            add(program, "logical_not", {"X": early}, {"Out": "again"}, block)
            add(program, "logical_and", {"X": "more", "Y": "again"}, {"Out": "more"}, block)

    condition(0)
    block = program.add_block(0)
    body(program, block)
    settings = {"scale": 1.0, "bias": 1.0, "bias_after_scale": True}
    add(program, "scale", {"X": "i"}, {"Out": "next"}, block, **settings)
    program.add_variable("next", [], "int64")
    add(program, "assign", {"X": "next"}, {"Out": "i"}, block)
    condition(block)
    add(program, "while", {"Condition": "more"}, {}, 0, sub_block=block)


def translated(build: Callable[[Program], list[str]], x: np.ndarray = X) -> list[np.ndarray]:
    """Return what a program computes, and check that it has no blocks."""
    program = network({"x": ([-1, 3], "float32")}, build)
    model = write(program, source="program")
    assert not {node.op_type for node in model.graph.node} & {"Loop", "If", "Scan"}
    return run(model.SerializeToString(), [x])


def doubling(program: Program, block: int) -> None:
    """Add `y = 2 y` to a block."""
    add(program, "elementwise_add", {"X": "y", "Y": "y"}, {"Out": "twice"}, block, axis=-1)
    program.add_variable("twice", [-1, 3], "float32")
    add(program, "assign", {"X": "twice"}, {"Out": "y"}, block)


def start(program: Program) -> None:
    program.add_variable("y", [-1, 3], "float32")
    add(program, "assign", {"X": "x"}, {"Out": "y"}, 0)


@pytest.mark.parametrize("rounds", [0, 1, 5])
def test_loop_is_written_as_often_as_it_runs(rounds: int) -> None:
    def build(program: Program) -> list[str]:
        start(program)
        loop(program, rounds, doubling)
        return ["y"]

    assert translated(build)[0] == pytest.approx(X * 2**rounds)


def test_early_exit_is_left_out() -> None:
    def build(program: Program) -> list[str]:
        start(program)
        number(program, "limit", 3, "float32")
        program.add_variable("large", [-1, 3], "bool")
        program.add_variable("stop", [], "bool")

        def body(program: Program, block: int) -> None:
            doubling(program, block)
            add(program, "greater_than", {"X": "y", "Y": "limit"}, {"Out": "large"}, block, axis=-1)
            settings = {"reduce_all": True, "dim": [], "keep_dim": False}
            add(program, "reduce_any", {"X": "large"}, {"Out": "stop"}, block, **settings)

        number(program, "stop", 0, "bool")
        loop(program, 4, body, early="stop")
        return ["y"]

    assert translated(build)[0] == pytest.approx(X * 16)


def test_what_follows_a_break_is_done_in_every_round() -> None:
    """Paddle puts it into a condition, and the list of the round that breaks would be shorter."""

    def build(program: Program) -> list[str]:
        start(program)
        number(program, "stop", 0, "bool")
        number(program, "limit", 3, "float32")
        program.add_variable("large", [-1, 3], "bool")
        for name in ("any", "stopped", "goes_on"):
            program.add_variable(name, [], "bool")
        program.add_variable("mask", [], "int32")
        program.add_variable("longer", [-1, -1], "float32")
        program.add_variable("all", [-1, -1], "float32")
        add(program, "assign", {"X": "x"}, {"Out": "all"}, 0)

        def body(program: Program, block: int) -> None:
            doubling(program, block)
            add(program, "greater_than", {"X": "y", "Y": "limit"}, {"Out": "large"}, block, axis=-1)
            settings = {"reduce_all": True, "dim": [], "keep_dim": False}
            add(program, "reduce_any", {"X": "large"}, {"Out": "any"}, block, **settings)
            number(program, "true", 1, "bool", block)
            kinds = {"in_dtype": BOOL, "out_dtype": DTYPES["int32"][0]}
            add(program, "cast", {"X": "any"}, {"Out": "mask"}, block, **kinds)
            inputs = {"Mask": "mask", "X": ["stop", "true"]}
            add(program, "select_input", inputs, {"Out": "stopped"}, block)
            add(program, "assign", {"X": "stopped"}, {"Out": "stop"}, block)
            add(program, "logical_not", {"X": "stop"}, {"Out": "goes_on"}, block)
            inner = program.add_block(block)
            add(program, "concat", {"X": ["all", "y"]}, {"Out": "longer"}, inner, axis=1)
            add(program, "assign", {"X": "longer"}, {"Out": "all"}, inner)
            add(
                program, "conditional_block", {"Cond": "goes_on"}, {"Out": "all"}, block,
                sub_block=inner,
            )  # fmt: skip

        loop(program, 3, body, early="stop")
        return ["all"]

    assert translated(build)[0] == pytest.approx(np.concatenate([X, 2 * X, 4 * X, 8 * X], 1))


def test_loop_whose_end_depends_on_the_input_is_refused() -> None:
    def build(program: Program) -> list[str]:
        start(program)
        program.add_variable("more", [], "bool")
        program.add_variable("positive", [-1, 3], "bool")
        number(program, "limit", 9, "float32")
        settings = {"reduce_all": True, "dim": [], "keep_dim": False}

        def condition(block: int) -> None:
            add(program, "less_than", {"X": "y", "Y": "limit"}, {"Out": "positive"}, block, axis=-1)
            add(program, "reduce_all", {"X": "positive"}, {"Out": "more"}, block, **settings)

        condition(0)
        block = program.add_block(0)
        doubling(program, block)
        condition(block)
        add(program, "while", {"Condition": "more"}, {}, 0, sub_block=block)
        return ["y"]

    with pytest.raises(TranslationError, match=r"while .*: the number of its rounds follows"):
        translated(build)


def test_loop_of_too_many_operators_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(program: Program) -> list[str]:
        start(program)
        loop(program, 100, doubling)
        return ["y"]

    monkeypatch.setattr(program_graph, "MOST_OPERATORS", 400)
    with pytest.raises(TranslationError, match="unrolled into more than 400 operators"):
        translated(build)


@pytest.mark.parametrize("block", [0, 1, 7])
def test_block_that_is_none_or_runs_itself_is_an_error(block: int) -> None:
    def build(program: Program) -> list[str]:
        start(program)
        loop(program, 3, doubling)
        for desc in program.desc.blocks[1].ops:
            if desc.type == "scale":
                desc.type = "while"
                del desc.inputs[:], desc.outputs[:]
                desc.inputs.add(parameter="Condition", arguments=["more"])
                desc.attrs.add(name="sub_block", type=8, block_idx=block)
        return ["y"]

    with pytest.raises(ConverterError):
        translated(build)


def choice(program: Program, condition: str, block_of: dict[bool, float]) -> None:
    """Add `z = x + a` where the condition is true and `z = x + b` elsewhere."""
    program.add_variable("not", [], "bool")
    add(program, "logical_not", {"X": condition}, {"Out": "not"}, 0)
    for holds, name in ((True, condition), (False, "not")):
        block = program.add_block(0)
        target = f"z{holds}"
        program.add_variable(target, [-1, 3], "float32")
        settings = {"scale": 1.0, "bias": block_of[holds], "bias_after_scale": True}
        add(program, "scale", {"X": "x"}, {"Out": target}, block, **settings)
        add(program, "conditional_block", {"Cond": name}, {"Out": target}, 0, sub_block=block)
    program.add_variable("mask", [], "int32")
    kinds = {"in_dtype": BOOL, "out_dtype": DTYPES["int32"][0]}
    add(program, "cast", {"X": condition}, {"Out": "mask"}, 0, **kinds)
    program.add_variable("z", [-1, 3], "float32")
    add(program, "select_input", {"Mask": "mask", "X": ["zFalse", "zTrue"]}, {"Out": "z"}, 0)


@pytest.mark.parametrize("value", [True, False])
def test_branch_of_a_known_condition_is_written_alone(value: bool) -> None:
    def build(program: Program) -> list[str]:
        number(program, "condition", value, "bool")
        choice(program, "condition", {True: 10.0, False: 20.0})
        return ["z"]

    assert translated(build)[0] == pytest.approx(X + (10 if value else 20))


def test_condition_that_depends_on_the_input_chooses_when_the_graph_runs() -> None:
    def build(program: Program) -> list[str]:
        program.add_variable("sum", [], "float32")
        settings = {"reduce_all": True, "dim": [], "keep_dim": False}
        add(program, "reduce_sum", {"X": "x"}, {"Out": "sum"}, 0, **settings)
        number(program, "zero", 0, "float32")
        program.add_variable("condition", [], "bool")
        add(program, "greater_than", {"X": "sum", "Y": "zero"}, {"Out": "condition"}, 0, axis=-1)
        choice(program, "condition", {True: 10.0, False: 20.0})
        return ["z"]

    assert X.sum() > 0
    assert translated(build)[0] == pytest.approx(X + 10)
    assert translated(build, -X)[0] == pytest.approx(20 - X)


def test_list_that_a_condition_of_the_input_changes_is_refused() -> None:
    def build(program: Program) -> list[str]:
        program.add_variable("sum", [], "float32")
        settings = {"reduce_all": True, "dim": [], "keep_dim": False}
        add(program, "reduce_sum", {"X": "x"}, {"Out": "sum"}, 0, **settings)
        number(program, "zero", 0, "float32")
        number(program, "first", 0)
        program.add_variable("condition", [], "bool")
        add(program, "greater_than", {"X": "sum", "Y": "zero"}, {"Out": "condition"}, 0, axis=-1)
        block = program.add_block(0)
        add(program, "write_to_array", {"X": "x", "I": "first"}, {"Out": "list"}, block)
        add(program, "conditional_block", {"Cond": "condition"}, {}, 0, sub_block=block)
        program.add_variable("length", [], "int64")
        add(program, "lod_array_length", {"X": "list"}, {"Out": "length"}, 0)
        return ["length"]

    with pytest.raises(TranslationError, match="whether it changes a list is known only when"):
        translated(build)


@pytest.mark.parametrize("stacked", [False, True])
def test_values_of_a_list_are_joined(stacked: bool) -> None:
    def build(program: Program) -> list[str]:
        start(program)
        program.add_variable("length", [], "int64")

        def body(program: Program, block: int) -> None:
            add(program, "lod_array_length", {"X": "list"}, {"Out": "length"}, block)
            add(program, "write_to_array", {"X": "y", "I": "length"}, {"Out": "list"}, block)
            doubling(program, block)

        loop(program, 3, body)
        number(program, "last", 2)
        for name, shape in (("joined", [-1, -1, -1][: 2 + stacked]), ("item", [-1, 3])):
            program.add_variable(name, shape, "float32")
        settings = {"axis": 1, "use_stack": stacked}
        add(program, "tensor_array_to_tensor", {"X": "list"}, {"Out": "joined"}, 0, **settings)
        add(program, "read_from_array", {"X": "list", "I": "last"}, {"Out": "item"}, 0)
        return ["joined", "item"]

    joined, item = translated(build)
    parts = [X, 2 * X, 4 * X]
    assert joined == pytest.approx(np.stack(parts, 1) if stacked else np.concatenate(parts, 1))
    assert item == pytest.approx(4 * X)


@pytest.mark.parametrize(("offset", "padding"), [(0, 0.0), (1, -7.5), (-2, 2.0)])
def test_list_becomes_a_diagonal(offset: int, padding: float) -> None:
    def build(program: Program) -> list[str]:
        program.add_variable("row", [3], "float32")
        first: dict[str, Any] = {"axes": [0], "starts": [0], "ends": [1], "decrease_axis": [0]}
        add(program, "slice", {"Input": "x"}, {"Out": "row"}, 0, **first)
        size = 3 + abs(offset)
        program.add_variable("matrix", [size, size], "float32")
        settings = {"offset": offset, "padding_value": padding}
        add(program, "diag_v2", {"X": "row"}, {"Out": "matrix"}, 0, **settings)
        return ["matrix"]

    expected = np.full((3 + abs(offset),) * 2, padding)
    rows = np.arange(3)
    expected[rows + max(-offset, 0), rows + max(offset, 0)] = X[0]
    assert translated(build)[0] == pytest.approx(expected)


def summing(program: Program, axis: int) -> list[str]:
    """Add a loop that adds `x` to `y` as often as `x` is long along an axis."""
    start(program)
    number(program, "i", 0)
    program.add_variable("sizes", [2], "int32")
    program.add_variable("size", [], "int32")
    program.add_variable("end", [], "int64")
    for name in ("more", "next"):
        program.add_variable(name, [], "bool" if name == "more" else "int64")
    add(program, "shape", {"Input": "x"}, {"Out": "sizes"}, 0)
    part = {"axes": [0], "starts": [axis], "ends": [axis + 1], "decrease_axis": [0]}
    add(program, "slice", {"Input": "sizes"}, {"Out": "size"}, 0, **part)
    kinds = {"in_dtype": DTYPES["int32"][0], "out_dtype": INT}
    add(program, "cast", {"X": "size"}, {"Out": "end"}, 0, **kinds)
    add(program, "less_than", {"X": "i", "Y": "end"}, {"Out": "more"}, 0, axis=-1)
    block = program.add_block(0)
    program.add_variable("sum", [-1, 3], "float32")
    add(program, "elementwise_add", {"X": "y", "Y": "x"}, {"Out": "sum"}, block, axis=-1)
    add(program, "assign", {"X": "sum"}, {"Out": "y"}, block)
    settings = {"scale": 1.0, "bias": 1.0, "bias_after_scale": True}
    add(program, "scale", {"X": "i"}, {"Out": "next"}, block, **settings)
    add(program, "assign", {"X": "next"}, {"Out": "i"}, block)
    add(program, "less_than", {"X": "i", "Y": "end"}, {"Out": "more"}, block, axis=-1)
    add(program, "while", {"Condition": "more"}, {}, 0, sub_block=block)
    return ["y"]


def test_loop_over_the_pictures_of_a_batch_is_written_for_one() -> None:
    program = network({"x": ([-1, 3], "float32")}, lambda program: summing(program, 0))
    model = write(program, source="program")
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [1, 3]
    assert run(model.SerializeToString(), [X[:1]])[0] == pytest.approx(2 * X[:1])


def test_inputs_with_a_fixed_first_size_keep_it() -> None:
    inputs = {"x": ([-1, 3], "float32"), "table": ([4, 3], "float32"), "factor": ([], "float32")}
    program = network(inputs, lambda program: summing(program, 0))
    model = write(program, source="program")
    sizes = [item.type.tensor_type.shape.dim for item in model.graph.input]
    assert [[size.dim_value for size in each] for each in sizes] == [[1, 3], [4, 3], []]


def test_loop_whose_rounds_follow_another_size_is_refused() -> None:
    program = network({"x": ([-1, -1], "float32")}, lambda program: summing(program, 1))
    with pytest.raises(TranslationError, match=r"while .*: the number of its rounds follows"):
        write(program, source="program")


def test_a_branch_without_a_value_is_never_taken() -> None:
    """Paddle 2.6 gives a number where a branch leaves a variable as it is."""

    def build(program: Program) -> list[str]:
        number(program, "y", 0, "float32")
        number(program, "limit", 100, "float32")
        program.add_variable("large", [-1, 3], "bool")
        program.add_variable("any", [], "bool")
        program.add_variable("mask", [], "int32")
        for name in ("twice", "chosen", "first", "second"):
            program.add_variable(name, [-1, 3], "float32")
        add(program, "greater_than", {"X": "x", "Y": "limit"}, {"Out": "large"}, 0, axis=-1)
        settings = {"reduce_all": True, "dim": [], "keep_dim": False}
        add(program, "reduce_any", {"X": "large"}, {"Out": "any"}, 0, **settings)
        block = program.add_block(0)
        add(program, "elementwise_add", {"X": "x", "Y": "x"}, {"Out": "y"}, block, axis=-1)
        add(program, "assign", {"X": "y"}, {"Out": "first"}, block)
        outputs = {"Out": ["y", "first"]}
        add(program, "conditional_block", {"Cond": "any"}, outputs, 0, sub_block=block)
        number(program, "second", 0, "float32", 0)
        kinds = {"in_dtype": BOOL, "out_dtype": DTYPES["int32"][0]}
        add(program, "cast", {"X": "any"}, {"Out": "mask"}, 0, **kinds)
        inputs = {"Mask": "mask", "X": ["second", "first"]}
        add(program, "select_input", inputs, {"Out": "chosen"}, 0)
        return ["chosen", "y"]

    for found in translated(build):
        assert found == pytest.approx(2 * X)
