"""Test the model repository, and its model in a stand-in of Triton's Python backend."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from converters.__main__ import main
from converters.errors import ConverterError
from converters.triton.repository import Plan, write
from converters.triton.text_format import Symbol, Value, text_of
from edgeocr import OCR, Bundle
from tests.support.paths import EMBEDDED_BUNDLE
from tests.support.systems import bundle as trained
from tests.support.triton_stand_in import Request, StandIn


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("triton") / "models"
    write(Bundle.open(EMBEDDED_BUNDLE), target)
    return target


def parameters(folder: Path) -> dict[str, str]:
    """Return the parameters of a configuration, whose values may be JSON."""
    text = (folder / "config.pbtxt").read_text("utf-8")
    pairs = re.findall(r'key: "(\w+)"\n  value \{\n    string_value: (".*")\n', text)
    return {key: json.loads(value) for key, value in pairs}


@pytest.fixture(scope="module")
def stand_in(repository: Path) -> StandIn:
    return StandIn(repository)


@pytest.fixture(scope="module")
def model(repository: Path, stand_in: StandIn) -> Iterator[Any]:
    loaded = stand_in.model(parameters(repository / "edgeocr"))
    yield loaded
    loaded.finalize()


def test_each_stage_is_a_model_of_its_name(repository: Path) -> None:
    stages = ("detection", "orientation", "recognition")
    assert {path.name for path in repository.iterdir()} == {
        "edgeocr",
        *(f"edgeocr_{stage}" for stage in stages),
    }
    bundle = Bundle.open(EMBEDDED_BUNDLE)
    for stage in stages:
        folder = repository / f"edgeocr_{stage}"
        graph = getattr(bundle.manifest.stages, stage).graph
        assert (folder / "1" / "model.onnx").read_bytes() == bundle.read(graph)
        text = (folder / "config.pbtxt").read_text("utf-8")
        assert f'name: "edgeocr_{stage}"' in text
        assert bundle.digest in text
    assert Bundle.open(repository / "edgeocr" / "1" / "bundle.edgeocr").digest == bundle.digest


def test_model_reads_as_an_ocr_does(
    model: Any, stand_in: StandIn, pictures: Path, ocr: OCR
) -> None:
    given = [(pictures / name).read_bytes() for name in ("badge.jpg", "sample.jpg")]
    responses = model.execute([Request.of(picture) for picture in given])
    for picture, response in zip(given, responses, strict=True):
        assert response.error is None
        outputs = {tensor.name(): tensor.array[0].decode() for tensor in response.output_tensors}
        page = ocr.read(picture)
        assert json.loads(outputs["json"])["lines"] == page.to_dict()["lines"]
        assert outputs["text"] == page.to_text()
    models = {name for name, _ in stand_in.calls}
    assert models >= {"edgeocr_detection", "edgeocr_recognition"}


def test_words_are_given_if_asked_for(model: Any, pictures: Path) -> None:
    (response,) = model.execute([Request.of((pictures / "badge.jpg").read_bytes(), words=True)])
    lines = json.loads(response.output_tensors[1].array[0])["lines"]
    assert all("words" in line for line in lines)


def test_failing_request_leaves_the_others_alone(
    model: Any, stand_in: StandIn, pictures: Path
) -> None:
    sign = (pictures / "badge.jpg").read_bytes()
    broken, whole = model.execute([Request.of(b"no picture"), Request.of(sign)])
    assert "this is text, not a picture" in broken.error.message()
    assert whole.error is None
    stand_in.problem = "out of memory"
    (failed,) = model.execute([Request.of(sign)])
    stand_in.problem = ""
    assert "edgeocr_detection: out of memory" in failed.error.message()


def test_networks_on_gpus_get_the_shapes_that_they_were_warmed_up_with(
    tmp_path: Path, pictures: Path
) -> None:
    write(Bundle.open(EMBEDDED_BUNDLE), tmp_path / "models", Plan(device="gpu"))
    stand_in = StandIn(tmp_path / "models")
    model = stand_in.model(parameters(tmp_path / "models" / "edgeocr"))
    (response,) = model.execute([Request.of((pictures / "badge.jpg").read_bytes())])
    model.finalize()
    assert response.error is None
    assert stand_in.calls
    for name, shape in stand_in.calls:
        text = (tmp_path / "models" / name / "config.pbtxt").read_text("utf-8")
        assert f'name: "{"x".join(map(str, shape))}"' in text
        assert "kind: KIND_GPU" in text


def test_spotting_network_is_a_model(tmp_path: Path) -> None:
    assert write(trained("trained PGNet"), tmp_path / "models") == ["edgeocr_spotting", "edgeocr"]


def test_same_bundle_gives_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    assert main(["triton", str(EMBEDDED_BUNDLE), "-o", str(tmp_path / "again")]) == 0
    for path in repository.rglob("*"):
        # Where a test has imported the model, Python has stored what it compiled beside it.
        if path.is_file() and path.suffix != ".pyc":
            again = tmp_path / "again" / path.relative_to(repository)
            assert again.read_bytes() == path.read_bytes()


def test_what_exists_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConverterError, match="this exists"):
        write(Bundle.open(EMBEDDED_BUNDLE), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_tensorrt_needs_gpus(tmp_path: Path) -> None:
    with pytest.raises(ConverterError, match="add --device gpu"):
        write(Bundle.open(EMBEDDED_BUNDLE), tmp_path / "models", Plan(tensorrt=True))
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden"])
def test_name_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConverterError, match="is no name of a model"):
        write(Bundle.open(EMBEDDED_BUNDLE), tmp_path / "models", Plan(name))


def test_text_format_quotes_text_and_no_symbols() -> None:
    message: dict[str, Value] = {
        "a": 'x"\n',
        "b": Symbol("KIND_CPU"),
        "c": [1, 2],
        "d": {"e": True},
    }
    assert text_of(message) == 'a: "x\\"\\n"\nb: KIND_CPU\nc: 1\nc: 2\nd {\n  e: true\n}\n'
