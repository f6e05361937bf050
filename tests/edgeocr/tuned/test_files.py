"""Tuned files are kept where they can be, and ignored for a reason where they don't apply."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle, EdgeOCRError, RuntimeOptions
from edgeocr.accuracy.agreement import Agreement
from edgeocr.tuned.files import MOST_BYTES, MOST_ENTRIES, update
from edgeocr.tuned.keys import key_of_this_device
from edgeocr.tuned.lookup import Found, load
from edgeocr.tuned.places import SUFFIX, places
from edgeocr.tuned.record import Candidate, Entry, Key, Tried, TunedStage
from tests.support.packing import Files, folder, packed
from tests.support.tuned import WHEN

USUAL = RuntimeOptions()
STAGES = {
    "recognition": TunedStage(
        Candidate("openvino", "fp32", {"precision": "FP16"}),
        "8.0 ms against 10.0 ms of cpu fp32",
        [
            Tried(Candidate("cpu", "fp32"), "right", 10.0, Agreement(57, 57, 57)),
            Tried(Candidate("cpu", "int8"), "refused", 6.0, Agreement(57, 55, 50), "it is wrong"),
        ],
    )
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edgeocr" / "tuned"


@pytest.fixture
def bundle(embedded_files: Files, tmp_path: Path) -> Bundle:
    (tmp_path / "bundles").mkdir()
    return Bundle.open(packed(embedded_files, tmp_path / "bundles" / "reader.edgeocr"))


@pytest.fixture
def key(bundle: Bundle) -> Key:
    return key_of_this_device(bundle.digest, USUAL)


def entry(key: Key, **fields: Any) -> Entry:
    given = {"threads": 2, "default_ms": 100.0, "tuned_ms": 90.0, "images": 3, "lines": 57}
    return Entry(key, WHEN, STAGES, **{**given, **fields})


def keep(bundle: Bundle, key: Key, **fields: Any) -> Path:
    return update(bundle, key, lambda _: entry(key, **fields))


def test_an_entry_is_kept_beside_the_bundle_and_found_again(bundle: Bundle, key: Key) -> None:
    assert load(bundle, USUAL) == Found()
    path = keep(bundle, key)
    assert path == bundle.path.parent / "reader.tuned.json"
    assert load(bundle, USUAL) == Found(path, entry(key))
    assert str(load(bundle, USUAL)) == f"{path}, made {WHEN}"
    assert sorted(path.parent.iterdir()) == [bundle.path, path]  # no temporary file is left
    assert load(bundle, RuntimeOptions(tuned=False)) == Found()


def test_an_entry_is_kept_in_the_cache_where_the_bundle_cannot_have_one(
    bundle: Bundle, key: Key, cache: Path
) -> None:
    (bundle.path.parent / "reader.tuned.json").mkdir()
    path = keep(bundle, key)
    assert path == cache / f"{bundle.digest[:12]}.tuned.json"
    assert load(bundle, USUAL).entry == entry(key)


def test_nothing_is_kept_beside_the_bundle_in_the_package(cache: Path) -> None:
    bundle = Bundle.default()
    assert places(bundle) == [cache / f"{bundle.digest[:12]}.tuned.json"]


@pytest.mark.parametrize("given", [".", "graphs/.."])
def test_nothing_is_kept_in_a_bundle_that_is_the_working_folder(
    embedded_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    path = folder(embedded_files, tmp_path / "reader")
    monkeypatch.chdir(path)
    bundle = Bundle.open(given)
    kept = keep(bundle, key_of_this_device(bundle.digest, USUAL))
    assert kept == tmp_path / "reader.tuned.json"


def test_a_user_without_any_place_gets_an_error_that_says_what_to_do(
    bundle: Bundle, key: Key, cache: Path
) -> None:
    (bundle.path.parent / "reader.tuned.json").mkdir()
    cache.parent.parent.write_text("a file in the place of the folder")
    with pytest.raises(EdgeOCRError, match=r"can't be kept: .*XDG_CACHE_HOME"):
        keep(bundle, key)
    assert load(bundle, USUAL) == Found()


def older(versions: dict[str, str]) -> dict[str, str]:
    return {**versions, "onnxruntime": "1.17.0"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda key: {"bundle": "cd" * 32}, "it is of a bundle with the digest cdcdcdcdcdcd…, not"),
        (lambda key: {"device": "Cortex-A72"}, "it was made on Cortex-A72, and this is "),
        (lambda key: {"features": ["none"]}, "it was made on "),
        (lambda key: {"cpus": 64}, "it was made for 64 CPUs, and this process has "),
        (lambda key: {"gpus": ["Orin"]}, "it was made with Orin, and this device has no GPU"),
        (lambda key: {"providers": ["cuda"]}, "it was made with the providers cuda, and now there"),
        (
            lambda key: {"versions": older(key.versions)},
            "it was made with ONNX Runtime 1.17.0, and this is ",
        ),
        (
            lambda key: {"versions": {**key.versions, "edgeocr": "0.1.0"}},
            "it was made with edgeocr 0.1.0, and this is ",
        ),
        (
            lambda key: {"versions": {**key.versions, "cuda": "13.0"}},
            "it was made with CUDA 13.0, and this is no version",
        ),
        (lambda key: {"options": {"fp16": True}}, "it was made with other options"),
    ],
)
def test_an_entry_of_another_device_is_ignored_with_a_reason(
    bundle: Bundle, key: Key, change: Callable[[Key], dict[str, Any]], reason: str
) -> None:
    path = keep(bundle, replace(key, **change(key)))
    found = load(bundle, USUAL)
    assert found.entry is None and found.ignored is not None
    assert found.ignored.startswith(reason)
    assert str(found) == f"{path} is ignored: {found.ignored}"


def test_a_file_serves_several_devices(bundle: Bundle, key: Key) -> None:
    board = replace(key, device="Cortex-A76")
    path = keep(bundle, board, threads=4)
    assert keep(bundle, key) == path
    assert load(bundle, USUAL).entry == entry(key)
    assert json.loads(path.read_text())["entries"][0]["threads"] == 4


def test_an_entry_of_the_same_device_is_replaced(bundle: Bundle, key: Key) -> None:
    keep(bundle, replace(key, versions=older(key.versions)))
    path = keep(bundle, key)
    assert len(json.loads(path.read_text())["entries"]) == 1
    seen = []

    def change(current: Entry | None) -> Entry:
        seen.append(current)
        return entry(key, threads=1)

    update(bundle, key, change)
    assert seen == [entry(key)] and load(bundle, USUAL).entry == entry(key, threads=1)


def test_only_the_newest_entries_are_kept(bundle: Bundle, key: Key) -> None:
    for number in range(MOST_ENTRIES + 2):
        path = keep(bundle, replace(key, device=f"board {number}"))
    names = [each["key"]["device"] for each in json.loads(path.read_text())["entries"]]
    assert names == [f"board {number}" for number in range(2, MOST_ENTRIES + 2)]


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def content(written: bytes) -> bytes:
        record = json.loads(written)
        change(record)
        return json.dumps(record).encode()

    return content


def tried(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["entries"][0]["stages"]["recognition"]["tried"][0]
    return found


@pytest.mark.parametrize(
    "content",
    [
        lambda _: b"",
        lambda _: b"\xff\xfe",
        lambda _: b"[]",
        lambda _: b"[" * 10_000,
        lambda written: written[:-20],
        lambda written: written + b" " * MOST_BYTES,
        changed(lambda record: record.update(schema=2)),
        changed(lambda record: record.update(more=1)),
        changed(lambda record: record["entries"][0].pop("key")),
        changed(lambda record: record["entries"][0].update(threads=0)),
        changed(lambda record: record["entries"][0].update(default_ms=-1)),
        changed(lambda record: tried(record).update(milliseconds=float("nan"))),
        changed(lambda record: tried(record).update(milliseconds="fast")),
        changed(lambda record: tried(record).update(verdict="excellent")),
        changed(lambda record: tried(record).update(candidate="cpu")),
    ],
)
def test_a_damaged_file_is_ignored_and_replaced(
    bundle: Bundle, key: Key, content: Callable[[bytes], bytes]
) -> None:
    path = keep(bundle, key)
    path.write_bytes(content(path.read_bytes()))
    found = load(bundle, USUAL)
    assert found.entry is None and "it is damaged" in str(found.ignored)
    assert keep(bundle, key) == path and load(bundle, USUAL).entry == entry(key)


def test_a_file_without_entries_is_ignored(bundle: Bundle, key: Key) -> None:
    path = keep(bundle, key)
    path.write_text('{"schema": 1, "entries": []}')
    assert load(bundle, USUAL).ignored == "it has no entry"


def test_the_key_knows_the_options_that_change_a_stage(bundle: Bundle, key: Key) -> None:
    given = {"cpu": {"b": 2, "a": True}}
    other = key_of_this_device(bundle.digest, RuntimeOptions(provider_options=given))
    assert other.options == {"provider_options": {"cpu": {"a": "True", "b": "2"}}}
    assert key.options == {} and not other.same_device(key)
    keep(bundle, other)
    assert load(bundle, USUAL).entry is None
    assert load(bundle, RuntimeOptions(provider_options=given)).entry is not None
    pinned = RuntimeOptions(variant="fp32", tuned=True, engine_cache="elsewhere")
    assert key_of_this_device(bundle.digest, pinned) == key


def test_what_is_known_in_the_cache_counts_if_the_file_beside_the_bundle_is_stale(
    bundle: Bundle, key: Key, cache: Path
) -> None:
    stale = keep(bundle, replace(key, cpus=64))
    kept = cache / f"{bundle.digest[:12]}{SUFFIX}"
    content = stale.read_text()
    stale.unlink()
    stale.mkdir()
    assert keep(bundle, key) == kept
    stale.rmdir()
    stale.write_text(content)
    assert load(bundle, USUAL) == Found(kept, entry(key))


def write_many(path: Path, name: str) -> None:
    bundle = Bundle.open(path)
    key = replace(key_of_this_device(bundle.digest, USUAL), device=name)
    for count in range(1, 11):
        keep(bundle, key, threads=count)


def test_two_processes_at_once_lose_nothing(bundle: Bundle) -> None:
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=write_many, args=(bundle.path, f"board {number}"))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    record = json.loads((bundle.path.parent / "reader.tuned.json").read_text())
    counts = {each["key"]["device"]: each["threads"] for each in record["entries"]}
    assert counts == {"board 0": 10, "board 1": 10, "board 2": 10}


def test_folder_that_may_not_be_entered_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator, who runs tests in containers, may enter every folder: `stat` stands in."""
    look = os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        if str(path).endswith(SUFFIX):
            raise PermissionError(13, "Permission denied", path)
        return look(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    assert load(Bundle.default(), USUAL) == Found()
