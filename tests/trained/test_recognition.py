"""Recognizers trained for the tests read words, from Paddle's export to texts."""

from __future__ import annotations

from itertools import takewhile

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from edgeocr import OCR, Bundle, RuntimeOptions
from tests.support import systems
from tests.support.paths import TRAINED_EXPORTS
from tests.trained import pages, words

# A system with the network, by the network's name.
SYSTEMS = {
    "crnn": "trained DB, CRNN",
    "rosetta": "trained DB, Rosetta",
    "rare": "trained EAST, RARE",
    "star_net": "trained EAST, STAR-Net",
    "srn": "trained DB, SRN",
}
NAMES = list(SYSTEMS)
# The training's words have other seeds.
SEED = 2026
CHARACTERS = pages.CAPITALS
THRESHOLD = 0.95
pytestmark = pytest.mark.slow


def bundle(name: str) -> Bundle:
    """Open a bundle with a network; the bundle is shared with the tests of whole systems."""
    return systems.bundle(SYSTEMS[name])


def accuracy(ocr: OCR, given: list[words.Word]) -> float:
    readings = ocr.recognize([word.crop for word in given])
    hits = [reading.text == word.text for reading, word in zip(readings, given, strict=True)]
    return float(np.mean(hits))


@pytest.mark.parametrize("name", NAMES)
def test_clean_words_are_read(name: str) -> None:
    ocr = OCR(bundle(name), provider="cpu", threads=1)
    assert accuracy(ocr, words.clean(60, SEED)) >= THRESHOLD


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_fixed_widths_give_the_same_texts(name: str) -> None:
    """Neither the other crops of a batch nor the rows that fill it up change a text."""
    given = words.clean(30, SEED, (2, 6))
    fixed = OCR(bundle(name), provider="cpu", threads=1, runtime=RuntimeOptions(fixed_shapes=True))
    shapes: set[tuple[int, ...]] = set()
    session = fixed.stages["recognition"].session
    session.observer = lambda batch: shapes.add(batch.shape)
    natural = OCR(bundle(name), provider="cpu", threads=1)
    texts, padded = (
        [reading.text for reading in ocr.recognize([word.crop for word in given])]
        for ocr in (natural, fixed)
    )
    assert sum(map(str.__eq__, texts, padded)) >= 29
    assert 4 in {shape[0] for shape in shapes} and shapes <= set(session.shapes)


@pytest.mark.parametrize("name", NAMES)
def test_words_wider_than_the_input_are_read(name: str) -> None:
    """Eight characters are wider than 100 × 32 pixels and than 256 × 64."""
    given = words.clean(40, SEED, (8, 8))
    stage = bundle(name).manifest.stages.recognition
    assert stage is not None
    widest = (stage.width or stage.min_width) / stage.height
    assert all(word.crop.shape[1] / word.crop.shape[0] > widest for word in given)
    assert accuracy(OCR(bundle(name), provider="cpu", threads=1), given) >= 0.8


@pytest.mark.parametrize("name", ["crnn", "rosetta"])
def test_line_of_hundred_words_is_read_in_pieces(name: str) -> None:
    """These networks have a stride of 4 pixels, where those of the other tests have 8."""
    given = words.clean(100, SEED)
    line = np.concatenate([words.fit(word.crop, 32, 3200) for word in given], axis=1)
    ocr = OCR(bundle(name), provider="cpu", threads=1)
    shapes: list[tuple[int, ...]] = []
    ocr.stages["recognition"].session.observer = lambda batch: shapes.append(batch.shape)
    (reading,) = ocr.recognize([line])
    assert len(shapes) > 5
    text = "".join(word.text for word in given)
    assert Levenshtein.distance(reading.text, text) <= 0.02 * len(text)


@pytest.mark.parametrize("name", NAMES)
def test_manifest_states_the_settings_of_the_export(name: str) -> None:
    made = bundle(name)
    stage = made.manifest.stages.recognition
    assert stage is not None
    origins = {origin.model: origin for origin in made.manifest.provenance}
    origin = origins[f"trained_{name}"]
    assert origin.parity["edge_graph"].status == "passed"
    assert set(made.characters) >= set(CHARACTERS)
    widths = {"crnn": None, "rosetta": None, "srn": 256}
    assert (stage.height, stage.width) == (64 if name == "srn" else 32, widths.get(name, 100))


def prepared(name: str, crop: words.Crop) -> list[np.ndarray]:
    """Return the inputs that PaddleOCR feeds into the network for one crop."""
    if name == "srn":
        grey = np.zeros((64, 256), np.float32)
        drawn = words.stretch(crop, 64, 256)
        grey[:, : drawn.shape[1]] = drawn
        places = [np.arange(length).reshape(1, -1, 1) for length in (256, 25)]
        ones = np.ones((1, 8, 25, 25))
        masks = [np.triu(ones, 1) * -1e9, np.tril(ones, -1) * -1e9]
        return [grey[None, None], *(value.astype(np.int64) for value in places + masks)]
    dynamic = name in ("crnn", "rosetta")
    fitted = words.fit(crop, 32, 3200 if dynamic else 100)
    width = max(100, -(-fitted.shape[1] // 8) * 8) if dynamic else 100
    image = np.full((32, width, 3), 127, np.uint8)
    image[:, : fitted.shape[1]] = fitted
    return [((image.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]]


def decoded(name: str, outputs: list[np.ndarray]) -> str:
    """Return the text of one crop, up to the end symbol where there is one."""
    end = len(CHARACTERS) + 1
    if name == "srn":
        return spelled(outputs[2].argmax(axis=1).tolist(), [*CHARACTERS, "", ""], end)
    (indices,) = outputs[0].argmax(axis=2)
    if name == "rare":
        return spelled(indices.tolist(), ["", *CHARACTERS, ""], end)
    repeats = np.append(False, indices[1:] == indices[:-1])
    return spelled(np.where(repeats, 0, indices).tolist(), ["", *CHARACTERS])


def spelled(indices: list[int], symbols: list[str], end: int | None = None) -> str:
    return "".join(symbols[index] for index in takewhile(lambda index: index != end, indices))


@pytest.mark.paddle
@pytest.mark.parametrize("name", NAMES)
def test_paddle_inference_reads_the_same_texts(name: str) -> None:
    from tests.zoo.export import infer

    rng = np.random.default_rng(SEED)
    given = words.clean(10, SEED) + words.varied(rng, 10, (4, 8))
    crops = [word.crop for word in given]
    results = infer(
        TRAINED_EXPORTS / name / "inference.pdmodel", [prepared(name, crop) for crop in crops]
    )
    readings = OCR(bundle(name), provider="cpu", threads=1).recognize(crops)
    assert [reading.text for reading in readings] == [decoded(name, values) for values in results]
