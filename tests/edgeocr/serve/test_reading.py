"""What the service reads, compared with what the command line writes."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from PIL import Image

from edgeocr import OCR
from edgeocr.cli.main import main
from edgeocr.serve import Options, ReaderOptions
from edgeocr.writers.formats import FORMATS
from tests.support import systems
from tests.support.packing import packed
from tests.support.services import Client, serving

MILLISECONDS = re.compile(rb'"milliseconds": \{[^}]*\}')


Command = Callable[..., bytes]


@pytest.fixture
def command(ocr: OCR, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Returns what the command line writes to standard output."""

    def shared(options: argparse.Namespace, **_: object) -> contextlib.nullcontext[OCR]:
        return contextlib.nullcontext(
            OCR(shape="polygon") if getattr(options, "shape", None) else ocr
        )

    monkeypatch.setattr("edgeocr.cli.read.open_ocr", shared)
    return written


def written(*arguments: str | Path) -> bytes:
    output = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        main([*map(str, arguments)])
    output.flush()
    assert isinstance(output.buffer, io.BytesIO)
    return output.buffer.getvalue()


def timeless(document: bytes) -> bytes:
    """Replace the times of stages, which differ from run to run."""
    return MILLISECONDS.sub(lambda found: re.sub(rb": [0-9.]+", b": 0", found[0]), document)


@pytest.fixture
def folder(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a picture, a file that is none, and a file with three pages."""
    sample = Image.open(pictures / "sample.jpg")
    sample.save(tmp_path / "one.png")
    pages = [sample.crop((0, top, 480, top + 240)) for top in (0, 240, 480)]
    pages[0].save(tmp_path / "three.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "notes.txt").write_text("no picture at all, only text")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("format_", ["json", "hocr"])
def test_one_file_is_the_body(
    service: Client, command: Command, pictures: Path, format_: str
) -> None:
    path = pictures / "sample.jpg"
    answer = service.post(f"/v1/read?name={path}&format={format_}", path.read_bytes())
    assert answer.status == 200
    assert answer.headers["content-type"] == FORMATS[format_].media_type
    assert timeless(answer.body) == timeless(command("read", "--format", format_, path))


def test_parameters_are_those_of_the_command_line(
    service: Client, command: Command, pictures: Path
) -> None:
    path = pictures / "badge.jpg"
    target = f"/v1/read?name={path}&words=true&characters=true&shape=polygon"
    expected = command(
        "read", "--format", "json", "--words", "--characters", "--shape", "polygon", path
    )
    assert timeless(service.post(target, path.read_bytes()).body) == timeless(expected)
    assert b'"polygon"' in expected and b'"characters"' in expected


@pytest.mark.parametrize("format_", ["json", pytest.param("text", marks=pytest.mark.stress)])
def test_several_files_and_pages_in_order(
    service: Client, command: Command, folder: Path, format_: str
) -> None:
    names = ["one.png", "notes.txt", "three.tif"]
    files = {name: (folder / name).read_bytes() for name in names}
    answer = service.upload(f"/v1/read?format={format_}", files)
    assert answer.status == 200 and answer.headers["edgeocr-failed"] == "1"
    assert timeless(answer.body) == timeless(command("read", "--format", format_, *names))


def test_a_file_with_several_pages(service: Client, command: Command, folder: Path) -> None:
    answer = service.post("/v1/read?name=three.tif", (folder / "three.tif").read_bytes())
    assert timeless(answer.body) == timeless(command("read", "--format", "json", "three.tif"))
    assert [page["source"] for page in answer.json] == [f"three.tif#{i}" for i in (1, 2, 3)]


def test_a_searchable_pdf(service: Client, pictures: Path) -> None:
    import pypdfium2

    content = (pictures / "sample.jpg").read_bytes()
    answer = service.post("/v1/read?format=pdf", content)
    assert answer.headers["content-type"] == "application/pdf"
    with pypdfium2.PdfDocument(answer.body) as document:
        assert len(document) == 1
        assert "NOODLE AND TEA ROOM" in document[0].get_textpage().get_text_range()


@pytest.mark.parametrize("name", ["detect", "recognize"])
def test_the_other_commands(service: Client, command: Command, folder: Path, name: str) -> None:
    content = (folder / "one.png").read_bytes()
    answer = service.post(f"/v1/{name}?name=one.png", content)
    expected = command(name, "--format", "json", "one.png")
    assert timeless(answer.body) == timeless(expected)
    both = service.upload(f"/v1/{name}", {"one.png": content, "notes.txt": b"words"})
    assert len(both.json) == 2 and "error" in both.json[1]


def test_an_unreadable_file_is_an_error(service: Client) -> None:
    for body in (b"no picture at all, only text", b"\xff\xd8\xff\xe0 nothing else", b"%PDF-1.7"):
        answer = service.post("/v1/read?name=it", body)
        assert answer.error[0] == 422
        assert answer.json["error"]["source"] == "it"
        assert answer.json["error"]["message"].startswith("it: ")
    assert service.upload("/v1/read?format=hocr", {"a": b"x", "b": b"y"}).error == (
        422,
        "ImageError",
    )


def test_names_are_labels_and_no_files(service: Client, folder: Path) -> None:
    path = folder / "one.png"
    for name in (str(path), "../../etc/passwd", "http://localhost/picture.png", "\x1b[31m\n"):
        answer = service.upload("/v1/read", {name.replace("\n", ""): b"no picture"})
        assert answer.error == (422, "ImageError")
    kept = service.post(f"/v1/read?name={'n' * 1000}", path.read_bytes())
    assert kept.json["source"] == "n" * 255
    assert "\x1b" not in service.upload("/v1/read", {"\x1b[31m": path.read_bytes()}).json["source"]


@pytest.mark.stress
@pytest.mark.parametrize(
    ("system", "shape", "fault"),
    [
        ("trained EAST, STAR-Net", "polygon", "EAST finds quads only"),
        ("PGNet", "quad", "PGNet finds polygons only"),
    ],
)
def test_a_shape_that_the_bundle_can_not_find(
    tmp_path: Path, system: str, shape: str, fault: str
) -> None:
    path = packed(systems.bundle(system).files(), tmp_path / "system.edgeocr")
    content = cv2.imencode(".png", systems.picture("part"))[1].tobytes()
    with serving(Options(ReaderOptions(str(path), provider="cpu"), port=0)) as (client, _):
        answer = client.post(f"/v1/read?shape={shape}", content)
        assert answer.error == (422, "ParameterError")
        assert fault in answer.json["error"]["message"]
        assert client.post("/v1/read", content).status == 200
