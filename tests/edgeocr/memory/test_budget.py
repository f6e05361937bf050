"""The memory budget: which pictures and runs it lets in, and the errors that it raises."""

from __future__ import annotations

import gc
import io
import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from edgeocr import (
    OCR,
    Bundle,
    GraphError,
    ImageError,
    MemoryLimitError,
    Page,
    RuntimeOptions,
    images,
)
from edgeocr.bundle.manifest import Profile
from edgeocr.memory import limit as limits
from edgeocr.memory.budget import OPENING_MOST, MemoryBudget
from edgeocr.memory.room import Room
from edgeocr.runtime.run_sizes import RunSizes
from edgeocr.runtime.stopwatch import Stopwatch
from tests.support.packing import Files, packed
from tests.support.variants import INT8, NEEDED, cpu_has, fleet

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="limits are kept on Linux"
)

MB = 10**6
WHITE = np.full((48, 96, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def shared(memory_bundle: Path) -> OCR:
    """Open an `OCR` whose limit no test reaches, unless it makes the budget smaller."""
    return OCR(memory_bundle, provider="cpu", threads=2, memory_limit="4GB")


@pytest.fixture
def ocr(shared: OCR, monkeypatch: pytest.MonkeyPatch) -> OCR:
    """The shared `OCR`, whose budget is restored after the test."""
    for name in ("_pictures", "picture_bytes", "run_bytes"):
        monkeypatch.setattr(budget(shared), name, getattr(budget(shared), name))
    return shared


def budget(ocr: OCR) -> MemoryBudget:
    assert ocr.memory_budget is not None
    return ocr.memory_budget


def allow_pictures(ocr: OCR, number: int) -> None:
    """Set the bytes that pictures may take."""
    budget(ocr).picture_bytes = number
    budget(ocr)._pictures = Room(number)


@pytest.fixture
def arena_bytes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that divides a limit while the process holds 100 MB.

    It returns the bytes for runs of a stage that needs at most a megapixel.
    """
    monkeypatch.setattr("edgeocr.memory.budget.resident_bytes", lambda: 100 * MB)

    def divide(limit: int, activation_bytes: int = 100, least: int = 10_000) -> int:
        sizes = RunSizes("pictures", least, 10**6, activation_bytes)
        return MemoryBudget(limit, [sizes], 0, name="a").arena_bytes

    return divide


@pytest.mark.slow
def test_runs_get_what_the_largest_run_needs_and_no_more(arena_bytes: Callable[..., int]) -> None:
    # 1.75 times the tensors in the arena, and 16 bytes per pixel outside of it.
    assert arena_bytes(4000 * MB) == arena_bytes(8000 * MB) == 10**6 * (175 + 16)
    assert arena_bytes(4000 * MB, 200) == 10**6 * (350 + 16)


@pytest.mark.slow
def test_stage_whose_memory_is_unknown_gets_as_much_as_a_large_one(
    arena_bytes: Callable[..., int],
) -> None:
    unknown = arena_bytes(4000 * MB, 0)
    assert unknown == arena_bytes(4000 * MB, 100) > arena_bytes(4000 * MB, 50)


def test_runs_and_pictures_share_what_a_tight_limit_leaves(arena_bytes: Callable[..., int]) -> None:
    smaller, larger = arena_bytes(220 * MB), arena_bytes(270 * MB)
    assert larger - smaller == pytest.approx(0.6 * 50 * MB)
    # Opening takes 5 MB at least, and 15 MB stay in reserve.
    assert smaller == pytest.approx(0.6 * (220 - 100 - 5 - 15) * MB)


@pytest.mark.slow
def test_least_run_gets_its_room_before_pictures_do(arena_bytes: Callable[..., int]) -> None:
    assert arena_bytes(220 * MB, least=400_000) == 400_000 * (175 + 16)
    with pytest.raises(
        MemoryLimitError, match=r"^a: needs \d+ MB, the limit is 200 MB: "
    ) as caught:
        arena_bytes(200 * MB, least=400_000)
    enough = caught.value.needed
    assert arena_bytes(enough, least=400_000) == 400_000 * (175 + 16)


def test_profile_of_the_bundle_is_the_default(bundle: Bundle) -> None:
    profiled = Bundle.default()
    profiled.manifest = replace(profiled.manifest, profile=Profile("small", 1, 60 * MB))
    assert OCR(profiled, provider="cpu", memory_limit="none").threads == 1
    assert OCR(profiled, provider="cpu", memory_limit=0, threads=2).threads == 2
    with pytest.raises(MemoryLimitError, match="the limit is 60 MB"):
        OCR(profiled, provider="cpu")


def test_limit_below_what_opening_takes_is_an_error_with_the_need(bundle: Bundle) -> None:
    with pytest.raises(MemoryLimitError, match=r"^tiny: needs \d+ MB, the limit is 30 MB: ") as e:
        OCR(bundle, provider="cpu", memory_limit="30MB")
    assert e.value.limit == 30 * MB < e.value.needed < 2000 * MB


def test_opening_for_which_the_system_has_no_memory_is_a_memory_limit_error(
    monkeypatch: pytest.MonkeyPatch, bundle: Bundle
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise GraphError("the graph doesn't load: std::bad_alloc")

    monkeypatch.setattr("edgeocr.stages.opening.Recognizer", refuse)
    with pytest.raises(MemoryLimitError, match=r"^tiny: needs \d+ MB, .* the system had less"):
        OCR(bundle, provider="cpu", memory_limit="4GB")
    with pytest.raises(GraphError, match="bad_alloc"):
        OCR(bundle, provider="cpu")


@pytest.mark.slow
def test_every_kind_of_source_is_read_and_counted(ocr: OCR, pictures: Path) -> None:
    path = pictures / "badge.jpg"
    image = images.load(path)
    kinds: list[Any] = [
        path,
        path.read_bytes(),
        bytearray(path.read_bytes()),
        image,
        PIL.Image.open(path),
    ]
    with path.open("rb") as file:
        pages = ocr.read_many([*kinds, file, io.BytesIO(path.read_bytes())], on_error="raise")
        texts = [page.text for page in pages]
    assert texts[0] and set(texts) == {texts[0]}
    one, same = ocr.recognize([image[40:90], image[40:90]])
    assert one == same
    allow_pictures(ocr, 1000)
    for source in (*kinds, io.BytesIO(path.read_bytes())):
        with pytest.raises(MemoryLimitError, match="make the picture smaller") as caught:
            ocr.read(source)
        assert caught.value.source and str(caught.value).startswith(caught.value.source)
    with pytest.raises(MemoryLimitError):
        ocr.recognize([image])
    (missing,) = ocr.read_many([pictures / "missing.jpg"])
    assert isinstance(missing, ImageError) and "No such file" in str(missing)
    text: Any = io.StringIO("no picture")
    (wrong,) = ocr.read_many([text])
    assert isinstance(wrong, ImageError)


@pytest.mark.slow
def test_files_that_do_not_tell_what_decoding_takes_are_refused_undecoded(
    ocr: OCR, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header of an AVIF file does not tell how many frames its decoder keeps."""
    path = tmp_path / "page.avif"
    if not cv2.haveImageWriter(str(path)):
        pytest.skip("this OpenCV lacks AVIF")
    cv2.imwrite(str(path), np.full((64, 64, 3), 255, np.uint8))
    assert images.load(path).shape == (64, 64, 3)
    monkeypatch.setattr(images, "load", lambda *_: pytest.fail("decoded"))
    content = path.read_bytes()
    for work in (ocr.read, lambda source: ocr.recognize([source])):
        for source in (path, content, io.BytesIO(content)):
            with pytest.raises(
                ImageError, match="the memory that decoding takes can't be predicted"
            ):
                work(source)


@pytest.mark.parametrize("limit", ["none", "4GB"])
@pytest.mark.parametrize("content", [b"no picture", cv2.imencode(".png", WHITE)[1].tobytes()[:60]])
def test_error_of_one_crop_among_several_names_it(
    bundle: Bundle, tmp_path: Path, limit: str, content: bytes
) -> None:
    """The header of the second content is intact, so it fails only when it is decoded."""
    path = tmp_path / "crop.png"
    path.write_bytes(content)
    ocr = OCR(bundle, provider="cpu", threads=2, memory_limit=limit)
    for wrong, name in ((path, str(path)), (content, "<bytes>")):
        with pytest.raises(ImageError) as caught:
            ocr.recognize([WHITE, wrong, WHITE])
        assert caught.value.source == name


@pytest.mark.parametrize("limited", [False, True])
def test_picture_that_failed_is_freed(
    request: pytest.FixtureRequest, memory_bundle: Path, limited: bool
) -> None:
    ocr = (
        request.getfixturevalue("shared")
        if limited
        else OCR(memory_bundle, provider="cpu", threads=2)
    )
    picture = np.zeros((8, 8, 3), np.float64)
    kept = weakref.ref(picture)
    gc.disable()
    try:
        (error,) = ocr.read_many([picture])
        assert isinstance(error, ImageError)
        with pytest.raises(ImageError):
            ocr.read(picture)
        del picture
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.slow
def test_process_that_grew_refuses_pictures(
    memory_bundle: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = limits.resident_bytes() + 250 * MB
    ocr = OCR(memory_bundle, provider="cpu", threads=2, memory_limit=limit)
    monkeypatch.setattr("edgeocr.memory.budget.resident_bytes", lambda: limit - MB)
    with pytest.raises(MemoryLimitError, match=r"sample\.jpg: needs"):
        ocr.read(pictures / "sample.jpg")


@pytest.fixture(scope="module")
def turned(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a large JPEG whose EXIF orientation turns it upright."""
    picture: PIL.Image.Image = PIL.Image.open(pictures / "sample.jpg")
    picture = picture.resize((picture.width * 3, picture.height * 3))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    path = tmp_path_factory.mktemp("turned") / "turned.jpg"
    picture.rotate(90, expand=True).save(path, exif=exif)
    return path


@pytest.mark.slow
def test_reduced_and_turned_jpeg_reads_like_the_whole_one(ocr: OCR, turned: Path) -> None:
    size = (2880, 2160)
    whole = ocr.read(turned)
    allow_pictures(ocr, size[0] * size[1] * 6 // 4 + 10**6)
    reduced = ocr.read(turned)
    assert (reduced.width, reduced.height) == (whole.width, whole.height) == size
    assert reduced.text.replace(" ", "") == whole.text.replace(" ", "")
    for one, other in zip(reduced.lines, whole.lines, strict=True):
        assert one.quad == pytest.approx(other.quad, abs=20)
    found = ocr.detect(turned)
    assert (found.width, found.height) == size
    assert found[0].quad == pytest.approx(whole[0].quad, abs=20)


@pytest.mark.slow
def test_drawing_reduces_a_jpeg_further_than_reading(ocr: OCR, turned: Path) -> None:
    """Drawing needs room for the copy, the sheet and the result beside the picture."""
    page = Page(str(turned), 2880, 2160, ())
    assert ocr.draw(turned, page).shape == (2160, 2880, 3)
    allow_pictures(ocr, 2880 * 2160 * 6 + 2 * 10**6)
    assert ocr.read(turned).width == 2880
    assert ocr.draw(turned, page).shape == (1080, 1440, 3)
    assert ocr.draw(turned, page, texts=True).shape == (1080, 2880, 3)
    assert ocr.draw(turned, ocr.detect(turned)).shape == (1080, 1440, 3)


def test_drawing_a_picture_for_which_there_is_no_room_is_an_error(ocr: OCR, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "page.png"), np.full((400, 300, 3), 255, np.uint8))
    page = Page("page.png", 300, 400, ())
    allow_pictures(ocr, 10**6)
    assert ocr.read(tmp_path / "page.png").lines == ()
    with pytest.raises(MemoryLimitError, match=r"page\.png: needs \d+ MB") as caught:
        ocr.draw(tmp_path / "page.png", page)
    assert caught.value.source == str(tmp_path / "page.png")


def test_budget_describes_itself_in_one_line(ocr: OCR) -> None:
    text = budget(ocr).describe()
    assert text.startswith("memory limit 4000 MB: ") and "MB for pictures" in text
    assert "\n" not in text


def test_room_for_an_array_includes_what_the_block_needs_beside_it(ocr: OCR) -> None:
    small = budget(ocr)
    small.picture_bytes, small._pictures = 10 * MB, Room(10 * MB)
    image = np.zeros((1000, 1000, 3), np.uint8)
    with small.picture(image, Stopwatch(), extra=3) as picture:
        assert picture.image is image
    with pytest.raises(MemoryLimitError), small.picture(image, Stopwatch(), extra=12):
        pass


def needed(path: Path, variant: str | None = None) -> int:
    """The smallest memory limit in bytes for a bundle, by the error of a hopeless one."""
    with pytest.raises(MemoryLimitError) as error:
        runtime = RuntimeOptions(variant=variant)
        OCR(path, provider="cpu", memory_limit="30MB", runtime=runtime)
    return error.value.needed


@pytest.mark.stress
def test_the_graph_that_is_taken_counts_and_no_other(
    embedded_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("edgeocr.memory.budget.resident_bytes", lambda: 100 * MB)
    cpu_has(monkeypatch, *NEEDED)
    files = fleet(embedded_files)
    path = packed(files, tmp_path / "a.edgeocr")
    smaller = len(files["graphs/recognition.onnx"]) - len(files[INT8["graph"]])
    saved = needed(path, "fp32") - needed(path, "int8")
    assert saved == pytest.approx(smaller * OPENING_MOST[0], abs=2) and saved > 100_000
    assert needed(path) == needed(path, "int8")
    # Its runs may need more memory than those of the stage's own graph.
    more = fleet(embedded_files, added=[{**INT8, "activation_bytes": 20_000}])
    path = packed(more, tmp_path / "b.edgeocr")
    assert needed(path) == needed(path, "int8") > needed(path, "fp32") + 10 * MB
    cpu_has(monkeypatch)
    assert needed(path) == needed(path, "fp32")
