"""Test profiles of models.toml, from the table to an `OCR`."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from typing import Any
from unittest.mock import patch

import pytest

from converters import listing
from converters.bundle import profiles
from converters.bundle.shapes import sizes, with_shapes
from converters.catalog import entries as catalog
from converters.catalog import models_toml
from converters.catalog.entries import Catalog, ProfileEntry
from converters.errors import CatalogError
from converters.freeze import Plan
from converters.model.stages import Stage
from edgeocr import OCR, Bundle
from edgeocr.bundle import fields as typed
from edgeocr.bundle.manifest import CropStage, EASTDetection, Profile, Resize
from edgeocr.memory import limit as memory
from tests.converters.bundle import test_shapes
from tests.support.frozen import frozen, stored
from tests.support.paths import IMAGES, ROOT, TRAINED_EXPORTS

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

EXPORTS = TRAINED_EXPORTS
SAMPLE = IMAGES / "sample.jpg"
PROFILES = catalog.load().profiles
RULE = Resize("min", 544, 1_500_000, 32)
DETECTION = dataclasses.replace(test_shapes.DETECTION, resize=RULE)
SPOTTING = dataclasses.replace(test_shapes.SPOTTING, resize=RULE)
ORIENTATION, RECOGNITION = test_shapes.ORIENTATION, test_shapes.LINES
# Prints the limits of an `OCR`, in a process without the converters.
BOUNDS = """
import json, sys
from edgeocr import OCR
ocr = OCR(sys.argv[1], **json.loads(sys.argv[2]))
ocr.read(sys.argv[3])
print(json.dumps([ocr.memory_budget and ocr.memory_budget.limit, ocr.providers, ocr.threads]))
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Freeze DB and CRNN for a Raspberry Pi."""
    return frozen(
        tmp_path_factory.mktemp("board") / "board.edgeocr",
        Plan(profile="raspberry-pi"),
        detection=str(EXPORTS / "db"),
        recognition=str(EXPORTS / "crnn"),
    )


def test_list_shows_every_profile() -> None:
    assert list(PROFILES) == ["raspberry-pi", "jetson", "server"]
    # The README says what `small` needs.
    limit = memory.parse(PROFILES["raspberry-pi"].memory_limit)
    assert limit is not None and limit > 240_000_000
    assert not any(PROFILES[name].memory_limit for name in ("jetson", "server"))
    shown = listing.lines(catalog.load())
    for profile in PROFILES.values():
        (index,) = (i for i, line in enumerate(shown) if line.split()[:1] == [profile.name])
        assert profile.description in shown[index]
        assert profiles.in_words(profile) in shown[index + 1]


def test_lower_picture_size_is_set_with_its_shapes() -> None:
    stage = with_shapes(DETECTION)
    assert isinstance(stage, EASTDetection)
    made = profiles.applied(PROFILES["raspberry-pi"], stage)
    rule = dataclasses.replace(RULE, max_pixels=900_000)
    wanted = dataclasses.replace(rule, sizes=sizes(rule))
    assert made == dataclasses.replace(stage, resize=wanted, providers=["cpu"])
    assert stage == with_shapes(DETECTION)


def test_larger_picture_size_is_not_set() -> None:
    stage = with_shapes(SPOTTING)
    profile = ProfileEntry("large", "", max_pixels=1_500_001)
    assert profiles.applied(profile, stage) == stage


@pytest.mark.parametrize("stage", [DETECTION, ORIENTATION, RECOGNITION])
def test_batches_are_set_in_stages_that_take_crops(stage: Stage) -> None:
    before = with_shapes(stage)
    wanted = dataclasses.replace(before, providers=["tensorrt", "cuda", "cpu"])
    if isinstance(wanted, CropStage):
        wanted = dataclasses.replace(wanted, batches=[1, 4, 16])
    assert profiles.applied(PROFILES["server"], before) == wanted


def test_manifest_records_the_profiles_settings(board: Bundle) -> None:
    manifest = json.loads(board.manifest_text)
    assert manifest["profile"] == {"name": "raspberry-pi", "memory_limit": 400_000_000}
    detection, recognition = (manifest["stages"][name] for name in ("detection", "recognition"))
    assert detection["resize"]["max_pixels"] == 900_000
    assert detection["providers"] == recognition["providers"] == ["cpu"]
    assert max(map(math.prod, detection["resize"]["sizes"])) < 1_000_000


def bounds(board: Bundle, **options: Any) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", BOUNDS, str(board.path), json.dumps(options), str(SAMPLE)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are kept on Linux")
def test_ocr_takes_the_profiles_settings_unless_the_caller_sets_others(board: Bundle) -> None:
    cpu = {"detection": "cpu", "recognition": "cpu"}
    assert bounds(board, threads=1) == [400_000_000, cpu, 1]
    assert bounds(board, threads=2, memory_limit="500MB") == [500_000_000, cpu, 2]
    assert bounds(board, threads=1, memory_limit="none") == [None, cpu, 1]


def found_at(board: Bundle, **options: Any) -> int:
    """Return the number of pixels of the first run of detection on a large picture."""
    ocr = OCR(board, memory_limit="none", threads=1, provider="cpu", **options)
    session = ocr.stages["detection"].session
    with patch.object(session, "run", wraps=session.run) as run:
        ocr.detect(SAMPLE)
    (batch,) = run.call_args_list[0].args
    return math.prod(batch.shape[1:3])


def test_picture_is_detected_at_the_profiles_or_the_callers_size(board: Bundle, tmp_path) -> None:
    whole = frozen(
        tmp_path / "whole.edgeocr",
        detection=str(EXPORTS / "db"),
        recognition=str(EXPORTS / "crnn"),
    )
    natural = found_at(whole)
    # The trained DB never takes as many pixels as the profile allows.
    text = board.manifest_text.replace('"max_pixels": 900000', '"max_pixels": 600000')
    smaller = stored(board, tmp_path / "smaller.edgeocr", text)
    assert found_at(smaller) < 620_000 < natural
    assert found_at(smaller, max_pixels=300_000) < 310_000
    # More than the profile's, too.
    assert found_at(smaller, max_pixels=3_000_000) == natural


def test_profile_limits_the_threads(board: Bundle) -> None:
    entry = ProfileEntry("one", "", threads=1)
    assert profiles.settings(entry) == Profile("one", threads=1)
    profile = board.manifest.profile
    assert profile is not None
    one = dataclasses.replace(board.manifest, profile=dataclasses.replace(profile, threads=1))
    single = Bundle.open(board.path)
    single.manifest = one
    assert OCR(single, memory_limit=0).threads == 1
    assert OCR(single, memory_limit=0, threads=2).threads == 2


def parsed(**fields: Any) -> Catalog:
    data = models_toml.expand({"profiles": {"p": {"description": "d", **fields}}})
    made = typed.parse(Catalog, data)
    for problem in catalog._problems(made):
        raise CatalogError(problem)
    return made


def test_profile_of_models_toml_is_parsed() -> None:
    made = parsed(threads=3, memory_limit="1.5GB", providers=["openvino"], batches=[2])
    wanted = ProfileEntry("p", "d", ["openvino"], 3, "1.5GB", None, [2])
    assert made.profile("p") == wanted
    with pytest.raises(CatalogError, match="no profile 'q'; its profiles are p"):
        made.profile("q")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"speed": 3}, r"unknown field profiles\.p\.speed"),
        ({"threads": 0}, r"profiles\.p\.threads must be at least 1"),
        ({"max_pixels": 100}, r"profiles\.p\.max_pixels must be at least 4096"),
        ({"batches": [0]}, r"profiles\.p\.batches\[0\] must be at least 1"),
        ({"batches": [4, 1]}, r"profiles\.p\.batches must be in ascending order"),
        ({"batches": []}, r"profiles\.p\.batches must be in ascending order"),
        ({"providers": ["abacus"]}, r"profiles\.p\.providers: 'abacus' must be one of cpu, cuda"),
        ({"providers": ["cpu", "cpu"]}, r"profiles\.p\.providers must list at least one"),
        ({"memory_limit": "much"}, r"profiles\.p\.memory_limit must be as in 300MB"),
        ({"memory_limit": "none"}, r"profiles\.p\.memory_limit: leave it out"),
        ({"memory_limit": 300}, r"profiles\.p\.memory_limit must be a string"),
    ],
)
def test_error_names_a_wrong_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises((CatalogError, typed.FieldError), match=message):
        parsed(**fields)
