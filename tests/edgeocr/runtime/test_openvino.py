"""OpenVINO on the CPU, which is a second provider that works without a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr import OCR, ProviderUnavailableError
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.runtime.diagnosis import distributions
from edgeocr.runtime.options import RuntimeOptions
from tests.support.labelled import labelled_texts_read

pytestmark = pytest.mark.openvino


@pytest.fixture(scope="module", autouse=True)
def environment() -> None:
    if "onnxruntime-openvino" not in distributions():
        pytest.fail("needs onnxruntime-openvino in the environment", pytrace=False)


@pytest.fixture(scope="module")
def openvino() -> OCR:
    return OCR(
        provider="openvino",
        runtime=RuntimeOptions(provider_options={"openvino": {"device_type": "CPU"}}),
    )


def test_openvino_reads_what_the_cpu_reads(
    openvino: OCR, ocr: OCR, pictures: Path, labels: dict[str, list[LabelledLine]]
) -> None:
    assert set(openvino.providers.values()) == {"openvino"}
    for name, lines in labels.items():
        by_cpu, by_openvino = (
            labelled_texts_read(each, pictures / name, lines) for each in (ocr, openvino)
        )
        assert by_cpu == by_openvino and by_cpu


def test_openvino_is_warmed_up_with_the_fixed_shapes(openvino: OCR) -> None:
    runs = {stage: done.shapes for stage, done in openvino.warm_up().items()}
    assert runs == {"detection": 36, "orientation": 2, "recognition": 54}


def test_stages_run_on_different_providers(pictures: Path) -> None:
    ocr = OCR(provider={"detection": "openvino", "recognition": "cpu"})
    assert ocr.providers["detection"] == "openvino" and ocr.providers["recognition"] == "cpu"
    assert ocr.providers["orientation"] == "cpu"  # "auto" takes it only when it is named
    assert "NO PARKING" in ocr.read(pictures / "sample.jpg").text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"no_such_option": 1}, "one of its options is unknown"),
        ({"device_type": "GPU"}, "Device GPU is not available"),
    ],
)
def test_options_that_openvino_does_not_support_are_errors(
    options: dict[str, object], said: str
) -> None:
    with pytest.raises(ProviderUnavailableError, match=said):
        OCR(provider="openvino", runtime=RuntimeOptions(provider_options={"openvino": options}))
