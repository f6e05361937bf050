"""Engines in a bundle: adding them, and refusing those that are not what they should be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgeocr import Bundle, BundleError
from edgeocr.bundle import description, difference, limits
from edgeocr.bundle.adding_engines import add_engines
from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.unpack import unpack
from edgeocr.device import nvidia
from tests.support.gpu import FakeMachine, shipped_files
from tests.support.packing import Files, folder, packed, with_manifest

ORIN = nvidia.GPU("Orin", "8.7", 8 << 30, integrated=True)


@pytest.fixture
def fleet(plain: Bundle, built: Path) -> Files:
    """The files of a bundle with the machine's engines."""
    return add_engines(plain, built.parent).files


def opened(files: Files, tmp_path: Path, name: str = "fleet") -> Bundle:
    return Bundle.open(packed(files, tmp_path / f"{name}.edgeocr"))


def test_engines_are_files_of_the_bundle(
    plain: Bundle, built: Path, fleet: Files, tmp_path: Path
) -> None:
    bundle = opened(fleet, tmp_path)
    (key,) = bundle.manifest.engines
    assert (key.gpu, key.compute, key.graphs) == ("NVIDIA L4", "8.9", plain.graphs_digest)
    assert (bundle.manifest.schema, bundle.manifest.requires) == (4, "0.3.0")
    start = f"engines/{key.name}/"
    assert key.name.startswith("nvidia-l4-") and built.name.endswith(key.name)
    inside = {name.removeprefix(start): content for name, content in fleet.items() if start in name}
    assert inside == shipped_files(built) and len(inside) == 9
    # Everything else is as it was, and the key of the engines still fits.
    rest = {name: content for name, content in fleet.items() if start not in name}
    assert {**rest, MANIFEST: b""} == {**plain.files(), MANIFEST: b""}
    assert bundle.graphs_digest == plain.graphs_digest and bundle.digest != plain.digest


def test_the_same_engines_give_the_same_bytes(
    plain: Bundle, built: Path, fleet: Files, tmp_path: Path
) -> None:
    again = add_engines(plain, built).files  # the device's folder itself
    assert packed(again, tmp_path / "a").read_bytes() == packed(fleet, tmp_path / "b").read_bytes()
    # A bundle that is a folder gives the same.
    unpack(plain, tmp_path / "reader")
    assert add_engines(Bundle.open(tmp_path / "reader"), built).files == fleet


def test_several_devices_and_a_new_build_of_one(
    machine: FakeMachine, fleet: Files, built: Path, tmp_path: Path
) -> None:
    bundle = opened(fleet, tmp_path)
    machine.gpu = ORIN
    orin = machine.build(built.parent, bundle)
    old = next(built.glob("detection*.engine"))
    old.rename(built / "detection_99_0_sm89.engine")
    addition = add_engines(bundle, built.parent)
    assert [each.replaced for each in addition.added] == [True, False]
    both = opened(addition.files, tmp_path, "both")
    assert [key.gpu for key in both.manifest.engines] == ["NVIDIA L4", "Orin"]
    names = {name.rsplit("/")[-1] for name in both.manifest.files if "/nvidia-l4" in name}
    assert names == shipped_files(built).keys() and old.name not in names
    # In another order of steps: the same bytes.
    other = opened(add_engines(bundle, orin).files, tmp_path, "other")
    assert add_engines(other, built).files == addition.files


def test_descriptions_name_the_devices(
    machine: FakeMachine, fleet: Files, plain: Bundle, built: Path, tmp_path: Path
) -> None:
    bundle = opened(fleet, tmp_path)
    text = " ".join(description.describe(bundle).split())
    assert "engines for TensorRT device NVIDIA L4 (compute capability 8.9," in text
    assert "TensorRT 10.9.0, CUDA 12.8, ONNX Runtime" in text
    assert "B, for detection, orientation, recognition" in text
    assert "schema 4" in text and "requires edgeocr 0.3.0" in text
    changes = {each.path: each for each in difference.compare(plain, bundle).manifest}
    (key,) = bundle.manifest.engines
    assert changes["engines"].after == {key.name: str(key)}
    machine.gpu = ORIN
    machine.build(built.parent, bundle)
    both = opened(add_engines(bundle, built.parent).files, tmp_path, "both")
    compared = difference.compare(bundle, both)
    assert [each.path for each in compared.manifest] == [f"engines.{both.manifest.engines[1].name}"]
    assert len(compared.files) == 9


def test_unpacking_keeps_engines(fleet: Files, tmp_path: Path) -> None:
    bundle = opened(fleet, tmp_path)
    unpack(bundle, tmp_path / "unpacked")
    assert Bundle.open(tmp_path / "unpacked").files() == fleet
    # Those of other devices stay on the disk until they are asked for.
    later = Bundle.open(bundle.path, all_graphs=False)
    name = next(name for name in fleet if name.endswith(".engine"))
    assert name not in later._files and later.read(name) == fleet[name]


def rekeyed(folder: Path, **changes: Any) -> Path:
    """Change the key of a folder of engines, without its name."""
    path = folder / "key.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: rekeyed(folder, gpu="NVIDIA A2"), "would be called .*-nvidia-a2-"),
        (lambda folder: rekeyed(folder, gpu="/../" * 99), r"would be called \w+--[0-9a-f]{12}: "),
        (lambda folder: rekeyed(folder, more=1), "unknown field more"),
        (lambda folder: rekeyed(folder, versions={"cuda": 12}), r"versions\.cuda must be a string"),
        (lambda folder: rekeyed(folder, gpu="\x1b[2J"), "key.json"),
        (lambda folder: (folder / "key.json").write_text("{"), "key.json"),
        (lambda folder: (folder / "key.json").write_bytes(b" " * (1 << 19)), "allowed"),
        (lambda folder: (folder / "key.json").unlink(), "there are no engines for"),
        (lambda folder: [path.unlink() for path in folder.glob("*.warm")], r"no \*\.warm"),
        (lambda folder: [path.unlink() for path in folder.glob("*.engine")], r"no \*\.engine"),
        (lambda folder: (folder / "a.engine").symlink_to("/etc/passwd"), "not a regular file"),
        (lambda folder: (folder / "a.engine").mkdir(), "not a regular file"),
    ],
)
def test_a_folder_that_is_not_as_it_was_built_is_refused(
    plain: Bundle, built: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(built)
    with pytest.raises(BundleError, match=message):
        add_engines(plain, built.parent)


def test_engines_of_other_bundles_are_passed_over(
    machine: FakeMachine, plain: Bundle, built: Path, tmp_path: Path
) -> None:
    other: Any = SimpleNamespace(graphs_digest="0" * 64)
    machine.build(built.parent, other)
    assert len(add_engines(plain, built.parent).added) == 1
    machine.build(tmp_path / "others", other)
    with pytest.raises(BundleError, match=r"only engines of other graphs .*reader\.edgeocr: run"):
        add_engines(plain, tmp_path / "others")


def test_an_engine_may_not_be_larger_than_a_bundle_allows(
    plain: Bundle, built: Path, fleet: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(fleet, tmp_path / "fleet.edgeocr")
    monkeypatch.setattr(limits, "ENGINE_BYTES", 10)
    with pytest.raises(BundleError, match=r"detection.*\.engine has \d+ bytes; 10 are allowed"):
        add_engines(plain, built)
    with pytest.raises(BundleError, match=r"\.engine has \d+ bytes; 10 are allowed"):
        Bundle.open(path)


def test_an_engine_may_be_larger_than_other_files(
    fleet: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OTHER_BYTES", 1 << 16)
    name = next(name for name in fleet if name.endswith(".engine"))
    large = listed(fleet, name, b"\0" * (1 << 17))
    assert opened(large, tmp_path).read(name) == large[name]


def listed(files: Files, name: str, content: bytes) -> Files:
    """Return the files with another one, which the manifest lists."""

    def change(manifest: dict[str, Any]) -> None:
        digest = hashlib.sha256(content).hexdigest()
        manifest["files"][name] = {"sha256": digest, "size": len(content)}

    return with_manifest(files | {name: content}, change)


def changed(files: Files, **fields: Any) -> Files:
    """Return the files with other fields of the first device in the manifest."""
    return with_manifest(files, lambda manifest: manifest["engines"][0].update(fields))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # A key that lies about its device doesn't get the files of another one.
        (lambda files: changed(files, gpu="Orin"), r"engines\[0\] has no file engines/orin-\w+/"),
        (lambda files: changed(files, versions={}), r"engines\[0\] has no file"),
        (lambda files: changed(files, graphs="0" * 64), r"engines\[0\]\.graphs is '000"),
        (lambda files: changed(files, gpu=7), r"engines\[0\]\.gpu must be a string"),
        (lambda files: changed(files, price=7), r"unknown field engines\[0\]\.price"),
        (
            lambda files: with_manifest(
                files, lambda made: made.update(engines=made["engines"] * 2)
            ),
            r"engines\[1\] is a device that engines has already",
        ),
        (
            lambda files: with_manifest(
                files, lambda made: made.update(engines=made["engines"] * 65)
            ),
            "more than 64 devices",
        ),
        (lambda files: listed(files, "engines/orin/x.engine", b"x"), "belongs to none of"),
        (lambda files: listed(files, device(files) + "lib.so", b"x"), "belongs to none of"),
        (lambda files: listed(files, device(files) + "sub/a.engine", b"x"), "belongs to none of"),
        (lambda files: listed(files, device(files) + ".a.engine", b"x"), "belongs to none of"),
        (lambda files: listed(files, device(files) + "../a.engine", b"x"), "belongs to none of"),
        (lambda files: {**files, device(files) + "more.engine": b"x"}, "not listed"),
    ],
)
def test_a_manifest_that_lies_about_engines_is_refused(
    fleet: Files, tmp_path: Path, change: Callable[[Files], Files], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        Bundle.open(folder(change(fleet), tmp_path / "lie"))


def device(files: Files) -> str:
    return next(name.rpartition("/")[0] + "/" for name in files if name.startswith("engines/"))


def test_an_engine_that_was_changed_is_refused(fleet: Files, tmp_path: Path) -> None:
    name = next(name for name in fleet if name.endswith(".engine"))
    path = folder(fleet | {name: b"x" * len(fleet[name])}, tmp_path / "changed")
    with pytest.raises(BundleError, match="is not the file that was frozen"):
        Bundle.open(path)


def test_the_manifest_lists_what_key_json_has(fleet: Files, built: Path, tmp_path: Path) -> None:
    (key,) = opened(fleet, tmp_path).manifest.engines
    assert asdict(key) == json.loads((built / "key.json").read_text())
    assert key.text == (built / "key.json").read_text()
    long = replace(key, gpu="X" * 500)
    assert len(long.name) == 40 + 1 + 12
