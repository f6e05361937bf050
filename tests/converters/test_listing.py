"""The catalogue as text."""

from pathlib import Path

import pytest

from converters import listing
from converters.catalog import conversions
from converters.catalog import entries as catalog
from converters.catalog.fetch import model_folder

ENTRIES = catalog.load()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def line_of(name: str, **filters: str) -> str:
    (line,) = (line for line in listing.lines(ENTRIES, **filters) if name in line.split())
    return line


def test_every_model_is_listed_below_its_task():
    lines = listing.lines(ENTRIES)
    headings = [lines.index(task) for task in catalog.STAGES]
    assert headings == sorted(headings) and headings[0] == 0
    models = lines[: lines.index("bundles")]
    for entry in ENTRIES.models.values():
        (index,) = (i for i, line in enumerate(models) if entry.name in line.split())
        above = [line for line in lines[:index] if line and not line.startswith(" ")]
        assert above[-1] == entry.task
    assert all(any(name in line for line in lines) for name in ENTRIES.bundles)


def test_line_shows_language_size_format_and_algorithm():
    assert line_of("PP-OCRv4_mobile_det").split() == [
        *("zh-Hans", "en", "mobile", "paddle-legacy", "DB"),
        "PP-OCRv4_mobile_det",
    ]
    assert line_of("latin_PP-OCRv5_mobile_rec").split()[:5] == ["fr", "de", "es", "it", "+43"]
    assert line_of("rec_r50_fpn_srn").endswith("rec_r50_fpn_srn                  checkpoint only")


def test_models_are_sorted_by_language_size_and_format():
    names = [
        line.split()[-1]
        for line in listing.lines(ENTRIES, task="recognition", language="ta")[1:]
        if line.split()[0] == "ta"
    ]
    assert names == ["ta_PP-OCRv4_mobile_rec", "ta_PP-OCRv5_mobile_rec"]
    sizes = [
        line.split()[-4]
        for line in listing.lines(ENTRIES, task="detection")[1:]
        if "PP-OCRv6" in line
    ]
    assert sizes == ["tiny", "tiny", "small", "small", "medium"]


def test_line_shows_what_is_fetched_and_converted(tmp_path):
    entry = ENTRIES.model("PP-OCRv4_mobile_det")
    folder = model_folder(entry)
    folder.mkdir(parents=True)
    for file in entry.files:
        assert "fetched" not in line_of(entry.name)
        (folder / file.name).write_bytes(b"x")
    assert line_of(entry.name).endswith("PP-OCRv4_mobile_det        fetched")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.json").write_text("{}")
    conversions.remember(entry.name, tmp_path / "out")
    assert line_of(entry.name).endswith(f"fetched, converted: {tmp_path / 'out'}")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"task": "spotting"}, {"e2e_r50_vd_pg"}),
        ({"language": "kn", "task": "recognition"}, {"ka_PP-OCRv4_mobile_rec"}),
        ({"language": "zh", "size": "medium", "task": "detection"}, {"PP-OCRv6_medium_det-pir"}),
        (
            {"format": "onnx", "size": "tiny"},
            {"PP-OCRv6_tiny_det", "PP-OCRv6_tiny_rec"},
        ),
    ],
)
def test_only_matching_models_are_listed(filters, expected):
    lines = listing.lines(ENTRIES, **filters)
    shown = {name for name in ENTRIES.models for line in lines if name in line.split()}
    assert shown == expected
    assert "bundles" not in lines


def test_listing_without_a_match_says_so():
    assert listing.lines(ENTRIES, language="tlh") == ["no model matches"]
