"""Declarations that two maps have the same size."""

import onnx
from onnx import TensorProto, helper

from converters.graph.editor import Editor
from converters.optimize import equal_sizes, optimize
from tests.support.rewrite_graphs import Build, pixels, require_same


def declared(model: onnx.ModelProto) -> dict[str, list[str | int]]:
    return {
        item.name: [each.dim_param or each.dim_value for each in item.type.tensor_type.shape.dim]
        for item in model.graph.value_info
    }


def two_maps() -> onnx.ModelProto:
    build = Build()
    build.conv("x", 3, 4, to="a")
    build.conv("x", 3, 4, to="b")
    build.add("Add", "a", "b", to="y")
    return onnx.load_from_string(build.model({"x": ["N", 3, "H", "W"]}, ["y"]))


def test_maps_get_the_same_names_for_their_sizes():
    model = two_maps()
    equal_sizes.declare(Editor(model), ["a", "b"], 4, "y")
    sizes: list[str | int] = ["N", 4, "y.rows", "y.columns"]
    assert declared(model) == {"a": sizes, "b": sizes}
    onnx.checker.check_model(model, full_check=True)
    require_same(two_maps().SerializeToString(), model.SerializeToString(), pixels(2, 3, 4, 5))


def test_only_these_declarations_of_computed_values_stay():
    model = two_maps()
    equal_sizes.declare(Editor(model), ["a", "gone"], 4, "y")
    model.graph.value_info.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, None))
    shape: list[str | int | None] = ["N", 4, "H", "W"]
    model.graph.value_info.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, shape))
    equal_sizes.remove_others(model.graph)
    assert list(declared(model)) == ["a"]


def test_optimizing_keeps_them():
    model = two_maps()
    equal_sizes.declare(Editor(model), ["a", "b"], 4, "y")
    after, made = optimize(model.SerializeToString())
    assert made == []
    assert declared(onnx.load_from_string(after)) == declared(model)
