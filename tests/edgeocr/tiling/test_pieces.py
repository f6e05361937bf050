"""Which pieces a long line is cut into, and what is read in them."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from edgeocr import OCR, Bundle, RuntimeOptions
from edgeocr.bundle.manifest import Charset, Recognition
from edgeocr.crops import Crop
from edgeocr.images import Image, load
from edgeocr.recognize import Recognizer
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.threads import ThreadPool
from edgeocr.tiling.pieces import (
    LEAST_ROWS,
    LONGEST,
    OVERLAP,
    STRETCH,
    WIDEST,
    Input,
    input_widths,
    inputs_of,
)
from tests.support import long_lines

STAGE = Recognition(
    algorithm="CTC",
    graph="g",
    model="m",
    height=48,
    min_width=240,
    max_width=3200,
    margin=16,
    padding=127,
    multiple=8,
    charset=Charset("c", 37, 0),
    minimum_score=0.5,
)


def check(pieces: list[Input], size: tuple[int, int], stage: Recognition) -> None:
    """Check that the pieces show all of a line, and what neighbours have in common."""
    assert pieces[0].begin == 0 and pieces[0].start == 0 and pieces[-1].end == size[1]
    length = min(STRETCH * stage.height * size[1] / size[0], LONGEST * stage.height)
    (hop,) = {two.start - one.start for one, two in pairwise(pieces)}
    (apart,) = {two.begin - one.begin for one, two in pairwise(pieces)}
    assert hop % stage.multiple == 0
    # All letters are stretched alike.
    assert hop / apart == pytest.approx(length / size[1], rel=0.6 / apart + 2 / length)
    for one, two in pairwise(pieces):
        overlap = one.start + one.width - two.start
        assert 0 < overlap < hop and two.end > one.end > two.begin
    for each in pieces:
        assert 0 < each.width <= min(stage.max_width, WIDEST * stage.height)
        assert each.width == pytest.approx((each.end - each.begin) * hop / apart, abs=0.51)


@pytest.mark.parametrize("max_width", [192, 800, 3200])
@pytest.mark.parametrize("height", [LEAST_ROWS, 13, 48, 200])
@pytest.mark.parametrize("letters", [67, 68, 100, 401, 2000])
def test_pieces_show_the_whole_line_at_multiples_of_the_stride(
    letters: int, height: int, max_width: int
) -> None:
    stage = dataclasses.replace(STAGE, min_width=80, max_width=max_width)
    for more in range(7):
        size = (height, letters * height + more)
        pieces = inputs_of(3, size, stage)
        assert {each.crop for each in pieces} == {3} and len(pieces) > 1
        check(pieces, size, stage)
        widths = input_widths(pieces, stage)
        assert np.all(widths % 8 == 0) and widths.max() <= stage.max_width + stage.margin


def test_neighbours_have_the_overlap_in_common() -> None:
    one, two, *_ = inputs_of(0, (48, 30_000), STAGE)
    assert one.start + one.width - two.start == pytest.approx(OVERLAP * 48, abs=1)


def test_line_that_fits_is_not_cut() -> None:
    assert inputs_of(0, (48, 3200), STAGE) == [Input(0, 0, 3200, 3200)]
    assert len(inputs_of(0, (48, 3201), STAGE)) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"algorithm": "Attention"},
        {"algorithm": "SRN"},
        {"width": 3200},
        {"max_width": 191},
        {"multiple": 49},
        {"multiple": 1000, "max_width": 900},
    ],
)
def test_networks_whose_pieces_can_not_be_joined_get_the_line_squeezed(
    changed: dict[str, object],
) -> None:
    stage = dataclasses.replace(STAGE, **changed)  # type: ignore[arg-type]
    assert inputs_of(0, (48, 9000), stage) == [Input(0, 0, 9000, stage.max_width)]


def test_rules_are_not_cut_and_nothing_is_longer_than_a_page_of_letters() -> None:
    assert inputs_of(0, (LEAST_ROWS - 1, 90_000), STAGE) == [Input(0, 0, 90_000, 3200)]
    pieces = inputs_of(0, (LEAST_ROWS, 10_000_000), STAGE)
    check(pieces, (LEAST_ROWS, 10_000_000), STAGE)
    assert pieces[-1].start + pieces[-1].width == pytest.approx(LONGEST * 48, rel=0.001)


def line(seed: int, kind: str, length: int) -> tuple[str, Image]:
    random = np.random.default_rng(seed)
    content = long_lines.text(random, kind, length)
    face = long_lines.font(random, installed=False)
    return content, long_lines.draw(content, face, random)


def error(found: str, content: str) -> float:
    """Return the share of wrong characters, spaces apart."""
    found, content = found.replace(" ", ""), content.replace(" ", "")
    return Levenshtein.distance(found, content) / len(content)


@pytest.mark.parametrize("kind", ["counting", "repeated digit"])
def test_four_hundred_characters_are_read_without_a_doubled_or_lost_one(
    ocr: OCR, kind: str
) -> None:
    content, picture = line(1, kind, 400)
    (reading,) = ocr.recognize([picture])
    assert reading.text == content
    assert 0.9 < reading.score <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", long_lines.KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_lines_of_every_kind_are_read(ocr: OCR, kind: str, seed: int) -> None:
    content, picture = line(seed, kind, 350 * (seed + 1))
    (reading,) = ocr.recognize([picture])
    assert error(reading.text, content) <= 0.03


def test_score_is_the_mean_over_the_whole_line(ocr: OCR) -> None:
    """The last third is covered by noise, which lowers the mean by its share."""
    _, picture = line(2, "digits", 300)
    (clean,) = ocr.recognize([picture])
    worse = picture.copy()
    third = worse.shape[1] // 3
    part = worse[:, -third:]
    part[:] = np.random.default_rng(0).integers(0, 256, part.shape)
    (noisy,) = ocr.recognize([worse])
    assert clean.text[:150] == noisy.text[:150]
    assert noisy.score < clean.score


def test_other_crops_keep_their_readings_and_their_places(ocr: OCR, pictures: Path) -> None:
    _, long = line(3, "counting", 200)
    picture = load(pictures / "sample.jpg")
    short = [picture[:60, :200], picture[60:120, :300]]
    together = ocr.recognize([short[0], long, short[1], long])
    apart = [ocr.recognize([crop])[0] for crop in (short[0], long, short[1], long)]
    assert [each.text for each in together] == [each.text for each in apart]
    assert together[1] == together[3] and len(together[1].text) > 150


@pytest.mark.parametrize("fixed_shapes", [None, True])
def test_few_pixels_for_a_run_make_the_pieces_narrower(
    bundle: Bundle, fixed_shapes: bool | None
) -> None:
    stage = bundle.manifest.stages.recognition
    assert stage is not None
    limited = Recognizer(
        stage,
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu", RuntimeOptions(fixed_shapes=fixed_shapes)),
        pool=ThreadPool(2),
    )
    limited.limit_pixels(48 * 840)
    content, picture = line(4, "counting", 150)
    shapes: list[tuple[int, ...]] = []
    limited.session.observer = lambda batch: shapes.append(batch.shape)
    (reading,) = limited.recognize([Crop.whole(picture)])
    assert reading.text == content
    assert len(shapes) > 3 and max(shape[2] for shape in shapes) <= 840


def test_text_of_a_strip_is_that_of_its_line(ocr: OCR) -> None:
    content, picture = line(5, "counting", 300)
    margin = np.full((40, picture.shape[1], 3), picture[0, 0], np.uint8)
    page = ocr.read(np.concatenate([margin, picture, margin]))
    assert re.sub(r"\s", "", page.text) == content.replace(" ", "")
