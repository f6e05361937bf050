"""The gate with real processes: a graph that is wrong, and processes that fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgeocr import Bundle, EdgeOCRError, RuntimeOptions
from edgeocr.bench.pictures import inspect
from edgeocr.tuned.record import Candidate, Tried, TunedStage
from edgeocr.tuning import process
from edgeocr.tuning.candidates import candidates, references_of, usual
from edgeocr.tuning.gate import Reference, References, checked, refusal, way_of
from edgeocr.tuning.preparing import request_for
from edgeocr.tuning.process import Readers
from edgeocr.tuning.way import Way
from tests.support.packing import Files, packed
from tests.support.tuned import tune
from tests.support.variants import NEEDED, cpu_has, fleet, wrong

INT8 = Candidate("cpu", "int8")


@pytest.fixture(scope="module")
def path(embedded_files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose int8 graph of recognition reads something else."""
    graph = wrong(embedded_files["graphs/recognition.onnx"])
    return packed(fleet(embedded_files, graph), tmp_path_factory.mktemp("wrong") / "wrong.edgeocr")


@pytest.fixture(scope="module")
def bundle(path: Path) -> Bundle:
    return Bundle.open(path, all_graphs=False)


@pytest.fixture
def readers(bundle: Bundle, pictures: Path) -> Iterator[Readers]:
    found = inspect([pictures / "sample.jpg"])
    with Readers(request_for(bundle, RuntimeOptions(), found)) as readers:
        yield readers


@pytest.fixture(scope="module")
def reference(bundle: Bundle, pictures: Path) -> Reference:
    request = request_for(bundle, RuntimeOptions(), inspect([pictures / "sample.jpg"]))
    with Readers(request) as readers:
        reader = readers.open_reference(references_of(bundle.manifest.stages.present), 1)
        assert reader.variants == {"recognition": "fp32"}
        return Reference.of(reader, 1)


def way(bundle: Bundle, candidate: Candidate) -> Way:
    return way_of("recognition", candidate, references_of(bundle.manifest.stages.present), 1)


def test_a_graph_that_is_wrong_is_refused_with_figures(
    bundle: Bundle, reference: Reference, readers: Readers
) -> None:
    tried, reader = checked(reference, readers.open, INT8, way(bundle, INT8))
    assert reader is None and tried.verdict == "refused" and tried.agreement is not None
    lines = reference.lines
    assert tried.agreement.lines == lines and tried.agreement.same < lines / 2
    assert refusal("recognition", tried).startswith(
        f"recognition on cpu int8: it reads {tried.agreement.different} of "
    )


def test_what_reads_the_same_passes(bundle: Bundle, reference: Reference, readers: Readers) -> None:
    candidate = Candidate("cpu", "fp32")
    tried, reader = checked(reference, readers.open, candidate, way(bundle, candidate))
    assert reader is not None and tried.verdict == "right" and tried.problem is None
    assert tried.agreement == reference.own_agreement
    assert reader.providers["recognition"] == "cpu" and reader.threads == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.abort()", "was killed by signal 6 SIGABRT"),
        ("import time; time.sleep(60)", "has hung: it sent nothing for 0.5 seconds"),
        ("raise SystemExit('libnvinfer is missing')", "libnvinfer is missing"),
        (
            "import sys; sys.path[:] = sys.argv[1:]; sys.stdin.readline(); "
            'print(\'{"done": {"providers": {}, "variants": {}, "threads": 1}}\', flush=True); '
            'sys.stdin.readline(); print(\'{"error": "the device is lost"}\', flush=True)',
            "the device is lost",
        ),
    ],
)
def test_a_process_that_fails_is_a_candidate_that_failed(
    bundle: Bundle,
    reference: Reference,
    readers: Readers,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    said: str,
) -> None:
    monkeypatch.setattr(process, "WORKER", code)
    tried, reader = checked(
        reference, readers.open, INT8, way(bundle, INT8), 0.5 if "sleep" in code else 20
    )
    assert reader is None and tried.verdict == "failed" and tried.unfit
    assert tried.problem is not None and said in tried.problem


def test_a_process_obeys_the_tuned_file_that_it_is_given(
    path: Path, bundle: Bundle, readers: Readers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    file = tune(path, recognition=TunedStage(Candidate("cpu", "int8"), "fast"))
    moved = file.rename(tmp_path / "other.tuned.json")
    reader = readers.open(Way(tuned=str(moved)), 60.0)
    assert reader.variants == {"recognition": "int8"}
    refused = Tried(INT8, "refused", problem="wrong")
    file = tune(path, recognition=TunedStage(None, "", [refused]))
    moved = file.rename(tmp_path / "default.tuned.json")
    assert readers.open(Way(tuned=str(moved)), 60.0).variants == {"recognition": "fp32"}


def test_a_picture_that_only_the_reference_reads_is_a_failure(
    bundle: Bundle, reference: Reference, pictures: Path, tmp_path: Path
) -> None:
    request = request_for(bundle, RuntimeOptions(), inspect([pictures / "sample.jpg"]))
    lost = tmp_path / "lost.jpg"
    with Readers(replace(request, images=[str(lost)])) as readers:
        tried, _ = checked(reference, readers.open, INT8, way(bundle, INT8))
    assert tried.verdict == "failed" and tried.problem is not None and "lost.jpg" in tried.problem


def test_pictures_without_text_compare_nothing(bundle: Bundle, tmp_path: Path) -> None:
    import cv2
    import numpy as np

    white = tmp_path / "white.png"
    assert cv2.imwrite(str(white), np.full((64, 64, 3), 255, np.uint8))
    with Readers(request_for(bundle, RuntimeOptions(), inspect([white]))) as readers:
        reader = readers.open_reference(references_of(bundle.manifest.stages.present), 1)
        with pytest.raises(EdgeOCRError, match="give pictures with text"):
            Reference.of(reader, 1)


def test_no_picture_at_all_is_an_error(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(EdgeOCRError, match=r"there is no picture to read: .*gone\.png"):
        request_for(bundle, RuntimeOptions(), inspect([tmp_path / "gone.png"]))


def test_the_candidates_are_the_graphs_and_providers_that_suit(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu_has(monkeypatch, *NEEDED)
    stage = bundle.manifest.stages.present["recognition"]
    found = candidates(stage, ["openvino", "cpu"], lambda _: True)
    assert [str(each) for each in found[:3]] == ["cpu fp32", "cpu int8", "openvino fp32"]
    assert all(each.provider == "openvino" and each.options for each in found[3:])
    only = candidates(stage, ["cuda"], lambda each: not each.options)
    assert [str(each) for each in only] == ["cpu fp32", "cuda fp32"]
    order = usual(stage, ["cpu", "openvino", "cuda"], lambda _: True)
    assert [str(each) for each in order] == ["cuda fp32", "cpu int8", "cpu fp32"]
    cpu_has(monkeypatch)
    assert [str(each) for each in candidates(stage, ["cpu"], lambda _: True)] == ["cpu fp32"]


def test_providers_with_fixed_shapes_are_compared_with_the_cpu_in_the_same_shapes(
    reference: Reference,
) -> None:
    asked: list[frozenset[str]] = []
    fixed = replace(reference)

    def read(stages: frozenset[str]) -> Reference:
        asked.append(stages)
        return fixed

    references = References(reference, read)
    assert references.beside({"detection": "cpu", "recognition": "xnnpack"}) is reference
    for _ in range(2):
        assert references.beside({"detection": "cuda", "recognition": "cpu"}) is fixed
    assert asked == [frozenset({"detection"})]


@pytest.mark.parametrize(("wish", "fixed"), [(None, True), (False, False)])
def test_a_reference_has_fixed_shapes_in_the_stages_that_are_named(
    bundle: Bundle, pictures: Path, wish: bool | None, fixed: bool
) -> None:
    options = RuntimeOptions(fixed_shapes=wish)
    request = request_for(bundle, options, inspect([pictures / "badge.jpg"]))
    usual = Way.of(references_of(bundle.manifest.stages.present), 1)
    with request.exactly(replace(usual, fixed=["detection"])).open() as ocr:
        assert ocr.providers["detection"] == "cpu"
        assert ocr.stages["detection"].session.fixed_shapes is fixed
        assert not ocr.stages["recognition"].session.fixed_shapes
