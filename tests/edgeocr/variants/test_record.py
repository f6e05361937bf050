"""Measured times are kept where they can be, and what isn't a record of this device is ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle, RuntimeOptions
from edgeocr.variants import record
from edgeocr.variants.choice import Measurement
from edgeocr.variants.record import MOST_BYTES, Key, load, paths, save

TIMES = {"recognition": Measurement({"fp32": 4.5, "int8": 3.0}, {"fp16": "no kernel"})}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edgeocr" / "variants"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundles"
    folder.mkdir()
    return folder / "fleet.edgeocr"


KEY = Key(
    bundle="ab" * 32,
    cpu="Cortex-A76",
    features=["asimd", "asimddp"],
    onnxruntime="1.32.0",
    edgeocr="0.3.0",
    threads=1,
    bf16=False,
    provider_options={},
)


def test_a_record_is_kept_beside_the_bundle(bundle: Path) -> None:
    path = save(bundle, KEY, TIMES)
    assert path == bundle.parent / f"fleet.variants-{KEY.name}.json"
    assert load(bundle, KEY) == (path, TIMES)
    assert list(bundle.parent.iterdir()) == [path]  # no temporary file is left


def test_a_record_is_kept_in_the_cache_where_the_bundle_cannot_have_one(
    bundle: Path, cache: Path
) -> None:
    missing = bundle.parent / "missing" / "fleet.edgeocr"
    assert save(missing, KEY, TIMES) == cache / f"{KEY.name}.json"
    assert load(missing, KEY) == (cache / f"{KEY.name}.json", TIMES)


def test_nothing_is_kept_beside_the_bundle_in_the_package(cache: Path) -> None:
    assert list(paths(Bundle.default_path(), KEY)) == [cache / f"{KEY.name}.json"]


@pytest.mark.parametrize("given", [".", "graphs/.."])
def test_nothing_is_kept_in_a_bundle_that_is_the_working_folder(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    folder = bundle.parent / "fleet"
    (folder / "graphs").mkdir(parents=True)
    monkeypatch.chdir(folder)
    path = save(Path(given), KEY, TIMES)
    assert path == bundle.parent / f"fleet.variants-{KEY.name}.json"
    assert load(Path(given), KEY) == load(folder, KEY) == (path, TIMES)


def test_a_record_that_can_be_kept_nowhere_is_done_without(bundle: Path, cache: Path) -> None:
    cache.parent.parent.write_text("a file in the place of the folder")
    assert save(bundle.parent / "missing" / "fleet.edgeocr", KEY, TIMES) is None
    assert load(bundle, KEY) is None


def test_the_record_of_another_device_or_bundle_has_another_name(bundle: Path) -> None:
    save(bundle, KEY, TIMES)
    for other in (
        replace(KEY, bundle="cd" * 32),
        replace(KEY, cpu="Cortex-A72"),
        replace(KEY, features=["asimd"]),
        replace(KEY, onnxruntime="1.33.0"),
        replace(KEY, edgeocr="0.4.0"),
        replace(KEY, threads=2),
        replace(KEY, bf16=True),
        replace(KEY, provider_options={"use_arena": "0"}),
    ):
        assert load(bundle, other) is None


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def content(written: bytes) -> bytes:
        record = json.loads(written)
        change(record)
        return json.dumps(record).encode()

    return content


@pytest.mark.parametrize(
    "content",
    [
        lambda _: b"",
        lambda _: b"\xff\xfe",
        lambda _: b"[" * 10_000,
        lambda written: written[:-20],
        lambda written: written + b" " * MOST_BYTES,
        changed(lambda record: record.update(schema=2)),
        changed(lambda record: record.update(more=1)),
        changed(lambda record: record.pop("key")),
        changed(lambda record: record["key"].update(cpu="Cortex-A72")),
        changed(lambda record: record["stages"]["recognition"]["milliseconds"].update(int8=0)),
        changed(lambda record: record["stages"]["recognition"]["milliseconds"].update(int8=-1)),
        changed(
            lambda record: record["stages"]["recognition"]["milliseconds"].update(int8=float("nan"))
        ),
        changed(lambda record: record["stages"]["recognition"]["milliseconds"].update(int8="fast")),
        changed(lambda record: record["stages"]["recognition"]["failures"].update(int8="\x1b[2J")),
        changed(lambda record: record.update(stages=[])),
    ],
)
def test_a_damaged_or_foreign_file_is_ignored_and_replaced(
    bundle: Path, content: Callable[[bytes], bytes]
) -> None:
    path = save(bundle, KEY, TIMES)
    assert path is not None
    path.write_bytes(content(path.read_bytes()))
    assert load(bundle, KEY) is None
    assert save(bundle, KEY, TIMES) == path and load(bundle, KEY) == (path, TIMES)


def test_a_folder_in_the_place_of_the_file_is_ignored(bundle: Path, cache: Path) -> None:
    (bundle.parent / f"fleet.variants-{KEY.name}.json").mkdir()
    assert save(bundle, KEY, TIMES) == cache / f"{KEY.name}.json"
    assert load(bundle, KEY) == (cache / f"{KEY.name}.json", TIMES)


def test_the_key_of_this_device_is_the_same_each_time() -> None:
    key = Key.of_this_device("ab" * 32, RuntimeOptions())
    assert key == Key.of_this_device("ab" * 32, RuntimeOptions())
    assert key.cpu and key.threads == 1


def test_the_key_knows_the_options_that_change_a_run_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def key(**options: Any) -> Key:
        return Key.of_this_device("ab" * 32, RuntimeOptions(**options))

    usual = key()
    given = key(provider_options={"cpu": {"b": 2, "a": True}})
    assert given == key(provider_options={"cpu": {"a": "True", "b": "2"}}) != usual
    assert key(provider_options={"cuda": {"device_id": 1}}) == usual
    for has, same in ((False, True), (True, False)):
        monkeypatch.setattr(record, "has_bf16", lambda has=has: has)
        assert (key(bf16=True) == usual) is same
