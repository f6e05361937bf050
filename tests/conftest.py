"""Fixtures that most tests share, and the choice of the tests that run."""

from __future__ import annotations

import gc
import os
import re
import signal
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from converters.catalog import fetch
from edgeocr import OCR, Bundle
from edgeocr.accuracy import label_file
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.bundle import signature
from edgeocr.bundle.archive import MANIFEST, SIGNATURE
from edgeocr.device import readings
from tests.support.gpu import FakeMachine
from tests.support.packing import Files, packed, stubs
from tests.support.paths import EMBEDDED_BUNDLE, FIXTURES, IMAGES
from tests.zoo.names import LEFT_TO_STRESS

# Marker → the version that its tests need.
PADDLE = {"paddle": "2.6.2", "pir": "3."}
# Markers of tests that run only when `-m` names the marker.
ONLY_BY_NAME = (
    *PADDLE,
    "stress",
    "cross_check",
    "registry",
    "gpu_package",
    "openvino",
    "documents",
    "browser",
    "arm",
    "triton",
    "npu",
    "cluster",
    "camera",
    "deployment",
)


# A process that a shell starts in the background ignores Ctrl+C, and so do its children. Tests send
# it, to themselves and to commands.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of stages of their own, unless `-m` names their marker."""
    for item in items:
        if _is_left_to_stress(item) and not any(map(item.get_closest_marker, ONLY_BY_NAME)):
            item.add_marker("stress")
    named = set(re.findall(r"\w+", config.option.markexpr))
    left_out = [
        item
        for item in items
        if any(item.get_closest_marker(name) for name in ONLY_BY_NAME if name not in named)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_collection_finish() -> None:
    """Spare each garbage collection of a test the millions of objects that the collection made."""
    gc.collect()
    gc.freeze()


def _is_left_to_stress(item: pytest.Item) -> bool:
    parameters = getattr(item, "callspec", None)
    return parameters is not None and any(
        isinstance(value, str) and value in LEFT_TO_STRESS for value in parameters.params.values()
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that needs Paddle where it is missing or has another version."""
    for marker, wanted in PADDLE.items():
        if item.get_closest_marker(marker) is not None:
            try:
                found = version("paddlepaddle")
            except PackageNotFoundError:
                found = "none"
            if not found.startswith(wanted):
                reason = (
                    f"needs paddlepaddle {wanted.rstrip('.')} in the environment, found {found}"
                )
                pytest.fail(reason, pytrace=False)


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end processes that a test starts: `nohup` has them ignore SIGHUP."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use another cache than the user's, in which `edgeocr tune` may have kept what it found out.

    What the converters have downloaded stays where it is.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEOCR_CACHE", str(fetch.cache_folder()))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def pictures() -> Path:
    return IMAGES


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return FIXTURES


@pytest.fixture(scope="session")
def labels(pictures: Path) -> dict[str, list[LabelledLine]]:
    read = label_file.labels_of(pictures / "Label.txt")
    return {path.name: lines for path, lines in read.items()}


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return Bundle.default()


@pytest.fixture(scope="session")
def embedded_files() -> dict[str, bytes]:
    """The files of the embedded bundle, unpacked by the standard library."""
    with zipfile.ZipFile(EMBEDDED_BUNDLE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def files(embedded_files: Files) -> Files:
    """The embedded bundle's files with graphs of a few bytes, which opening doesn't load."""
    return stubs(embedded_files)


@pytest.fixture
def signed(files: Files, keys: Path) -> Files:
    """The files of the fixture `files`, signed with the key `own`."""
    return files | {SIGNATURE: signature.sign(files[MANIFEST], keys / "own.key")}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pairs of keys for signing bundles, `own` and `other`."""
    path = tmp_path_factory.mktemp("keys")
    for name in ("own", "other"):
        signature.generate_keys(path / name)
    return path


@pytest.fixture(scope="session")
def ocr(bundle: Bundle) -> OCR:
    return OCR(bundle, provider="cpu", threads=2)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a test's own commands; the PATH holds this folder and the shell's /bin only."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/bin"]))
    monkeypatch.setattr(readings, "MORE_FOLDERS", ())
    return folder


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMachine:
    """A machine that seems to have an NVIDIA GPU with TensorRT."""
    return FakeMachine(monkeypatch, tmp_path / "cache")


@pytest.fixture
def plain(files: Files, tmp_path: Path) -> Bundle:
    """The embedded bundle with stubs for graphs."""
    return Bundle.open(packed(files, tmp_path / "reader.edgeocr"))


@pytest.fixture
def built(machine: FakeMachine, plain: Bundle, tmp_path: Path) -> Path:
    """The folder of the engines that the machine has built."""
    return machine.build(tmp_path / "reader.engines", plain)
