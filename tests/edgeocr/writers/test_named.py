"""The pictures that results name: files, and pages of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeocr import ImageError, Page
from edgeocr.images import load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages = [Image.new("RGB", (400, 300), color) for color in ("red", "blue")]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "scan.pdf", save_all=True, append_images=pages[1:])
    return tmp_path


@pytest.mark.parametrize("file", ["scan.tif", "scan.pdf"])
def test_overlays_show_the_page_that_a_result_names(folder: Path, file: str) -> None:
    Page(f"{folder / file}#2", 400, 300, ()).save(folder / "page.png")
    blue, green, red = load(folder / "page.png").reshape(-1, 3).mean(axis=0)
    assert blue > 200 and green < 50 and red < 50


@pytest.mark.parametrize("ending", ["png", "jpg", "pdf"])
@pytest.mark.parametrize("name", ["<bytes>", "missing.gif#2", "missing.png"])
def test_a_result_without_a_file_asks_for_its_picture(
    tmp_path: Path, name: str, ending: str
) -> None:
    path = tmp_path / f"page.{ending}"
    with pytest.raises(ImageError, match=r"no such file: pass the picture .*\(picture= of save\)"):
        Page(name, 400, 300, ()).save(path)
    Page(name, 400, 300, ()).save(path, picture=np.zeros((300, 400, 3), np.uint8))
    assert path.stat().st_size
