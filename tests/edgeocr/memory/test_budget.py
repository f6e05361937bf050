"""That a limit of memory is kept, and what is refused for it."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from converters.graph.activation_memory import bytes_per_pixel
from edgeocr import OCR, Bundle, GraphError, ImageError, MemoryLimitError, images
from edgeocr.bundle.manifest import Profile, Resize, Stages
from edgeocr.cli.main import main
from edgeocr.memory import limit as memory
from edgeocr.resize import bounded, bounded_stages, network_size
from tests.support.frozen import stored
from tests.support.paths import TESTS

MB = 10**6
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are kept on Linux")
CGROUP = Path("/sys/fs/cgroup/memory")

# Reads pictures under a limit, in a process that the system may limit too; prints JSON.
READ = """
import json, os, resource, sys
from pathlib import Path
asked = json.loads(sys.argv[1])
if asked.get("rlimit"):
    name, number = asked["rlimit"]
    resource.setrlimit(getattr(resource, name), (number, number))
if asked.get("cgroup"):
    Path(asked["cgroup"], "cgroup.procs").write_text(str(os.getpid()))
from edgeocr import OCR, EdgeOCRError, MemoryLimitError
def page(result):
    if isinstance(result, EdgeOCRError):
        return {"error": str(result), "needed": getattr(result, "needed", None)}
    quads = [line.quad.tolist() for line in result.lines]
    return {"text": result.text, "size": [result.width, result.height], "quads": quads}
try:
    ocr = OCR(asked["bundle"], provider="cpu", threads=2, **asked["options"])
    pages = [page(each) for each in ocr.read_many(asked["pictures"])]
    bounds = [ocr.memory.max_pixels, ocr.memory.runs, ocr.memory.pictures]
except MemoryLimitError as error:
    pages, bounds = [page(error)], None
rows = Path("/proc/self/status").read_text().splitlines()
peak = next(int(row.split()[1]) << 10 for row in rows if row.startswith("VmHWM"))
print(json.dumps({"pages": pages, "peak": peak, "bounds": bounds}))
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded bundle, with what its stages take of memory."""
    bundle = Bundle.default()
    manifest = json.loads(bundle.manifest_text)
    for task, stage in manifest["stages"].items():
        stage["activation_bytes"] = bytes_per_pixel(bundle.read(stage["graph"]), task)
    target = tmp_path_factory.mktemp("bundle") / "known.edgeocr"
    stored(bundle, target, json.dumps(manifest))
    return target


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Pictures that take more than a small limit: as JPEGs and as PNGs, and a strip."""
    folder = tmp_path_factory.mktemp("large")
    receipt = cv2.imread(str(TESTS / "images" / "receipt.jpg"))
    page = cv2.resize(receipt, (6000, 8000), interpolation=cv2.INTER_LINEAR)
    strip = np.full((200, 20000, 3), 255, np.uint8)
    for x in range(0, 19000, 700):
        cv2.putText(strip, f"EDGE {x}", (x + 20, 140), 0, 4, (0, 0, 0), 8)
    made = {"page.jpg": page, "page.png": page, "strip.png": strip}
    for name, picture in made.items():
        cv2.imwrite(str(folder / name), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return {name: str(folder / name) for name in made}


def read(bundle: Path, pictures: list[str], limit: object, **more: object) -> dict:
    options = {"memory_limit": limit, **more.pop("options", {})}  # type: ignore[dict-item]
    asked = {"bundle": str(bundle), "pictures": pictures, "options": options, **more}
    done = subprocess.run(
        [sys.executable, "-c", READ, json.dumps(asked)],
        capture_output=True,
        text=True,
        # NumPy's library for matrices reserves memory for each of its threads.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "option",
    [
        *(["--memory-limit", "much"], ["--memory-limit", "9" * 400 + "MB"]),
        *(["--max-pixels", "12"], ["--max-pixels", "9" * 5000]),
    ],
)
@pytest.mark.parametrize("command", [["read", "x.jpg"], ["detect", "x.jpg"], ["warm"], ["bench"]])
def test_nonsense_on_the_command_line_is_wrong_usage(command, option, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command, *option])
    assert end.value.code == 2
    assert "must be" in capsys.readouterr().err


RULE = Resize("min", 544, 900_000, 32, sizes=[[320, 320], [640, 640], [960, 928]])


@pytest.mark.parametrize(
    ("pixels", "sizes"),
    [
        (2_000_000, RULE.sizes),
        (500_000, [[320, 320], [640, 640]]),
        (409_600, [[320, 320], [640, 640]]),
        (409_599, [[320, 320]]),
        (102_399, [[288, 288]]),
        (5000, [[64, 64]]),
    ],
)
def test_a_bound_of_pixels_leaves_the_sizes_within_it(pixels, sizes):
    rule = bounded(RULE, pixels)
    assert rule.sizes == sizes
    height, width = network_size(3000, 4000, rule)
    assert height * width <= pixels and height % 32 == width % 32 == 0


def test_max_pixels(bundle, pictures):
    for pixels in (1023, -1):
        with pytest.raises(ValueError, match="max_pixels must be at least 1024"):
            OCR(bundle, provider="cpu", max_pixels=pixels)
    assert bounded_stages(Stages(), 5) == Stages()
    ocr = OCR(bundle, provider="cpu", threads=2, max_pixels=100_000)
    seen = []
    run = ocr._detector.session.run
    ocr._detector.session.run = lambda batch: seen.append(batch.shape) or run(batch)
    assert ocr.detect(pictures / "sample.jpg")
    assert seen[0][1] * seen[0][2] <= 100_000
    assert all(h * w <= 100_000 for _, h, w, _ in ocr._detector.session.shapes)


def test_profile_of_a_bundle_is_the_default(bundle):
    profiled = Bundle.default()
    profiled.manifest = replace(profiled.manifest, profile=Profile("small", 1, 60 * MB))
    assert OCR(profiled, provider="cpu", memory_limit="none")._pool.threads == 1
    assert OCR(profiled, provider="cpu", memory_limit=0, threads=2)._pool.threads == 2
    if sys.platform.startswith("linux"):
        with pytest.raises(MemoryLimitError, match="the limit is 60 MB"):
            OCR(profiled, provider="cpu")


@linux
def test_a_limit_below_what_opening_takes_names_what_is_needed(bundle, capsys):
    with pytest.raises(MemoryLimitError, match=r"^tiny: needs \d+ MB, the limit is 30 MB: ") as e:
        OCR(bundle, provider="cpu", memory_limit="30MB")
    assert e.value.limit == 30 * MB < e.value.needed < 2000 * MB
    assert main(["read", "x.jpg", "--memory-limit", "30MB"]) == 1
    assert "error: tiny: needs" in capsys.readouterr().err


@linux
@pytest.mark.parametrize("limit", ["170MB", "200MB", "300MB"])
def test_the_limit_is_kept_on_the_largest_pictures(known, large, labels, limit):
    number = memory.parse(limit)
    sample = str(TESTS / "images" / "sample.jpg")
    rest = [str(TESTS / "images" / name) for name in ("poster.jpg", "receipt.jpg", "badge.jpg")]
    done = read(known, [sample, *rest, *large.values(), sample], limit)
    assert done["peak"] <= number
    pages = done["pages"]
    for page in (pages[0], pages[-1]):  # the same, whatever was read between
        assert set(page["text"].split("\n")) == {line.text for line in labels["sample.jpg"]}
    shrunk, whole = pages[4], pages[5]
    # The JPEG is decoded at a part of its size; what is found is in the whole picture's pixels.
    assert shrunk["size"] == [6000, 8000]
    receipt = pages[2]
    assert receipt["text"].split("\n")[0] in shrunk["text"]
    corners = np.array(shrunk["quads"]).reshape(-1, 2)
    np.testing.assert_allclose(
        corners.max(axis=0) / [6000, 8000],
        np.array(receipt["quads"]).reshape(-1, 2).max(axis=0) / receipt["size"],
        atol=0.02,
    )
    pattern = rf"page\.png: needs (\d+) MB, the limit is {limit[:-2]} MB: make the picture smaller"
    assert re.search(pattern, whole["error"])
    assert whole["needed"] > number


@linux
def test_the_number_that_an_error_names_is_enough(known, large):
    (page,) = read(known, [large["page.png"]], "200MB")["pages"]
    done = read(known, [large["page.png"]], page["needed"] + 3 * MB)
    assert "text" in done["pages"][0] and done["peak"] <= page["needed"] + 3 * MB
    (opening,) = read(known, [], "60MB")["pages"]
    assert read(known, [], opening["needed"] + 3 * MB)["bounds"] is not None


@linux
def test_under_a_limit_of_the_systems(known, large):
    """Of memory that may be written to, of which a process has more than is resident: the page
    would take 290 MB of it, the rest takes 250.
    """
    sample = str(TESTS / "images" / "sample.jpg")
    more = {"rlimit": ["RLIMIT_DATA", 400 * MB]}
    first, page, last = read(known, [sample, large["page.png"], sample], "200MB", **more)["pages"]
    assert "needs" in page["error"] and first["text"] and last["text"] == first["text"]


@linux
def test_opening_that_the_system_refuses_memory_for(monkeypatch, bundle):
    def refuse(*_: object, **__: object) -> None:
        raise GraphError("the graph doesn't load: std::bad_alloc")

    monkeypatch.setattr("edgeocr.ocr.Recognizer", refuse)
    with pytest.raises(MemoryLimitError, match=r"^tiny: needs \d+ MB, .* the system had less"):
        OCR(bundle, provider="cpu", memory_limit="4GB")
    with pytest.raises(GraphError, match="bad_alloc"):
        OCR(bundle, provider="cpu")


@pytest.fixture
def cgroup() -> Iterator[Path]:
    folder = CGROUP / f"edgeocr-tests-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(200 * MB))
    except OSError as error:
        pytest.skip(f"no cgroup can be made: {error}")
    yield folder
    folder.rmdir()


@linux
def test_in_a_control_group_nothing_is_killed(known, large, cgroup):
    sample = str(TESTS / "images" / "sample.jpg")
    done = read(known, [large["page.png"], large["page.jpg"], sample], "200MB", cgroup=str(cgroup))
    assert "needs" in done["pages"][0]["error"]
    assert done["pages"][1]["text"] and done["pages"][2]["text"]
    assert (cgroup / "memory.failcnt").read_text().strip() == "0"


@linux
def test_few_shapes_and_unknown_networks_within_a_limit():
    """The embedded bundle says nothing of what its stages take, so more is assumed."""
    sample = str(TESTS / "images" / "sample.jpg")
    embedded = TESTS.parent / "edgeocr" / "bundles" / "tiny.edgeocr"
    done = read(embedded, [sample], "220MB", options={"few_shapes": True})
    assert done["peak"] <= 220 * MB and done["pages"][0]["text"]


@linux
def test_overlays_and_crops_within_a_limit(known, large, tmp_path):
    def run(*arguments: str) -> str:
        limit = ["--bundle", str(known), "--provider", "cpu", "--memory-limit", "300MB"]
        done = subprocess.run(
            [sys.executable, "-m", "edgeocr", *arguments, *limit], capture_output=True, text=True
        )
        assert "needs" in done.stderr if done.returncode else not done.stderr
        return done.stdout

    assert run("detect", large["page.jpg"], "--overlay", str(tmp_path))
    # Drawing takes more than reading, so it is a smaller part of the page.
    assert images.load(tmp_path / "page.jpg").shape[:2] == (2000, 1500)
    assert "EDGE" in run("recognize", large["strip.png"], large["page.png"])


@linux
def test_an_ocr_without_a_limit_is_not_bound_by_one_before(known, tmp_path):
    """The arena is the process's, so the second has one of its own."""
    code = (
        "import numpy, sys; from edgeocr import OCR; "
        "small = OCR(sys.argv[1], provider='cpu', memory_limit='170MB'); "
        "whole = OCR(sys.argv[1], provider='cpu', memory_limit='none'); "
        "picture = numpy.full((6000, 8000, 3), 255, numpy.uint8); "
        "assert whole.detect(picture) == [] and whole.memory is None; "
        "print(small.memory.arena)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(known)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 60 * MB


@linux
def test_every_kind_of_source_counts(known, pictures):
    ocr = OCR(known, provider="cpu", threads=2, memory_limit="4GB")
    path = pictures / "sample.jpg"
    image = images.load(path)
    kinds = [path, path.read_bytes(), bytearray(path.read_bytes()), image, PIL.Image.open(path)]
    with path.open("rb") as file:
        texts = [page.text for page in ocr.read_many([*kinds, file, io.BytesIO(path.read_bytes())])]
    assert texts[0] and set(texts) == {texts[0]}
    assert [reading.text for reading in ocr.recognize([image[40:90], image[40:90]])]
    ocr.memory._pages = memory.Room(1000)
    ocr.memory.pictures = 1000
    for source in (*kinds, io.BytesIO(path.read_bytes())):
        with pytest.raises(MemoryLimitError, match="make the picture smaller") as caught:
            ocr.read(source)
        assert caught.value.source and str(caught.value).startswith(caught.value.source)
    with pytest.raises(MemoryLimitError):
        ocr.recognize([image])
    (missing,) = ocr.read_many([pictures / "missing.jpg"])
    assert isinstance(missing, ImageError) and "No such file" in str(missing)
    text = io.StringIO("no picture")
    (wrong,) = ocr.read_many([text])
    assert isinstance(wrong, ImageError)


@linux
def test_files_that_do_not_tell_their_size_are_refused_unread(known, tmp_path, monkeypatch):
    """OpenCV decodes more kinds than have a header that we read, to pictures of any size."""
    ocr = OCR(known, provider="cpu", threads=2, memory_limit="4GB")
    path = tmp_path / "page.ras"
    cv2.imwrite(str(path), np.full((64, 64, 3), 255, np.uint8))
    assert images.load(path).shape == (64, 64, 3)
    monkeypatch.setattr(images, "load", lambda *_: pytest.fail("decoded"))
    content = path.read_bytes()
    for work in (ocr.read, lambda source: ocr.recognize([source])):
        for source in (path, content, io.BytesIO(content)):
            with pytest.raises(ImageError, match="what decoding it takes is unknown"):
                work(source)


@linux
@pytest.mark.parametrize("options", [{}, {"memory_limit": "4GB"}])
def test_a_picture_that_failed_is_not_kept(known, options):
    ocr = OCR(known, provider="cpu", threads=2, **options)
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


@linux
def test_a_process_that_grew_refuses_pages(known, pictures, monkeypatch):
    limit = memory.resident() + 250 * MB
    ocr = OCR(known, provider="cpu", threads=2, memory_limit=limit)
    monkeypatch.setattr(memory, "resident", lambda: limit - MB)
    with pytest.raises(MemoryLimitError, match=r"sample\.jpg: needs"):
        ocr.read(pictures / "sample.jpg")


@linux
def test_a_jpeg_that_is_reduced_and_turned(known, pictures, tmp_path):
    """As it is read whole, in the pixels of the whole picture."""
    picture = PIL.Image.open(pictures / "sample.jpg")
    picture = picture.resize((picture.width * 3, picture.height * 3))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    picture.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif)
    ocr = OCR(known, provider="cpu", threads=2, memory_limit="4GB")
    whole = ocr.read(tmp_path / "turned.jpg")
    ocr.memory.pictures = picture.width * picture.height * 6 // 4 + 10**6
    reduced = ocr.read(tmp_path / "turned.jpg")
    assert (reduced.width, reduced.height) == (whole.width, whole.height) == picture.size
    assert reduced.text.replace(" ", "") == whole.text.replace(" ", "")
    for one, other in zip(reduced.lines, whole.lines, strict=True):
        assert one.quad == pytest.approx(other.quad, abs=20)
    (region, *_), width, height = ocr.detect_sized(tmp_path / "turned.jpg")
    assert (width, height) == picture.size and region.quad == pytest.approx(
        whole.lines[0].quad, abs=20
    )
