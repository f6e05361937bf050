"""docs/troubleshooting.md lists every class of error, and each is raised by a real fault."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import io
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from unittest.mock import Mock

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import converters
import converters.errors
import edgeocr
from converters.accuracy.datasets import folder as dataset_folder
from converters.catalog import entries as catalog
from converters.catalog.entries import SourceFile
from converters.catalog.fetch import Fetcher
from converters.convert import convert
from converters.model.paddle_model import PaddleModel, identify
from converters.parity import paddle_reference
from converters.precision import calibration
from converters.precision.lock import PrecisionLock
from converters.translate import translate
from converters.translate.registry import OPERATORS
from edgeocr import OCR, Bundle, EdgeOCRError, Line
from edgeocr.memory import opening
from edgeocr.outputs.replacement import Replacement
from edgeocr.postprocess import ctc
from edgeocr.ray import plan
from edgeocr.ray.storage import Storage
from edgeocr.runtime.providers import PROVIDERS
from edgeocr.serve import Options, Server
from edgeocr.watch import watch
from edgeocr.writers import overlay, pdf
from tests.support import constant_graphs
from tests.support.paths import EMBEDDED_BUNDLE, FIXTURES, IMAGES, ROOT, ZOO_EXPORTS

# Libraries that are in no environment of the tests that import all modules.
STRANGERS = ("paddle", "ocrmypdf", "triton_python_backend_utils")
PICTURE = IMAGES / "badge.jpg"
# A picture of the right size for the graphs of tests/support/constant_graphs.py.
ENCRYPTED = FIXTURES / "documents" / "encrypted.pdf"
BLANK = np.zeros((constant_graphs.SIDE, constant_graphs.SIDE, 3), np.uint8)
QUAD = np.array([[4, 4], [60, 4], [60, 20], [4, 20]], np.float32)


@dataclass(frozen=True)
class Place:
    """Where a fault is made: an empty folder, what it may replace, and a public key."""

    folder: Path
    patch: pytest.MonkeyPatch
    key: Path


@dataclass(frozen=True)
class Fault:
    """A real fault, and what its message must have: the thing at fault, and the remedy if any."""

    error: str
    make: Callable[[Place], object]
    named: str
    remedy: str = ""


class Files:
    """A file system that pyarrow has, without pyarrow: it finds nothing."""

    def open_input_stream(self, path: str) -> object:
        raise FileNotFoundError(path)


def other_job(place: Place) -> object:
    storage = Mock(address=str(place.folder), files=lambda: iter(["notes.txt"]))
    storage.exists = lambda path="": not path
    plan.begin(storage, {})
    return None


def missing_file(place: Place) -> object:
    storage = object.__new__(Storage)
    storage.address, storage._system, storage._root = "s3://bucket", Files(), "bucket"
    return storage.read("a.jpg")


def damaged(place: Place) -> object:
    path = place.folder / "cut.edgeocr"
    path.write_bytes(EMBEDDED_BUNDLE.read_bytes()[:100_000])
    return Bundle.open(path)


def wrong_output(place: Place) -> object:
    outputs = constant_graphs.sound_outputs("CTC")
    outputs["scores"] = outputs["scores"][..., None]
    return OCR(constant_graphs.bundle(CTC=outputs), provider="cpu").recognize([BLANK])


def without_pikepdf(place: Place) -> object:
    place.patch.setitem(sys.modules, "pikepdf", None)
    return pdf.Writer(io.BytesIO())


def two_pages(place: Place) -> object:
    page, stream = Image.new("L", (64, 64)), io.BytesIO()
    page.save(stream, "TIFF", save_all=True, append_images=[page])
    path = place.folder / "two.tif"
    path.write_bytes(stream.getvalue())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return constant_reader().read(path)


def constant_reader() -> OCR:
    """Return an OCR that finds and reads one line, whatever the picture shows."""
    stages = {name: constant_graphs.sound_outputs(name) for name in ("DB", "CTC")}
    return OCR(constant_graphs.bundle(**stages), provider="cpu", threads=1)


def closed(place: Place) -> object:
    ocr = constant_reader()
    ocr.close()
    return ocr.read(BLANK)


def forked(place: Place) -> object:
    """Read in a process that looks forked, on a provider that can't be opened there."""
    ocr = constant_reader()
    stand_in = replace(PROVIDERS["cpu"], opens_in_forks=False)
    place.patch.setattr(opening, "PROVIDERS", MappingProxyType({"cpu": stand_in}))
    place.patch.setattr(os, "getpid", lambda: 1)
    return ocr.read(BLANK)


def failing_provider(place: Place) -> object:
    """Read on a provider that fails, for which the CPU stands in."""
    ocr = constant_reader()
    session = ocr.stages["detection"].session
    place.patch.setattr(session, "_started_on", PROVIDERS["openvino"])
    place.patch.setattr(session, "_runner", Mock(run=Mock(side_effect=RuntimeError("DEVICE_LOST"))))
    return ocr.read(BLANK)


def without_font(place: Place) -> object:
    place.patch.setattr(overlay, "_installed", tuple)
    return overlay.draw(BLANK, [Line("x", 1.0, QUAD)])


def missing_provider(place: Place) -> object:
    there = onnxruntime.get_available_providers()
    name = next(name for name, each in PROVIDERS.items() if each.onnxruntime_name not in there)
    return OCR(provider=name)


def gone(place: Place) -> object:
    place.patch.setenv("EDGEOCR_CACHE", str(place.folder / "cache"))
    file = SourceFile("inference.pdmodel", "0" * 64, (place.folder / "gone").as_uri(), [])
    entry = catalog.load().model("ch_ppocr_mobile_v2.0_cls")
    with Fetcher(place.folder / "models.lock") as fetcher:
        return fetcher.fetch(dataclasses.replace(entry, files=[file]))


def model() -> PaddleModel:
    return identify(ZOO_EXPORTS / "det_mv3_db" / "legacy")


def unknown_operator(place: Place) -> object:
    """Translate a network of which one operator has no translation."""
    place.patch.delitem(OPERATORS, "hard_swish")
    return translate(model())


def classifier(place: Place) -> object:
    """Convert a network that may turn lines, or tell anything else of two kinds apart."""
    return convert(ZOO_EXPORTS / "ch_ppocr_mobile_v2.0_cls" / "legacy", catalog.load())


def without_paddle(place: Place) -> object:
    place.patch.setattr(importlib.util, "find_spec", lambda name: None)
    return paddle_reference.run(model(), [[np.zeros((1, 3, 32, 32), np.float32)]], None)


def broken_python(place: Place) -> object:
    probes = [[np.zeros((1, 3, 32, 32), np.float32)]]
    return paddle_reference.run(model(), probes, place.folder / "no-python")


def damaged_lock(place: Place) -> object:
    path = place.folder / "precision.lock"
    path.write_text("{")
    return PrecisionLock(path).get([b"graph"], "pictures")


def wrong_label(place: Place) -> object:
    (place.folder / "gt_img_1.txt").write_text("0,0,9,0,9,9,0,9,text\n0,0,9,9,text\n")
    (place.folder / "img_1.jpg").touch()
    return dataset_folder.read(place.folder)


def only(stage: str) -> OCR:
    sound = constant_graphs.sound_outputs(stage)
    return OCR(constant_graphs.bundle(**{stage: sound}), provider="cpu")


def no_token(place: Place) -> object:
    """Start a service whose token file is empty."""
    path = place.folder / "empty"
    path.touch()
    return Server(Options(token_file=path))


FAULTS = [
    Fault("EdgeOCRError", no_token, "empty", "openssl rand"),
    Fault("ImageError", lambda _: constant_reader().read("no.jpg"), r"no\.jpg"),
    Fault(
        "ImageError", lambda _: constant_reader().read(BLANK[0, 0]), r"shape \(3,\)", "pass .* BGR"
    ),
    Fault("DocumentError", lambda _: constant_reader().read(b"%PDF-1.7"), "<bytes>", "repair it"),
    Fault("EncryptedError", lambda _: constant_reader().read(ENCRYPTED), r"encrypted\.pdf", "qpdf"),
    Fault("VideoError", lambda _: next(watch("no.mp4")), r"no\.mp4: there is no such file"),
    Fault(
        "ArrayError",
        lambda _: ctc.decode(np.zeros(3, int), np.zeros((1, 3)), np.array(["", "a"], object)),
        "indices",
        r"\[N, T\]",
    ),
    Fault("BundleError", lambda at: Bundle.open(at.folder / "no.edgeocr"), r"no\.edgeocr"),
    Fault("BundleError", damaged, r"cut\.edgeocr"),
    Fault(
        "SignatureError",
        lambda at: Bundle.open(EMBEDDED_BUNDLE, require_signature=at.key),
        r"tiny\.edgeocr.*not signed",
    ),
    Fault("StageMissingError", lambda _: only("DB").read(BLANK), "no recognition stage"),
    Fault("ProviderUnavailableError", missing_provider, "provider '", "install"),
    Fault("GraphError", wrong_output, "output .*scores.* recognition", "must be"),
    Fault(
        "MemoryLimitError",
        lambda _: OCR(provider="cpu", memory_limit="40MB"),
        "tiny.*40 MB",
        "raise memory_limit",
    ),
    Fault(
        "ProviderFailedError",
        failing_provider,
        r"detection failed on provider 'openvino' \(device lost\)",
        "start the process anew",
    ),
    Fault("ClosedError", closed, "OCR", "create a new one"),
    Fault("ForkedError", forked, "detection.*'cpu'", "create the OCR in the forked process"),
    Fault("OutputError", lambda at: Replacement(at.folder / "no" / "out.json"), r"out\.json"),
    Fault("FontError", without_font, "0 installed fonts", "install one"),
    Fault("MissingLibraryError", without_pikepdf, "pikepdf", r"edgeocr\[pdf\]"),
    Fault("MoreFramesWarning", two_pages, r"two\.tif has 2 frames", "read_many"),
    Fault("ConverterError", lambda at: calibration.pictures(at.folder), "no pictures"),
    Fault("CatalogError", lambda _: catalog.load().model("####"), "'####'", "converters list"),
    Fault("FetchError", gone, r"inference\.pdmodel.*gone", "by hand"),
    Fault("ModelFormatError", lambda at: identify(at.folder / "no"), "no: ", "neither"),
    Fault("UnknownNetworkError", classifier, r"\[\?, 2\] may be for CLS, PageCLS\.", "--algorithm"),
    Fault("TranslationError", unknown_operator, "hard_swish → .*no translation", "add its"),
    Fault("ParityError", broken_python, "no-python can't be run"),
    Fault("PaddleMissingError", without_paddle, "paddlepaddle", "pip install"),
    Fault("DatasetError", wrong_label, r"gt_img_1\.txt, row 2", "a row must have 8 numbers"),
    Fault("JobError", other_job, "has other files", "choose a new folder"),
    Fault("StorageError", missing_file, "can't be read"),
    Fault("PrecisionError", damaged_lock, r"precision\.lock"),
]


def listed() -> list[str]:
    """Return the names in the tables of the section of docs/troubleshooting.md."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    section = page.split("\n## Error classes\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


@cache
def classes() -> dict[str, type[Exception]]:
    """Import every module of both packages; return their errors and warnings by name."""
    for package in (edgeocr, converters):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                try:
                    importlib.import_module(module.name)
                # What is for an environment with Paddle, ocrmypdf or Triton.
                except ModuleNotFoundError as error:
                    assert error.name in STRANGERS, module.name
    found: list[type[Exception]] = [EdgeOCRError, *subclasses(EdgeOCRError), *subclasses(Warning)]
    return {
        each.__name__: each
        for each in found
        if each.__module__.split(".")[0] in ("edgeocr", "converters")
    }


def test_every_class_is_listed_and_has_a_fault_that_raises_it() -> None:
    assert len(listed()) == len(set(listed()))
    assert set(listed()) == set(classes())
    assert {fault.error for fault in FAULTS} == set(listed())


def test_every_class_is_where_the_page_says() -> None:
    for name, each in classes().items():
        if each.__module__.startswith("edgeocr."):
            assert getattr(edgeocr, name) is each
        elif each.__module__ != "converters.errors":
            page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
            assert re.search(rf"^\| `{name}` \|.*\(`{each.__module__}`\)", page, re.MULTILINE)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.error)
def test_fault_raises_the_class_and_says_what_is_wrong(
    fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: Path
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Exception) as caught:
        fault.make(Place(tmp_path, patch, keys / "own.pub"))
    assert type(caught.value) is classes()[fault.error], repr(caught.value)
    message = str(caught.value)
    assert re.search(fault.named, message, re.DOTALL), message
    assert re.search(fault.remedy, message), message
    # Lines after the first one list what was tried, such as the places of a download.
    for line in message.replace(str(tmp_path), "").splitlines():
        assert line.count(". ") <= 1 and len(line) < 250, message
