"""Which cells a measurement has, and which of them mean something."""

from __future__ import annotations

from edgeocr.bench.cell import Combination, Taken, names_of
from edgeocr.bench.matrix import Graphs, combinations, graphs_of, is_reference, planned
from edgeocr.bundle.manifest import Stage, Variant

ONE = {
    "detection": Stage(graph="d.onnx", model="det"),
    "recognition": Stage(graph="r.onnx", model="rec"),
}
SEVERAL = {
    "detection": Stage(graph="d.onnx", model="det"),
    "recognition": Stage(
        graph="r.onnx", model="rec", variants=[Variant(graph="r8.onnx", precision="int8")]
    ),
}
HALF = {
    "recognition": Stage(
        graph="r.onnx", model="rec", variants=[Variant(graph="r16.onnx", precision="fp16")]
    )
}


def test_every_combination_is_listed_once() -> None:
    found = combinations(["a", "b"], ["cpu", "cpu", "cuda"], ["fp32"], [1, 2])
    assert [(each.bundle, each.provider, each.threads) for each in found] == [
        *(("a", "cpu", 1), ("a", "cpu", 2), ("a", "cuda", 1), ("a", "cuda", 2)),
        *(("b", "cpu", 1), ("b", "cpu", 2), ("b", "cuda", 1), ("b", "cuda", 2)),
    ]


def test_names_say_what_differs() -> None:
    assert names_of(combinations(["a"], ["cpu", "cuda"], ["auto"], [None])) == ["cpu", "cuda"]
    assert names_of(combinations(["a", "b"], ["cpu"], ["fp32", "int8"], [1]))[:2] == [
        "a cpu fp32",
        "a cpu int8",
    ]
    threads = names_of(combinations(["a"], ["cpu"], ["auto"], [None, 1, 2]))
    assert threads == ["cpu default threads", "cpu 1 thread", "cpu 2 threads"]


def test_precision_means_the_graphs_that_have_it() -> None:
    int8 = graphs_of(SEVERAL, "cpu", "int8", ["cpu"])
    assert int8 == Graphs({"detection": "fp32", "recognition": "int8"}, fp16=False)
    assert graphs_of(SEVERAL, "cpu", "auto", ["cpu"]) == Graphs(None, fp16=False)
    fp32 = Graphs({"detection": "fp32", "recognition": "fp32"}, fp16=False)
    assert graphs_of(SEVERAL, "cpu", "fp32", ["cpu"]) == fp32


def test_fp16_is_a_graph_or_an_option_of_the_provider() -> None:
    own = {"detection": "fp32", "recognition": "fp32"}
    assert graphs_of(ONE, "cuda", "fp16", ["cuda", "cpu"]) == Graphs(own, fp16=True)
    assert graphs_of(HALF, "cpu", "fp16", ["cpu"]) == Graphs({"recognition": "fp16"}, fp16=False)
    # "auto" may take a provider with such an option only if there is one.
    assert graphs_of(ONE, "auto", "fp16", ["cuda", "cpu"]) == Graphs(own, fp16=True)
    refused = graphs_of(ONE, "auto", "fp16", ["cpu"])
    assert refused == (
        "no stage of the bundle has a graph in fp16, and auto has no option for it: "
        "detection has fp32, recognition has fp32"
    )


def test_combinations_that_mean_nothing_or_repeat_another_have_a_reason() -> None:
    cells = combinations(["one", "several"], ["cpu"], ["auto", "fp32", "int8"], [None])
    found = planned(cells, {"one": ONE, "several": SEVERAL}, ["cpu"])
    assert found[1] == "it runs the same graphs as auto, which is measured"
    assert isinstance(found[2], str) and "has a graph in int8" in found[2]
    assert [isinstance(each, Graphs) for each in found] == [True, False, False, True, True, True]
    # Other threads are another combination.
    cells = [Combination("one", "cpu", "auto", threads) for threads in (1, 2)]
    assert all(isinstance(each, Graphs) for each in planned(cells, {"one": ONE}, ["cpu"]))


def test_reference_runs_fp32_on_the_cpu_in_all_stages() -> None:
    on_cpu = Taken("cpu", "fp32")
    assert is_reference({"detection": on_cpu, "recognition": on_cpu}, SEVERAL)
    assert not is_reference({"detection": on_cpu, "recognition": Taken("cpu", "int8")}, SEVERAL)
    assert not is_reference({"detection": Taken("cuda", "fp32")}, SEVERAL)
    quantized = {"recognition": Stage(graph="r.onnx", model="rec", precision="int8")}
    assert is_reference({"recognition": Taken("cpu", "int8")}, quantized)
