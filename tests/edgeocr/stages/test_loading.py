"""Loading pictures for the stages, and the errors that name them."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import EdgeOCRError, GraphError, ImageError, MemoryLimitError, Source
from edgeocr.decoding.limits import Limits
from edgeocr.images import Picture
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.stages.loading import PictureLoader

WHITE = np.full((20, 30, 3), 255, np.uint8)
LOADER = PictureLoader(None, None)


class FakeBudget:
    """A budget that notes what it is asked for and hands out white pictures."""

    def __init__(self) -> None:
        self.asked: list[tuple[Source, int]] = []

    @contextmanager
    def picture(
        self, source: Source, watch: Stopwatch, extra: int, limits: Limits
    ) -> Iterator[Picture]:
        self.asked.append((source, extra))
        yield Picture(WHITE, 60, 40)

    @contextmanager
    def crops(self, sources: Sequence[Source], limits: Limits) -> Iterator[list[np.ndarray]]:
        yield [WHITE for _ in sources]

    def admit_content(self, needed: int) -> EdgeOCRError | None:
        return None

    def admit(self, needed: int) -> EdgeOCRError | None:
        return None

    def explain(self, error: EdgeOCRError | MemoryError, name: str) -> EdgeOCRError:
        return MemoryLimitError(f"{name}: explained", needed=2, limit=1)


def test_picture_is_loaded_and_timed(pictures: Path) -> None:
    watch = Stopwatch()
    with LOADER.picture(pictures / "sample.jpg", watch) as picture:
        assert (picture.width, picture.height) == (960, 720)
        assert picture.image.shape == (720, 960, 3)
    assert list(watch.milliseconds) == ["load"]


def test_picture_of_a_budget_keeps_the_size_of_the_source() -> None:
    budget = FakeBudget()
    with PictureLoader(None, budget).picture(WHITE, Stopwatch(), 14) as picture:
        assert picture.image is WHITE and (picture.width, picture.height) == (60, 40)
    ((source, extra),) = budget.asked
    assert source is WHITE and extra == 14


@pytest.mark.parametrize(
    "error",
    [GraphError("the network failed"), cv2.error("(-215) assertion"), MemoryError("no memory")],
)
def test_errors_of_the_block_name_the_picture(error: Exception) -> None:
    with pytest.raises(EdgeOCRError) as caught, LOADER.picture(WHITE, Stopwatch()):
        raise error
    assert caught.value.source == "<ndarray>"
    if isinstance(error, EdgeOCRError):
        assert caught.value is error
    else:
        assert str(caught.value) == f"<ndarray>: {error}" and caught.value.__cause__ is error


def test_errors_of_loading_name_the_picture() -> None:
    with (
        pytest.raises(ImageError, match=r"^missing\.png: ") as caught,
        LOADER.picture("missing.png", Stopwatch()),
    ):
        pytest.fail("the block ran")
    assert caught.value.source == "missing.png"


def test_mistakes_of_the_caller_are_not_renamed() -> None:
    with pytest.raises(ValueError, match="closed"), LOADER.picture(WHITE, Stopwatch()):
        raise ValueError("this OCR is closed")


def test_budget_explains_errors() -> None:
    loader = PictureLoader(None, FakeBudget())
    with (
        pytest.raises(MemoryLimitError, match=r"^page: explained") as caught,
        loader.errors_named("page"),
    ):
        raise GraphError("std::bad_alloc")
    assert caught.value.source == "page" and isinstance(caught.value.__cause__, GraphError)


def test_failed_picture_is_freed_while_its_error_is_kept() -> None:
    picture = WHITE.copy()
    kept = weakref.ref(picture)
    gc.disable()
    try:
        try:
            with LOADER.picture(picture, Stopwatch()):
                del picture
                raise GraphError("the network failed")
        except GraphError as error:
            error.__traceback__ = None
            assert kept() is None and error.source == "<ndarray>"
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here")
def test_thread_stays_on_the_chosen_cpus_while_it_works() -> None:
    allowed = os.sched_getaffinity(0)
    chosen = (max(allowed),)
    with PictureLoader(chosen, None).picture(WHITE, Stopwatch()):
        assert os.sched_getaffinity(0) == set(chosen)
    assert os.sched_getaffinity(0) == allowed
