"""The memory limit is kept, measured in processes of their own that read large pictures."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from converters.graph.activation_memory import bytes_per_pixel
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.bundle.archive import MANIFEST
from edgeocr.memory import limit as limits
from tests.support import hostile_pictures as hostile
from tests.support import large_pictures, long_lines
from tests.support.frozen import frozen
from tests.support.limited_process import read_within
from tests.support.packing import Files, packed, sealed
from tests.support.paths import EMBEDDED_BUNDLE, IMAGES, ZOO_EXPORTS
from tests.support.variants import fleet

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are kept on Linux"),
]

MB = 10**6
CGROUP = Path("/sys/fs/cgroup/memory")
SAMPLE = str(IMAGES / "sample.jpg")


@pytest.mark.parametrize("limit", ["170MB", "300MB"])
def test_peak_stays_below_the_limit_on_large(
    memory_bundle: Path, large: dict[str, str], labels: dict[str, list[LabelledLine]], limit: str
) -> None:
    rest = [str(IMAGES / name) for name in ("poster.jpg", "receipt.jpg", "badge.jpg")]
    done = read_within(limit, memory_bundle, [SAMPLE, *rest, *large.values(), SAMPLE])
    number = limits.parse(limit)
    assert number is not None and done["peak"] <= number
    pages = done["pages"]
    for page in (pages[0], pages[-1]):  # the same text, whatever was read in between
        assert set(page["text"].split("\n")) == {line.text for line in labels["sample.jpg"]}
    shrunk, whole = pages[4], pages[5]
    # The JPEG is decoded at a part of its size, but its quads are in pixels of the whole picture.
    assert shrunk["size"] == [4800, 6400]
    receipt = pages[2]
    assert receipt["text"].split("\n")[0] in shrunk["text"]
    corners = np.array(shrunk["quads"]).reshape(-1, 2)
    np.testing.assert_allclose(
        corners.max(axis=0) / shrunk["size"],
        np.array(receipt["quads"]).reshape(-1, 2).max(axis=0) / receipt["size"],
        atol=0.02,
    )
    pattern = rf"page\.png: needs (\d+) MB, the limit is {limit[:-2]} MB: make the picture smaller"
    assert re.search(pattern, whole["error"])
    assert whole["needed"] > number


def test_peak_stays_below_a_tight_limit_with_several_graphs(
    embedded_files: Files, large: dict[str, str], tmp_path: Path
) -> None:
    """A run of the graph in int8 needs more memory than one of the stage's own graph."""
    files = fleet(embedded_files)
    manifest = json.loads(files[MANIFEST])
    for task, stage in manifest["stages"].items():
        for each in (*stage.get("variants", ()), stage):
            each["activation_bytes"] = bytes_per_pixel(files[each["graph"]], task)
    (int8,) = manifest["stages"]["recognition"]["variants"]
    int8["cpu_features"] = []  # so that every CPU takes it
    path = packed(
        sealed({**files, MANIFEST: json.dumps(manifest).encode()}), tmp_path / "a.edgeocr"
    )
    done = read_within("170MB", path, [SAMPLE, *large.values(), SAMPLE])
    assert done["peak"] <= 170 * MB
    assert done["pages"][0]["text"] and done["pages"][-1] == done["pages"][0]


@pytest.mark.parametrize("limit", ["170MB", "300MB"])
def test_limit_is_kept_while_small_text_is_looked_at_again(
    memory_bundle: Path, tmp_path: Path, limit: str
) -> None:
    paths = [str(tmp_path / name) for name in ("print.jpg", "screenshot.jpg")]
    side = 3000 if limit == "170MB" else 1800
    for path, size in zip(paths, ((16, side, side), (30, 9000, 1080)), strict=True):
        cv2.imwrite(path, large_pictures.page(9, *size).image)
    done = read_within(limit, memory_bundle, paths)
    number = limits.parse(limit)
    assert number is not None and done["peak"] <= number
    assert all("error" not in page for page in done["pages"])
    # With the lower limit the small print is decoded at a fraction that leaves nothing to read.
    readable = [1] if limit == "170MB" else [0, 1]
    assert all(done["pages"][i]["text"] for i in readable)


def test_limit_that_an_error_names_is_enough(memory_bundle: Path, large: dict[str, str]) -> None:
    (page,) = read_within("200MB", memory_bundle, [large["page.png"]])["pages"]
    done = read_within(page["needed"] + 3 * MB, memory_bundle, [large["page.png"]])
    assert "text" in done["pages"][0] and done["peak"] <= page["needed"] + 3 * MB
    (opening,) = read_within("60MB", memory_bundle, [])["pages"]
    assert read_within(opening["needed"] + 3 * MB, memory_bundle, [])["budget"] is not None


def test_too_large_picture_is_refused_before_the_system_refuses_memory(
    memory_bundle: Path, large: dict[str, str]
) -> None:
    """RLIMIT_DATA limits writable memory, which is more than the resident memory.

    With the page decoded it would exceed 400 MB.
    """
    limited = read_within(
        "200MB",
        memory_bundle,
        [SAMPLE, large["page.png"], SAMPLE],
        rlimit=("RLIMIT_DATA", 400 * MB),
    )
    first, page, last = limited["pages"]
    assert "needs" in page["error"] and first["text"] and last["text"] == first["text"]


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """Folder of a control group whose processes may hold 200 MB."""
    folder = CGROUP / f"edgeocr-tests-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(200 * MB))
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    yield folder
    folder.rmdir()


def test_control_group_with_the_same_limit_never_runs_out(
    memory_bundle: Path, large: dict[str, str], cgroup: Path
) -> None:
    done = read_within(
        "200MB", memory_bundle, [large["page.png"], large["page.jpg"], SAMPLE], cgroup=cgroup
    )
    assert "needs" in done["pages"][0]["error"]
    assert done["pages"][1]["text"] and done["pages"][2]["text"]
    assert (cgroup / "memory.failcnt").read_text().strip() == "0"


def test_limit_is_kept_with_fixed_shapes_and_without_stated_memory() -> None:
    """The embedded bundle does not state what its stages take, so a safe figure is assumed."""
    done = read_within("220MB", EMBEDDED_BUNDLE, [SAMPLE], fixed_shapes=True)
    assert done["peak"] <= 220 * MB and done["pages"][0]["text"]


def test_limit_is_kept_by_a_long_line_that_is_read_in_narrower_pieces(
    memory_bundle: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(5)
    content = long_lines.text(random, "counting", 500)
    line = long_lines.draw(content, long_lines.font(random, installed=False), random)
    strip = cv2.copyMakeBorder(line, 30, 30, 30, 30, cv2.BORDER_REPLICATE)
    cv2.imwrite(str(tmp_path / "strip.png"), strip)
    done = read_within("180MB", memory_bundle, [str(tmp_path / "strip.png")])
    assert done["peak"] <= 180 * MB
    (page,) = done["pages"]
    found = page["text"].replace(" ", "").replace("\n", "")
    assert Levenshtein.distance(found, content.replace(" ", "")) <= 0.01 * len(content)


def test_limit_is_kept_while_drawing(memory_bundle: Path, large: dict[str, str]) -> None:
    done = read_within("300MB", memory_bundle, [large["page.jpg"]], draw=True)
    assert done["peak"] <= 300 * MB
    # Drawing takes more memory than reading, so the page is drawn at a part of its size.
    ((height, width, _),) = done["drawn"]
    assert (height, width) in [(3200, 2400), (1600, 1200)]


def test_limit_of_one_ocr_does_not_apply_to_the_next(memory_bundle: Path) -> None:
    """The sessions of a process share one arena, so an `OCR` without a limit has its own."""
    code = (
        "import numpy, sys; from edgeocr import OCR; "
        "small = OCR(sys.argv[1], provider='cpu', memory_limit='170MB'); "
        "whole = OCR(sys.argv[1], provider='cpu', memory_limit='none'); "
        "picture = numpy.full((3000, 4000, 3), 255, numpy.uint8); "
        "assert len(whole.detect(picture)) == 0 and whole.memory_budget is None; "
        "print(small.memory_budget.arena_bytes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(memory_bundle)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 60 * MB


def test_small_network_of_tall_crops_runs_within_a_limit(tmp_path: Path) -> None:
    """ViTSTR takes no other height than 224, and a small copy of it needs hardly any memory."""
    bundle = tmp_path / "small.edgeocr"
    frozen(bundle, recognition=str(ZOO_EXPORTS / "rec_vitstr_none_ce" / "legacy"))
    code = (
        "import numpy, sys; from edgeocr import OCR; "
        "ocr = OCR(sys.argv[1], provider='cpu', memory_limit='300MB'); "
        "print(len(ocr.recognize([numpy.zeros((32, 90, 3), numpy.uint8)] * 5)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(bundle)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "5\n"


def test_limit_is_kept_by_files_that_take_more_than_their_pixels(
    memory_bundle: Path, tmp_path: Path
) -> None:
    bitmap = b"P4 #c\r9000 9000\n10 10\n" + bytes(9000 * 1125)  # to some, the comment goes on
    files = {
        "scans.jpg": hostile.jpeg_with_a_scan_per_component(6000, 6000),
        "tiles.j2k": hostile.jpeg2000((255, 257), (1, 1)),
        "comment.pbm": bitmap,
        "tile.tif": hostile.tiled_tiff(64, 64, 8192),
        "canvas.gif": hostile.gif(12000, 12000),
        "progressive.jpg": hostile.jpeg(9000, 9000, progressive=True),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in files]
    endless = tmp_path / "endless.png"
    os.mkfifo(endless)
    writer = threading.Thread(target=write_without_end, args=(endless,), daemon=True)
    writer.start()
    done = read_within(
        "200MB", memory_bundle, [*paths, "/dev/zero", "/dev/urandom", str(endless), SAMPLE]
    )
    assert done["peak"] <= 200 * MB
    *refused, sample = done["pages"]
    assert len(refused) == 9 and all("error" in page for page in refused)
    assert all(page["needed"] for page in [*refused[:6], refused[8]]), "all exceed the limit"
    assert sample["text"]
    writer.join(10)


def write_without_end(path: Path) -> None:
    """Write the beginning of a PNG file and then zeros into a pipe, as long as someone reads."""
    with contextlib.suppress(BrokenPipeError), path.open("wb") as pipe:
        pipe.write(b"\x89PNG\r\n\x1a\n")
        while True:
            pipe.write(bytes(1 << 20))
