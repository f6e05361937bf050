"""Test the record of the folders into which networks were converted."""

import json
from pathlib import Path

import pytest

from converters.catalog import conversions
from tests.support import at_once


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def converted(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text("{}")
    return folder


def test_conversions_are_remembered_by_name(tmp_path, cache):
    assert conversions.where("a") is None
    conversions.remember("a", converted(tmp_path / "a"))
    conversions.remember("b", converted(tmp_path / "b"))
    assert conversions.where("a") == tmp_path / "a"
    assert conversions.where("b") == tmp_path / "b"
    assert [path.name for path in cache.iterdir()] == ["conversions.json"]


def test_last_folder_of_a_network_is_remembered(tmp_path):
    for name in ("first", "second"):
        conversions.remember("a", converted(tmp_path / name))
    assert conversions.where("a") == tmp_path / "second"


def test_relative_folder_is_found_from_another_folder(tmp_path, monkeypatch):
    converted(tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    conversions.remember("a", Path("out"))
    monkeypatch.chdir("/")
    assert conversions.where("a") == tmp_path / "out"


def test_conversion_without_its_report_is_forgotten(tmp_path):
    conversions.remember("a", converted(tmp_path / "out"))
    (tmp_path / "out" / "report.json").unlink()
    assert conversions.where("a") is None


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 3}', "\xff"])
def test_damaged_record_is_replaced(tmp_path, cache, content):
    cache.mkdir()
    (cache / "conversions.json").write_bytes(content.encode("latin-1"))
    assert conversions.where("a") is None
    conversions.remember("a", converted(tmp_path / "out"))
    assert conversions.where("a") == tmp_path / "out"
    assert json.loads((cache / "conversions.json").read_text()) == {"a": str(tmp_path / "out")}


def test_no_conversion_is_forgotten_if_processes_write_at_once(tmp_path, cache):
    code = "for i in range(10):\n    conversions.remember(f'{sys.argv[1]}-{i}', folder)\n"
    imports = (
        "from pathlib import Path\n"
        "from converters.catalog import conversions\n"
        "folder = Path(sys.argv[2])"
    )
    at_once.run(3, imports, code, converted(tmp_path / "out"))
    names = [f"{process}-{i}" for process in range(3) for i in range(10)]
    assert [name for name in names if conversions.where(name) is None] == []
    assert [path.name for path in cache.iterdir()] == ["conversions.json"]
