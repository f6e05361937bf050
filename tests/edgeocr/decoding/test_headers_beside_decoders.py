"""Pictures that are changed at random take no more than their headers are read as."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeocr.decoding.headers import reader
from edgeocr.memory.footprint import predict
from tests.support import hostile_pictures as hostile
from tests.support.decoding_process import load_all
from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads the peak from /proc"
)
# Files that are allowed, and take more memory than their number of pixels suggests.
COSTLY: dict[str, bytes] = {
    "scans.jpg": hostile.jpeg_with_a_scan_per_component(1800, 1500),
    "narrow.jpg": hostile.jpeg_with_a_scan_per_component(9, 20000),
    "progressive.jpg": hostile.jpeg(1800, 1500, mode="RGB", progressive=True),
    "tile.tif": hostile.tiled_tiff(64, 64, 2048),
    "tiles.j2k": hostile.jpeg2000((100, 100), (1, 1)),
    "blocks.j2k": hostile.jpeg2000((600, 600), block=(2, 2)),
    "precincts.j2k": hostile.jpeg2000((600, 600), precinct=3),
    "layers.j2k": hostile.jpeg2000((600, 600), precinct=6, layers=20000),
    "tile-header.j2k": hostile.jpeg2000((600, 600), precinct=3, of_tile=True),
    "plain.j2k": hostile.jpeg2000((2000, 1500)),
}


@pytest.mark.parametrize("count", [120, pytest.param(4000, marks=pytest.mark.stress)])
def test_changed_pictures_take_no_more_than_their_headers_say(count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.mutated_pictures", "18", str(count)],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *found, outcomes = map(json.loads, done.stdout.splitlines())
    assert found == []
    assert outcomes["decoded"] > count // 20 and outcomes["refused"] > count // 20


def test_costly_files_take_no_more_than_predicted(pictures: Path, tmp_path: Path) -> None:
    for name, content in COSTLY.items():
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in COSTLY]
    for path, result in zip(
        paths, load_all(paths, pictures / "sample.jpg", pixels=None), strict=True
    ):
        header = predict(path).header
        assert header is not None and header.decoding is not None
        allowed = header.width * header.height * header.decoding + header.structures
        assert result["peak"] <= allowed + 6_000_000, (path.name, result, header)
        # The prediction is no reason to refuse what could be read.
        assert allowed <= 4 * result["peak"] + 10_000_000, (path.name, result, header)


def test_png_chunk_counts_with_its_stated_length() -> None:
    cut = hostile.png(8, 8)[:33] + (50_000_000).to_bytes(4, "big") + b"IDAT"
    header = reader.read(io.BytesIO(cut))
    assert header is not None and header.structures == 50_000_000


def test_jpeg_with_a_sampling_factor_of_zero_has_no_header() -> None:
    content = bytearray(hostile.jpeg_with_a_scan_per_component(16, 16))
    at = content.index(b"\xff\xc0") + 11
    for component in range(3):
        content[at + 3 * component] = 0
    assert reader.read(io.BytesIO(content)) is None
