"""The gate and the tuning with OpenVINO, a provider besides the CPU that works without a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import edgeocr
from edgeocr import OCR, Bundle, RuntimeOptions
from edgeocr.bench.pictures import inspect, samples
from edgeocr.cli.main import main
from edgeocr.runtime.diagnosis import distributions
from edgeocr.runtime.providers import PROVIDERS
from edgeocr.tuned.record import Candidate, TunedStage
from edgeocr.tuning.candidates import references_of
from edgeocr.tuning.gate import Reference, checked, way_of
from edgeocr.tuning.preparing import request_for
from edgeocr.tuning.process import Readers
from tests.support.tuned import tune

pytestmark = pytest.mark.openvino

STAGES = Bundle.default().manifest.stages.present
BF16 = dict(PROVIDERS["openvino"].alternatives["bf16"])


@pytest.fixture(scope="module", autouse=True)
def environment() -> None:
    if "onnxruntime-openvino" not in distributions():
        pytest.fail("needs onnxruntime-openvino in the environment", pytrace=False)


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers(request_for(Bundle.default(), RuntimeOptions(), inspect(samples()))) as readers:
        yield readers


@pytest.fixture(scope="module")
def reference(readers: Readers) -> Reference:
    return Reference.of(readers.open_reference(references_of(STAGES), None), len(samples()))


@pytest.mark.parametrize("stage", list(STAGES))
def test_openvino_in_float32_passes_in_each_stage(
    stage: str, reference: Reference, readers: Readers
) -> None:
    candidate = Candidate("openvino", "fp32")
    way = way_of(stage, candidate, references_of(STAGES), None)
    tried, reader = checked(reference, readers.open, candidate, way)
    assert tried.verdict == "right" and reader is not None
    others = {name: "cpu" for name in STAGES if name != stage}
    assert reader.providers == {**others, stage: "openvino"}
    reader.close()


@pytest.mark.parametrize("name", list(PROVIDERS["openvino"].alternatives))
def test_the_hints_of_reduced_precision_are_understood(
    name: str, reference: Reference, readers: Readers
) -> None:
    candidate = Candidate("openvino", "fp32", dict(PROVIDERS["openvino"].alternatives[name]))
    way = way_of("recognition", candidate, references_of(STAGES), None)
    tried, reader = checked(reference, readers.open, candidate, way)
    assert tried.verdict in ("right", "refused") and tried.agreement is not None
    if reader is not None:
        reader.close()


def test_an_option_that_openvino_refuses_is_a_failure(
    reference: Reference, readers: Readers
) -> None:
    candidate = Candidate("openvino", "fp32", {"precision": "FP16"})
    way = way_of("detection", candidate, references_of(STAGES), None)
    tried, reader = checked(reference, readers.open, candidate, way)
    assert reader is None and tried.verdict == "failed"
    assert tried.problem is not None and "provider 'openvino' did not start" in tried.problem


def test_auto_obeys_a_choice_with_options_in_one_stage_alone(
    tmp_path: Path, pictures: Path
) -> None:
    path = Path(tmp_path, "reader.edgeocr")
    path.write_bytes(Bundle.default_path().read_bytes())
    choice = TunedStage(Candidate("openvino", "fp32", BF16), "fast")
    tune(path, detection=choice)
    with OCR(path) as ocr:
        assert ocr.providers == {
            "detection": "openvino", "orientation": "cpu", "recognition": "cpu"
        }  # fmt: skip
        assert "NO PARKING" in ocr.read(pictures / "sample.jpg").text


def test_a_tuning_tries_openvino_and_is_never_slower(tmp_path: Path) -> None:
    path = Path(tmp_path, "reader.edgeocr")
    path.write_bytes(Bundle.default_path().read_bytes())
    tuning = edgeocr.tune(path, seconds=60)
    tried = [str(each.candidate) for each in tuning.stages["detection"].tried]
    assert tried[:2] == ["cpu fp32", "openvino fp32"]
    assert tuning.path == path.with_name("reader.tuned.json")
    if tuning.kept:
        assert tuning.ratio is not None and tuning.ratio.middle <= 0.97
    else:
        assert all(stage.choice is None for stage in tuning.stages.values())
    with OCR(path) as ocr:
        for name, stage in tuning.stages.items():
            assert ocr.providers[name] == ("cpu" if stage.choice is None else stage.choice.provider)


def test_warm_says_what_each_stage_runs_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warm", "--provider", "orientation=openvino"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "detection=cpu fp32, orientation=openvino fp32, recognition=cpu fp32"
