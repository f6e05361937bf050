"""An `OCR` opens the graph that suits this device, reads no other one, and falls back."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr import OCR, Bundle, BundleError, GraphError, RuntimeOptions
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.bundle.archive import Archive
from edgeocr.bundle.folder import Folder
from edgeocr.device.cpus import available_threads
from edgeocr.images import Image
from edgeocr.recognize import Recognizer
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.providers import PROVIDERS
from edgeocr.stages import opening
from edgeocr.tuned.record import Candidate, Tried, TunedStage
from edgeocr.variants import taking
from tests.support.packing import Files, folder, packed
from tests.support.tuned import tune
from tests.support.variants import INT8, NEEDED, broken, cpu_has, fleet, variant

OWN, OTHER = "graphs/recognition.onnx", INT8["graph"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache of the test's own, and a CPU with the instructions for int8."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cpu_has(monkeypatch, *NEEDED)


@pytest.fixture
def crop(pictures: Path, labels: dict[str, list[LabelledLine]]) -> Image:
    """The first line of a picture."""
    image = cv2.imread(str(pictures / "badge.jpg"))
    assert image is not None
    left, top, width, height = cv2.boundingRect(
        np.array(labels["badge.jpg"][0].polygon, np.float32)
    )
    return np.ascontiguousarray(image[top : top + height, left : left + width])


@pytest.fixture
def path(embedded_files: Files, tmp_path: Path) -> Path:
    return packed(fleet(embedded_files), tmp_path / "fleet.edgeocr")


def opened(path: Path | Bundle, variant: object = None, provider: str = "cpu") -> OCR:
    options = RuntimeOptions(variant=variant)  # type: ignore[arg-type]
    return OCR(path, provider=provider, threads=1, orientation=False, runtime=options)


@pytest.mark.parametrize("provider", ["cpu", "auto"])
def test_the_features_of_the_cpu_decide(
    monkeypatch: pytest.MonkeyPatch, path: Path, provider: str
) -> None:
    with opened(path, provider=provider) as ocr:
        assert ocr.variants == {"recognition": "int8"}
        assert ocr.variant_reasons == {"recognition": "int8, the CPU has avx512_vnni"}
        assert ocr.providers["recognition"] == "cpu" and ocr.skipped_providers == ()
    cpu_has(monkeypatch)
    with opened(path, provider=provider) as ocr:
        assert ocr.variants == {"recognition": "fp32"}


def test_each_graph_reads_as_a_bundle_with_this_graph_alone(
    path: Path, crop: Image, embedded_files: Files, tmp_path: Path
) -> None:
    alone = packed(fleet(embedded_files, added=[]), tmp_path / "alone.edgeocr")
    with opened(alone) as one, opened(path, "fp32") as pinned, opened(path, "int8") as other:
        assert one.variants == {}
        full, less = pinned.recognize([crop])[0], other.recognize([crop])[0]
        assert full == one.recognize([crop])[0]
        assert less.score != full.score
        assert pinned.variant_reasons == {"recognition": "fp32, pinned by the caller"}


@pytest.mark.parametrize("form", ["file", "folder"])
@pytest.mark.parametrize(("pin", "taken"), [(None, OTHER), ("fp32", OWN)])
def test_only_the_graph_that_is_taken_is_read(
    monkeypatch: pytest.MonkeyPatch,
    embedded_files: Files,
    tmp_path: Path,
    form: str,
    pin: str | None,
    taken: str,
) -> None:
    files = fleet(embedded_files)
    path = (
        packed(files, tmp_path / "a.edgeocr") if form == "file" else folder(files, tmp_path / "a")
    )
    read: list[str] = []
    for kind in (Archive, Folder):
        original = kind.read

        def spy(self: object, name: str, original: object = original) -> bytes:
            read.append(name)
            return original(self, name)  # type: ignore[operator]

        monkeypatch.setattr(kind, "read", spy)
    with opened(path, pin):
        assert len(read) == len(set(read))
        assert {OWN, OTHER} & set(read) == {taken}
    read.clear()
    Bundle.open(path)
    assert sorted(read) == sorted({*files} - {"signature.json"})


def test_a_damaged_graph_is_an_error_once_it_is_wanted(
    embedded_files: Files, tmp_path: Path
) -> None:
    files = fleet(embedded_files)
    files[OTHER] = files[OTHER][:-1] + bytes([files[OTHER][-1] ^ 1])
    path = packed(files, tmp_path / "a.edgeocr")
    with opened(path, "fp32") as ocr:
        assert ocr.variants == {"recognition": "fp32"}
    with pytest.raises(BundleError, match=rf"a\.edgeocr: {OTHER} is not the file that was frozen"):
        opened(path)
    with pytest.raises(BundleError, match="is not the file that was frozen"):
        Bundle.open(path)


def test_a_bundle_that_is_replaced_between_opening_and_reading_is_refused(
    path: Path, embedded_files: Files
) -> None:
    bundle = Bundle.open(path, all_graphs=False)
    packed(fleet(embedded_files, embedded_files[OWN]), path)
    with pytest.raises(BundleError, match=f"{OTHER} is not the file that was frozen"):
        opened(bundle)


def test_a_graph_that_does_not_start_is_replaced_by_the_next(
    embedded_files: Files, tmp_path: Path
) -> None:
    graph = broken(embedded_files[OWN])
    path = packed(fleet(embedded_files, graph), tmp_path / "a.edgeocr")
    for provider in ("cpu", "auto"):
        with opened(path, provider=provider) as ocr:
            assert ocr.variants == {"recognition": "fp32"} and ocr.skipped_providers == ()
            assert "not int8: ONNX Runtime can't load" in ocr.variant_reasons["recognition"]
    with pytest.raises(GraphError, match="can't load the graph"):
        opened(path, "int8")


@pytest.mark.parametrize("provider", ["cpu", "auto"])
def test_graphs_none_of_which_can_be_loaded_are_a_fault_of_the_bundle(
    embedded_files: Files, tmp_path: Path, provider: str
) -> None:
    graph = broken(embedded_files[OWN])
    path = packed(fleet({**embedded_files, OWN: graph}, graph), tmp_path / "a.edgeocr")
    with pytest.raises(GraphError, match="can't load the graph"):
        opened(path, provider=provider)


def test_providers_that_do_not_start_are_skipped_with_one_reason_each(
    monkeypatch: pytest.MonkeyPatch, embedded_files: Files, tmp_path: Path
) -> None:
    added = [variant("recognition", "fp16", providers=["openvino", "cuda"]), INT8]
    path = packed(fleet(embedded_files, added=added), tmp_path / "a.edgeocr")
    monkeypatch.setattr(taking, "built_in", lambda: ["cuda", "cpu"])
    with opened(path, provider="auto") as ocr:
        assert ocr.variants == {"recognition": "int8"}
        (reason,) = ocr.skipped_providers
        assert "'cuda'" in reason
        assert ocr.variant_reasons["recognition"].endswith(
            "; not fp16: it is for openvino and cuda, not for cpu"
        )


FASTER = TunedStage(Candidate("cpu", "fp32"), "3.0 ms against 4.0 ms of cpu int8")
REFUSED = TunedStage(tried=[Tried(Candidate("cpu", "int8"), "refused", problem="it reads rubbish")])


@pytest.mark.parametrize("provider", ["cpu", "auto"])
def test_what_was_tuned_is_taken(path: Path, provider: str) -> None:
    tune(path, recognition=FASTER)
    with opened(path, provider=provider) as ocr:
        assert ocr.variant_reasons["recognition"] == (
            "fp32, tuned: 3.0 ms against 4.0 ms of cpu int8"
        )
        assert str(ocr.tuning).startswith(f"{path.parent / 'fleet.tuned.json'}, made ")
    with opened(path, {"recognition": "int8"}, provider) as ocr:
        assert ocr.variants == {"recognition": "int8"}
    options = RuntimeOptions(tuned=False)
    with OCR(path, provider=provider, threads=1, orientation=False, runtime=options) as ocr:
        assert ocr.variants == {"recognition": "int8"}


@pytest.mark.parametrize("provider", ["cpu", "auto"])
def test_what_was_refused_is_not_taken(path: Path, provider: str) -> None:
    tune(path, recognition=REFUSED)
    with opened(path, provider=provider) as ocr:
        assert ocr.variant_reasons["recognition"] == (
            "fp32, the stage's own graph; not int8: it reads rubbish"
        )


def test_the_last_resort_is_taken_whatever_was_found_out(path: Path) -> None:
    tried = [
        Tried(Candidate("cpu", precision), "failed", problem="no kernel")
        for precision in ("fp32", "int8")
    ]
    tune(path, recognition=TunedStage(tried=tried))
    with opened(path, provider="auto") as ocr:
        assert ocr.variants == {"recognition": "fp32"}


def test_what_nothing_is_known_of_may_be_taken(path: Path) -> None:
    unknown = Tried(Candidate("cpu", "int8"), "unmeasured", problem="no time left")
    tune(path, recognition=TunedStage(tried=[unknown]))
    with opened(path) as ocr:
        assert ocr.variants == {"recognition": "int8"}


def test_auto_goes_on_where_the_tuned_choice_does_not_start(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    chosen = TunedStage(Candidate("cuda", "fp32", {"device_id": "0"}), "it is faster")
    monkeypatch.setattr(taking, "built_in", lambda: ["cuda", "cpu"])
    tune(path, recognition=chosen)
    with opened(path, provider="auto") as ocr:
        assert ocr.providers["recognition"] == "cpu" and ocr.variants == {"recognition": "int8"}
        assert any("'cuda'" in reason for reason in ocr.skipped_providers)
    monkeypatch.setattr(taking, "built_in", lambda: ["cpu"])
    with opened(path, provider="auto") as ocr:
        assert ocr.providers["recognition"] == "cpu" and ocr.skipped_providers == ()


def test_a_refused_provider_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    monkeypatch.setattr(taking, "built_in", lambda: ["cuda", "cpu"])
    wrong = Tried(Candidate("cuda", "fp32"), "refused", problem="it reads rubbish")
    tune(path, detection=TunedStage(tried=[wrong]), recognition=TunedStage(tried=[wrong]))
    with opened(path, provider="auto") as ocr:
        assert ocr.skipped_providers == (
            "detection on cuda in fp32: it reads rubbish",
            "recognition on cuda in fp32: it reads rubbish",
        )


def test_the_options_of_the_tuned_choice_reach_its_stage_alone(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    placements = {}
    original = opening.open_stage

    def noted(name: str, *given: Any, placement: Placement, **more: Any) -> Any:
        placements[name] = placement.options.provider_options
        return original(name, *given, placement=placement, **more)

    monkeypatch.setattr(opening, "open_stage", noted)
    options = {"use_arena": "0"}
    known = replace(PROVIDERS["cpu"], alternatives={"no arena": options})
    chosen = TunedStage(Candidate("cpu", "fp32", options), "less memory")
    tune(path, recognition=chosen)
    with opened(path, provider="auto") as ocr:
        # An option that edgeocr doesn't try by itself could name a library to load.
        assert placements == {"detection": {}, "recognition": {}}
        assert ocr.variants == {"recognition": "int8"}
    monkeypatch.setattr(taking, "PROVIDERS", {**PROVIDERS, "cpu": known})
    with opened(path, provider="auto"):
        assert placements == {"detection": {}, "recognition": {"cpu": options}}


def test_threads_and_lines_in_a_run_are_as_tuned_unless_the_caller_chooses(path: Path) -> None:
    tune(path, recognition=FASTER, threads=1, batch=4)

    def read_with(**arguments: Any) -> tuple[int, int | None]:
        runtime = RuntimeOptions(**arguments.pop("runtime", {}))
        with OCR(path, orientation=False, runtime=runtime, **arguments) as ocr:
            recognizer = ocr.stages["recognition"]
            assert isinstance(recognizer, Recognizer)
            return ocr.threads, recognizer.most_together

    usual = available_threads()
    assert read_with() == (1, 4)
    assert read_with(threads=3) == (3, 4)
    assert read_with(runtime={"batch": 2}) == (1, 2)
    assert read_with(provider="cpu") == (usual, None)
    assert read_with(runtime={"variant": "fp32"}) == (usual, None)


def test_a_forked_child_takes_the_graph_of_its_parent(
    monkeypatch: pytest.MonkeyPatch, path: Path, crop: Image
) -> None:
    with opened(path) as ocr:
        expected = ocr.recognize([crop])
        tune(path, recognition=FASTER)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        assert ocr.recognize([crop]) == expected


def test_pages_say_which_graph_read_them(path: Path, pictures: Path, ocr: OCR) -> None:
    with opened(path) as own:
        page = own.read(pictures / "badge.jpg")
    assert page.variants == {"recognition": "int8"}
    assert page.to_dict()["variants"] == {"recognition": "int8"}
    assert type(page).from_dict(page.to_dict()).variants == page.variants
    assert "variants" not in ocr.read(pictures / "badge.jpg").to_dict()


def test_a_pin_that_the_bundle_lacks_is_refused(path: Path, bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="no stage of the bundle has a graph 'fp16'"):
        opened(path, "fp16")
    with pytest.raises(ValueError, match="no stage of the bundle has a graph 'int8'"):
        opened(bundle, "int8")
    with opened(bundle, "fp32") as ocr:
        assert ocr.variants == {}
