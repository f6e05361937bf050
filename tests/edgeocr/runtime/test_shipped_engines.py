"""Engines that come inside a bundle: used on their own device only, from a private folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgeocr import OCR, Bundle, BundleError, ProviderUnavailableError
from edgeocr.bundle.adding_engines import add_engines
from edgeocr.bundle.storing import store
from edgeocr.device import nvidia
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.shipped_engines import ShippedEngines
from tests.support import variants
from tests.support.gpu import GRAPHS, FakeMachine, shipped_files
from tests.support.packing import Files, packed

SKIPPED = "the bundle's tensorrt engines, for NVIDIA L4, don't fit here: they are for "


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMachine:
    return FakeMachine(monkeypatch, tmp_path / "cache")


@pytest.fixture
def built(machine: FakeMachine, bundle: Bundle, tmp_path: Path) -> Path:
    return machine.build(tmp_path / "built", bundle)


@pytest.fixture
def fleet(bundle: Bundle, built: Path, tmp_path: Path) -> Path:
    """The embedded bundle with engines."""
    target = tmp_path / "fleet.edgeocr"
    store(add_engines(bundle, built).files, target, as_file=True)
    return target


def opened(fleet: Path, machine: FakeMachine, **options: Any) -> OCR:
    machine.chains.clear()
    machine.found.clear()
    return OCR(fleet, threads=1, **options)


def installed(ocr: OCR) -> Path:
    (folder,) = ocr.engine_folders
    return folder


@pytest.mark.parametrize("as_file", [True, False])
def test_the_same_device_uses_the_engines_of_the_bundle(
    machine: FakeMachine, bundle: Bundle, built: Path, tmp_path: Path, as_file: bool
) -> None:
    fleet = tmp_path / ("fleet.edgeocr" if as_file else "fleet")
    store(add_engines(bundle, built).files, fleet, as_file=as_file)
    before = sorted(fleet.rglob("*")) if fleet.is_dir() else fleet.read_bytes()
    ocr = opened(fleet, machine)
    assert set(ocr.providers.values()) == {"tensorrt"} and ocr.skipped_providers == ()
    folder = installed(ocr)
    assert folder.parent == tmp_path / "cache" / "edgeocr" / "bundled-engines"
    # When each session was opened, the folder held the engines of the bundle, byte for byte.
    assert machine.found == [shipped_files(built)] * 3
    for stage, chain in zip(GRAPHS, machine.chains, strict=True):
        (name, asked), _ = chain
        assert name == "TensorrtExecutionProvider"
        assert asked["trt_engine_cache_path"] == str(folder)
        assert asked["trt_engine_cache_prefix"] == stage
    if hasattr(os, "geteuid"):
        assert {each.stat().st_mode & 0o777 for each in (folder, folder.parent)} == {0o700}
        assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o600}
    # Nothing was written beside or into the bundle.
    assert before == (sorted(fleet.rglob("*")) if fleet.is_dir() else fleet.read_bytes())
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        ["built", "cache", fleet.name]
    )


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"gpu": nvidia.GPU("NVIDIA A2", "8.6", 1 << 34)}, "NVIDIA L4 8.9 instead of NVIDIA A2"),
        ({"gpu": nvidia.GPU("NVIDIA L4", "8.6", 1 << 34)}, "NVIDIA L4 8.9 instead of"),
        ({"versions": {"tensorrt": "10.9.1", "cuda": "12.8"}}, "TensorRT 10.9.0 instead of 10.9.1"),
        ({"versions": {"tensorrt": "10.9.0"}}, "CUDA 12.8 instead of none"),
    ],
)
def test_other_devices_fall_back_and_say_for_what_the_engines_are(
    machine: FakeMachine, fleet: Path, tmp_path: Path, change: dict[str, Any], difference: str
) -> None:
    vars(machine).update(change)
    ocr = opened(fleet, machine)
    assert set(ocr.providers.values()) == {"cpu"}
    (reason,) = ocr.skipped_providers
    assert reason.startswith(SKIPPED + difference)
    assert "run edgeocr warm --provider tensorrt here, and edgeocr bundle add-engines" in reason
    # None was read into the cache.
    assert not (tmp_path / "cache").exists() and machine.found == []


def test_other_options_and_sizes_are_other_engines(machine: FakeMachine, fleet: Path) -> None:
    (reason,) = opened(fleet, machine, runtime=RuntimeOptions(fp16=True)).skipped_providers
    assert "the options none instead of trt_fp16_enable=1, trt_layer_norm" in reason
    ocr = opened(fleet, machine, max_pixels=400_000)
    (reason,) = ocr.skipped_providers
    assert reason.startswith(f"{SKIPPED}other graphs or input sizes")
    assert set(ocr.providers.values()) == {"cpu"}
    # Without a stage, the engines of the others still fit.
    assert opened(fleet, machine, orientation=False).providers == {
        "detection": "tensorrt",
        "recognition": "tensorrt",
    }


def test_a_named_provider_builds_its_own_engines_on_another_device(
    machine: FakeMachine, fleet: Path, tmp_path: Path
) -> None:
    machine.gpu = nvidia.GPU("NVIDIA A2", "8.6", 1 << 34)
    ocr = opened(fleet, machine, provider="tensorrt")
    assert installed(ocr).parent == tmp_path / "cache" / "edgeocr" / "engines"
    assert [list(found) for found in machine.found] == [["key.json"]] * 3


def test_a_folder_that_the_caller_names_comes_before_the_bundle(
    machine: FakeMachine, fleet: Path, tmp_path: Path
) -> None:
    """Otherwise nobody could build other engines for a device that the bundle has some for."""
    mine = RuntimeOptions(engine_cache=tmp_path / "mine")
    assert set(opened(fleet, machine, runtime=mine).providers.values()) == {"cpu"}
    ocr = opened(fleet, machine, provider="tensorrt", runtime=mine)
    assert installed(ocr).parent == tmp_path / "mine"


def test_stages_without_engines_in_the_bundle_use_others(
    machine: FakeMachine, bundle: Bundle, tmp_path: Path
) -> None:
    target = tmp_path / "part.edgeocr"
    built = machine.build(tmp_path / "built", bundle, "recognition")
    store(add_engines(bundle, built).files, target, as_file=True)
    ocr = opened(target, machine)
    assert ocr.providers == {"detection": "cpu", "orientation": "cpu", "recognition": "tensorrt"}
    first, second = ocr.skipped_providers
    assert "for NVIDIA L4 have none of the graph detection: run edgeocr warm" in first
    assert "graph orientation" in second
    # What is built here is kept where it always was, and is used with the bundle's.
    machine.build(tmp_path / "cache" / "edgeocr" / "engines", bundle, "detection", "orientation")
    ocr = opened(target, machine)
    assert set(ocr.providers.values()) == {"tensorrt"} and len(ocr.engine_folders) == 2


def changed_byte(path: Path) -> None:
    path.write_bytes(b"x" + path.read_bytes()[1:])


@pytest.mark.parametrize(
    ("tamper", "warned"),
    [
        (changed_byte, True),
        (lambda path: path.write_bytes(b""), True),
        (lambda path: path.unlink(), False),
        (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), False),
        (lambda path: (path.unlink(), path.mkdir()), False),
        (lambda path: path.with_name("detection_1_0_sm89.engine").write_bytes(b"x"), False),
        (lambda path: path.with_name("lib").mkdir(), False),
        (lambda path: path.parent.chmod(0o777), False),
    ],
)
def test_a_cache_that_was_changed_is_restored_before_each_start(
    machine: FakeMachine,
    fleet: Path,
    built: Path,
    caplog: pytest.LogCaptureFixture,
    tamper: Callable[[Path], object],
    warned: bool,
) -> None:
    folder = installed(opened(fleet, machine))
    tamper(next(folder.glob("detection*.engine")))
    with caplog.at_level(logging.WARNING):
        assert installed(opened(fleet, machine)) == folder
    assert machine.found == [shipped_files(built)] * 3
    assert ("was changed since it was copied from the bundle" in caplog.text) is warned
    if hasattr(os, "geteuid"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_cache_that_can_not_be_written_falls_back(
    machine: FakeMachine, fleet: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    ocr = opened(fleet, machine)
    assert set(ocr.providers.values()) == {"cpu"}
    (reason,) = ocr.skipped_providers
    assert "can't be copied to" in reason and "set XDG_CACHE_HOME" in reason
    with pytest.raises(ProviderUnavailableError, match="can't be copied to"):
        opened(fleet, machine, provider="tensorrt")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such owners")
@pytest.mark.parametrize("fault", ["link", "owner"])
def test_a_folder_of_another_user_is_refused(
    machine: FakeMachine,
    fleet: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    root = tmp_path / "cache" / "edgeocr" / "bundled-engines"
    if fault == "link":
        (tmp_path / "theirs").mkdir()
        root.parent.mkdir(parents=True)
        root.symlink_to(tmp_path / "theirs")
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ProviderUnavailableError, match=r"is a link|belongs to another user"):
        opened(fleet, machine, provider="tensorrt")
    assert not [*tmp_path.glob("theirs/*")]


def test_a_bundle_that_was_replaced_is_noticed(
    machine: FakeMachine, fleet: Path, bundle: Bundle, tmp_path: Path
) -> None:
    shipped = Bundle.open(fleet, all_graphs=False).shipped_engines[0]
    store(bundle.files(), fleet, as_file=fleet.is_file())
    engines = shipped.folder()
    assert engines is not None
    with pytest.raises(BundleError, match="no longer the file that was opened"):
        engines.prepare()


def test_another_content_has_another_folder(tmp_path: Path, built: Path, bundle: Bundle) -> None:
    """Two bundles with engines for one device don't replace each other's copies again and again."""
    key: Any = SimpleNamespace(graphs="0" * 64, name="l4-0")
    one = ShippedEngines(key, {"a.engine": "1" * 64, "a.warm": "2" * 64}, str.encode)
    assert one.has("a") and not one.has("b")
    paths = [replace(one, sha256={"a.engine": digit * 64}).folder() for digit in "12"]
    assert len({each.path for each in paths if each is not None}) == 2


def test_nothing_is_used_without_a_home(
    machine: FakeMachine, fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    assert set(opened(fleet, machine).providers.values()) == {"cpu"}


def test_a_signature_covers_engines(
    machine: FakeMachine, bundle: Bundle, built: Path, keys: Path, tmp_path: Path
) -> None:
    target, key = tmp_path / "signed.edgeocr", keys / "own.pub"
    files = add_engines(bundle, built).files
    store(files, target, as_file=True, sign=keys / "own.key")
    ocr = opened(target, machine, require_signature=key)
    assert set(ocr.providers.values()) == {"tensorrt"}
    content = bytearray(target.read_bytes())
    engine = next(each for name, each in files.items() if name.endswith(".engine"))
    content[content.index(engine)] ^= 1
    target.write_bytes(content)
    with pytest.raises(BundleError, match="checksum is wrong"):
        Bundle.open(target, require_signature=key)
    # The cache has a sound copy, so the damage does no harm until the copy is needed.
    assert set(opened(target, machine).providers.values()) == {"tensorrt"}


def test_a_stage_with_several_graphs_says_why_engines_do_not_fit(
    machine: FakeMachine, embedded_files: Files, tmp_path: Path
) -> None:
    """Such a stage is opened in another way, and its engines are named after the precision."""
    files = variants.fleet(embedded_files, embedded_files["graphs/recognition.onnx"])
    plain = Bundle.open(packed(files, tmp_path / "plain.edgeocr"))
    target = tmp_path / "several.edgeocr"
    store(add_engines(plain, machine.build(tmp_path / "built", plain)).files, target, as_file=True)
    ocr = opened(target, machine)
    assert set(ocr.providers.values()) == {"tensorrt"} and ocr.skipped_providers == ()
    assert ocr.variants == {"recognition": "fp32"}
    machine.versions["cuda"] = "13.0"
    ocr = opened(target, machine, orientation=False)
    assert ocr.providers == {"detection": "cpu", "recognition": "cpu"}
    assert any("CUDA 12.8 instead of 13.0" in reason for reason in ocr.skipped_providers)
